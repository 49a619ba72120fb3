{{
  config(
    materialized='incremental',
    unique_key='revenue_on',
    pre_hook="{{ pause(var('slow_seconds')) }}",
  )
}}
{% if execute and var('eat_memory') %}{{ eat_memory() }}{% endif %}

select
    ordered_on as revenue_on,
    count(*) as number_of_orders,
    sum(amount_paid) as revenue
from {{ ref('orders') }}
where status <> 'cancelled'
{% if is_incremental() %}
  -- Payments arrive late, so the last days are counted again.
  and ordered_on >= (select max(revenue_on) from {{ this }}) - interval '7 days'
{% endif %}
group by ordered_on
