"""Functions of dates and times whose types a line can tell; the others are in `special`."""

TABLE = r"""
date(varchar) date = CAST(trino_date_of($1, 'date') AS DATE)
from_iso8601_date(varchar) date = trino_iso_date($1)
last_day_of_month(date) date = last_day($1)
parse_duration(varchar) interval day to second = trino_interval(py_parse_duration($1))
to_milliseconds(interval day to second) bigint = CAST(epoch_ms($1) AS BIGINT)
to_unixtime(timestamptz) double = (epoch_us($1) / 1e6)
to_unixtime(timestamp) double = (epoch_us($1) / 1e6)
"""
