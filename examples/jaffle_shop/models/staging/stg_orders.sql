{% if var('break_compilation') %}
  {{ exceptions.raise_compiler_error('The variable break_compilation is set, so this model does not compile.') }}
{% endif %}

select
    id as order_id,
    customer_id,
    cast(ordered_on as date) as ordered_on,
    status
from {{ ref('raw_orders') }}
