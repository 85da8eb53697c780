"""What the environment says of object stores, where their libraries do not read it themselves."""

from __future__ import annotations

import configparser
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from labelmill.errors import UsageError

__all__ = ["credentials_in_use", "options"]

# Credentials and endpoints are read where the work is done: on a worker they are the worker's own, and never travel.
_ENVIRONMENT: Final = os.environ  # noqa: TID251 -- see above

_CREDENTIALS: Final = {
    "s3": (
        "AWS_ACCESS_KEY_ID",
        "AWS_SECRET_ACCESS_KEY",
        "AWS_SESSION_TOKEN",
        "AWS_PROFILE",
        "AWS_SHARED_CREDENTIALS_FILE",
        "AWS_CONFIG_FILE",
        "AWS_ROLE_ARN",
        "AWS_WEB_IDENTITY_TOKEN_FILE",
        "HOME",
    ),
    "gs": ("GOOGLE_APPLICATION_CREDENTIALS", "HOME"),
    "az": ("AZURE_CLIENT_ID", "AZURE_CLIENT_SECRET", "AZURE_TENANT_ID", "AZURE_FEDERATED_TOKEN_FILE", "HOME"),
}
"""Scheme -> what the library reads itself."""


def credentials_in_use(scheme: str) -> tuple[str | None, ...]:
    """What the library would read now: a connection made with something else is not to be used again."""
    return tuple(_ENVIRONMENT.get(name) for name in _CREDENTIALS[scheme])


def options(scheme: str, authority: str) -> dict[str, str]:
    """The library's options for a bucket or container.

    Raises
    ------
    UsageError
        If a variable is needed and not set; names it.
    """
    return {"s3": _s3, "gs": _gs, "az": _az}[scheme](authority)


def _s3(bucket: str) -> dict[str, str]:
    profile = _aws_profile()
    endpoint = _first("AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL") or profile.get("endpoint_url")
    region = _first("AWS_REGION", "AWS_DEFAULT_REGION") or profile.get("region")
    if region is None and endpoint is None:
        raise UsageError(
            f"s3://{bucket}: in which region? Set AWS_REGION (for AWS), or AWS_ENDPOINT_URL (for a store of your own)"
        )
    chosen = {"bucket": bucket, "region": region or "us-east-1"}
    return chosen if endpoint is None else {**chosen, "endpoint": endpoint}


def _aws_profile() -> Mapping[str, str]:
    """Settings of the profile in use in AWS's config file."""
    path = Path(_first("AWS_CONFIG_FILE") or "~/.aws/config")
    name = _first("AWS_PROFILE") or "default"
    parser = configparser.RawConfigParser()
    try:
        parser.read(path.expanduser(), encoding="utf-8")
    except (configparser.Error, UnicodeDecodeError, RuntimeError):
        return {}  # a file that AWS's own tools would refuse too; what is missing is told by name
    for section in (f"profile {name}", name):
        if parser.has_section(section):
            return dict(parser.items(section))
    return {}


def _gs(bucket: str) -> dict[str, str]:
    return {"bucket": bucket}


def _az(container: str) -> dict[str, str]:
    known = _connection_string()
    account = _first("AZURE_STORAGE_ACCOUNT_NAME", "AZURE_STORAGE_ACCOUNT") or known.get("AccountName")
    endpoint = _first("AZURE_STORAGE_ENDPOINT") or known.get("BlobEndpoint")
    if account is None:
        raise UsageError(
            f"az://{container}: in which storage account? Set AZURE_STORAGE_ACCOUNT_NAME and "
            "AZURE_STORAGE_ACCOUNT_KEY, or AZURE_STORAGE_CONNECTION_STRING"
        )
    suffix = known.get("EndpointSuffix", "core.windows.net")
    wanted = {
        "container": container,
        "account_name": account,
        "endpoint": endpoint or f"https://{account}.blob.{suffix}",
        "account_key": _first("AZURE_STORAGE_ACCOUNT_KEY", "AZURE_STORAGE_KEY") or known.get("AccountKey"),
        "sas_token": _first("AZURE_STORAGE_SAS_TOKEN") or known.get("SharedAccessSignature"),
    }
    return {name: value for name, value in wanted.items() if value is not None}


def _connection_string() -> dict[str, str]:
    parts = (part.partition("=") for part in (_first("AZURE_STORAGE_CONNECTION_STRING") or "").split(";"))
    return {name.strip(): value for name, _, value in parts if value}


def _first(*names: str) -> str | None:
    """Value of the first of these variables that is set and not empty."""
    return next((_ENVIRONMENT[name] for name in names if _ENVIRONMENT.get(name)), None)
