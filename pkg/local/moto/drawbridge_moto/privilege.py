"""What Drawbridge's own roles may do: the identity policies of their sessions, asked before every call.

Gap: moto's access control knows neither resources nor most conditions, and takes a condition that does not hold for a
denial. Here a session of a role whose name begins with "drawbridge-" makes a call only if the role's policies allow every
permission that AWS asks for (demands.py), on every resource; all other callers stay free.
https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic.html
"""

import json
from functools import lru_cache

from moto.core.exceptions import ServiceException
from moto.core.responses import BaseResponse
from moto.iam.models import Role, iam_backends

from . import authorizations, caller, checks, config, demands, policy, sts
from .patching import replace, require

require(BaseResponse, "_get_action")

# The roles of functions, and those that they assume in member accounts.
OWN = "drawbridge-"

# What a service is called in a policy, where moto calls it something else.
_PREFIXES = {"awslambda": "lambda", "resourcegroupstaggingapi": "tag", "stepfunctions": "states"}


def denied(response):
    """The error for a call that a role of Drawbridge's makes and may not make; None for all others."""
    who = _bound(response)
    if who is None:
        return None
    service = _PREFIXES.get(response.service_name, response.service_name)
    call = demands.Call(response, service, response._get_action())
    name = f"{service}:{call.action}"
    if name in ("sts:GetCallerIdentity", "kms:RetireGrant"):  # nobody needs a permission for it; the grant says who may (kms.py)
        return None
    wanted = demands.of(call)
    if not wanted:
        if any(policy.concerns(one, name) for one in _statements(sts.find_role(who.role_arn))):
            raise NotImplementedError(f"which resources {name} is asked for; add it to drawbridge_moto/demands.py")
        wanted = [demands.Demand(name)]
    for one in wanted:
        if lacking := _lacking(who, one):
            return _error(service, who, one, lacking)
    return None


def permitted(response, demand):
    """Whether who makes a call may do something else as well, which AWS does on their behalf if they may."""
    who = _bound(response)
    return who is None or _lacking(who, demand) is None


def _bound(response):
    """Who makes a call, if that is a role of Drawbridge's; None for all others, who are free."""
    who = caller.identity(response) if caller.credential(response.headers) in caller.sessions else None
    return who if who is not None and who.role_name.startswith(OWN) else None


def _lacking(who, demand):
    """The kind of policy that does not allow what is demanded, or None."""
    role = sts.find_role(who.role_arn)
    limit = boundary(role)
    keys = {"aws:SourceIdentity": who.source_identity or None, "aws:userid": who.principal_id, **demand.keys}
    request = policy.Request(who.account, who.principal_arn, who.arn, resource=demand.resource, keys=keys)
    statements = _statements(role)
    if not policy.allows(statements, demand.action, request):
        return "identity-based policy"
    if limit is not None and not policy.allows(limit, demand.action, request):
        return "permissions boundary"
    authorizations.record(role, demand.action, request, statements, limit)
    return None


def boundary(role):
    """The statements of a role's permissions boundary, or None. A boundary that does not exist allows nothing.

    https://docs.aws.amazon.com/IAM/latest/UserGuide/access_policies_boundaries.html
    """
    arn = role.permissions_boundary_arn if role is not None else None
    if not arn:
        return None
    found = iam_backends[role.account_id][config.PARTITION].managed_policies.get(arn)
    return _parsed(current(found)) if found is not None else []


def _statements(role):
    if role is None:
        return []
    documents = list(role.policies.values()) + [current(one) for one in role.managed_policies.values()]
    return [one for document in documents for one in _parsed(document)]


def current(managed):
    """The document of a managed policy's default version, as JSON."""
    text = next(one.document for one in managed.versions if one.version_id == managed.default_version_id)
    return text if isinstance(text, str) else json.dumps(text)


@lru_cache(maxsize=1024)
def _parsed(document):
    statements = json.loads(document)["Statement"]
    statements = statements if isinstance(statements, list) else [statements]
    for one in statements:
        for block in (one.get("Condition") or {}).values():
            for key in block:
                if key.lower() not in demands.KEYS and not key.lower().startswith(demands.KEYS_OF_TAGS):
                    raise NotImplementedError(f"the condition key {key}; add it to drawbridge_moto/demands.py")
    return statements


@replace(Role, "put_policy")
def put_policy(original, self, policy_name, policy_json):
    # Gap: what CloudFormation creates keeps its policies as they were parsed, and GetRolePolicy shows Python instead of JSON.
    text = policy_json if isinstance(policy_json, str) else json.dumps(policy_json)
    original(self, policy_name, text)


class Denied(ServiceException):
    pass


def _error(service, who, demand, lacking):
    """The error in the words of the service."""
    on = f" on resource: {demand.resource}" if demand.resource != "*" else ""
    text = (
        f"User: {who.arn} is not authorized to perform: {demand.action}{on} "
        f"because no {lacking} allows the {demand.action} action"
    )
    error = Denied(text)
    if service == "ec2":
        # https://docs.aws.amazon.com/AWSEC2/latest/APIReference/errors-overview.html
        error.code, error.http_status = "UnauthorizedOperation", 403
        error.message = f"You are not authorized to perform this operation. {text}"
    elif service == "sns":
        error.code, error.http_status = "AuthorizationError", 403
    elif service in ("sts", "iam", "rds", "redshift", "sqs", "cloudwatch"):
        error.code, error.http_status = "AccessDenied", 403
    else:
        error.code, error.http_status = "AccessDeniedException", 403 if service == "lambda" else 400
    return error


@replace(BaseResponse, "call_action")
def call_action(original, self):
    error = denied(self)
    if error is None:
        return original(self)
    return checks.answer(self, error)
