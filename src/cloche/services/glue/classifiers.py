"""Classifiers: create, get, list, update, delete; and what inference makes of them."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import msgspec
from msgspec.structs import replace

from cloche.core.documents import DocumentExists, Reader, Table, Transaction
from cloche.core.operations import Call
from cloche.engines.sql.formats.grok import NotAGrokPattern, compile_grok
from cloche.engines.sql.inference.classifying import Classifier, GrokOptions
from cloche.engines.sql.inference.csv_format import CUSTOM_TYPES, CSVOptions
from cloche.engines.sql.inference.json_paths import NotAJsonPath, parse_json_path
from cloche.services.glue.errors import (
    AlreadyExistsException,
    EntityNotFoundException,
    InvalidInputException,
)
from cloche.services.glue.keys import key_of
from cloche.services.glue.paging import read_page, with_token
from cloche.services.glue.refusals import not_implemented
from cloche.services.glue.service import service

if TYPE_CHECKING:
    from aws_shapes import Empty
    from aws_shapes import glue as shapes

_KINDS = ("GrokClassifier", "XMLClassifier", "JsonClassifier", "CsvClassifier")
_PAGE = 100


class StoredClassifier(msgspec.Struct, frozen=True):
    """A classifier.

    Attributes:
        kind: `GrokClassifier`, `JsonClassifier` or `CsvClassifier`.
        settings: as it was given.
        created_at: seconds since 1970.
        version: counted from 1 with each change.
    """

    name: str
    kind: str
    settings: dict[str, Any]
    created_at: float
    updated_at: float
    version: int = 1


classifiers = Table("glue.classifiers", StoredClassifier)


@service.operation
def create_classifier(call: Call, request: shapes.CreateClassifierRequest) -> Empty:
    """Make a classifier.

    Raises AlreadyExistsException if the name is taken. AWS: Glue CreateClassifier.
    """
    kind, settings = _given(request)
    name = settings["Name"]
    _compile(name, kind, settings)
    now = call.clock.time()
    classifier = StoredClassifier(name, kind, settings, now, now)
    try:
        call.documents.insert(classifiers, call.account_id, call.region, key_of(name), classifier)
    except DocumentExists:
        raise AlreadyExistsException(f"Classifier with name {name} already exists") from None
    return {}


@service.operation
def get_classifier(
    call: Call, request: shapes.GetClassifierRequest
) -> shapes.GetClassifierResponse:
    """A classifier. Raises EntityNotFoundException if there is none. AWS: Glue GetClassifier."""
    found = _find(call.documents, call.account_id, call.region, request["Name"])
    return {"Classifier": _shown(found)}


@service.operation
def get_classifiers(
    call: Call, request: shapes.GetClassifiersRequest
) -> shapes.GetClassifiersResponse:
    """All classifiers, by name. AWS: Glue GetClassifiers."""
    page, token = read_page(
        call.documents,
        classifiers,
        call.account_id,
        call.region,
        "",
        request.get("NextToken"),
        request.get("MaxResults", _PAGE),
    )
    return with_token({"Classifiers": [_shown(each.value) for each in page]}, token)


@service.operation
def update_classifier(call: Call, request: shapes.UpdateClassifierRequest) -> Empty:
    """Change settings of a classifier; those that are not given stay.

    Raises EntityNotFoundException if there is none of the kind. AWS: Glue UpdateClassifier.
    """
    kind, changes = _given(request)
    name = changes["Name"]

    def change(tx: Transaction) -> None:
        before = _find(tx, call.account_id, call.region, name)
        if before.kind != kind:
            raise EntityNotFoundException(f"There is no {kind} with name {name}")
        settings = {**before.settings, **changes}
        _compile(name, kind, settings)
        after = replace(
            before,
            settings=settings,
            updated_at=call.clock.time(),
            version=before.version + 1,
        )
        tx.put(classifiers, call.account_id, call.region, key_of(name), after)

    call.documents.transact(change)
    return {}


@service.operation
def delete_classifier(call: Call, request: shapes.DeleteClassifierRequest) -> Empty:
    """Forget a classifier.

    Raises EntityNotFoundException if there is none. AWS: Glue DeleteClassifier.
    """
    name = request["Name"]
    if call.documents.delete(classifiers, call.account_id, call.region, key_of(name)) is None:
        raise _not_found(name)
    return {}


def load_classifier(reader: Reader, account: str, region: str, name: str) -> Classifier:
    """What inference makes of a classifier.

    Raises:
        EntityNotFoundException: there is none of the name.
    """
    found = _find(reader, account, region, name)
    return _compile(name, found.kind, found.settings)


def _find(reader: Reader, account: str, region: str, name: str) -> StoredClassifier:
    found = reader.get(classifiers, account, region, key_of(name))
    if found is None:
        raise _not_found(name)
    return found


def _not_found(name: str) -> EntityNotFoundException:
    return EntityNotFoundException(f"Classifier with name {name} does not exist")


def _given(request: Mapping[str, Any]) -> tuple[str, dict[str, Any]]:
    """Kind and settings of the one classifier in a request."""
    given = [kind for kind in _KINDS if request.get(kind)]
    if len(given) != 1:
        raise InvalidInputException("Exactly one classifier must be specified.")
    if given[0] == "XMLClassifier":
        raise not_implemented("XMLClassifier")
    return given[0], dict(request[given[0]])


def _compile(name: str, kind: str, settings: Mapping[str, Any]) -> Classifier:
    """What inference makes of settings.

    Raises:
        InvalidInputException: it can make nothing of them.
    """
    try:
        if kind == "JsonClassifier":
            return parse_json_path(settings["JsonPath"])
        if kind == "GrokClassifier":
            grok = compile_grok(settings["GrokPattern"], settings.get("CustomPatterns", ""))
            return GrokOptions(settings["Classification"], grok)
    except (NotAJsonPath, NotAGrokPattern) as error:
        raise InvalidInputException(f"Classifier {name} is not valid: {error}") from error
    return _csv_options(settings)


def _csv_options(settings: Mapping[str, Any]) -> CSVOptions:
    types = settings.get("CustomDatatypes") or []
    if types and not settings.get("CustomDatatypeConfigured"):
        raise InvalidInputException("CustomDatatypes need CustomDatatypeConfigured.")
    unknown = [each for each in types if each.upper() not in CUSTOM_TYPES]
    if unknown:
        raise InvalidInputException(f"Unsupported custom datatypes: {', '.join(unknown)}")
    delimiter, quote = settings.get("Delimiter"), settings.get("QuoteSymbol")
    if delimiter and delimiter == quote:
        raise InvalidInputException("Delimiter and QuoteSymbol must be different.")
    header = settings.get("Header") or []
    if header and types and len(types) != len(header):
        raise InvalidInputException("CustomDatatypes must be as many as the columns of Header.")
    return CSVOptions(
        delimiter=delimiter,
        quote=quote,
        contains_header=settings.get("ContainsHeader", "UNKNOWN"),
        header=tuple(header),
        types=tuple(CUSTOM_TYPES[each.upper()] for each in types),
        trims=not settings.get("DisableValueTrimming", False),
        allows_single_column=settings.get("AllowSingleColumn", False),
        serde=settings.get("Serde", "None"),
        is_custom=True,
    )


def _shown(classifier: StoredClassifier) -> Any:
    return {
        classifier.kind: {
            **classifier.settings,
            "CreationTime": datetime.fromtimestamp(classifier.created_at, UTC),
            "LastUpdated": datetime.fromtimestamp(classifier.updated_at, UTC),
            "Version": classifier.version,
        }
    }
