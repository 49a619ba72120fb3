{% macro hello(name='world') %}
  {% do log('Hello, ' ~ name ~ '! This is target ' ~ target.name ~ '.', info=true) %}
{% endmacro %}
