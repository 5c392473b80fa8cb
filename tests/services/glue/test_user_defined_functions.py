from __future__ import annotations

from typing import Any

from tests.services.glue.conftest import refused


def function(name: str, **members: Any) -> dict[str, Any]:
    uris = [{"ResourceType": "JAR", "Uri": "s3://lake/f.jar"}]
    return {
        "FunctionName": name,
        "ClassName": "org.example.F",
        "OwnerName": "me",
        "OwnerType": "USER",
        "ResourceUris": uris,
        **members,
    }


def test_function_is_kept_as_it_was_given(glue: Any, database: str) -> None:
    given = function("distance")
    glue.create_user_defined_function(DatabaseName=database, FunctionInput=given)
    found = glue.get_user_defined_function(DatabaseName=database, FunctionName="distance")
    shown = found["UserDefinedFunction"]
    assert given.items() <= shown.items()
    assert shown["DatabaseName"] == database
    assert shown["CreateTime"].year > 2000
    refused(
        "AlreadyExistsException",
        glue.create_user_defined_function,
        DatabaseName=database,
        FunctionInput=given,
    )
    refused(
        "EntityNotFoundException",
        glue.create_user_defined_function,
        DatabaseName="nowhere",
        FunctionInput=given,
    )


def test_functions_are_found_by_pattern_and_paged(glue: Any, database: str) -> None:
    for name in ("a_one", "a_two", "b_one"):
        glue.create_user_defined_function(DatabaseName=database, FunctionInput=function(name))

    def names(pattern: str, **request: Any) -> list[str]:
        pages = glue.get_paginator("get_user_defined_functions").paginate(
            Pattern=pattern, PaginationConfig={"PageSize": 1}, **request
        )
        return [each["FunctionName"] for page in pages for each in page["UserDefinedFunctions"]]

    assert names("*", DatabaseName=database) == ["a_one", "a_two", "b_one"]
    assert names(".*_one", DatabaseName=database) == ["a_one", "b_one"]
    assert {"a_one", "a_two"} <= set(names("a_.*"))
    refused("InvalidInputException", glue.get_user_defined_functions, Pattern="(")


def test_update_and_delete(glue: Any, database: str) -> None:
    given = function("distance")
    where = {"DatabaseName": database, "FunctionName": "distance"}
    refused(
        "EntityNotFoundException", glue.update_user_defined_function, **where, FunctionInput=given
    )
    glue.create_user_defined_function(DatabaseName=database, FunctionInput=given)
    changed = function("distance", ClassName="org.example.G")
    glue.update_user_defined_function(**where, FunctionInput=changed)
    found = glue.get_user_defined_function(**where)["UserDefinedFunction"]
    assert found["ClassName"] == "org.example.G"
    glue.delete_user_defined_function(**where)
    refused("EntityNotFoundException", glue.get_user_defined_function, **where)
    refused("EntityNotFoundException", glue.delete_user_defined_function, **where)


def test_functions_go_with_their_database(glue: Any, database: str) -> None:
    glue.create_user_defined_function(DatabaseName=database, FunctionInput=function("f"))
    glue.delete_database(Name=database)
    glue.create_database(DatabaseInput={"Name": database})
    found = glue.get_user_defined_functions(DatabaseName=database, Pattern="*")
    assert found["UserDefinedFunctions"] == []
