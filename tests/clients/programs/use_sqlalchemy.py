"""SQLAlchemy on Athena by PyAthena's dialect; run by test_pyathena.py."""

from __future__ import annotations

import asyncio
import os
import sys
from datetime import date, datetime
from decimal import Decimal
from urllib.parse import quote_plus

import pandas as pd
import pytest
import sqlalchemy as sa
from pyathena.sqlalchemy.types import AthenaArray, AthenaMap, AthenaStruct
from sqlalchemy.exc import NoSuchTableError, OperationalError
from sqlalchemy.ext.asyncio import create_async_engine


def url(bucket: str, database: str, driver: str = "rest", **options: str) -> str:
    """The engine's URL; the endpoint is an option of its own."""
    staging = f"s3://{bucket}/staging/"
    query = {
        "s3_staging_dir": staging,
        "location": f"s3://{bucket}/tables/",
        "poll_interval": "0.02",
        "endpoint_url": os.environ["AWS_ENDPOINT_URL"],
        **options,
    }
    joined = "&".join(f"{name}={quote_plus(value)}" for name, value in query.items())
    return f"awsathena+{driver}://athena.us-east-1.amazonaws.com:443/{database}?{joined}"


def create(engine: sa.Engine, bucket: str) -> sa.MetaData:
    """Tables by create_all, with the dialect's options."""
    metadata = sa.MetaData()
    sa.Table(
        "trips",
        metadata,
        sa.Column("id", sa.BigInteger, comment="the key"),
        sa.Column("fare", sa.Numeric(10, 2)),
        sa.Column("begun", sa.TIMESTAMP),
        sa.Column("day", sa.Date),
        sa.Column("is_paid", sa.Boolean),
        sa.Column("city", sa.String, awsathena_partition=True),
        comment="rides in a city",
        awsathena_file_format="PARQUET",
        awsathena_compression="ZSTD",
        awsathena_location=f"s3://{bucket}/trips/",
        awsathena_tblproperties={"owner.team": "rides"},
    )
    sa.Table(
        "lines",
        metadata,
        sa.Column("a", sa.String),
        sa.Column("b", sa.Integer),
        awsathena_row_format="SERDE 'org.apache.hadoop.hive.serde2.OpenCSVSerde'",
        awsathena_serdeproperties={"separatorChar": ";"},
    )
    sa.Table(
        "changing",
        metadata,
        sa.Column("id", sa.Integer),
        sa.Column("name", sa.String),
        sa.Column("tags", AthenaArray(sa.String)),
        awsathena_tblproperties={"table_type": "ICEBERG"},
    )
    metadata.create_all(engine)
    # They are there, so nothing is made anew.
    metadata.create_all(engine)
    return metadata


def reflect(engine: sa.Engine, bucket: str, database: str) -> None:
    """What is there is seen, and what isn't is not."""
    with engine.connect() as connection:
        connection.execute(
            sa.text("CREATE VIEW paid AS SELECT id, fare * 2 AS twice FROM trips WHERE is_paid")
        )
    found = sa.inspect(engine)
    assert database in found.get_schema_names()
    assert sorted(found.get_table_names()) == ["changing", "lines", "trips"]
    assert found.get_view_names() == ["paid"]
    assert "twice" in found.get_view_definition("paid")
    assert found.has_table("TRIPS") and not found.has_table("nothing")
    assert found.get_table_comment("trips") == {"text": "rides in a city"}
    options = found.get_table_options("trips")
    assert options["awsathena_location"] == f"s3://{bucket}/trips"
    assert options["awsathena_compression"] == "ZSTD"
    assert options["awsathena_tblproperties"]["owner.team"] == "rides"
    columns = {column["name"]: column for column in found.get_columns("trips")}
    assert columns["id"]["comment"] == "the key"
    assert columns["city"]["dialect_options"]["awsathena_partition"]
    trips = sa.Table("trips", sa.MetaData(), autoload_with=engine)
    assert [type(column.type) for column in trips.columns] == [
        sa.BIGINT,
        sa.DECIMAL,
        sa.TIMESTAMP,
        sa.DATE,
        sa.BOOLEAN,
        sa.String,
    ]
    lines = sa.Table("lines", sa.MetaData(), autoload_with=engine).dialect_options["awsathena"]
    assert lines["serdeproperties"]["separatorChar"] == ";"
    view = sa.Table("paid", sa.MetaData(), autoload_with=engine)
    assert [str(column.type) for column in view.columns] == ["BIGINT", "DECIMAL(20, 2)"]
    for schema in (None, "nowhere"):
        with pytest.raises(NoSuchTableError):
            sa.Table("nothing", sa.MetaData(schema=schema), autoload_with=engine)


