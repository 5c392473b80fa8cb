"""What a file is: classifiers in their order, then the formats that are known by themselves."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache

import msgspec

from cloche.engines.sql.formats.grok import Grok, compile_grok
from cloche.engines.sql.inference import avro_container
from cloche.engines.sql.inference.columnar_formats import (
    ORC_MAGIC,
    PARQUET_MAGIC,
    infer_avro,
    infer_orc,
    infer_parquet,
)
from cloche.engines.sql.inference.compression import CorruptFile
from cloche.engines.sql.inference.csv_format import CSVOptions, infer_csv, infer_csv_like
from cloche.engines.sql.inference.grok import infer_grok
from cloche.engines.sql.inference.inferred import UNKNOWN_FORMAT, Inferred, SampledFile
from cloche.engines.sql.inference.json_format import SampleTooSmall, infer_json
from cloche.engines.sql.inference.json_paths import JsonPath
from cloche.engines.sql.inference.text_samples import NotText, TextSample, read_text

SAMPLE_BYTES = 1024 * 1024
LARGEST_SAMPLE_BYTES = 16 * 1024 * 1024
"""Read where the first value of a JSON file is larger than the usual sample."""


class GrokOptions(msgspec.Struct, frozen=True):
    """A grok classifier: what it calls its files, and their lines' pattern."""

    classification: str
    grok: Grok


_MAGIC_BYTES = 4

Classifier = CSVOptions | JsonPath | GrokOptions


def infer(file: SampledFile, classifiers: Sequence[Classifier] = ()) -> Inferred:
    """Format and columns of a file; `UNKNOWN` if nothing knows it.

    Raises:
        CorruptFile: it begins as a format that the rest of it is not.
    """
    magic = file.head(_MAGIC_BYTES)
    if magic.startswith(PARQUET_MAGIC):
        return infer_parquet(file)
    if magic.startswith(ORC_MAGIC):
        return infer_orc(file)
    if magic.startswith(avro_container.MAGIC):
        return infer_avro(file, file.head(SAMPLE_BYTES))
    try:
        return _infer_text(file, classifiers, SAMPLE_BYTES)
    except SampleTooSmall:
        pass
    try:
        return _infer_text(file, classifiers, LARGEST_SAMPLE_BYTES)
    except SampleTooSmall:
        return Inferred(UNKNOWN_FORMAT)


def infer_like(file: SampledFile, known: Inferred) -> Inferred | None:
    """Format and columns of a file that nothing knows, beside a CSV file; None if it is no CSV."""
    try:
        return infer_csv_like(read_text(file, SAMPLE_BYTES), known)
    except (NotText, CorruptFile):  # the latter if it was written anew meanwhile
        return None


def _infer_text(file: SampledFile, classifiers: Sequence[Classifier], limit_bytes: int) -> Inferred:
    try:
        sample = read_text(file, limit_bytes)
    except NotText:
        return Inferred(UNKNOWN_FORMAT)
    for classifier in classifiers:
        if (inferred := _apply(classifier, sample)) is not None:
            return inferred
    found = infer_json(sample) or _infer_log(sample) or infer_csv(sample)
    return found or Inferred(UNKNOWN_FORMAT, compression=sample.compression)


def _infer_log(sample: TextSample) -> Inferred | None:
    """A log of a web server, if it is one."""
    first = sample.text.partition("\n")[0].rstrip("\r")
    for classification, grok in _log_formats():
        if grok.match(first) and (inferred := infer_grok(sample, grok, classification)) is not None:
            return inferred
    return None


@cache
def _log_formats() -> tuple[tuple[str, Grok], ...]:
    return (
        ("combined_apache", compile_grok("^%{COMBINEDAPACHELOG}$")),
        ("apache", compile_grok("^%{COMMONAPACHELOG}$")),
    )


def _apply(classifier: Classifier, sample: TextSample) -> Inferred | None:
    if isinstance(classifier, CSVOptions):
        return infer_csv(sample, classifier)
    if isinstance(classifier, JsonPath):
        return infer_json(sample, classifier)
    return infer_grok(sample, classifier.grok, classifier.classification)


__all__ = [
    "Classifier",
    "CorruptFile",
    "GrokOptions",
    "infer",
    "infer_like",
]
