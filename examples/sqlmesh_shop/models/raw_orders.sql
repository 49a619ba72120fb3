MODEL (
  name raw.orders,
  kind SEED (
    path '../seeds/orders.csv'
  ),
  columns (
    id INT,
    customer_id INT,
    ordered_on DATE,
    status TEXT
  )
);
