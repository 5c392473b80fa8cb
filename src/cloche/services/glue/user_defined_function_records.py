"""What is kept of user-defined functions: one document each, by their database's id and name."""

from __future__ import annotations

from typing import Any

import msgspec

from cloche.core.documents import Table


class UserDefinedFunction(msgspec.Struct, frozen=True):
    """A user-defined function.

    Attributes:
        input: Glue's UserDefinedFunctionInput.
        created_at: seconds since 1970.
    """

    name: str
    input: dict[str, Any]
    created_at: float


user_defined_functions = Table("glue.user_defined_functions", UserDefinedFunction)
