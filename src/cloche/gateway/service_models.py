"""AWS's service models, as botocore ships them.

A model is some hundred kilobytes of JSON, so that each is read on first use; what routing must
know of all of them is read from their first bytes and kept in a file between starts.
"""

from __future__ import annotations

import gzip
import re
from functools import lru_cache
from pathlib import Path
from typing import Any

import botocore
import msgspec
from botocore.model import ServiceModel

from cloche.gateway.protocols.shapes import ProtocolName

_DATA = Path(botocore.__file__).parent / "data"
_HEAD_BYTES = 4096
_METADATA = re.compile(rb'"metadata"\s*:\s*(\{)')


class ServiceEntry(msgspec.Struct, frozen=True):
    """What routing must know of a service before its model is read.

    Attributes:
        name: as boto3 has it.
        signing_name: in credential scopes.
        endpoint_prefix: first label of its host names.
        target_prefix: before the dot of `X-Amz-Target`, or empty.
        api_version: of query requests (`Version=`).
        protocols: all that it speaks, botocore's names.
        json_version: `1.0` or `1.1` where it speaks json.
    """

    name: str
    signing_name: str
    endpoint_prefix: str
    target_prefix: str
    api_version: str
    protocols: tuple[ProtocolName, ...]
    json_version: str = ""


def _newest_model(directory: Path) -> Path | None:
    """The model of the newest API version of a service."""
    models = sorted(directory.glob("*/service-2.json*"))
    return models[-1] if models else None


def _read_metadata(path: Path) -> dict[str, Any]:
    """The `metadata` of a model; from its first bytes where it stands there, as it does in all."""
    opener = gzip.open if path.suffix == ".gz" else Path.open
    with opener(path, "rb") as file:
        head: bytes = file.read(_HEAD_BYTES)
        if (match := _METADATA.search(head)) and (end := _object_end(head, match.start(1))):
            return msgspec.json.decode(head[match.start(1) : end], type=dict[str, Any])
        document = msgspec.json.decode(head + file.read(), type=dict[str, Any])
        return document["metadata"]


def _object_end(text: bytes, start: int) -> int | None:
    """Where the JSON object that begins at `start` ends; None if it goes beyond the text."""
    depth = 0
    for match in re.compile(rb'"(?:[^"\\]|\\.)*"|[{}]').finditer(text, start):
        token = match.group()
        depth += (token == b"{") - (token == b"}")
        if depth == 0:
            return match.end()
    return None


def _entry(name: str, metadata: dict[str, Any]) -> ServiceEntry:
    prefix = metadata["endpointPrefix"]
    return ServiceEntry(
        name=name,
        signing_name=metadata.get("signingName", prefix),
        endpoint_prefix=prefix,
        target_prefix=metadata.get("targetPrefix", ""),
        api_version=metadata["apiVersion"],
        protocols=tuple(metadata.get("protocols") or [metadata["protocol"]]),
        json_version=metadata.get("jsonVersion", ""),
    )


def read_entries(cache: Path | None = None) -> list[ServiceEntry]:
    """All services that botocore has a model of.

    Args:
        cache: a file to keep them in between starts; reading them anew takes some tenths of a
            second. It is written again for another version of botocore.
    """
    decoder = msgspec.json.Decoder(tuple[str, list[ServiceEntry]])
    if cache is not None and cache.exists():
        try:
            version, entries = decoder.decode(cache.read_bytes())
        except msgspec.DecodeError:
            version, entries = "", []
        if version == botocore.__version__:
            return entries
    entries = [
        _entry(directory.name, _read_metadata(model))
        for directory in sorted(_DATA.iterdir())
        if directory.is_dir() and (model := _newest_model(directory))
    ]
    if cache is not None:
        temporary = cache.with_suffix(".new")
        temporary.write_bytes(msgspec.json.encode((botocore.__version__, entries)))
        temporary.replace(cache)
    return entries


@lru_cache(maxsize=64)
def service_model(name: str) -> ServiceModel:
    """The model of a service, by boto3's name of it.

    Raises:
        KeyError: botocore has no such service.
    """
    path = _newest_model(_DATA / name)
    if path is None:
        raise KeyError(name)
    raw = path.read_bytes()
    document = gzip.decompress(raw) if path.suffix == ".gz" else raw
    return ServiceModel(msgspec.json.decode(document), service_name=name)
