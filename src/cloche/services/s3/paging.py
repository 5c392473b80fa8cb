"""What all listings have in common: how much a page holds, and names encoded for XML."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

from cloche.services.s3.errors import InvalidArgument

_MAX_PAGE = 1000


def page_size(request: Mapping[str, Any], member: str, parameter: str) -> int:
    """How many entries a page may have, 1,000 at most.

    Raises:
        InvalidArgument: it is negative.
    """
    size: int = request.get(member, _MAX_PAGE)
    if size < 0:
        raise InvalidArgument(
            f"Argument {parameter} must be an integer between 0 and 2147483647",
            ArgumentName=parameter,
            ArgumentValue=str(size),
        )
    return min(size, _MAX_PAGE)


class Encoding:
    """How keys stand in an answer: as they are, or percent-encoded.

    Raises:
        InvalidArgument: the request asks for an encoding other than `url`.
    """

    def __init__(self, request: Mapping[str, Any]) -> None:
        self.kind: str | None = request.get("EncodingType")
        if self.kind not in (None, "url"):
            raise InvalidArgument(
                "Invalid Encoding Method specified in Request",
                ArgumentName="encoding-type",
                ArgumentValue=self.kind,
            )

    def __call__(self, text: str) -> str:
        """A key, prefix, delimiter or marker as the answer has it."""
        return text if self.kind is None else quote(text, safe="/")

    def members(self) -> dict[str, str]:
        """What the answer says of it."""
        return {} if self.kind is None else {"EncodingType": self.kind}

    def common_prefixes(self, prefixes: Any) -> list[dict[str, str]]:
        """Common prefixes as the model has them."""
        return [{"Prefix": self(prefix)} for prefix in prefixes]
