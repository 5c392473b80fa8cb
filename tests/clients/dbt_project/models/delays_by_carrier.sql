{{ config(materialized='table', format='parquet', write_compression='snappy', partitioned_by=['origin']) }}
select
    carrier,
    count(*) as flights,
    cast(avg(dep_delay) as decimal(8, 2)) as mean_delay,
    origin
from {{ ref('departures') }}
group by carrier, origin
