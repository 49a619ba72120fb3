with paid as (

    select
        order_id,
        sum(amount) as amount_paid,
        sum(case when method = 'voucher' then amount else 0 end) as amount_in_vouchers,
        count(*) as number_of_payments
    from {{ ref('stg_payments') }}
    group by order_id

)

select
    orders.order_id,
    orders.customer_id,
    orders.ordered_on,
    orders.status,
    coalesce(paid.amount_paid, 0) as amount_paid,
    coalesce(paid.amount_in_vouchers, 0) as amount_in_vouchers,
    coalesce(paid.number_of_payments, 0) as number_of_payments
from {{ ref('stg_orders') }} as orders
left join paid on paid.order_id = orders.order_id
