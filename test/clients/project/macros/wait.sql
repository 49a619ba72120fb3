{% macro wait(seconds) %}
  {% do run_query('select sleep_ms(' ~ (seconds * 1000) | int ~ ')') %}
{% endmacro %}
