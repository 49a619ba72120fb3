{% macro say(word='hello') %}
  {% do log(tojson({'said': word, 'var': var('word', none)}), info=true) %}
{% endmacro %}


{% macro print_lines(megabytes, text) %}
  {%- set line = (text * 1024)[:1023] -%}
  {%- for _ in range(megabytes) -%}
    {%- for _ in range(1024) -%}
      {%- do print(line) -%}
    {%- endfor -%}
  {%- endfor -%}
{% endmacro %}
