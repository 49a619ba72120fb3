{% macro say(word='hello') %}
  {% do log(tojson({'said': word, 'var': var('word', none)}), info=true) %}
{% endmacro %}
