"""What a caller's own policies and the policy of a resource allow together, and which policies of resources AWS refuses.

Gap: moto asks no policy of a secret, a key or an endpoint. kms.py, secretsmanager.py, dataapi.py and endpoints.py ask here.
"""

import json
import re

from moto.core.exceptions import ServiceException

from . import config, policy, privilege, sts


class Refused(ServiceException):
    def __init__(self, code, message, status=400):
        super().__init__(message)
        self.code, self.message, self.http_status = code, message, status


def allowed(who, action, arn, resource_policy, keys=None, key_policy=False):
    """True if the caller's own policies and those of the resource allow the action together.

    https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic_policy-eval-basics.html
    https://docs.aws.amazon.com/IAM/latest/UserGuide/access_policies_boundaries.html: a boundary also limits what a
    resource's policy allows to the role. https://docs.aws.amazon.com/kms/latest/developerguide/policy-evaluation.html: a key
    listens to IAM only as far as its policy says so, by naming an account.
    """
    request = policy.Request(who.account, who.principal_arn, who.arn, resource=arn, keys=keys or {})
    own, boundary = identity(who)
    mine = "Allow" if own is None else policy.effect(own, action, request)
    limit = "Allow" if boundary is None else policy.effect(boundary, action, request)
    named, accounts = _split(resource_policy)
    direct, delegated = policy.effect(named, action, request), policy.effect(accounts, action, request)
    if "Deny" in (mine, limit, direct, delegated) or limit != "Allow":
        return False
    if direct == "Allow" and (who.account == arn.split(":")[4] or mine == "Allow"):
        return True
    if key_policy or who.account != arn.split(":")[4]:
        return delegated == "Allow" and mine == "Allow"
    return mine == "Allow"


def identity(who):
    """The statements of the caller's own policies and of its permissions boundary; None where there is no limit.

    An account's root may everything in it, and so may IAM users here: the engine has no policies of theirs.
    """
    if who.kind != "AssumedRole":
        return None, None
    role = sts.find_role(who.role_arn)
    if role is None:
        return [], []
    documents = list(role.policies.values()) + [privilege.current(one) for one in role.managed_policies.values()]
    own = [one for document in documents for one in statements(document)]
    return own, privilege.boundary(role)


def statements(document):
    if not document:
        return []
    document = json.loads(document) if isinstance(document, str) else document
    return document["Statement"] if isinstance(document["Statement"], list) else [document["Statement"]]


_ACCOUNT = re.compile(rf"(\d{{12}}|arn:{config.PARTITION}:iam::\d{{12}}:root)")


def _split(document):
    """The statements of a resource's policy by whom they name: principals themselves, or whole accounts."""
    named, accounts = [], []
    for one in statements(document):
        principal = one.get("Principal")
        given = principal.get("AWS", []) if isinstance(principal, dict) else []
        given = given if isinstance(given, list) else [given]
        whole = [each for each in given if _ACCOUNT.fullmatch(each)]
        if whole:
            accounts.append({**one, "Principal": {"AWS": whole}})
        if len(whole) < len(given) or not given:
            rest = [each for each in given if each not in whole]
            named.append({**one, "Principal": {**principal, "AWS": rest} if isinstance(principal, dict) else principal} if rest else one)
    return named, accounts


def check(who, action, arn, resource_policy, keys=None, key_policy=False):
    if not allowed(who, action, arn, resource_policy, keys, key_policy):
        raise Refused(
            "AccessDeniedException",
            f"User: {who.arn} is not authorized to perform: {action} on resource: {arn}",
            403 if action.startswith("rds-data:") else 400,
        )


ROLE = re.compile(rf"arn:{config.PARTITION}:iam::\d{{12}}:role/.+")


def valid(document, limit):
    """Refuses what AWS refuses: no JSON, nothing in it, too much of it, a role that does not exist."""
    malformed = "MalformedPolicyDocumentException"
    try:
        said = statements(document)
    except (ValueError, KeyError, TypeError):
        raise Refused(malformed, "The new policy contains syntax errors.") from None
    if not said:
        raise Refused(malformed, "The policy has no statement.")
    if len(document) > limit:
        raise Refused("LimitExceededException", f"The policy is longer than {limit} bytes.")
    for one in said:
        principal = one.get("Principal")
        given = principal.get("AWS", []) if isinstance(principal, dict) else []
        for arn in given if isinstance(given, list) else [given]:
            if ROLE.fullmatch(arn) and sts.find_role(arn) is None:
                raise Refused(malformed, "Policy contains a statement with one or more invalid principals.")


def find(backends, arn, account, region):
    """The backend that has the thing: of the ARN's account and Region, else of the caller's."""
    parts = arn.split(":", 5)
    if len(parts) == 6:
        account, region = parts[4], parts[3]
    regions = dict.get(backends, account)
    return dict.get(regions, region) if regions is not None else None
