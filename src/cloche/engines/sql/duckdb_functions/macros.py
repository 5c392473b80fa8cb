"""Macros in DuckDB's SQL that the dialect's functions stand on.

`fail(kind, message)` in them stands for SQL that fails when it is evaluated: a cast that can't
succeed, since DuckDB's own error() may not stand in TRY.
"""
# ruff: noqa: E501 - a definition is a line, however long

from __future__ import annotations

import re
from collections.abc import Iterator

_MACROS = r"""
trino_nonzero(b) = CASE WHEN b = 0 THEN fail('DIVISION_BY_ZERO', 'Division by zero') ELSE b END
trino_rounded_quotient(n, d) = sign(n) * sign(d) * ((2 * abs(n) + abs(d)) // (2 * abs(d)))
trino_quotient(n, d) = trino_rounded_quotient(n, trino_nonzero(d))
trino_round_time(t, unit) = date_trunc('microsecond', t) + to_microseconds(CAST(CASE WHEN epoch_us(t) % unit < 0 THEN (CASE WHEN -(epoch_us(t) % unit) * 2 > unit THEN -unit ELSE 0 END) - epoch_us(t) % unit ELSE (CASE WHEN (epoch_us(t) % unit) * 2 >= unit THEN unit ELSE 0 END) - epoch_us(t) % unit END AS BIGINT))
trino_interval(us) = to_microseconds(us)
trino_interval_us(i) = CAST(epoch_us(i) AS BIGINT)
trino_elapsed(a, b) = to_microseconds(epoch_us(b) - epoch_us(a))
trino_date_shift(d, i) = CASE WHEN epoch_us(i) % 86400000000 = 0 THEN CAST(d + i AS DATE) ELSE CAST(fail('INVALID_FUNCTION_ARGUMENT', 'Cannot add hour, minutes or seconds to a date') AS VARCHAR)::DATE END
trino_day_second_text(i) = (CASE WHEN epoch_us(i) < 0 THEN '-' ELSE '' END) || CAST(abs(epoch_us(i)) // 86400000000 AS VARCHAR) || ' ' || lpad(CAST(abs(epoch_us(i)) // 3600000000 % 24 AS VARCHAR), 2, '0') || ':' || lpad(CAST(abs(epoch_us(i)) // 60000000 % 60 AS VARCHAR), 2, '0') || ':' || lpad(CAST(abs(epoch_us(i)) // 1000000 % 60 AS VARCHAR), 2, '0') || '.' || lpad(CAST(abs(epoch_us(i)) // 1000 % 1000 AS VARCHAR), 3, '0')
trino_months(i) = datepart('year', i) * 12 + datepart('month', i)
trino_year_month_text(i) = (CASE WHEN trino_months(i) < 0 THEN '-' ELSE '' END) || CAST(abs(trino_months(i)) // 12 AS VARCHAR) || '-' || CAST(abs(trino_months(i)) % 12 AS VARCHAR)
trino_double_text(x) = py_double_text(x)
trino_real_text(x) = py_real_text(x)
trino_bad_cast(s, t) = fail('INVALID_CAST_ARGUMENT', 'Cannot cast ''' || s || ''' to ' || t)
trino_fitting(s, n, t) = CASE WHEN length(s) > n THEN fail('INVALID_CAST_ARGUMENT', 'Value ' || s || ' cannot be represented as ' || t)::VARCHAR ELSE s END
trino_like_escaped(p, e) = CASE WHEN e <> '' AND contains(replace(replace(replace(p, e || e, ''), e || '%', ''), e || '_', ''), e) THEN CAST(fail('INVALID_FUNCTION_ARGUMENT', 'Escape character must be followed by ''%'', ''_'' or the escape character itself') AS VARCHAR) ELSE p END
trino_integer_of(s, t) = CASE WHEN s IS NULL THEN NULL WHEN regexp_full_match(s, '[+-]?[0-9]{1,19}') THEN s ELSE trino_bad_cast(s, t)::VARCHAR END
trino_double_of(s, t) = CASE WHEN s IS NULL THEN NULL WHEN regexp_full_match(s, '\s*[+-]?(NaN|Infinity|([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?)\s*') THEN trim(s) ELSE trino_bad_cast(s, t)::VARCHAR END
trino_decimal_of(s, t) = CASE WHEN s IS NULL THEN NULL WHEN regexp_full_match(s, '\s*[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?\s*') THEN trim(s) ELSE trino_bad_cast(s, t)::VARCHAR END
trino_boolean_of(s, t) = CASE WHEN s IS NULL THEN NULL WHEN lower(s) IN ('t', 'true', '1') THEN 'true' WHEN lower(s) IN ('f', 'false', '0') THEN 'false' ELSE trino_bad_cast(s, t)::VARCHAR END
trino_date_of(s, t) = CASE WHEN s IS NULL THEN NULL WHEN regexp_full_match(s, '\s*[+-]?[0-9]{4,6}-[0-9]{1,2}-[0-9]{1,2}\s*') THEN s ELSE trino_bad_cast(s, t)::VARCHAR END
trino_timestamp_of(s, t) = CASE WHEN s IS NULL THEN NULL WHEN regexp_full_match(s, '\s*[+-]?[0-9]{4,6}-[0-9]{1,2}-[0-9]{1,2}( [0-9]{1,2}:[0-9]{1,2}:[0-9]{1,2}(\.[0-9]{1,12})?)?\s*') THEN s WHEN regexp_full_match(s, '\s*[+-]?[0-9]{4,6}-[0-9]{1,2}-[0-9]{1,2} [0-9]{1,2}:[0-9]{1,2}\s*') THEN trim(s) || ':00' ELSE trino_bad_cast(s, t)::VARCHAR END
trino_time_of(s, t) = CASE WHEN s IS NULL THEN NULL WHEN regexp_full_match(s, '[0-9]{1,2}:[0-9]{1,2}(:[0-9]{1,2}(\.[0-9]{1,12})?)?') THEN s ELSE trino_bad_cast(s, t)::VARCHAR END
trino_uuid_of(s, t) = CASE WHEN s IS NULL THEN NULL WHEN regexp_full_match(s, '[0-9a-fA-F]{8}-([0-9a-fA-F]{4}-){3}[0-9a-fA-F]{12}') THEN s ELSE trino_bad_cast(s, t)::VARCHAR END
trino_instant_of(s, t) = CASE WHEN s IS NULL THEN NULL WHEN regexp_full_match(s, '\s*[0-9]{4}-[0-9]{1,2}-[0-9]{1,2}( [0-9]{1,2}:[0-9]{1,2}:[0-9]{1,2}(\.[0-9]{1,12})?)?( ?(UTC|Z|[+]00:00))?\s*') THEN CAST(regexp_extract(s, '[0-9-]+( [0-9:.]+)?') || '+00' AS TIMESTAMPTZ) WHEN regexp_matches(s, '^\s*[0-9]{4}-') THEN CAST(fail('NOT_SUPPORTED', 'a zone other than UTC in a text that is no constant is not supported: ' || s) AS VARCHAR)::TIMESTAMPTZ ELSE trino_bad_cast(s, t)::VARCHAR::TIMESTAMPTZ END
trino_iso_text(s) = CASE WHEN regexp_full_match(s, '[0-9]{4}(-[0-9]{2}(-[0-9]{2}(T([0-9]{2}(:[0-9]{2}(:[0-9]{2}([.,][0-9]+)?)?)?)?(Z|[+-][0-9]{2}(:?[0-9]{2})?)?)?)?)?') THEN s ELSE CAST(fail('INVALID_FUNCTION_ARGUMENT', 'Invalid format: "' || s || '"') AS VARCHAR) END
trino_iso_time(s) = coalesce(nullif(regexp_extract(s, 'T([0-9:.,]+)', 1), ''), '00')
trino_iso_stamp(s) = rpad(regexp_extract(s, '^[0-9-]{4,10}'), 10, '-01-01') || ' ' || replace(CASE WHEN length(trino_iso_time(s)) < 8 THEN rpad(trino_iso_time(s), 8, ':00') ELSE trino_iso_time(s) END, ',', '.')
trino_iso_zone(s) = CASE WHEN s LIKE '%T%' THEN regexp_extract(s, '(Z|[+-][0-9]{2}(:?[0-9]{2})?)$', 1) ELSE '' END
trino_lenient_instant(s, zone) = CASE WHEN s IS NULL THEN NULL WHEN trino_iso_zone(trino_iso_text(s)) = '' THEN timezone(zone, CAST(trino_iso_stamp(s) AS TIMESTAMP)) ELSE CAST(trino_iso_stamp(s) || replace(trino_iso_zone(s), 'Z', '+00') AS TIMESTAMPTZ) END
trino_strict_instant(s, zone) = CASE WHEN trino_iso_zone(s) IN ('', 'Z', '+00:00', '+00', '+0000', '-00:00') OR s IS NULL THEN trino_lenient_instant(s, zone) ELSE CAST(fail('NOT_SUPPORTED', 'a zone other than UTC in a text that is no constant is not supported: ' || s) AS VARCHAR)::TIMESTAMPTZ END
trino_iso_date(s) = CASE WHEN s IS NULL THEN NULL WHEN regexp_full_match(s, '[0-9]{4}(-[0-9]{2}(-[0-9]{2})?)?') THEN CAST(rpad(s, 10, '-01-01') AS DATE) ELSE CAST(fail('INVALID_FUNCTION_ARGUMENT', 'Invalid format: "' || s || '"') AS VARCHAR)::DATE END
trino_offset_minutes(local, t) = CAST((epoch_us(local) - epoch_us(t)) // 60000000 AS BIGINT)
trino_offset_text(local, t, colon) = (CASE WHEN trino_offset_minutes(local, t) < 0 THEN '-' ELSE '+' END) || lpad(CAST(abs(trino_offset_minutes(local, t)) // 60 AS VARCHAR), 2, '0') || colon || lpad(CAST(abs(trino_offset_minutes(local, t)) % 60 AS VARCHAR), 2, '0')
trino_subscript(a, i) = CASE WHEN i BETWEEN 1 AND len(a) THEN a[i] WHEN i IS NULL OR a IS NULL THEN NULL WHEN i = 0 THEN [a[1]][fail('INVALID_FUNCTION_ARGUMENT', 'SQL array indices start at 1')] WHEN i < 0 THEN [a[1]][fail('INVALID_FUNCTION_ARGUMENT', 'Array subscript is negative: ' || i)] ELSE [a[1]][fail('INVALID_FUNCTION_ARGUMENT', 'Array subscript must be less than or equal to array length: ' || i || ' > ' || len(a))] END
trino_map_subscript(m, k) = CASE WHEN m IS NULL OR k IS NULL THEN NULL WHEN map_contains(m, k) THEN m[k] ELSE [m[k]][fail('INVALID_FUNCTION_ARGUMENT', 'Key not present in map: ' || k)] END
trino_element_at(a, i) = CASE WHEN i = 0 THEN [a[1]][fail('INVALID_FUNCTION_ARGUMENT', 'SQL array indices start at 1')] ELSE a[i] END
trino_concat_arrays(a, b) = CASE WHEN a IS NULL OR b IS NULL THEN NULL ELSE list_concat(a, b) END
trino_equal_arrays(a, b) = CASE WHEN a IS NULL OR b IS NULL THEN NULL WHEN len(a) <> len(b) THEN false WHEN list_count(a) = len(a) AND list_count(b) = len(b) THEN a = b WHEN list_contains(list_transform(list_zip(a, b), lambda z: z[1] = z[2]), false) THEN false ELSE NULL END
trino_equal_entries(a, b) = CASE WHEN a IS NULL OR b IS NULL THEN NULL WHEN list_transform(a, lambda e: e.key) <> list_transform(b, lambda e: e.key) THEN false WHEN list_contains(list_transform(list_zip(a, b), lambda z: z[1].value = z[2].value), false) THEN false WHEN list_count(list_transform(a, lambda e: e.value)) < len(a) OR list_count(list_transform(b, lambda e: e.value)) < len(b) THEN NULL ELSE true END
trino_no_instance() = fail('INVALID_FUNCTION_ARGUMENT', '''instance'' must be a positive or negative number.')
trino_from_hex(s) = CASE WHEN length(s) % 2 = 1 OR regexp_matches(s, '[^0-9a-fA-F]') THEN CAST(fail('INVALID_FUNCTION_ARGUMENT', 'Invalid input string for from_hex: ' || s) AS VARCHAR)::BLOB ELSE unhex(s) END
trino_trim_array(a, n) = CASE WHEN n < 0 THEN [a][fail('INVALID_FUNCTION_ARGUMENT', 'size must not be negative: ' || n)] WHEN n > len(a) THEN [a][fail('INVALID_FUNCTION_ARGUMENT', 'size must not exceed array cardinality ' || len(a) || ': ' || n)] ELSE list_slice(a, 1, len(a) - n) END
trino_slice(a, s, n) = CASE WHEN s = 0 THEN [a][fail('INVALID_FUNCTION_ARGUMENT', 'SQL array indices start at 1')] WHEN n < 0 THEN [a][fail('INVALID_FUNCTION_ARGUMENT', 'length must be greater than or equal to 0')] WHEN s > 0 THEN list_slice(a, s, s + n - 1) WHEN -s > len(a) THEN a[1:0] WHEN n = 0 THEN a[1:0] ELSE list_slice(a, len(a) + s + 1, len(a) + s + n) END
trino_contains(a, x) = CASE WHEN a IS NULL OR x IS NULL THEN NULL WHEN list_contains(a, x) THEN true WHEN list_count(a) < len(a) THEN NULL ELSE false END
trino_overlap(a, b) = CASE WHEN a IS NULL OR b IS NULL THEN NULL WHEN list_has_any(list_filter(a, lambda x: x IS NOT NULL), list_filter(b, lambda x: x IS NOT NULL)) THEN true WHEN len(a) > 0 AND len(b) > 0 AND (list_count(a) < len(a) OR list_count(b) < len(b)) THEN NULL ELSE false END
trino_distinct(a) = CASE WHEN list_unique(a) = len(a) THEN a ELSE list_filter(a, lambda x, i: coalesce(list_position(a, x), 0) = i) END
trino_first_entries(a) = CASE WHEN list_unique(list_transform(a, lambda e: e.key)) = len(a) THEN map_from_entries(a) ELSE map_from_entries(list_filter(a, lambda e, i: e.key IS NOT NULL AND list_position(list_transform(a, lambda f: f.key), e.key) = i)) END
trino_array_position(a, x) = CASE WHEN a IS NULL OR x IS NULL THEN NULL ELSE coalesce(list_position(a, x), 0) END
trino_except(a, b) = CASE WHEN b IS NULL THEN NULL ELSE list_filter(trino_distinct(a), lambda x: list_position(b, x) IS NULL) END
trino_intersect(a, b) = CASE WHEN b IS NULL THEN NULL ELSE list_filter(trino_distinct(a), lambda x: list_position(b, x) IS NOT NULL) END
trino_any(a) = CASE WHEN a IS NULL THEN NULL WHEN list_contains(a, true) THEN true WHEN list_count(a) < len(a) THEN NULL ELSE false END
trino_all(a) = CASE WHEN a IS NULL THEN NULL WHEN list_contains(a, false) THEN false WHEN list_count(a) < len(a) THEN NULL ELSE true END
trino_array_max(a) = CASE WHEN list_count(a) < len(a) THEN NULL ELSE list_max(a) END
trino_array_min(a) = CASE WHEN list_count(a) < len(a) THEN NULL ELSE list_min(a) END
trino_map(k, v) = CASE WHEN k IS NULL OR v IS NULL THEN NULL WHEN len(k) <> len(v) THEN [map(k, v)][fail('INVALID_FUNCTION_ARGUMENT', 'Key and value arrays must be the same length')] ELSE map(k, v) END
trino_filter_entries(m, keep) = map_from_entries(list_filter(map_entries(m), keep))
trino_map_concat(a, b) = CASE WHEN a IS NULL OR b IS NULL THEN NULL ELSE map_concat(a, b) END
trino_repeat(x, n) = list_transform(range(n), lambda i: x)
trino_ngrams(a, n) = CASE WHEN n <= 0 THEN [[a]][fail('INVALID_FUNCTION_ARGUMENT', 'N must be positive')] WHEN len(a) <= n THEN [a] ELSE list_transform(range(1, len(a) - n + 2), lambda i: a[i:i + n - 1]) END
trino_split_to_map(s, e, k) = map_from_entries(list_transform(list_filter(string_split(s, e), lambda p: p <> ''), lambda p: struct_pack(key := CASE WHEN len(string_split(p, k)) = 2 THEN string_split(p, k)[1] ELSE CAST(fail('INVALID_FUNCTION_ARGUMENT', 'Key-value delimiter must appear exactly once in each entry. Bad input: ''' || p || '''') AS VARCHAR) END, value := string_split(p, k)[2])))
trino_split_to_multimap(s, e, k) = list_transform([list_transform(list_filter(string_split(s, e), lambda p: p <> ''), lambda p: struct_pack(key := CASE WHEN len(string_split(p, k)) = 2 THEN string_split(p, k)[1] ELSE CAST(fail('INVALID_FUNCTION_ARGUMENT', 'Key-value delimiter must appear exactly once in each entry. Bad input: ' || p) AS VARCHAR) END, value := string_split(p, k)[2]))], lambda a: map_from_entries(list_transform(trino_distinct(list_transform(a, lambda x: x.key)), lambda y: struct_pack(key := y, value := list_transform(list_filter(a, lambda z: z.key = y), lambda z: z.value)))))[1]
trino_split_limit(s, d, n) = CASE WHEN n <= 0 THEN [CAST(fail('INVALID_FUNCTION_ARGUMENT', 'Limit must be positive') AS VARCHAR)] WHEN len(string_split(s, d)) <= n THEN string_split(s, d) ELSE list_concat(string_split(s, d)[1:n - 1], [array_to_string(string_split(s, d)[n:], d)]) END
trino_split_part(s, d, n) = CASE WHEN n <= 0 THEN CAST(fail('INVALID_FUNCTION_ARGUMENT', 'Index must be greater than zero') AS VARCHAR) WHEN d = '' THEN (CASE WHEN n <= length(s) THEN substr(s, n, 1) END) ELSE string_split(s, d)[n] END
trino_substr(s, i) = CASE WHEN i = 0 OR -i > length(s) THEN (CASE WHEN s IS NULL THEN NULL ELSE '' END) ELSE substr(s, i) END
trino_substr_length(s, i, n) = CASE WHEN i = 0 OR n <= 0 OR -i > length(s) THEN (CASE WHEN s IS NULL OR n IS NULL THEN NULL ELSE '' END) ELSE substr(s, i, n) END
trino_strpos(s, t, n) = CASE WHEN n = 1 THEN strpos(s, t) WHEN n > 0 AND t = '' THEN 0 WHEN n > 0 AND len(string_split(s, t)) > n THEN length(array_to_string(string_split(s, t)[1:n], t)) + 1 WHEN n < 0 AND len(string_split(s, t)) > -n THEN length(array_to_string(string_split(s, t)[1:len(string_split(s, t)) + n], t)) + 1 WHEN s IS NULL OR t IS NULL OR n IS NULL THEN NULL ELSE 0 END
trino_pad_check(n, p) = CASE WHEN n < 0 THEN CAST(fail('INVALID_FUNCTION_ARGUMENT', 'Target length must be in the range [0..2147483647]') AS VARCHAR) WHEN p = '' THEN CAST(fail('INVALID_FUNCTION_ARGUMENT', 'Padding string must not be empty') AS VARCHAR) ELSE p END
trino_chr(n) = CASE WHEN n BETWEEN 0 AND 1114111 THEN chr(CAST(n AS INTEGER)) ELSE CAST(fail('INVALID_FUNCTION_ARGUMENT', 'Not a valid Unicode code point: ' || n) AS VARCHAR) END
trino_codepoint(s) = CASE WHEN length(s) = 1 THEN unicode(s) WHEN s IS NULL THEN NULL ELSE fail('INVALID_FUNCTION_ARGUMENT', 'Input string must be a single character string') END
trino_url(s, pattern, g) = CASE WHEN s IS NULL THEN NULL ELSE regexp_extract(s, pattern, g) END
trino_json_valid(s) = CASE WHEN json_valid(s) THEN CAST(s AS JSON) END
trino_to_json(x) = CASE WHEN x IS NULL THEN NULL ELSE to_json(x) END
trino_json_shown(j) = CASE WHEN regexp_matches(CAST(j AS VARCHAR), '[0-9][.eE][-+0-9]') THEN py_json_shown(CAST(j AS VARCHAR)) ELSE CAST(j AS VARCHAR) END
trino_json_parse(s) = CAST(py_json_parse(s) AS JSON)
trino_json_scalar(j, p) = CASE json_type(j, p) WHEN 'OBJECT' THEN NULL WHEN 'ARRAY' THEN NULL WHEN 'DOUBLE' THEN py_json_number(CAST(j AS VARCHAR), p) ELSE json_extract_string(j, p) END
trino_json_text(j) = CASE json_type(j) WHEN 'OBJECT' THEN CAST(fail('INVALID_CAST_ARGUMENT', 'Cannot cast ' || CAST(j AS VARCHAR) || ' to varchar') AS VARCHAR) WHEN 'ARRAY' THEN CAST(fail('INVALID_CAST_ARGUMENT', 'Cannot cast ' || CAST(j AS VARCHAR) || ' to varchar') AS VARCHAR) ELSE j ->> '$' END
trino_json_number(j, t) = CASE WHEN json_type(j) IN ('OBJECT', 'ARRAY') THEN trino_bad_cast(CAST(j AS VARCHAR), t)::VARCHAR WHEN json_type(j) = 'BOOLEAN' AND t <> 'boolean' THEN (CASE WHEN (j ->> '$') = 'true' THEN '1' ELSE '0' END) WHEN t = 'boolean' AND json_type(j) NOT IN ('BOOLEAN', 'VARCHAR', 'NULL') THEN (CASE WHEN CAST(j ->> '$' AS DOUBLE) = 0 THEN 'false' ELSE 'true' END) ELSE j ->> '$' END
trino_json_elements(j) = CASE WHEN j IS NULL OR json_type(j) = 'NULL' THEN NULL WHEN json_type(j) = 'ARRAY' THEN CAST(j AS JSON[]) ELSE [CAST(fail('INVALID_CAST_ARGUMENT', 'Cannot cast to array. Expected a json array, but got ' || CAST(j AS VARCHAR)) AS VARCHAR)::JSON] END
trino_json_entries(j) = CASE WHEN j IS NULL OR json_type(j) = 'NULL' THEN NULL WHEN json_type(j) = 'OBJECT' THEN list_transform(json_keys(j), lambda k: struct_pack(key := k, value := json_extract(j, '$."' || replace(replace(k, '\', '\\'), '"', '\"') || '"'))) ELSE [struct_pack(key := CAST(fail('INVALID_CAST_ARGUMENT', 'Cannot cast to map. Expected a json object, but got ' || CAST(j AS VARCHAR)) AS VARCHAR), value := j)] END
trino_json_field(j, name, i) = CASE WHEN json_type(j) = 'ARRAY' THEN json_extract(j, '$[' || i || ']') WHEN json_type(j) = 'OBJECT' THEN json_extract(j, '$."' || name || '"') ELSE CAST(fail('INVALID_CAST_ARGUMENT', 'Cannot cast to row. Expected a json object or array, but got ' || CAST(j AS VARCHAR)) AS VARCHAR)::JSON END
trino_json_get(j, i) = CASE WHEN json_type(j) = 'ARRAY' THEN (CASE WHEN i >= 0 THEN json_extract(j, '$[' || i || ']') WHEN -i <= json_array_length(j) THEN json_extract(j, '$[' || (json_array_length(j) + i) || ']') END) END
trino_json_length(j) = CASE WHEN json_type(j) = 'ARRAY' THEN CAST(json_array_length(j) AS BIGINT) END
trino_json_size(j) = CASE json_type(j) WHEN 'ARRAY' THEN CAST(json_array_length(j) AS BIGINT) WHEN 'OBJECT' THEN len(json_keys(j)) ELSE (CASE WHEN j IS NULL THEN NULL ELSE 0 END) END
trino_is_json_scalar(j) = json_type(j) NOT IN ('ARRAY', 'OBJECT')
trino_truncate(x, n) = CASE WHEN x < 0 THEN ceil(x * power(10, n)) / power(10, n) ELSE floor(x * power(10, n)) / power(10, n) END
trino_width_bucket(x, low, high, n) = CASE WHEN n <= 0 THEN fail('INVALID_FUNCTION_ARGUMENT', 'bucketCount must be greater than 0') WHEN low = high THEN fail('INVALID_FUNCTION_ARGUMENT', 'bounds cannot equal each other') WHEN low < high AND x < low THEN 0 WHEN low < high AND x >= high THEN n + 1 WHEN low > high AND x > low THEN 0 WHEN low > high AND x <= high THEN n + 1 WHEN low < high THEN CAST(floor((x - low) / (high - low) * n) AS BIGINT) + 1 ELSE CAST(floor((low - x) / (low - high) * n) AS BIGINT) + 1 END
trino_width_bins(x, bins) = CAST(len(list_filter(bins, lambda b: b <= x)) AS BIGINT)
trino_to_base(n, r) = CASE WHEN r NOT BETWEEN 2 AND 36 THEN CAST(fail('INVALID_FUNCTION_ARGUMENT', 'Radix must be between 2 and 36') AS VARCHAR) WHEN n < 0 THEN '-' || lower(to_base(-n, CAST(r AS INTEGER))) ELSE lower(to_base(n, CAST(r AS INTEGER))) END
trino_bit_count(n, bits) = CASE WHEN bits NOT BETWEEN 2 AND 64 THEN fail('INVALID_FUNCTION_ARGUMENT', 'Bits specified in bit_count must be between 2 and 64, got ' || bits) WHEN bits = 64 THEN bit_count(n) WHEN n BETWEEN -(1::HUGEINT << (bits - 1)) AND (1::HUGEINT << (bits - 1)) - 1 THEN bit_count(n & CAST((1::HUGEINT << bits) - 1 AS BIGINT)) ELSE fail('INVALID_FUNCTION_ARGUMENT', 'Number must be representable with the bits specified in bit_count') END
trino_shift_left(n, s) = CASE WHEN s >= 64 THEN 0 WHEN s < 0 THEN 0 ELSE py_shift_left(n, s) END
trino_shift_right(n, s) = CASE WHEN s >= 64 THEN 0 WHEN s = 0 THEN n WHEN n >= 0 THEN n >> CAST(s AS INTEGER) ELSE CAST(((n::HUGEINT + 18446744073709551616::HUGEINT) // (power(2, s)::HUGEINT)) AS BIGINT) END
trino_shift_right_signed(n, s) = CASE WHEN s >= 64 THEN (CASE WHEN n < 0 THEN -1 ELSE 0 END) WHEN n >= 0 THEN n >> CAST(s AS INTEGER) ELSE -1 - ((-1 - n) >> CAST(s AS INTEGER)) END
trino_cbrt(x) = CASE WHEN x = 0 OR NOT isfinite(x) THEN x ELSE cbrt(x) - (cbrt(x) * cbrt(x) * cbrt(x) - x) / (3 * cbrt(x) * cbrt(x)) END
trino_log(b, x) = ln(x) / ln(b)
trino_positive(n) = CASE WHEN n > 0 THEN n ELSE fail('INVALID_FUNCTION_ARGUMENT', 'bound must be positive') END
trino_levenshtein(a, b) = CAST(levenshtein(a, b) AS BIGINT)
trino_hamming(a, b) = CASE WHEN length(a) <> length(b) THEN fail('INVALID_FUNCTION_ARGUMENT', 'The input strings to hamming_distance function must have the same length') WHEN a = '' THEN 0 ELSE hamming(a, b) END
trino_regexp_extract(s, p, g) = CASE WHEN regexp_matches(s, p) THEN regexp_extract(s, p, g) END
trino_regexp_position(s, p) = CASE WHEN s IS NULL OR p IS NULL THEN NULL WHEN regexp_matches(s, p) THEN length(regexp_extract(s, '^((?s:.)*?)(?:' || p || ')', 1)) + 1 ELSE -1 END
"""

_FAIL = re.compile(r"fail\('([A-Z_]+)', ")
_DEFINITION = re.compile(r"(\w+\([^)]*\)) = (.+)")


def statements() -> Iterator[str]:
    """CREATE MACRO for each macro."""
    for line in _MACROS.strip().splitlines():
        match = _DEFINITION.fullmatch(line.strip())
        if match is None:
            raise ValueError(line)
        yield f"CREATE OR REPLACE MACRO {match[1]} AS {_spread(match[2])}"


def _spread(sql: str) -> str:
    """`fail(kind, message)` → a cast of the message, which can't succeed."""
    while (match := _FAIL.search(sql)) is not None:
        depth, at, quoted = 1, match.end(), False
        while depth:
            character = sql[at]
            if character == "'":
                quoted = not quoted
            elif not quoted:
                depth += (character == "(") - (character == ")")
            at += 1
        message = sql[match.end() : at - 1]
        made = f"CAST(concat('!{match[1]}: ', {message}) AS TINYINT)"
        sql = sql[: match.start()] + made + sql[at:]
    return sql
