AUDIT (
  name no_negative_revenue
);

SELECT
  *
FROM @this_model
WHERE
  revenue_cents < 0
