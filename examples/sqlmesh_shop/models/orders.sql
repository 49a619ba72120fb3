MODEL (
  name shop.orders,
  kind VIEW,
  grain order_id
);

SELECT
  orders.id AS order_id,
  orders.customer_id,
  orders.ordered_on,
  orders.status,
  COALESCE(SUM(payments.amount_cents), 0)::INT AS amount_cents
FROM raw.orders AS orders
LEFT JOIN raw.payments AS payments
  ON payments.order_id = orders.id
GROUP BY
  orders.id,
  orders.customer_id,
  orders.ordered_on,
  orders.status
