select
    id as customer_id,
    full_name,
    city,
    cast(joined_on as date) as joined_on
from {{ ref('raw_customers') }}
