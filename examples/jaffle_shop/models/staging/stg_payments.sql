select
    id as payment_id,
    order_id,
    method,
    amount_cents / 100.0 as amount
from {{ ref('raw_payments') }}
{% if var('fail_model') %}
where the_variable_fail_model_is_set
{% endif %}