def write_and_read(engine: sa.Engine, trips: sa.Table) -> None:
    """Rows by INSERT, and queries that SQLAlchemy writes."""
    begun = datetime(2024, 5, 6, 7, 8, 9, 125000)
    rows = [
        {"id": 1, "fare": Decimal("12.50"), "begun": begun, "day": begun.date(), "is_paid": True},
        {"id": 2, "fare": None, "begun": None, "day": None, "is_paid": False},
    ]
    with engine.connect() as connection:
        connection.execute(trips.insert(), [{**row, "city": "Ghent"} for row in rows])
        found = connection.execute(sa.select(trips).order_by(trips.c.id)).mappings().all()
        assert [dict(row) for row in found] == [{**row, "city": "Ghent"} for row in rows]
        by_city = sa.select(
            trips.c.city, sa.func.count(), sa.func.sum(trips.c.fare).filter(trips.c.is_paid)
        ).group_by(trips.c.city)
        assert connection.execute(by_city).all() == [("Ghent", 2, Decimal("12.50"))]
        late = trips.c.begun > datetime(2024, 1, 1)
        assert connection.execute(sa.select(trips.c.id).where(late)).scalars().all() == [1]
        some = sa.select(trips.c.id).where(trips.c.id.in_([1, 2, 3])).order_by(trips.c.id)
        assert connection.execute(some.offset(1).limit(1)).scalar_one() == 2
        in_city = trips.c.city.like("Gh%")
        assert connection.execute(sa.select(sa.func.max(trips.c.id)).where(in_city)).scalar() == 2
        with pytest.raises(OperationalError):
            connection.execute(sa.text("SELECT nope FROM trips"))


def change(engine: sa.Engine, changing: sa.Table) -> None:
    """UPDATE and DELETE of an Iceberg table tell how many rows they changed."""
    with engine.connect() as connection:
        rows = [{"id": n, "name": f"n{n}", "tags": ["a,b", None]} for n in (1, 2, 3)]
        connection.execute(changing.insert(), rows)
        updated = changing.update().where(changing.c.id > 1).values(name="new")
        assert connection.execute(updated).rowcount == 2
        assert connection.execute(changing.delete().where(changing.c.id == 3)).rowcount == 1
        left = connection.execute(sa.select(changing).order_by(changing.c.id)).all()
        assert left == [(1, "n1", ["a,b", None]), (2, "new", ["a,b", None])]


def frames(engine: sa.Engine, other: sa.Engine) -> None:
    """pandas.DataFrame.to_sql and pandas.read_sql, by two of the dialect's drivers."""
    frame = pd.DataFrame(
        {
            "n": [1, 2],
            "x": [0.5, None],
            "s": ["a'b", "%"],
            "at": [datetime(2020, 1, 1), datetime(2021, 1, 1, 1)],
            "day": [date(2020, 12, 31), None],
        }
    )
    frame.to_sql("framed", engine, index=False, if_exists="replace", method="multi")
    frame.to_sql("framed", engine, index=False, if_exists="append", method="multi")
    for each in (engine, other):
        back = pd.read_sql("SELECT * FROM framed ORDER BY n", each)
        assert list(back["n"]) == [1, 1, 2, 2]
        assert list(back["s"]) == ["a'b", "a'b", "%", "%"]
        assert back["x"].sum() == 1 and back["day"].isna().sum() == 2
        assert pd.Timestamp(back["at"].iloc[-1]) == pd.Timestamp(2021, 1, 1, 1)


def nested(engine: sa.Engine) -> None:
    """Types within types, made and reflected."""
    table = sa.Table(
        "nested",
        sa.MetaData(),
        sa.Column("a", AthenaArray(sa.Integer)),
        sa.Column("m", AthenaMap(sa.String, sa.Integer)),
        sa.Column("s", AthenaStruct(("x", sa.String), ("y", AthenaArray(sa.Numeric(5, 1))))),
        awsathena_file_format="ORC",
    )
    table.create(engine)
    seen = sa.Table("nested", sa.MetaData(), autoload_with=engine)
    assert isinstance(seen.c.a.type.item_type, sa.Integer)
    assert seen.c.s.type.fields["y"].item_type.scale == 1
    with engine.connect() as connection:
        connection.execute(
            sa.text(
                "INSERT INTO nested SELECT ARRAY[1], MAP(ARRAY['k'], ARRAY[2]),"
                " CAST(ROW('v', ARRAY[1.5]) AS ROW(x varchar, y array(decimal(5, 1))))"
            )
        )
        assert connection.execute(sa.select(seen.c.a, sa.text("s.x"))).one() == ([1], "v")


async def asynchronously(target: str) -> None:
    """The dialect's driver of asyncio."""
    engine = create_async_engine(target)
    async with engine.connect() as connection:
        found = await connection.execute(sa.text("SELECT count(*) FROM trips"))
        assert found.scalar_one() == 2
        names = await connection.run_sync(lambda sync: sa.inspect(sync).get_view_names())
        assert names == ["paid"]
    await engine.dispose()


def main(bucket: str, database: str) -> None:
    """Make the database, and use it by SQLAlchemy alone."""
    with sa.create_engine(url(bucket, "default")).connect() as connection:
        connection.execute(sa.text(f"CREATE DATABASE {database}"))
    engine = sa.create_engine(url(bucket, database))
    metadata = create(engine, bucket)
    reflect(engine, bucket, database)
    write_and_read(engine, metadata.tables["trips"])
    change(engine, metadata.tables["changing"])
    frames(engine, sa.create_engine(url(bucket, database, "pandas", unload="true")))
    nested(engine)
    asyncio.run(asynchronously(url(bucket, database, "aiorest")))
    metadata.drop_all(engine)
    assert "trips" not in sa.inspect(engine).get_table_names()


main(*sys.argv[1:])
