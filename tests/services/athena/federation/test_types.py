"""Values of the databases' types, and what cannot be had."""

from __future__ import annotations

from tests.services.athena.federation.conftest import Remote

# Type, value, type in the result, value in the result.
POSTGRESQL = [
    ("boolean", "true", "boolean", "true"),
    ("smallint", "-32768", "smallint", "-32768"),
    ("integer", "2147483647", "integer", "2147483647"),
    ("bigint", "-9223372036854775808", "bigint", "-9223372036854775808"),
    ("real", "0.1", "float", "0.1"),
    ("double precision", "0.1", "double", "0.1"),
    ("double precision", "'NaN'", "double", "NaN"),
    ("numeric(12,2)", "1234567890.12", "decimal", "1234567890.12"),
    ("numeric(38,0)", "12345678901234567890123456789012345678", "decimal", None),
    ("numeric(3,-2)", "12300", "decimal", "12300"),
    ("numeric(2,4)", "0.0012", "decimal", "0.0012"),
    ("numeric(50,3)", "1.250", "decimal", "1.250"),
    ("numeric", "3.14159265358979", "decimal", "3.141592653589790000"),
    ("text", "'é😀'", "varchar", "é😀"),
    ("varchar(5)", "'ab '", "varchar", "ab "),
    ("char(5)", "'ab'", "char", "ab   "),
    ("name", "'ab'", "varchar", "ab"),
    ("bytea", r"'\x00ff'", "varbinary", "00 ff"),
    ("date", "'0099-02-03'", "date", "0099-02-03"),
    ("time(3)", "'23:59:59.123'", "time", "23:59:59.123"),
    ("timestamp(3)", "'2024-01-02 03:04:05.678'", "timestamp", "2024-01-02 03:04:05.678"),
    ("timestamp", "'2024-01-02 03:04:05.678901'", "timestamp", "2024-01-02 03:04:05.678901"),
    (
        "timestamptz(0)",
        "'2024-01-02 03:04:05+02'",
        "timestamp with time zone",
        "2024-01-02 01:04:05 UTC",
    ),
    ("uuid", "'123e4567-e89b-12d3-a456-426655440000'", "uuid", None),
    ("json", "'{\"b\": [1, 2.50]}'", "json", '{"b":[1,2.5]}'),
    ("jsonb", "'{\"b\": null}'", "json", '{"b":null}'),
    ("{schema}.mood", "'so so'", "varchar", "so so"),
    ("{schema}.positive", "7", "integer", "7"),
    ("inet", "'10.0.0.1/8'", "varchar", "10.0.0.1/8"),
    ("xml", "'<a>1</a>'", "varchar", "<a>1</a>"),
    ("integer[]", "'{1,NULL,3}'", "array", "[1, null, 3]"),
    ("text[]", "'{a,\"b,c\",NULL}'", "array", "[a, b,c, null]"),
    ("numeric(20,2)[]", "'{12345678901234567.89}'", "array", "[12345678901234567.89]"),
    ("date[]", "'{2024-01-02}'", "array", "[2024-01-02]"),
    ("{schema}.mood[]", "'{fine}'", "array", "[fine]"),
]
MARIADB = [
    ("boolean", "true", "boolean", "true"),
    ("tinyint(1)", "5", "boolean", "true"),
    ("tinyint", "-128", "tinyint", "-128"),
    ("tinyint unsigned", "255", "smallint", "255"),
    ("smallint unsigned", "65535", "integer", "65535"),
    ("mediumint unsigned", "16777215", "integer", "16777215"),
    ("int unsigned", "4294967295", "bigint", "4294967295"),
    ("bigint", "-9223372036854775808", "bigint", "-9223372036854775808"),
    ("bigint unsigned", "18446744073709551615", "decimal", "18446744073709551615"),
    ("float", "16777215", "float", "1.6777215E7"),
    ("double", "0.1", "double", "0.1"),
    ("decimal(12,2)", "-1234567890.12", "decimal", "-1234567890.12"),
    ("decimal(65,10)", "1.5", "decimal", "1.5000000000"),
    ("char(5)", "'ab'", "char", "ab   "),
    ("varchar(10)", "'é😀'", "varchar", "é😀"),
    ("varchar(10) character set latin1", "'é'", "varchar", "é"),
    ("text", "'x'", "varchar", "x"),
    ("longtext", "'x'", "varchar", "x"),
    ("varbinary(4)", "x'00ff'", "varbinary", "00 ff"),
    ("blob", "x'00ff'", "varbinary", "00 ff"),
    ("bit(1)", "b'1'", "boolean", "true"),
    ("date", "'1000-01-01'", "date", "1000-01-01"),
    ("datetime", "'2024-01-02 03:04:05'", "timestamp", "2024-01-02 03:04:05"),
    ("datetime(6)", "'2024-01-02 03:04:05.678901'", "timestamp", "2024-01-02 03:04:05.678901"),
    (
        "timestamp(3) null",
        "'2024-01-02 03:04:05.678'",
        "timestamp with time zone",
        "2024-01-02 01:04:05.678 UTC",
    ),
    ("time(2)", "'23:59:59.12'", "time", "23:59:59.12"),
    ("year", "2024", "integer", "2024"),
    ("json", "'{\"a\": 1.10}'", "varchar", '{"a": 1.10}'),
    ("uuid", "'123e4567-e89b-12d3-a456-426655440000'", "uuid", None),
    ("enum('x','y')", "'y'", "varchar", "y"),
    ("set('a','b')", "'a,b'", "varchar", "a,b"),
]
Cases = list[tuple[str, str, str, "str | None"]]


