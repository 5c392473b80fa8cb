"""AWS signatures: whose request it is, and that nobody has changed it."""

from cloche.gateway.signing.chunked_body import DecodedBody, decoded_body
from cloche.gateway.signing.parsing import Parsed, parse
from cloche.gateway.signing.payload import PayloadMode, check_payload_sha256
from cloche.gateway.signing.refusals import Family, family_of, missing_authentication
from cloche.gateway.signing.routed import check_service
from cloche.gateway.signing.verification import Clock, Credential, Verified, check, verify
from cloche.gateway.signing.verification_v2 import Version2Verifier

__all__ = [
    "Clock",
    "Credential",
    "DecodedBody",
    "Family",
    "Parsed",
    "PayloadMode",
    "Verified",
    "Version2Verifier",
    "check",
    "check_payload_sha256",
    "check_service",
    "decoded_body",
    "family_of",
    "missing_authentication",
    "parse",
    "verify",
]
