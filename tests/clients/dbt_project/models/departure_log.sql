{{ config(materialized='incremental', incremental_strategy='append', format='orc') }}
select id, carrier, flight_date
from {{ ref('departures') }}
where flight_date <= date '{{ var("until") }}'
{% if is_incremental() %}
  and flight_date > (select max(flight_date) from {{ this }})
{% endif %}
