{% if execute %}{% do log('given ' ~ given() | trim, info=true) %}{% endif %}
select id from {{ ref('halting') }}
