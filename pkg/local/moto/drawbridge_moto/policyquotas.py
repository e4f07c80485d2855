"""How much a policy or a parameter holds.

Gaps closed:
  - policies of queues may have any size; AWS::SQS::QueuePolicy is unknown
  - policies of IAM, trust policies, and the number of policies at a role have no limit
  - a parameter of Parameter Store holds any text
Each also of what CloudFormation makes.
"""

import json
import re

from moto.core.common_models import CloudFormationModel
from moto.iam.models import IAMBackend, Role
from moto.sqs.models import Queue, sqs_backends
from moto.ssm.models import SimpleSystemManagerBackend

from .checks import Refused, check
from .patching import replace

# https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html
INLINE, TRUST, MANAGED, ATTACHED = 10_240, 2_048, 6_144, 10
# https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/quotas-policies.html
BYTES, STATEMENTS, PRINCIPALS, CONDITIONS = 8_192, 20, 50, 10
# https://docs.aws.amazon.com/systems-manager/latest/userguide/parameter-store-advanced-parameters.html
STANDARD, ADVANCED = 4_096, 8_192


# --- IAM -----------------------------------------------------------------------------------------------------------------


def counted(document):
    """The characters of a policy as IAM counts them: "IAM doesn't count white space"."""
    text = document if isinstance(document, str) else json.dumps(document)
    return len(re.sub(r"\s", "", text))


def _over(quota, limit):
    return Refused("LimitExceeded", f"Cannot exceed quota for {quota}: {limit}", 409)


@replace(Role, "put_policy")
def put_policy(original, self, policy_name, policy_json):
    # "the aggregate policy size (the sum size of all inline policies) per role can't exceed 10,240 characters"
    others = sum(counted(text) for name, text in self.policies.items() if name != policy_name)
    if others + counted(policy_json) > INLINE:
        raise Refused("LimitExceeded", f"Maximum policy size of {INLINE} bytes exceeded for role {self.name}", 409)
    return original(self, policy_name, policy_json)


def _trust(document):
    if counted(document) > TRUST:
        raise _over("ACLSizePerRole", TRUST)


@replace(IAMBackend, "create_role")
def create_role(original, self, role_name, assume_role_policy_document, *args, **kwargs):
    _trust(assume_role_policy_document)
    return original(self, role_name, assume_role_policy_document, *args, **kwargs)


@replace(IAMBackend, "update_assume_role_policy")
def update_trust(original, self, role_name, policy_document):
    _trust(policy_document)
    return original(self, role_name, policy_document)


@replace(IAMBackend, "create_policy")
def create_policy(original, self, description, path, policy_document, *args, **kwargs):
    if counted(policy_document) > MANAGED:
        raise _over("PolicySize", MANAGED)
    return original(self, description, path, policy_document, *args, **kwargs)


@replace(IAMBackend, "create_policy_version")
def create_policy_version(original, self, policy_arn, policy_document, *args, **kwargs):
    if counted(policy_document) > MANAGED:
        raise _over("PolicySize", MANAGED)
    return original(self, policy_arn, policy_document, *args, **kwargs)


@replace(IAMBackend, "attach_role_policy")
def attach(original, self, policy_arn, role_name):
    held = self.get_role(role_name).managed_policies
    if policy_arn not in held and len(held) >= ATTACHED:
        raise _over("PoliciesPerRole", ATTACHED)
    return original(self, policy_arn, role_name)


@check("iam")
def names(given):
    # https://docs.aws.amazon.com/IAM/latest/APIReference/API_CreateRole.html, …API_PutRolePolicy.html
    for key, limit in (("RoleName", 64), ("PolicyName", 128)):
        name = given.get(key)
        if name is not None and not re.fullmatch(r"[\w+=,.@-]{1,%d}" % limit, name, re.ASCII):
            where = key[0].lower() + key[1:]
            raise Refused(
                "ValidationError",
                f"1 validation error detected: Value '{name}' at '{where}' failed to satisfy constraint: Member must have "
                f"length less than or equal to {limit} and satisfy regular expression pattern: [\\w+=,.@-]+",
            )


