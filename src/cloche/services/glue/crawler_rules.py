"""What a crawler may be: its settings checked, and those refused that Cloche cannot honour."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from cloche.core.operations import Call
from cloche.services.glue.classifiers import load_classifier
from cloche.services.glue.crawling.configuration import read_configuration
from cloche.services.glue.crawling.exclusions import NotAPattern, compile_exclusions
from cloche.services.glue.crawling.role_access import SERVICE_PRINCIPAL
from cloche.services.glue.crawling.targets import split_path
from cloche.services.glue.errors import EntityNotFoundException, InvalidInputException
from cloche.services.glue.refusals import not_implemented, refuse
from cloche.services.iam.kinds import ROLES
from cloche.services.iam.pass_role import check_pass_role
from cloche.services.iam.service_sessions import parse_role_arn
from cloche.services.s3.bucket_names import is_valid_bucket_name

_KEPT = (
    "Role",
    "DatabaseName",
    "Description",
    "Targets",
    "Classifiers",
    "TablePrefix",
    "SchemaChangePolicy",
    "RecrawlPolicy",
    "LineageConfiguration",
    "Configuration",
    "LakeFormationConfiguration",
)
_LARGEST_SAMPLE = 249
_LONGEST_TABLE_PREFIX = 128


def checked_settings(
    call: Call, given: Mapping[str, Any], before: Mapping[str, Any] | None = None
) -> dict[str, Any]:
    """A crawler's settings as they are kept.

    Args:
        call: the request.
        given: members of the request.
        before: settings that stay where none is given.

    Raises:
        InvalidInputException: they are not what they must be.
        NotImplementedException: they ask for what Cloche does not do.
        AccessDeniedException: the caller may not pass the role.
    """
    request = {**(before or {}), **given}
    refuse(request, "CrawlerSecurityConfiguration", where="a crawler's ")
    if request.get("CatalogId", call.account_id) != call.account_id:
        raise not_implemented("a crawler's CatalogId of another account")
    lineage = request.get("LineageConfiguration") or {}
    if lineage.get("CrawlerLineageSettings") == "ENABLE":
        raise not_implemented("LineageConfiguration.CrawlerLineageSettings ENABLE")
    lake = request.get("LakeFormationConfiguration") or {}
    refuse(lake, "UseLakeFormationCredentials", where="LakeFormationConfiguration.")
    _check_targets(request.get("Targets") or {})
    is_of_catalog = bool(request["Targets"].get("CatalogTargets"))
    if not is_of_catalog and not request.get("DatabaseName"):
        raise InvalidInputException("DatabaseName must be specified for S3 targets.")
    read_configuration(request.get("Configuration"))
    _check_policies(request, is_of_catalog=is_of_catalog)
    for name in given.get("Classifiers") or []:
        _check_classifier(call, name)
    role = request["Role"]
    if "Role" in given:
        role = _role_arn(call, role)
        check_pass_role(call, role, SERVICE_PRINCIPAL)
    kept = {member: request[member] for member in _KEPT if request.get(member) is not None}
    return {**kept, "Role": role}


def _check_targets(targets: Mapping[str, Any]) -> None:
    for member, given in targets.items():
        if given and member not in ("S3Targets", "CatalogTargets"):
            raise not_implemented(f"{member} of crawlers")
    in_s3, in_catalog = targets.get("S3Targets") or [], targets.get("CatalogTargets") or []
    if not in_s3 and not in_catalog:
        raise InvalidInputException("Crawler cannot be created without at least one target.")
    if in_s3 and in_catalog:
        raise InvalidInputException("Catalog targets cannot be mixed with targets of other types.")
    for member, found in (("S3Targets", in_s3), ("CatalogTargets", in_catalog)):
        for target in found:
            refuse(
                target, "ConnectionName", "EventQueueArn", "DlqEventQueueArn", where=f"{member}."
            )
    for target in in_s3:
        _check_target(target)


def _check_target(target: Mapping[str, Any]) -> None:
    path = target.get("Path") or ""
    if not is_valid_bucket_name(split_path(path)[0]):
        raise InvalidInputException(f"The S3 path {path} is not valid.")
    try:
        compile_exclusions(target.get("Exclusions") or ())
    except NotAPattern as error:
        raise InvalidInputException(f"An exclude pattern is not valid: {error}") from error
    size = target.get("SampleSize")
    if size is not None and not 1 <= size <= _LARGEST_SAMPLE:
        raise InvalidInputException(f"SampleSize must be between 1 and {_LARGEST_SAMPLE}.")


def _check_policies(request: Mapping[str, Any], *, is_of_catalog: bool) -> None:
    recrawl = (request.get("RecrawlPolicy") or {}).get("RecrawlBehavior")
    if recrawl == "CRAWL_EVENT_MODE":
        raise not_implemented("RecrawlPolicy.RecrawlBehavior CRAWL_EVENT_MODE")
    policy = request.get("SchemaChangePolicy") or {}
    behaviors = (policy.get("UpdateBehavior"), policy.get("DeleteBehavior"))
    if is_of_catalog and policy.get("DeleteBehavior") != "LOG":
        raise InvalidInputException(
            "DeleteBehavior of SchemaChangePolicy must be LOG for catalog targets."
        )
    if recrawl == "CRAWL_NEW_FOLDERS_ONLY" and is_of_catalog:
        raise not_implemented("CRAWL_NEW_FOLDERS_ONLY of catalog targets")
    if recrawl == "CRAWL_NEW_FOLDERS_ONLY" and behaviors != ("LOG", "LOG"):
        raise InvalidInputException(
            "When RecrawlBehavior is CRAWL_NEW_FOLDERS_ONLY, UpdateBehavior and DeleteBehavior of"
            " SchemaChangePolicy must be LOG."
        )


def _check_classifier(call: Call, name: str) -> None:
    try:
        load_classifier(call.documents, call.account_id, call.region, name)
    except EntityNotFoundException as error:
        raise InvalidInputException(error.message) from error


def _role_arn(call: Call, role: str) -> str:
    """The ARN of a role, which is named or given by its ARN.

    Raises:
        InvalidInputException: there is no such role.
    """
    account, name = parse_role_arn(role) if role.startswith("arn:") else (call.account_id, "")
    name = name or role.rpartition("/")[2]
    found = ROLES.find(call.documents, account or call.account_id, name)
    if found is None or (role.startswith("arn:") and ROLES.arn(account, found) != role):
        raise InvalidInputException(
            f"Service is unable to assume role {role}. Please verify role's TrustPolicy"
        )
    return ROLES.arn(account, found)
