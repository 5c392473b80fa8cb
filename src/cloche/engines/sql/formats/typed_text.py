"""Text as values of a type, in DuckDB's SQL."""

from __future__ import annotations

BAD_DATA = "HIVE_BAD_DATA: "
"""What the message of an error in data begins with, when SQL raises it."""
