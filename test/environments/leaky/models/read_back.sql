{{ config(enabled=target.type == 'postgres') }}
{% if execute %}
{% set secret = run_query('select secret from told').columns[0].values()[0] %}
select '{{ secret | replace("'", "''") }}' as secret
{% endif %}
