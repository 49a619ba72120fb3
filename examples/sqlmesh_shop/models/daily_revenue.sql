MODEL (
  name shop.daily_revenue,
  kind INCREMENTAL_BY_TIME_RANGE (
    time_column ordered_on
  ),
  grain ordered_on,
  audits (
    UNIQUE_VALUES(columns := (ordered_on)),
    no_negative_revenue
  )
);

SELECT
  ordered_on,
  COUNT(*)::INT AS number_of_orders,
  SUM(amount_cents)::INT AS revenue_cents
FROM shop.orders
WHERE
  status <> 'cancelled'
  AND ordered_on BETWEEN @start_date AND @end_date
GROUP BY
  ordered_on
