from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import uuid4

import psycopg
import pytest

from tests.live_server import LiveServer
from tests.mariadb import MariaDBServer, mariadb_server  # noqa: F401
from tests.postgresql import postgresql_server  # noqa: F401
from tests.services.athena.conftest import Lake

PASSWORD = "sw'ord\"fi\\sh 4711"


@dataclass
class Remote:
    """A schema of the test's own on a database server, and the catalog that leads to it.

    Attributes:
        run: runs statements on the server, as its administrator.
        log: of the server, in which its user's statements are.
    """

    kind: str
    lake: Lake
    port: int
    database: str
    schema: str
    user: str
    run: Callable[[str], Any]
    log: Path
    catalog: str = ""

    def __post_init__(self) -> None:
        self.catalog = f"c{self.schema}"
        self._read = 0

    @property
    def url(self) -> str:
        return f"jdbc:{self.kind}://127.0.0.1:{self.port}/{self.database}"

    def connection_input(self, name: str, **properties: str) -> dict[str, Any]:
        return {
            "Name": name,
            "ConnectionType": "JDBC",
            "ConnectionProperties": {
                "JDBC_CONNECTION_URL": self.url,
                "USERNAME": self.user,
                "PASSWORD": PASSWORD,
                **properties,
            },
        }

    def register(self, catalog: str = "", **properties: str) -> str:
        """Make a connection and a catalog of it; its name."""
        catalog = catalog or self.catalog
        glue = self.lake.server.client("glue")
        glue.create_connection(ConnectionInput=self.connection_input(catalog, **properties))
        made = self.lake.athena.create_data_catalog(
            Name=catalog, Type="FEDERATED", Parameters={"connection-arn": arn_of(catalog)}
        )
        assert made["DataCatalog"]["Status"] == "CREATE_COMPLETE"
        return catalog

    def table(self, name: str) -> str:
        """A table as a statement names it."""
        return f'"{self.catalog}"."{self.schema}"."{name}"'

    def own(self, name: str) -> str:
        """A table as the server's own statements name it."""
        return f"{self.schema}.{name}"

    def fetched(self) -> list[str]:
        """The statements that have fetched rows of the schema since the last time."""
        text = self.log.read_text(errors="replace")
        fresh, self._read = text[self._read :], len(text)
        quote = '"' if self.kind == "postgresql" else "`"
        place = f"FROM {quote}{self.schema}{quote}."
        lines = [line for line in fresh.splitlines() if place in line]
        # PostgreSQL's rows are copied, MySQL's statements are prepared and executed.
        done = "statement: COPY" if self.kind == "postgresql" else " Execute\t"
        return [line for line in lines if done in line]


def arn_of(connection: str, account: str = "000000000000") -> str:
    return f"arn:aws:glue:us-east-1:{account}:connection/{connection}"


def _postgresql(lake: Lake, url: str) -> Remote:
    schema, user = f"s{uuid4().hex[:10]}", f"u{uuid4().hex[:10]}"
    with psycopg.connect(url, autocommit=True) as connection:
        shown = connection.execute("SHOW data_directory").fetchone()
        assert shown is not None

    def run(sql: str) -> Any:
        with psycopg.connect(url, autocommit=True) as connection:
            cursor = connection.execute(sql)  # type: ignore[arg-type]
            return cursor.fetchall() if cursor.description else None

    password = PASSWORD.replace("'", "''")
    run(f"CREATE ROLE {user} LOGIN PASSWORD '{password}'")
    run(f"ALTER ROLE {user} SET log_statement = 'all'")
    run(f"CREATE SCHEMA {schema}")
    run(f"GRANT USAGE ON SCHEMA {schema} TO {user}")
    run(f"ALTER DEFAULT PRIVILEGES IN SCHEMA {schema} GRANT SELECT ON TABLES TO {user}")
    port = int(url.partition("@")[2].partition(":")[2].partition("/")[0])
    log = Path(shown[0]).parent / "log"
    return Remote("postgresql", lake, port, "postgres", schema, user, run, log)


def _mariadb(lake: Lake, server: MariaDBServer) -> Remote:
    schema, user = f"s{uuid4().hex[:10]}", f"u{uuid4().hex[:10]}"
    password = PASSWORD.replace("\\", "\\\\").replace("'", "''")
    server.run(f"CREATE DATABASE {schema}")
    server.run(f"CREATE USER {user}@'%' IDENTIFIED BY '{password}'")
    server.run(f"GRANT SELECT, SHOW VIEW, EXECUTE ON {schema}.* TO {user}@'%'")

    def run(sql: str) -> Any:
        rows = server.run(f"USE {schema}; {sql}").splitlines()
        return [tuple(row.split("\t")) for row in rows]

    return Remote("mysql", lake, server.port, schema, schema, user, run, server.log)


@pytest.fixture
def postgresql(lake: Lake, request: pytest.FixtureRequest) -> Remote:
    """A schema of a PostgreSQL server, registered as a catalog."""
    made = _postgresql(lake, request.getfixturevalue("postgresql_server"))
    made.register()
    return made


@pytest.fixture
def mariadb(lake: Lake, request: pytest.FixtureRequest) -> Remote:
    """A database of a MariaDB server, registered as a catalog."""
    made = _mariadb(lake, request.getfixturevalue("mariadb_server"))
    made.register()
    return made


@pytest.fixture(params=["postgresql", "mariadb"])
def remote(request: pytest.FixtureRequest) -> Iterator[Remote]:
    """Both, one after the other."""
    yield request.getfixturevalue(request.param)


@pytest.fixture
def server_log(server: LiveServer) -> Callable[[], str]:
    """What the server has logged."""
    return server.log.getvalue
