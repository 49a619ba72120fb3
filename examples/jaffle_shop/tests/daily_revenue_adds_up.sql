-- No money is lost between the payments and the days. With the variable fail_test there is one bad row.
with days as (select sum(revenue) as total from {{ ref('daily_revenue') }}),

payments as (select sum(amount_paid) as total from {{ ref('orders') }} where status <> 'cancelled')

select days.total as in_days, payments.total as in_payments
from days
cross join payments
where days.total <> payments.total
  {% if var('fail_test') %}or true{% endif %}