def check(remote: Remote, cases: Cases, before: str = "") -> None:
    """A value and a NULL of each type; None stands for the text that was given."""
    columns = ", ".join(
        f"c{number} {case[0].format(schema=remote.schema)}" for number, case in enumerate(cases)
    )
    values = ", ".join(case[1] for case in cases)
    table = remote.own("t")
    remote.run(f"{before}CREATE TABLE {table} ({columns})")
    remote.run(f"{before}INSERT INTO {table} VALUES ({values})")
    remote.run(f"{before}INSERT INTO {table} (c0) VALUES (NULL)")
    shown = remote.lake.run(f"SELECT * FROM {remote.table('t')} ORDER BY c0 NULLS LAST")
    query_id = shown["QueryExecutionId"]
    info = remote.lake.athena.get_query_results(QueryExecutionId=query_id)["ResultSet"]
    _, given, nothing = remote.lake.results(query_id)
    found = [
        (kind, text, column["Type"], value)
        for (kind, text, *_), column, value in zip(
            cases, info["ResultSetMetadata"]["ColumnInfo"], given, strict=True
        )
    ]
    wanted = [
        (kind, text, shown_type, text.strip("'") if value is None else value)
        for kind, text, shown_type, value in cases
    ]
    assert found == wanted
    assert nothing == [None] * len(cases)


def test_types_of_postgresql(postgresql: Remote) -> None:
    postgresql.run(f"CREATE TYPE {postgresql.schema}.mood AS ENUM ('fine', 'so so')")
    postgresql.run(f"CREATE DOMAIN {postgresql.schema}.positive AS integer CHECK (VALUE > 0)")
    check(postgresql, POSTGRESQL)


def test_types_of_mariadb(mariadb: Remote) -> None:
    check(mariadb, MARIADB, before="SET time_zone = '+02:00'; ")


def test_a_column_that_cannot_be_read_fails_alone(remote: Remote) -> None:
    kind, value = ("interval", "'1 day'") if remote.kind == "postgresql" else ("bit(5)", "5")
    remote.run(f"CREATE TABLE {remote.own('t')} (a int, b {kind})")
    remote.run(f"INSERT INTO {remote.own('t')} VALUES (1, {value})")
    place = f"{remote.catalog}.{remote.schema}.t"
    reason = f"NOT_SUPPORTED: Column b of {place} has the type {kind}, which cannot be read"
    assert remote.lake.rows(f"SELECT a FROM {place}") == [["1"]]
    assert remote.lake.rows(f"SELECT count(*) FROM {place}") == [["1"]]
    assert remote.lake.fail(f"SELECT b FROM {place}") == reason
    assert remote.lake.fail(f"SELECT * FROM {place}") == reason


def test_what_trino_has_not_is_an_error_and_no_other_value(remote: Remote) -> None:
    if remote.kind == "postgresql":
        cases = [
            ("date", "'infinity'", "an infinite date or time cannot be read"),
            ("timestamp", "'-infinity'", "an infinite date or time cannot be read"),
            ("timestamptz", "'infinity'", "an infinite date or time cannot be read"),
            ("date[]", "'{infinity}'", "an infinite date or time cannot be read"),
            ("numeric(5,2)", "'NaN'", "NaN is no decimal"),
            ("numeric", "'NaN'", "NaN"),
            ("numeric", "0.1234567890123456789", "more digits than decimal(38,18) holds"),
            ("numeric", "1e30", "1000000000000000000000000000000"),
            ("integer[]", "'{{1},{2}}'", "an array of several dimensions cannot be read"),
        ]
    else:
        remote.run("SET GLOBAL sql_mode = ''")
        cases = [
            ("date", "'0000-00-00'", "0000-00-00"),
            ("datetime", "'2024-00-00'", "2024-00-00"),
            ("timestamp", "0", "0000-00-00"),
            ("time", "'838:59:59'", "838:59:59"),
            ("decimal(65,0)", "1e40", "1000000000"),
        ]
    for number, (kind, value, reason) in enumerate(cases):
        remote.run(f"CREATE TABLE {remote.own(f't{number}')} (a {kind})")
        remote.run(f"INSERT INTO {remote.own(f't{number}')} VALUES ({value})")
        told = remote.lake.fail(f"SELECT a FROM {remote.table(f't{number}')}")
        assert reason in told, (kind, value)
