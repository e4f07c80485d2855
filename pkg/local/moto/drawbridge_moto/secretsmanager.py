"""Secrets that are read as far as their policies and their keys' allow, of whatever account.

Gaps closed:
  - secretsmanager GetSecretValue knows no policies, no key policies and no other account's secrets
  - PutResourcePolicy of a secret takes any text; AWS refuses unknown principals and, on demand, a public policy
    https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_PutResourcePolicy.html
"""

import json

from moto.secretsmanager.models import secretsmanager_backends
from moto.secretsmanager.responses import SecretsManagerResponse

from . import caller, config, demands, kms, resourcepolicy
from .patching import replace


def find_secret(name, account, region):
    backend = resourcepolicy.find(secretsmanager_backends, name, account, region)
    # Only the whole ARN, with its suffix, names a secret of another account.
    return next((one for one in backend.secrets.values() if name in (one.arn, one.name)), None) if backend else None


def read_secret(who, name, region):
    """The secret's current value, as the caller may read it."""
    secret = find_secret(name, who.account, region)
    if secret is None:
        raise resourcepolicy.Refused("ResourceNotFoundException", "Secrets Manager can't find the specified secret.")
    region = secret.arn.split(":")[3]
    keys = {"secretsmanager:VersionStage": "AWSCURRENT", "secretsmanager:SecretId": secret.arn, **tags_of(secret)}
    resourcepolicy.check(who, "secretsmanager:GetSecretValue", secret.arn, secret.policy, keys)
    key = kms.find_key(secret.kms_key_id or "alias/aws/secretsmanager", secret.arn.split(":")[4], region)
    if not secret.kms_key_id or secret.kms_key_id.endswith("alias/aws/secretsmanager"):
        # https://docs.aws.amazon.com/secretsmanager/latest/userguide/auth-and-access_examples_cross.html
        if who.account != secret.arn.split(":")[4]:
            raise resourcepolicy.Refused("AccessDeniedException", "Access to KMS is not allowed")
    elif key is None:
        raise resourcepolicy.Refused("AccessDeniedException", "Access to KMS is not allowed")
    else:
        context = {"kms:ViaService": f"secretsmanager.{region}.{config.DNS_SUFFIX}", "kms:EncryptionContext:SecretARN": secret.arn, **kms.tags_of(key)}
        granted = kms.granted(who, key, "Decrypt", {"SecretARN": secret.arn, "SecretVersionId": ""})
        if not granted and not resourcepolicy.allowed(who, "kms:Decrypt", key.arn, key.policy, context, key_policy=True):
            raise resourcepolicy.Refused("AccessDeniedException", "Access to KMS is not allowed")
    version = next((one for one in secret.versions.values() if "AWSCURRENT" in one["version_stages"]), None)
    if version is None:
        raise resourcepolicy.Refused("ResourceNotFoundException", "Secrets Manager can't find the specified secret value for staging label: AWSCURRENT")
    return secret, version


def tags_of(secret):
    """The condition keys of a secret's tags."""
    return {f"aws:ResourceTag/{one['Key']}": one["Value"] for one in secret.tags or []}


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
    resourcepolicy.valid(document, 20480)
    if self._get_param("BlockPublicPolicy") in (True, "true"):
        for one in resourcepolicy.statements(document):
            if one.get("Effect") == "Allow" and one.get("Principal") in ("*", {"AWS": "*"}) and not one.get("Condition"):
                raise resourcepolicy.Refused("PublicPolicyException", "This resource policy grants broad access to the secret.")
    return original(self)


def _secret(call):
    found = find_secret(call.get("SecretId"), call.account, call.region)
    keys = {"secretsmanager:SecretId": found.arn if found else None, **(tags_of(found) if found else {})}
    if call.action == "PutResourcePolicy":
        keys["secretsmanager:BlockPublicPolicy"] = "true" if call.get("BlockPublicPolicy") in (True, "true") else "false"
    if call.action == "GetSecretValue":
        keys["secretsmanager:VersionStage"] = call.get("VersionStage") or "AWSCURRENT"
    return call.on(found.arn if found else call.arn(f"secret:{call.get('SecretId')}"), keys=keys)


demands.CALLS |= {
    f"secretsmanager:{one}": _secret for one in ("DescribeSecret", "GetResourcePolicy", "PutResourcePolicy", "DeleteResourcePolicy", "GetSecretValue")
}
demands.KEYS |= {"secretsmanager:blockpublicpolicy", "secretsmanager:secretid", "secretsmanager:versionstage"}
