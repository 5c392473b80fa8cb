{% snapshot carriers_history %}
{{ config(
    target_schema=env_var('DBT_SCHEMA'), unique_key='carrier', strategy='check',
    check_cols=['flights'], table_type='iceberg'
) }}
select carrier, flights from {{ ref('carrier_states') }}
{% endsnapshot %}
