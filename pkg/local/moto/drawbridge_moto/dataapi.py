"""The RDS Data API, and the policies that a call of it has to pass: of the role, the secret and the key.

Gaps closed:
  - RDS EnableHttpEndpoint and DisableHttpEndpoint; Aurora clusters that say whether their HTTP endpoint is on
    https://docs.aws.amazon.com/AmazonRDS/latest/APIReference/API_EnableHttpEndpoint.html
  - rds-data ExecuteStatement asks nobody and answers nothing. Here it asks for what AWS asks for, and runs the statement
    https://docs.aws.amazon.com/rdsdataservice/latest/APIReference/API_ExecuteStatement.html
  - secretsmanager GetSecretValue knows no policies, no key policies and no other account's secrets
  - PutKeyPolicy takes any text; AWS refuses unknown principals and a policy that locks the caller out
    https://docs.aws.amazon.com/kms/latest/APIReference/API_PutKeyPolicy.html
  - PutResourcePolicy of a secret takes any text; AWS refuses unknown principals and, on demand, a public policy
    https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_PutResourcePolicy.html
  - KMS takes the calls of assumed roles whatever the key's policy says, and its grants grant nothing: here a key listens to IAM only as far as
    its policy says, a grant lets its grantee decrypt within its constraint, the same grant is not made twice under one name, and only who is
    named in it, or the account, retires it
    https://docs.aws.amazon.com/kms/latest/developerguide/grants.html
  - nothing is recorded of the tags of secrets and keys

SIMULATED: the database. Each cluster has one SQLite database in memory instead of Aurora, with one user: its master user.
"""

import json
import re
import sqlite3
import threading

from moto.core.exceptions import ServiceException
from moto.core.responses import ActionResult
from moto.iam.models import iam_backends
from moto.kms.models import kms_backends
from moto.kms.responses import KmsResponse
from moto.rds.models import DBCluster, rds_backends
from moto.rds.responses import RDSResponse
from moto.rdsdata.responses import RDSDataServiceResponse
from moto.secretsmanager.models import secretsmanager_backends
from moto.secretsmanager.responses import SecretsManagerResponse

from . import caller, cloudtrail, config, policy, privilege, sts
from .patching import add, on_reset, replace, require

require(DBCluster, "http_endpoint_enabled", "enable_http_endpoint", "master_user_password")


class Refused(ServiceException):
    def __init__(self, code, message, status=400):
        super().__init__(message)
        self.code, self.message, self.http_status = code, message, status


# --- who may do what -----------------------------------------------------------------------------------------------------


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
    own = [one for document in documents for one in _statements(document)]
    return own, privilege.boundary(role)


def _statements(document):
    if not document:
        return []
    document = json.loads(document) if isinstance(document, str) else document
    return document["Statement"] if isinstance(document["Statement"], list) else [document["Statement"]]


_ACCOUNT = re.compile(rf"(\d{{12}}|arn:{config.PARTITION}:iam::\d{{12}}:root)")


def _split(document):
    """The statements of a resource's policy by whom they name: principals themselves, or whole accounts."""
    named, accounts = [], []
    for one in _statements(document):
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


# --- secrets and keys, of whatever account -------------------------------------------------------------------------------


def _find(backends, arn, account, region):
    """The backend that has the thing: of the ARN's account and Region, else of the caller's."""
    parts = arn.split(":", 5)
    if len(parts) == 6:
        account, region = parts[4], parts[3]
    regions = dict.get(backends, account)
    return dict.get(regions, region) if regions is not None else None


def find_secret(name, account, region):
    backend = _find(secretsmanager_backends, name, account, region)
    # Only the whole ARN, with its suffix, names a secret of another account.
    return next((one for one in backend.secrets.values() if name in (one.arn, one.name)), None) if backend else None


def find_key(name, account, region):
    backend = _find(kms_backends, name, account, region)
    if backend is None:
        return None
    name = name.split(":", 5)[-1].removeprefix("key/")
    if name.startswith("alias/"):
        name = backend.get_key_id_from_alias(name) or ""
    return backend.keys.get(name)


