select * from {{ target.schema }}.{{ var('missing', 'missing') }}
