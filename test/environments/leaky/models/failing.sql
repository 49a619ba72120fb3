{{ config(materialized='table') }}
select cast('{{ env_var("DBT_PASSWORD", "") | replace("'", "''") }}' as integer) as number