def read_secret(who, name, region):
    """The secret's current value, as the caller may read it."""
    secret = find_secret(name, who.account, region)
    if secret is None:
        raise Refused("ResourceNotFoundException", "Secrets Manager can't find the specified secret.")
    region = secret.arn.split(":")[3]
    keys = {"secretsmanager:VersionStage": "AWSCURRENT", "secretsmanager:SecretId": secret.arn, **tags_of(secret)}
    check(who, "secretsmanager:GetSecretValue", secret.arn, secret.policy, keys)
    key = find_key(secret.kms_key_id or "alias/aws/secretsmanager", secret.arn.split(":")[4], region)
    if not secret.kms_key_id or secret.kms_key_id.endswith("alias/aws/secretsmanager"):
        # https://docs.aws.amazon.com/secretsmanager/latest/userguide/auth-and-access_examples_cross.html
        if who.account != secret.arn.split(":")[4]:
            raise Refused("AccessDeniedException", "Access to KMS is not allowed")
    elif key is None:
        raise Refused("AccessDeniedException", "Access to KMS is not allowed")
    else:
        context = {"kms:ViaService": f"secretsmanager.{region}.{config.DNS_SUFFIX}", "kms:EncryptionContext:SecretARN": secret.arn, **tags_of(key)}
        granted = _granted(who, key, "Decrypt", {"SecretARN": secret.arn, "SecretVersionId": ""})
        if not granted and not allowed(who, "kms:Decrypt", key.arn, key.policy, context, key_policy=True):
            raise Refused("AccessDeniedException", "Access to KMS is not allowed")
    version = next((one for one in secret.versions.values() if "AWSCURRENT" in one["version_stages"]), None)
    if version is None:
        raise Refused("ResourceNotFoundException", "Secrets Manager can't find the specified secret value for staging label: AWSCURRENT")
    return secret, version


def tags_of(thing):
    """The condition keys of the tags of a secret or a key."""
    if hasattr(thing, "grants"):
        regions = dict.get(kms_backends, thing.account_id)
        backend = dict.get(regions, thing.region)
        tags = {one["TagKey"]: one["TagValue"] for one in backend.list_resource_tags(thing.id)["Tags"]}
    else:
        tags = {one["Key"]: one["Value"] for one in thing.tags or []}
    return {f"aws:ResourceTag/{key}": value for key, value in tags.items()}


def _granted(who, key, operation, context):
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


@replace(SecretsManagerResponse, "get_secret_value")
def get_secret_value(original, self):
    name, stage = self._get_param("SecretId") or "", self._get_param("VersionStage") or "AWSCURRENT"
    if stage != "AWSCURRENT" or self._get_param("VersionId"):
        return original(self)
    secret, version = read_secret(caller.identity(self), name, self.region)
    answer = {
        "ARN": secret.arn,
        "Name": secret.name,
        "VersionId": version["version_id"],
        "VersionStages": version["version_stages"],
        "CreatedDate": version["createdate"],
    }
    value = {"SecretString": version["secret_string"]} if "secret_string" in version else {"SecretBinary": version["secret_binary"]}
    return json.dumps(answer | value)


@replace(SecretsManagerResponse, "put_resource_policy")
def put_resource_policy(original, self):
    document = self._get_param("ResourcePolicy")
    _valid(document, 20480)
    if self._get_param("BlockPublicPolicy") in (True, "true"):
        for one in _statements(document):
            if one.get("Effect") == "Allow" and one.get("Principal") in ("*", {"AWS": "*"}) and not one.get("Condition"):
                raise Refused("PublicPolicyException", "This resource policy grants broad access to the secret.")
    return original(self)


@replace(KmsResponse, "put_key_policy")
def put_key_policy(original, self):
    document, who = self._get_param("Policy"), caller.identity(self)
    _valid(document, 32768)
    key = find_key(self._get_param("KeyId"), self.current_account, self.region)
    if key is not None and not self._get_param("BypassPolicyLockoutSafetyCheck"):
        again = {"kms:BypassPolicyLockoutSafetyCheck": "false"}
        if not allowed(who, "kms:PutKeyPolicy", key.arn, document, again, key_policy=True):
            raise Refused("MalformedPolicyDocumentException", "The new key policy will not allow you to update the key policy in the future.")
    return original(self)


_ROLE = re.compile(rf"arn:{config.PARTITION}:iam::\d{{12}}:role/.+")


