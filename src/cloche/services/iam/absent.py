"""Listings of what cannot be made here yet, and is therefore not there.

Passwords, MFA devices, certificates, SSH keys, identity providers and service-specific credentials
have no operation that makes them (those answer 501). Clients ask for their lists before they
delete a user or describe an account: the lists are empty, and that is the truth.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from cloche.core.operations import Call
from cloche.services.iam.access import arn_of
from cloche.services.iam.errors import NoSuchEntity
from cloche.services.iam.kinds import USERS
from cloche.services.iam.service import service
from cloche.services.iam.users import user_name

if TYPE_CHECKING:
    from collections.abc import Mapping

    from aws_shapes import Empty
    from aws_shapes import iam as shapes

_USER_ARN = arn_of(USERS, "UserName")


def _need_user(call: Call, request: Mapping[str, Any]) -> None:
    if request.get("UserName") or call.principal.kind == "IAMUser":
        USERS.get(call, user_name(call, request))


def _no_login_profile(call: Call, request: Mapping[str, Any]) -> NoSuchEntity:
    name = user_name(call, request)
    USERS.get(call, name)
    return NoSuchEntity(f"Login Profile for User {name} cannot be found.")


@service.operation(resource=_USER_ARN)
def get_login_profile(
    call: Call, request: shapes.GetLoginProfileRequest
) -> shapes.GetLoginProfileResponse:
    """Raise NoSuchEntity: users have no passwords. AWS: IAM GetLoginProfile."""
    raise _no_login_profile(call, request)


@service.operation(resource=_USER_ARN)
def delete_login_profile(call: Call, request: shapes.DeleteLoginProfileRequest) -> Empty:
    """Raise NoSuchEntity: users have no passwords. AWS: IAM DeleteLoginProfile."""
    raise _no_login_profile(call, request)


@service.operation(resource=_USER_ARN)
def list_mfa_devices(
    call: Call, request: shapes.ListMFADevicesRequest
) -> shapes.ListMFADevicesResponse:
    """List no MFA devices. AWS: IAM ListMFADevices."""
    _need_user(call, request)
    return {"MFADevices": [], "IsTruncated": False}


@service.operation(name="ListVirtualMFADevices")
def list_virtual_mfa_devices(
    call: Call, request: shapes.ListVirtualMFADevicesRequest
) -> shapes.ListVirtualMFADevicesResponse:
    """List no MFA devices. AWS: IAM ListVirtualMFADevices."""
    return {"VirtualMFADevices": [], "IsTruncated": False}


@service.operation(name="ListSSHPublicKeys", resource=_USER_ARN)
def list_ssh_public_keys(
    call: Call, request: shapes.ListSSHPublicKeysRequest
) -> shapes.ListSSHPublicKeysResponse:
    """List no SSH keys. AWS: IAM ListSSHPublicKeys."""
    _need_user(call, request)
    return {"SSHPublicKeys": [], "IsTruncated": False}


@service.operation(resource=_USER_ARN)
def list_signing_certificates(
    call: Call, request: shapes.ListSigningCertificatesRequest
) -> shapes.ListSigningCertificatesResponse:
    """List no certificates. AWS: IAM ListSigningCertificates."""
    _need_user(call, request)
    return {"Certificates": [], "IsTruncated": False}


@service.operation(resource=_USER_ARN)
def list_service_specific_credentials(
    call: Call, request: shapes.ListServiceSpecificCredentialsRequest
) -> shapes.ListServiceSpecificCredentialsResponse:
    """List no credentials. AWS: IAM ListServiceSpecificCredentials."""
    _need_user(call, request)
    return {"ServiceSpecificCredentials": [], "IsTruncated": False}


@service.operation
def list_server_certificates(
    call: Call, request: shapes.ListServerCertificatesRequest
) -> shapes.ListServerCertificatesResponse:
    """List no certificates. AWS: IAM ListServerCertificates."""
    return {"ServerCertificateMetadataList": [], "IsTruncated": False}


@service.operation(name="ListOpenIDConnectProviders")
def list_open_id_connect_providers(
    call: Call, request: Any
) -> shapes.ListOpenIDConnectProvidersResponse:
    """List no identity providers. AWS: IAM ListOpenIDConnectProviders."""
    return {"OpenIDConnectProviderList": []}


@service.operation(name="ListSAMLProviders")
def list_saml_providers(call: Call, request: Any) -> shapes.ListSAMLProvidersResponse:
    """List no identity providers. AWS: IAM ListSAMLProviders."""
    return {"SAMLProviderList": []}
