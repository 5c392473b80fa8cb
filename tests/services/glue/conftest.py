from __future__ import annotations

from collections.abc import Callable
from typing import Any
from uuid import uuid4

import pytest
from botocore.exceptions import ClientError

from tests.conftest import Clients
from tests.core.conftest import documents, open_documents
from tests.postgresql import postgresql_server, postgresql_url

__all__ = ["documents", "open_documents", "postgresql_server", "postgresql_url"]


def refused(code: str, operation: Callable[..., Any], **request: Any) -> str:
    """The message with which a call is refused."""
    with pytest.raises(ClientError) as raised:
        operation(**request)
    error = raised.value.response["Error"]
    assert error["Code"] == code, error
    return error["Message"]


def table_input(name: str = "flights", **members: Any) -> dict[str, Any]:
    """A table over CSV, partitioned by year and carrier."""
    return {
        "Name": name,
        "TableType": "EXTERNAL_TABLE",
        "Parameters": {"classification": "csv"},
        "PartitionKeys": [{"Name": "year", "Type": "int"}, {"Name": "carrier", "Type": "string"}],
        "StorageDescriptor": {
            "Columns": [{"Name": "delay", "Type": "double", "Comment": "in minutes"}],
            "Location": f"s3://lake/{name}/",
            "InputFormat": "org.apache.hadoop.mapred.TextInputFormat",
            "OutputFormat": "org.apache.hadoop.hive.ql.io.HiveIgnoreKeyTextOutputFormat",
            "SerdeInfo": {
                "SerializationLibrary": "org.apache.hadoop.hive.serde2.lazy.LazySimpleSerDe",
                "Parameters": {"field.delim": ","},
            },
        },
        **members,
    }


def partition_input(*values: str, **members: Any) -> dict[str, Any]:
    """A partition in a folder of its own."""
    location = "s3://lake/flights/" + "/".join(values)
    columns = [{"Name": "delay", "Type": "double"}]
    storage = {"Location": location, "Columns": columns}
    return {"Values": list(values), "StorageDescriptor": storage, **members}


@pytest.fixture
def glue(aws: Clients) -> Any:
    return aws("glue")


@pytest.fixture
def database(glue: Any) -> str:
    """A new database."""
    name = f"db_{uuid4().hex}"
    glue.create_database(DatabaseInput={"Name": name})
    return name


@pytest.fixture
def table(glue: Any, database: str) -> dict[str, str]:
    """A new table, as most operations name one."""
    glue.create_table(DatabaseName=database, TableInput=table_input())
    return {"DatabaseName": database, "TableName": "flights"}