def _valid(document, limit):
    """Refuses what AWS refuses: no JSON, nothing in it, too much of it, a role that does not exist."""
    malformed = "MalformedPolicyDocumentException"
    try:
        statements = _statements(document)
    except (ValueError, KeyError, TypeError):
        raise Refused(malformed, "The new policy contains syntax errors.") from None
    if not statements:
        raise Refused(malformed, "The policy has no statement.")
    if len(document) > limit:
        raise Refused("LimitExceededException", f"The policy is longer than {limit} bytes.")
    for one in statements:
        principal = one.get("Principal")
        given = principal.get("AWS", []) if isinstance(principal, dict) else []
        for arn in given if isinstance(given, list) else [given]:
            if _ROLE.fullmatch(arn) and sts.find_role(arn) is None:
                raise Refused(malformed, "Policy contains a statement with one or more invalid principals.")


# --- what a key's policy and its grants say ------------------------------------------------------------------------------


def _must_listen(response, action):
    """Refuses the call of an assumed role to a key whose policy leaves nothing to IAM, and names no such role."""
    who = caller.identity(response)
    key = find_key(response._get_param("KeyId") or "", response.current_account, response.region)
    if who.kind == "AssumedRole" and key is not None:
        role = sts.find_role(who.role_arn)
        bound = role is not None and role.name.startswith(privilege.OWN)  # others' policies the engine asks nobody about
        keys = {**tags_of(key), **_grant_keys(response)} if bound else {}
        if bound and not allowed(who, f"kms:{action}", key.arn, key.policy, keys, key_policy=True):
            raise Refused("AccessDeniedException", f"User: {who.arn} is not authorized to perform: kms:{action} on resource: {key.arn}")
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
        if _ROLE.fullmatch(arn) and sts.find_role(arn) is None:
            raise Refused("InvalidArnException", f"ARN does not refer to a valid principal: {arn}")
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
        raise Refused("NotFoundException", f"Grant ID {self._get_param('GrantId')} not found")
    named = (grant.retiring_principal, grant.grantee_principal if "RetireGrant" in grant.operations else None)
    if who.kind == "AssumedRole" and who.role_arn not in named:
        raise Refused("AccessDeniedException", f"User: {who.arn} is not authorized to perform: kms:RetireGrant on resource: {key.arn}")
    return original(self)


# --- records of tags -----------------------------------------------------------------------------------------------------


def _recorded(owner, source, method, name, request, elements=lambda answer: None):
    @replace(owner, method)
    def call(original, self):
        answer = original(self)
        cloudtrail.record(self, source, name, request(self), elements(answer))
        return answer


def _given(*names):
    """The parameters of these names, as CloudTrail spells them."""

    def lower(value):
        if isinstance(value, dict):
            return {key[0].lower() + key[1:]: inner for key, inner in value.items()}
        return [lower(one) for one in value] if isinstance(value, list) else value

    return lambda self: {one[0].lower() + one[1:]: lower(self._get_param(one)) for one in names if self._get_param(one) is not None}


_recorded(SecretsManagerResponse, "secretsmanager", "tag_resource", "TagResource", _given("SecretId", "Tags"))
_recorded(SecretsManagerResponse, "secretsmanager", "untag_resource", "UntagResource", _given("SecretId", "TagKeys"))
_recorded(SecretsManagerResponse, "secretsmanager", "create_secret", "CreateSecret", _given("Name", "KmsKeyId", "Tags"))
_recorded(KmsResponse, "kms", "tag_resource", "TagResource", _given("KeyId", "Tags"))
_recorded(KmsResponse, "kms", "untag_resource", "UntagResource", _given("KeyId", "TagKeys"))
_recorded(
    KmsResponse, "kms", "create_key", "CreateKey", _given("Description", "Tags"),
    lambda answer: {"keyMetadata": {"keyId": json.loads(answer)["KeyMetadata"]["KeyId"]}},
)  # fmt: skip

# --- the HTTP endpoint of a cluster --------------------------------------------------------------------------------------


def find_cluster(arn):
    backend = _find(rds_backends, arn, "", "")
    clusters = backend.clusters.values() if backend else []
    return next((one for one in clusters if one.db_cluster_arn == arn), None)


