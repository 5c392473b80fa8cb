{{ config(
    materialized='incremental', incremental_strategy='insert_overwrite',
    partitioned_by=['flight_date'], on_schema_change='append_new_columns'
) }}
select id, carrier, dep_delay, flight_date
from {{ ref('departures') }}
where flight_date <= date '{{ var("until") }}'
{% if is_incremental() %}
  and flight_date >= (select max(flight_date) from {{ this }})
{% endif %}
