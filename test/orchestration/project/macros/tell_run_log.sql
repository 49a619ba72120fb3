{# Prints what the warehouse knows of all runs so far. #}
{% macro tell_run_log() %}
  {% if execute %}
    {% set logged = run_query('select run_id, cause, execution_id, loaded_table from run_log order by began_at') %}
    {% for row in logged.rows %}
      {% do print(tojson({'logged': row.values() | list})) %}
    {% endfor %}
  {% endif %}
{% endmacro %}