def _endpoint(response, on):
    arn = response.params.get("ResourceArn") or ""
    cluster = find_cluster(arn)
    if cluster is None or arn.split(":")[4] != response.current_account:
        raise Refused("DBClusterNotFoundFault", f"DBCluster {arn} not found.", 404)
    if cluster.status != "available":
        raise Refused("InvalidResourceStateFault", f"{arn} is {cluster.status}.")
    if not cluster.engine.startswith("aurora") or cluster.engine_mode == "serverless":
        raise Refused("InvalidParameterValue", "The HTTP endpoint of this cluster cannot be changed by this operation.")
    cluster._enable_http_endpoint = on
    return ActionResult({"ResourceArn": arn, "HttpEndpointEnabled": on})


add(RDSResponse, "enable_http_endpoint")(lambda self: _endpoint(self, True))
add(RDSResponse, "disable_http_endpoint")(lambda self: _endpoint(self, False))


@replace(DBCluster, "__init__")
def cluster(original, self, *args, **kwargs):
    # CreateDBCluster can turn it on, for provisioned and Serverless v2 clusters too.
    original(self, *args, **kwargs)
    if self.engine.startswith("aurora") and kwargs.get("enable_http_endpoint"):
        self._enable_http_endpoint = True


# --- the simulated database ----------------------------------------------------------------------------------------------

_databases = {}
_lock = threading.Lock()


@on_reset
def _forget():
    with _lock:
        _databases.clear()


def _database(arn):
    """The cluster's SQLite database in memory, made when first asked. It reaches no file."""
    if arn not in _databases:
        _databases[arn] = sqlite3.connect(":memory:", check_same_thread=False, isolation_level=None)
        closed = (sqlite3.SQLITE_ATTACH, sqlite3.SQLITE_DETACH, sqlite3.SQLITE_PRAGMA)
        _databases[arn].set_authorizer(lambda action, *_: sqlite3.SQLITE_DENY if action in closed else sqlite3.SQLITE_OK)
    return _databases[arn]


@replace(RDSDataServiceResponse, "execute_statement")
def execute_statement(_original, self):
    who, arn = caller.identity(self), self._get_param("resourceArn") or ""
    check(who, "rds-data:ExecuteStatement", arn, None)
    found = find_cluster(arn)
    # The cluster must be in the caller's own account.
    # https://docs.aws.amazon.com/AmazonRDS/latest/AuroraUserGuide/data-api.html
    if found is None or found.db_cluster_arn.split(":")[4] != who.account or arn.split(":")[3] != self.region:
        raise Refused("DatabaseNotFoundException", f"DBCluster {arn} is not found in {self.region} of {who.account}.", 404)
    if not found.http_endpoint_enabled:
        raise Refused("HttpEndpointNotEnabledException", f"HttpEndpoint is not enabled for cluster {found.db_cluster_identifier}.")
    try:
        _, version = read_secret(who, self._get_param("secretArn") or "", self.region)
    except Refused as error:
        if error.code == "ResourceNotFoundException":
            raise Refused("SecretsErrorException", error.message) from None
        raise
    try:
        user = json.loads(version.get("secret_string") or "")
        given = (user["username"], user["password"])
    except (ValueError, KeyError, TypeError):
        raise Refused("InvalidSecretException", "The secret must have a user name and a password.") from None
    if given != (found.master_username, found._master_user_password):
        raise Refused("DatabaseErrorException", f'FATAL: password authentication failed for user "{given[0]}"')
    with _lock:
        return json.dumps(_run(_database(arn), self._get_param("sql"), self._get_param("parameters") or []))


def _run(database, sql, parameters):
    values = {one["name"]: None if (one.get("value") or {}).get("isNull") else next(iter(one["value"].values())) for one in parameters}
    try:
        cursor = database.execute(sql, values)
        rows = cursor.fetchall()
    except sqlite3.Error as error:
        raise Refused("DatabaseErrorException", f"ERROR (simulated by SQLite): {error}") from None
    changed = max(cursor.rowcount, 0) if not cursor.description else 0
    columns = [{"name": one[0], "label": one[0]} for one in cursor.description or []]
    return {"numberOfRecordsUpdated": changed, "records": [[_field(one) for one in row] for row in rows], "columnMetadata": columns}


def _field(value):
    # https://docs.aws.amazon.com/rdsdataservice/latest/APIReference/API_Field.html
    if value is None:
        return {"isNull": True}
    if isinstance(value, int):
        return {"longValue": value}
    if isinstance(value, float):
        return {"doubleValue": value}
    if isinstance(value, bytes):
        import base64

        return {"blobValue": base64.b64encode(value).decode()}
    return {"stringValue": str(value)}


