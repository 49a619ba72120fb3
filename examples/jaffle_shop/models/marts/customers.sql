with bought as (

    select
        customer_id,
        min(ordered_on) as first_order_on,
        max(ordered_on) as last_order_on,
        count(*) as number_of_orders,
        sum(amount_paid) as lifetime_value
    from {{ ref('orders') }}
    where status <> 'cancelled'
    group by customer_id

)

select
    customers.customer_id,
    customers.full_name,
    customers.city,
    customers.joined_on,
    bought.first_order_on,
    bought.last_order_on,
    coalesce(bought.number_of_orders, 0) as number_of_orders,
    coalesce(bought.lifetime_value, 0) as lifetime_value,
    case
        when bought.number_of_orders >= 4 then 'regular'
        when bought.number_of_orders >= 1 then 'guest'
        else 'curious'
    end as segment
from {{ ref('stg_customers') }} as customers
left join bought on bought.customer_id = customers.customer_id
