"""Trino's functions, each with its signatures and its SQL; see `signatures` for the lines' form."""

from cloche.engines.sql.trino.functions import aggregates, collections, moments, numbers, texts
from cloche.engines.sql.trino.signatures import Signature, read_signatures

SCALARS: dict[str, list[Signature]] = {}
for _table in (texts.TABLE, numbers.TABLE, moments.TABLE, collections.TABLE):
    for _name, _signatures in read_signatures(_table).items():
        SCALARS.setdefault(_name, []).extend(_signatures)

AGGREGATES: dict[str, list[Signature]] = read_signatures(aggregates.TABLE)
WINDOWS: dict[str, list[Signature]] = read_signatures(aggregates.WINDOWS)
