{% if execute %}{% do log('given ' ~ given() | trim, info=true) %}{% endif %}
select * from {{ ref('broken') }}
