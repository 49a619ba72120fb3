MODEL (
  name raw.payments,
  kind SEED (
    path '../seeds/payments.csv'
  ),
  columns (
    id INT,
    order_id INT,
    method TEXT,
    amount_cents INT
  )
);
