{# Prints where dbt runs, what it was told of its run, and what the warehouse is sent for that. #}
{% macro tell() %}
  {% set names = [
    'DBT_CLOUD_ACCOUNT_ID', 'DBT_CLOUD_PROJECT_ID', 'DBT_CLOUD_ENVIRONMENT_ID', 'DBT_CLOUD_JOB_ID', 'DBT_CLOUD_RUN_ID',
    'DBT_CLOUD_ENVIRONMENT_NAME', 'DBT_CLOUD_RUN_REASON', 'DBT_CLOUD_RUN_REASON_CATEGORY', 'DBT_CLOUD_INVOCATION_CONTEXT',
    'DCTL_CAUSE', 'DCTL_METADATA_TABLE', 'DCTL_METADATA_IS_FULL',
  ] %}
  {% set found = {} %}
  {% for name in names %}{% do found.update({name: env_var(name, 'none')}) %}{% endfor %}
  {% set query = run_query('select current_query() as query').columns[0].values()[0] %}
  {% do print(tojson({'told': true, 'target': target.name, 'schema': target.schema, 'threads': target.threads, 'variables': found, 'query': query})) %}
{% endmacro %}
