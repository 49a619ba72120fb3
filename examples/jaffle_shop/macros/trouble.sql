{# SQL that waits in the warehouse, where a cancel can reach it. #}
{% macro pause(seconds) %}
  {%- if seconds | float > 0 -%}
    select sleep_ms({{ (seconds | float * 1000) | int }})
  {%- endif -%}
{% endmacro %}


{# Takes memory in dbt's own process: DuckDB would keep within its own limit. #}
{% macro eat_memory() %}
  {%- set eaten = [] -%}
  {%- for i in range(64) -%}
    {%- do eaten.append('x' * (67108864 + i)) -%}
  {%- endfor -%}
{% endmacro %}


{% macro fill_log(megabytes) %}
  {%- if execute -%}
    {%- set line = 'x' * 1014 -%}
    {%- for _ in range(megabytes | int) -%}
      {%- for _ in range(1024) -%}
        {%- do log(line, info=true) -%}
      {%- endfor -%}
    {%- endfor -%}
  {%- endif -%}
{% endmacro %}
