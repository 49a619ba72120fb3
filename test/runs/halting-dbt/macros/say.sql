{% macro say(word='hello') %}
  {% do log(tojson({'said': word}), info=true) %}
{% endmacro %}

{# What a retry must not have lost on its way: the types of values as well. #}
{% macro given() %}
  {{ tojson({'target': target.name, 'fresh': flags.FULL_REFRESH, 'nothing': var('nothing', 1), 'text': var('text', '')}) }}
{% endmacro %}
