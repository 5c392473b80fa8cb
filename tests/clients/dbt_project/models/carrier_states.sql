{{ config(
    materialized='incremental', table_type='iceberg', incremental_strategy='merge',
    unique_key='carrier', format='parquet'
) }}
select carrier, max(flight_date) as last_flight, count(*) as flights
from {{ ref('departures') }}
where flight_date <= date '{{ var("until") }}'
group by carrier
