"""AWS Glue: the Data Catalog."""

from cloche.services.glue import (
    catalogs,
    column_statistics,
    connections,
    databases,
    encryption,
    partition_indexes,
    partitions,
    resource_policies,
    search,
    table_versions,
    tables,
    tags,
    user_defined_functions,
)
from cloche.services.glue.service import service

__all__ = [
    "catalogs",
    "column_statistics",
    "connections",
    "databases",
    "encryption",
    "partition_indexes",
    "partitions",
    "resource_policies",
    "search",
    "service",
    "table_versions",
    "tables",
    "tags",
    "user_defined_functions",
]
