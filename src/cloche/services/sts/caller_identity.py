"""Who calls, and whose a key is."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cloche.core.errors import AccessDenied
from cloche.core.operations import Call
from cloche.services.iam.identifiers import account_of_access_key
from cloche.services.iam.identity import find_credential
from cloche.services.sts.service import service

if TYPE_CHECKING:
    from aws_shapes import sts as shapes


@service.operation
async def get_caller_identity(
    call: Call, request: shapes.GetCallerIdentityRequest
) -> shapes.GetCallerIdentityResponse:
    """Tell who calls; no policy can forbid it. AWS: STS GetCallerIdentity."""
    principal = call.principal
    return {
        "UserId": principal.user_id,
        "Account": principal.account_id,
        "Arn": principal.arn,
    }


@service.operation
def get_access_key_info(
    call: Call, request: shapes.GetAccessKeyInfoRequest
) -> shapes.GetAccessKeyInfoResponse:
    """Tell which account a key belongs to, whether or not it is still there.

    Raises AccessDenied if the id tells no account. AWS: STS GetAccessKeyInfo.
    """
    key_id = request["AccessKeyId"]
    credential = find_credential(call.documents, key_id)
    if credential is not None:
        return {"Account": credential.principal.account_id}
    account_id = account_of_access_key(key_id)
    if account_id is None:
        raise AccessDenied(f"Access key id {key_id} does not belong to an account.")
    return {"Account": account_id}
