"""Roles that only those may assume whom their trust policy names.

Gap: moto hands out keys for any role, existing or not, to anybody, and knows no source identity.
https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRole.html
https://docs.aws.amazon.com/IAM/latest/UserGuide/id_credentials_temp_control-access_monitor.html
https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles_create_policy-examples.html

A service that runs with a role (Lambda, EventBridge) assumes it as that service: the engine's front door says so with the
header x-drawbridge-service, for example lambda.amazonaws.com. What the caller's own policies say is asked before, in
privilege.py.
"""

import json

from moto.core.exceptions import ServiceException
from moto.core.responses import ActionResult, BaseResponse
from moto.core.utils import utcnow
from moto.iam.models import iam_backends
from moto.sts.models import AssumedRole, STSBackend
from moto.sts.responses import TokenResponse
from moto.utilities.arns import parse_arn

from . import caller, config, organizations, policy, shortcuts
from .patching import replace, require

require(AssumedRole, "user_id", "arn")


class AccessDenied(ServiceException):
    code = "AccessDenied"
    http_status = 403


@replace(BaseResponse, "serialized")
def serialized(original, self, action_result):
    # Errors that the service's API model does not list answer 400 in moto.
    status, headers, body = original(self, action_result)
    return getattr(action_result.result, "http_status", status), headers, body


@replace(TokenResponse, "assume_role")
def assume_role(original, self):
    arn, who = self._get_param("RoleArn") or "", caller.identity(self)
    identity = source_identity(self, who)
    for action in ("sts:AssumeRole", "sts:SetSourceIdentity") if identity else ("sts:AssumeRole",):
        if not _authorized(self, arn, who, action, identity):
            raise AccessDenied(f"User: {who.arn} is not authorized to perform: {action} on resource: {arn}")
    result = original(self)
    if identity:
        caller.sessions[result.result["Credentials"].access_key_id].source_identity = identity
        result.result["SourceIdentity"] = identity
    return result


def source_identity(response, who):
    """The source identity that the session of an AssumeRole call gets: once it is set, it stays along the chain."""
    given = response._get_param("SourceIdentity") or ""
    if who.source_identity and given not in ("", who.source_identity):
        raise AccessDenied(f"User: {who.arn} already has the source identity {who.source_identity}, which cannot be changed")
    return given or who.source_identity


def _authorized(response, arn, who, action, identity):
    """True if the role exists and its trust policy lets the caller do the action."""
    role = find_role(arn)
    if role is None or not organizations.active(parse_arn(arn).account):
        return False
    service = response.headers.get("x-drawbridge-service", "")
    request = policy.Request(
        account=who.account,
        principal_arn="" if service else who.principal_arn,
        session_arn="" if service else who.arn,
        service=service,
        resource=arn,
        keys={
            "sts:ExternalId": response._get_param("ExternalId"),
            "sts:RoleSessionName": response._get_param("RoleSessionName"),
            "sts:SourceIdentity": identity or None,
            "aws:SourceIdentity": who.source_identity or None,
        },
    )
    document = role.assume_role_policy_document
    document = json.loads(document) if isinstance(document, str) else document
    statements = [{key: value for key, value in one.items() if key != "Resource"} for one in _list(document["Statement"])]
    return policy.allows(statements, action, request)


def find_role(arn):
    """The role with this ARN, or None; makes no account."""
    try:
        account = parse_arn(arn).account
    except (ValueError, IndexError):
        return None
    partitions = dict.get(iam_backends, account)
    if partitions is None:
        return None
    return shortcuts.role_among(partitions[config.PARTITION].roles.values(), arn)


@replace(STSBackend, "assume_role")
def remember(original, self, *args, **kwargs):
    session = original(self, *args, **kwargs)
    session.since, session.source_identity = utcnow(), ""
    caller.sessions[session.access_key_id] = session
    return session


@replace(TokenResponse, "get_caller_identity")
def get_caller_identity(_original, self):
    who = caller.identity(self)
    return ActionResult({"UserId": who.principal_id, "Account": who.account, "Arn": who.arn})


def _list(value):
    return value if isinstance(value, list) else [value]
