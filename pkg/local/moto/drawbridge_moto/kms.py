"""Keys of KMS that listen to their policies and grants, of whatever account.

Gaps closed:
  - PutKeyPolicy takes any text; AWS refuses unknown principals and a policy that locks the caller out
    https://docs.aws.amazon.com/kms/latest/APIReference/API_PutKeyPolicy.html
  - KMS takes the calls of assumed roles whatever the key's policy says, and its grants grant nothing: here a key listens to IAM only as far as
    its policy says, a grant lets its grantee decrypt within its constraint, the same grant is not made twice under one name, and only who is
    named in it, or the account, retires it
    https://docs.aws.amazon.com/kms/latest/developerguide/grants.html
"""

import json

from moto.kms.models import kms_backends
from moto.kms.responses import KmsResponse

from . import caller, demands, privilege, resourcepolicy, sts
from .patching import replace


def find_key(name, account, region):
    backend = resourcepolicy.find(kms_backends, name, account, region)
    if backend is None:
        return None
    name = name.split(":", 5)[-1].removeprefix("key/")
    if name.startswith("alias/"):
        name = backend.get_key_id_from_alias(name) or ""
    return backend.keys.get(name)


def tags_of(key):
    """The condition keys of a key's tags."""
    regions = dict.get(kms_backends, key.account_id)
    backend = dict.get(regions, key.region)
    tags = {one["TagKey"]: one["TagValue"] for one in backend.list_resource_tags(key.id)["Tags"]}
    return {f"aws:ResourceTag/{name}": value for name, value in tags.items()}


def granted(who, key, operation, context):
    """True if a grant of the key lets the caller's role do the operation in this encryption context."""
    role = who.role_arn if who.kind == "AssumedRole" else None
    for grant in key.grants.values():
        subset = (grant.constraints or {}).get("EncryptionContextSubset") or {}
        # A role of the same name that is made later is another principal.
        alive = sts.find_role(grant.grantee_principal)
        same = alive is not None and getattr(grant, "grantee_id", alive.id) == alive.id
        if role == grant.grantee_principal and same and operation in grant.operations and subset.items() <= context.items():
            return True
    return False


@replace(KmsResponse, "put_key_policy")
def put_key_policy(original, self):
    document, who = self._get_param("Policy"), caller.identity(self)
    resourcepolicy.valid(document, 32768)
    key = find_key(self._get_param("KeyId"), self.current_account, self.region)
    if key is not None and not self._get_param("BypassPolicyLockoutSafetyCheck"):
        again = {"kms:BypassPolicyLockoutSafetyCheck": "false"}
        if not resourcepolicy.allowed(who, "kms:PutKeyPolicy", key.arn, document, again, key_policy=True):
            raise resourcepolicy.Refused("MalformedPolicyDocumentException", "The new key policy will not allow you to update the key policy in the future.")
    return original(self)


def _must_listen(response, action):
    """Refuses the call of an assumed role to a key whose policy leaves nothing to IAM, and names no such role."""
    who = caller.identity(response)
    key = find_key(response._get_param("KeyId") or "", response.current_account, response.region)
    if who.kind == "AssumedRole" and key is not None:
        role = sts.find_role(who.role_arn)
        bound = role is not None and role.name.startswith(privilege.OWN)  # others' policies the engine asks nobody about
        keys = {**tags_of(key), **_grant_keys(response)} if bound else {}
        if bound and not resourcepolicy.allowed(who, f"kms:{action}", key.arn, key.policy, keys, key_policy=True):
            raise resourcepolicy.Refused("AccessDeniedException", f"User: {who.arn} is not authorized to perform: kms:{action} on resource: {key.arn}")
    return who, key


def _grant_keys(response):
    operations = response._get_param("Operations")
    if not operations:
        return {}
    return {
        "kms:GrantOperations": operations,
        "kms:GrantConstraintType": list(response._get_param("Constraints") or {}) or None,
        "kms:GranteePrincipal": response._get_param("GranteePrincipal") or None,
        "kms:RetiringPrincipal": response._get_param("RetiringPrincipal") or None,
    }


for _method, _action in (
    ("describe_key", "DescribeKey"), ("get_key_policy", "GetKeyPolicy"), ("list_resource_tags", "ListResourceTags"), ("list_grants", "ListGrants"),
):  # fmt: skip

    @replace(KmsResponse, _method)
    def listening(original, self, action=_action):
        _must_listen(self, action)
        return original(self)


@replace(KmsResponse, "create_grant")
def create_grant(original, self):
    _, key = _must_listen(self, "CreateGrant")
    grantee, retiring, name = (self._get_param(one) for one in ("GranteePrincipal", "RetiringPrincipal", "Name"))
    for arn in filter(None, (grantee, retiring)):
        if resourcepolicy.ROLE.fullmatch(arn) and sts.find_role(arn) is None:
            raise resourcepolicy.Refused("InvalidArnException", f"ARN does not refer to a valid principal: {arn}")
    if key is not None and name:
        for grant in key.grants.values():
            asked = (grantee, retiring, self._get_param("Operations"), self._get_param("Constraints"))
            if grant.name == name and asked == (grant.grantee_principal, grant.retiring_principal, grant.operations, grant.constraints):
                return json.dumps({"GrantId": grant.id, "GrantToken": grant.token})
    answer = original(self)
    if key is not None and (role := sts.find_role(grantee)) is not None:
        key.grants[json.loads(answer)["GrantId"]].grantee_id = role.id
    return answer


@replace(KmsResponse, "retire_grant")
def retire_grant(original, self):
    # https://docs.aws.amazon.com/kms/latest/developerguide/grant-delete.html
    who = caller.identity(self)
    key = find_key(self._get_param("KeyId") or "", self.current_account, self.region)
    grant = key.grants.get(self._get_param("GrantId")) if key is not None else None
    if grant is None:
        raise resourcepolicy.Refused("NotFoundException", f"Grant ID {self._get_param('GrantId')} not found")
    named = (grant.retiring_principal, grant.grantee_principal if "RetireGrant" in grant.operations else None)
    if who.kind == "AssumedRole" and who.role_arn not in named:
        raise resourcepolicy.Refused("AccessDeniedException", f"User: {who.arn} is not authorized to perform: kms:RetireGrant on resource: {key.arn}")
    return original(self)


def _key(call):
    found = find_key(call.get("KeyId"), call.account, call.region)
    keys = {**(tags_of(found) if found else {}), **_grant_keys(call.response)}
    if call.action == "PutKeyPolicy":
        keys["kms:BypassPolicyLockoutSafetyCheck"] = "true" if call.get("BypassPolicyLockoutSafetyCheck") else "false"
    return call.on(found.arn if found else call.arn(f"key/{call.get('KeyId')}"), keys=keys)


demands.CALLS |= {
    f"kms:{one}": _key for one in ("DescribeKey", "GetKeyPolicy", "PutKeyPolicy", "Decrypt", "ListResourceTags", "ListGrants", "CreateGrant")
}
demands.KEYS |= {
    "kms:bypasspolicylockoutsafetycheck",
    "kms:viaservice",
    "kms:encryptioncontext:secretarn",
    "kms:grantconstrainttype",
    "kms:granteeprincipal",
    "kms:grantoperations",
    "kms:retiringprincipal",
}
