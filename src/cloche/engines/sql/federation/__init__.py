"""Tables of PostgreSQL and MySQL databases, read by DuckDB's scanners."""

from cloche.engines.sql.federation.catalog import ScannedCatalog
from cloche.engines.sql.federation.scanners import Attachment, Scanners

__all__ = ["Attachment", "ScannedCatalog", "Scanners"]
