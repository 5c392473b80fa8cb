{{ config(materialized='view') }}
select departures.id, carriers.name, departures.dep_delay
from {{ ref('departures') }} as departures
join {{ ref('carriers') }} as carriers on carriers.carrier = departures.carrier
where departures.dep_delay > 15
