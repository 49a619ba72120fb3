{# Prints where dbt runs: what target, with how many threads, and which variables it was given. #}
{% macro tell(names) %}
  {% set found = {} %}
  {% for name in names %}{% do found.update({name: env_var(name, 'none')}) %}{% endfor %}
  {% do print(tojson({'told': true, 'target': target.name, 'type': target.type, 'schema': target.schema, 'profile': target.profile_name, 'threads': target.threads, 'variables': found})) %}
{% endmacro %}

{# Prints the secret as Jinja can write it. #}
{% macro give_away() %}
  {% set secret = env_var('DBT_PASSWORD', '') %}
  {% do log('plain: ' ~ secret, info=true) %}
  {% do log('in a URL: ' ~ secret | urlencode, info=true) %}
  {% do log('as JSON: ' ~ tojson({'password': secret}), info=true) %}
  {% do print('for HTML: ' ~ (secret | tojson)) %}
  {% do exceptions.warn('in a warning: ' ~ secret) %}
{% endmacro %}
