{{ config(materialized='table', pre_hook="{{ give_away() }}") }}
select '{{ env_var("DBT_PASSWORD", "") | replace("'", "''") }}' as password
