select * from {{ target.schema }}.never_loaded
