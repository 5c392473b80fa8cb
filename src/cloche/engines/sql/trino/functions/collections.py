"""Functions of arrays and maps."""
# ruff: noqa: E501 - a definition is a line, however long

TABLE = r"""
all_match(array(T), function(T, boolean)) boolean = trino_all(list_transform($1, $2))
any_match(array(T), function(T, boolean)) boolean = trino_any(list_transform($1, $2))
none_match(array(T), function(T, boolean)) boolean = (NOT trino_any(list_transform($1, $2)))
array_distinct(array(T)) array(T) = trino_distinct($1)
array_except(array(T), array(T)) array(T) = trino_except($1, $2)
array_first(array(T)) T = ($1)[1]
array_last(array(T)) T = ($1)[-1]
array_intersect(array(T), array(T)) array(T) = trino_intersect($1, $2)
array_join(array(varchar), varchar) varchar = array_to_string($1, $2)
array_join(array(varchar), varchar, varchar) varchar = array_to_string(list_transform($1, lambda e: coalesce(e, $3)), $2)
array_max(array(T)) T = trino_array_max($1)
array_min(array(T)) T = trino_array_min($1)
array_position(array(T), T) bigint = CAST(trino_array_position($1, $2) AS BIGINT)
array_remove(array(T), T) array(T) = CASE WHEN $2 IS NULL THEN NULL ELSE list_filter($1, lambda e: e <> $2 OR e IS NULL) END
array_sort(array(T)) array(T) = list_sort($1, 'ASC', 'NULLS LAST')
array_union(array(T), array(T)) array(T) = trino_distinct(trino_concat_arrays($1, $2))
arrays_overlap(array(T), array(T)) boolean = trino_overlap($1, $2)
cardinality(array(T)) bigint = len($1)
cardinality(map(K, V)) bigint = CAST(cardinality($1) AS BIGINT)
contains(array(T), T) boolean = trino_contains($1, $2)
element_at(array(T), bigint) T = trino_element_at($1, $2)
element_at(map(K, V), K) V = ($1)[$2]
filter(array(T), function(T, boolean)) array(T) = list_filter($1, $2)
flatten(array(array(T))) array(T) = flatten($1)
map() map(unknown, unknown) = map()
map(array(K), array(V)) map(K, V) = trino_map($1, $2)
map_concat(map(K, V), map(K, V)...) map(K, V) = map_concat($*)
map_entries(map(K, V)) array(row(K, V)) = list_transform(map_entries($1), lambda e: struct_pack(field0 := e.key, field1 := e.value))
map_keys(map(K, V)) array(K) = map_keys($1)
map_values(map(K, V)) array(V) = map_values($1)
ngrams(array(T), bigint) array(array(T)) = trino_ngrams($1, $2)
repeat(T, bigint) array(T) = trino_repeat($1, $2)
sequence(bigint, bigint) array(bigint) = (CASE WHEN $1 <= $2 THEN generate_series($1, $2) ELSE generate_series($1, $2, -1) END)
sequence(bigint, bigint, bigint) array(bigint) = generate_series($1, $2, CASE WHEN $3 = 0 OR ($3 > 0) <> ($2 >= $1) THEN CAST('!INVALID_FUNCTION_ARGUMENT: sequence stop value should be greater than or equal to start value if step is greater than zero otherwise stop should be less than or equal to start' AS TINYINT) ELSE $3 END)
shuffle(array(T)) array(T) = list_transform(list_sort(list_transform($1, lambda e: struct_pack(r := random(), v := e))), lambda e: e.v)
slice(array(T), bigint, bigint) array(T) = trino_slice($1, $2, $3)
transform(array(T), function(T, U)) array(U) = list_transform($1, $2)
trim_array(array(T), bigint) array(T) = trino_trim_array($1, $2)
"""
