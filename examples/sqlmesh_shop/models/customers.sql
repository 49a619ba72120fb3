MODEL (
  name shop.customers,
  kind FULL,
  grain customer_id,
  audits (
    NOT_NULL(columns := (customer_id))
  )
);

SELECT
  customer_id,
  COUNT(*)::INT AS number_of_orders,
  SUM(amount_cents)::INT AS spent_cents
FROM shop.orders
WHERE
  status <> 'cancelled'
GROUP BY
  customer_id