# --- what the calls of Drawbridge's own roles need (privilege.py) --------------------------------------------------------


def _secret(call):
    found = find_secret(call.get("SecretId"), call.account, call.region)
    keys = {"secretsmanager:SecretId": found.arn if found else None, **(tags_of(found) if found else {})}
    if call.action == "PutResourcePolicy":
        keys["secretsmanager:BlockPublicPolicy"] = "true" if call.get("BlockPublicPolicy") in (True, "true") else "false"
    if call.action == "GetSecretValue":
        keys["secretsmanager:VersionStage"] = call.get("VersionStage") or "AWSCURRENT"
    return call.on(found.arn if found else call.arn(f"secret:{call.get('SecretId')}"), keys=keys)


def _key(call):
    found = find_key(call.get("KeyId"), call.account, call.region)
    keys = {**(tags_of(found) if found else {}), **_grant_keys(call.response)}
    if call.action == "PutKeyPolicy":
        keys["kms:BypassPolicyLockoutSafetyCheck"] = "true" if call.get("BypassPolicyLockoutSafetyCheck") else "false"
    return call.on(found.arn if found else call.arn(f"key/{call.get('KeyId')}"), keys=keys)


def _role(call):
    name = call.get("RoleName")
    partitions = dict.get(iam_backends, call.account)
    found = next((one for one in list(partitions[config.PARTITION].roles.values()) if one.name == name), None) if partitions else None
    path = call.get("Path") or "/"
    arn = found.arn if found and call.action != "CreateRole" else f"arn:{config.PARTITION}:iam::{call.account}:role{path}{name}"
    bound = call.get("PermissionsBoundary") if call.action == "CreateRole" else found.permissions_boundary_arn if found else None
    keys = {"iam:PermissionsBoundary": bound or None}
    for tag in (found.tags or []) if found and call.action != "CreateRole" else []:
        keys[f"aws:ResourceTag/{tag['Key']}"] = tag["Value"]
    tags = call.listed("Tags") or [{"Key": one} for one in call.listed("TagKeys")]
    keys |= call.tag_keys(tags)
    demands = call.on(arn, keys=keys)
    if call.action == "CreateRole" and tags:
        # https://docs.aws.amazon.com/IAM/latest/UserGuide/id_tags.html: tags that come with a role are a permission more.
        demands.append(call.also("TagRole", arn, keys))
    return demands


def _named(parameter):
    return lambda call: call.on(call.get(parameter))


def _cluster(call):
    found = find_cluster(call.get("ResourceArn"))
    tags = {f"aws:ResourceTag/{one['Key']}": one["Value"] for one in (found.tags if found else [])}
    return call.on(call.get("ResourceArn"), keys=tags)


def _cluster_tags(call):
    tags = call.listed("Tags") or [{"Key": one} for one in call.listed("TagKeys")]
    return call.on(call.get("ResourceName"), keys=call.tag_keys(tags))


privilege.CALLS |= {
    **{f"secretsmanager:{one}": _secret for one in ("DescribeSecret", "GetResourcePolicy", "PutResourcePolicy", "DeleteResourcePolicy", "GetSecretValue")},
    **{f"kms:{one}": _key for one in ("DescribeKey", "GetKeyPolicy", "PutKeyPolicy", "Decrypt", "ListResourceTags", "ListGrants", "CreateGrant")},
    **{
        f"iam:{one}": _role
        for one in ("GetRole", "CreateRole", "DeleteRole", "TagRole", "UntagRole", "UpdateAssumeRolePolicy", "GetRolePolicy", "PutRolePolicy", "DeleteRolePolicy")
    },
    "rds:AddTagsToResource": _cluster_tags,
    "rds:RemoveTagsFromResource": _cluster_tags,
    "rds:EnableHttpEndpoint": _cluster,
    "rds:DisableHttpEndpoint": _cluster,
    "rds-data:ExecuteStatement": _named("resourceArn"),
}
privilege._KEYS |= {
    "iam:permissionsboundary",
    "kms:bypasspolicylockoutsafetycheck",
    "kms:viaservice",
    "kms:encryptioncontext:secretarn",
    "kms:grantconstrainttype",
    "kms:granteeprincipal",
    "kms:grantoperations",
    "kms:retiringprincipal",
    "secretsmanager:blockpublicpolicy",
    "secretsmanager:secretid",
    "secretsmanager:versionstage",
}
