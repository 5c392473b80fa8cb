"""The Data Catalog as other services use it: plain functions that block.

They check no permissions: the service that calls has decided. Names are folded to lower case;
values are Glue's own shapes as dicts, with instants as seconds since 1970. Those that change
something take `events=`, the bus on which the change is then told.
"""

from __future__ import annotations

from cloche.services.glue.connection_records import connection
from cloche.services.glue.stored_databases import (
    create_database,
    delete_database,
    get_database,
    list_databases,
    update_database,
)
from cloche.services.glue.stored_partitions import (
    create_partitions,
    delete_partitions,
    get_partition,
    iterate_partitions,
    list_partitions,
    update_partition,
)
from cloche.services.glue.stored_tables import (
    create_table,
    delete_table,
    find_table,
    get_table,
    list_tables,
    table_input_of,
    update_table,
)

__all__ = [
    "connection",
    "create_database",
    "create_partitions",
    "create_table",
    "delete_database",
    "delete_partitions",
    "delete_table",
    "find_table",
    "get_database",
    "get_partition",
    "get_table",
    "iterate_partitions",
    "list_databases",
    "list_partitions",
    "list_tables",
    "table_input_of",
    "update_database",
    "update_partition",
    "update_table",
]