# --- queues --------------------------------------------------------------------------------------------------------------


def _listed(value):
    return value if isinstance(value, list) else [value]


def _queue_policy(document):
    """Refuses a policy that a queue has no room for."""
    text = document if isinstance(document, str) else json.dumps(document)
    statements = _listed(json.loads(text).get("Statement") or [])
    principals = sum(
        len(_listed(inner)) for one in statements for inner in _values(one.get("Principal")) if inner is not None
    )
    conditions = sum(len(block) for one in statements for block in (one.get("Condition") or {}).values())
    for count, what, limit in (
        (len(statements), "statements", STATEMENTS),
        (principals, "principals", PRINCIPALS),
        (conditions, "conditions", CONDITIONS),
    ):
        if count > limit:
            raise Refused("OverLimit", f"{count} {what} were found in the submitted policy, max allowed is {limit}", 403)
    if len(text.encode()) > BYTES:
        raise Refused("OverLimit", f"The submitted policy has {len(text.encode())} bytes, max allowed is {BYTES}", 403)


def _values(principal):
    return list(principal.values()) if isinstance(principal, dict) else [principal]


@replace(Queue, "_set_attributes")
def set_attributes(original, self, attributes, now=None):
    if attributes.get("Policy"):
        _queue_policy(attributes["Policy"])
    return original(self, attributes, now)


class QueuePolicy(CloudFormationModel):
    """AWS::SQS::QueuePolicy: the policy of one queue or more. Who may send is not asked: queues are open.

    https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-sqs-queuepolicy.html
    """

    def __init__(self, name):
        self.physical_resource_id = name

    @staticmethod
    def cloudformation_name_type():
        return ""

    @staticmethod
    def cloudformation_type():
        return "AWS::SQS::QueuePolicy"

    @classmethod
    def create_from_cloudformation_json(cls, resource_name, cloudformation_json, account_id, region_name, **kwargs):
        given = cloudformation_json["Properties"]
        _queue_policy(given["PolicyDocument"])
        for url in given["Queues"]:
            queue = sqs_backends[account_id][region_name].get_queue(url.rsplit("/", 1)[-1])
            queue.policy = json.dumps(given["PolicyDocument"])
        return cls(resource_name)

    @classmethod
    def update_from_cloudformation_json(
        cls, original_resource, new_resource_name, cloudformation_json, account_id, region_name
    ):
        return cls.create_from_cloudformation_json(new_resource_name, cloudformation_json, account_id, region_name)

    @classmethod
    def delete_from_cloudformation_json(cls, resource_name, cloudformation_json, account_id, region_name):
        pass  # the queue goes, or is given another policy


# --- Parameter Store -----------------------------------------------------------------------------------------------------


@replace(SimpleSystemManagerBackend, "put_parameter")
def put_parameter(original, self, name, description, value, *args, **kwargs):
    # An advanced parameter stays one: "you can't revert". Which tier a call without one means is the account's setting.
    held = self._parameters.get(name)
    tier = kwargs.get("tier") or (held[-1].tier if held else None) or "Standard"
    kwargs["tier"] = tier
    large, most = len(value.encode()) > STANDARD, ADVANCED
    if large and tier == "Standard":
        raise Refused(
            "ValidationException",
            f"Standard tier parameters support a maximum parameter value of {STANDARD} characters. To create a larger "
            "parameter value, upgrade the parameter to use the advanced-parameter tier. For more information, see "
            "https://docs.aws.amazon.com/systems-manager/latest/userguide/parameter-store-advanced-parameters.html",
        )
    if len(value.encode()) > most:
        raise Refused(
            "ValidationException", f"Advanced tier parameters support a maximum parameter value of {most} characters."
        )
    return original(self, name, description, value, *args, **kwargs)
