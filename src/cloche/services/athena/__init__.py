"""Amazon Athena: SQL on the tables of the Data Catalog."""

from cloche.services.athena import (
    data_catalogs,
    databases,
    named_queries,
    prepared_statements,
    query_executions,
    query_results,
    table_metadata,
    tags,
    work_groups,
)
from cloche.services.athena.service import service

__all__ = [
    "data_catalogs",
    "databases",
    "named_queries",
    "prepared_statements",
    "query_executions",
    "query_results",
    "service",
    "table_metadata",
    "tags",
    "work_groups",
]
