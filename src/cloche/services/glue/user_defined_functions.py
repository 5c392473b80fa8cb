"""User-defined functions: create, get, list, update, delete."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from msgspec.structs import replace

from cloche.core.documents import DocumentExists, Documents, Reader, Transaction
from cloche.core.operations import Call
from cloche.services.glue.arns import function_arns
from cloche.services.glue.catalog_records import Database, databases, storable
from cloche.services.glue.errors import (
    AlreadyExistsException,
    EntityNotFoundException,
    InvalidInputException,
)
from cloche.services.glue.keys import key_of, prefix_of
from cloche.services.glue.name_patterns import name_test
from cloche.services.glue.paging import after_token, token_after
from cloche.services.glue.refusals import account_of
from cloche.services.glue.service import service
from cloche.services.glue.stored_databases import find_database
from cloche.services.glue.user_defined_function_records import (
    UserDefinedFunction,
    user_defined_functions,
)

if TYPE_CHECKING:
    from aws_shapes import Empty
    from aws_shapes import glue as shapes

_PAGE = 100


@service.operation(resource=function_arns)
def create_user_defined_function(
    call: Call, request: shapes.CreateUserDefinedFunctionRequest
) -> Empty:
    """Make a function.

    Raises EntityNotFoundException if there is no such database, AlreadyExistsException if the name
    is taken. AWS: Glue CreateUserDefinedFunction.
    """
    account = account_of(call, request)
    name = _name(request["FunctionInput"])
    given = {**storable(request["FunctionInput"]), "FunctionName": name}
    function = UserDefinedFunction(name, given, call.clock.time())

    def insert(tx: Transaction) -> None:
        owner = find_database(tx, account, call.region, request["DatabaseName"])
        key = key_of(owner.id, name)
        try:
            tx.insert(user_defined_functions, account, call.region, key, function)
        except DocumentExists:
            raise AlreadyExistsException("Function already exists.") from None

    call.documents.transact(insert)
    return {}


@service.operation(resource=function_arns)
def get_user_defined_function(
    call: Call, request: shapes.GetUserDefinedFunctionRequest
) -> shapes.GetUserDefinedFunctionResponse:
    """A function.

    Raises EntityNotFoundException if there is none. AWS: Glue GetUserDefinedFunction.
    """
    account = account_of(call, request)
    owner = find_database(call.documents, account, call.region, request["DatabaseName"])
    found = _find(call.documents, account, call.region, owner, request["FunctionName"])
    return {"UserDefinedFunction": _shown(account, owner.name, found)}


@service.operation(resource=function_arns)
def get_user_defined_functions(
    call: Call, request: shapes.GetUserDefinedFunctionsRequest
) -> shapes.GetUserDefinedFunctionsResponse:
    """Functions whose names match a pattern, of one database or of all.

    Raises EntityNotFoundException if there is no such database. AWS: Glue
    GetUserDefinedFunctions.
    """
    account = account_of(call, request)
    owners = _owners(call.documents, account, call.region, request.get("DatabaseName"))
    matches, wanted = name_test(request["Pattern"]), request.get("FunctionType")
    limit = request.get("MaxResults", _PAGE)
    after = after_token(request.get("NextToken"))
    shown: list[Any] = []
    last = ""
    for owner, name, function in _functions(call.documents, account, call.region, owners):
        place = key_of(owner.name, name)
        if place <= after or not matches(function.name):
            continue
        if wanted not in (None, function.input.get("FunctionType")):
            continue
        if len(shown) == limit:
            return {"UserDefinedFunctions": shown, "NextToken": token_after(last)}
        shown.append(_shown(account, owner.name, function))
        last = place
    return {"UserDefinedFunctions": shown}


@service.operation(resource=function_arns)
def update_user_defined_function(
    call: Call, request: shapes.UpdateUserDefinedFunctionRequest
) -> Empty:
    """Replace a function's definition.

    Raises EntityNotFoundException if there is none, InvalidInputException for another name.
    AWS: Glue UpdateUserDefinedFunction.
    """
    account = account_of(call, request)
    name = request["FunctionName"]
    given = storable(request["FunctionInput"])
    if given.setdefault("FunctionName", name) != name:
        raise InvalidInputException("The name of a function cannot be changed.")

    def change(tx: Transaction) -> None:
        owner = find_database(tx, account, call.region, request["DatabaseName"])
        function = _find(tx, account, call.region, owner, name)
        changed = replace(function, input=given)
        tx.put(user_defined_functions, account, call.region, key_of(owner.id, name), changed)

    call.documents.transact(change)
    return {}


@service.operation(resource=function_arns)
def delete_user_defined_function(
    call: Call, request: shapes.DeleteUserDefinedFunctionRequest
) -> Empty:
    """Forget a function.

    Raises EntityNotFoundException if there is none. AWS: Glue DeleteUserDefinedFunction.
    """
    account = account_of(call, request)

    def delete(tx: Transaction) -> None:
        owner = find_database(tx, account, call.region, request["DatabaseName"])
        _find(tx, account, call.region, owner, request["FunctionName"])
        key = key_of(owner.id, request["FunctionName"])
        tx.delete(user_defined_functions, account, call.region, key)

    call.documents.transact(delete)
    return {}


def _name(given: Any) -> str:
    name: str | None = given.get("FunctionName")
    if not name:
        raise InvalidInputException("FunctionName must be given.")
    return name


def _find(
    reader: Reader, account: str, region: str, owner: Database, name: str
) -> UserDefinedFunction:
    found = reader.get(user_defined_functions, account, region, key_of(owner.id, name))
    if found is None:
        raise EntityNotFoundException(f"Function {name} not found.")
    return found


def _owners(
    documents: Documents, account: str, region: str, database: str | None
) -> list[Database]:
    if database is not None:
        return [find_database(documents, account, region, database)]
    return [each.value for each in documents.iterate(databases, account, region)]


def _functions(documents: Documents, account: str, region: str, owners: list[Database]) -> Any:
    for owner in owners:
        prefix = prefix_of(owner.id)
        for each in documents.iterate(user_defined_functions, account, region, prefix):
            yield owner, each.value.name, each.value


def _shown(account: str, database: str, function: UserDefinedFunction) -> Any:
    return {
        **function.input,
        "DatabaseName": database,
        "CreateTime": function.created_at,
        "CatalogId": account,
    }
