"""What Drawbridge's own roles may do: the identity policies of their sessions, asked before every call.

Gap: moto's access control knows neither resources nor most conditions, and takes a condition that does not hold for a
denial. Here a session of a role whose name begins with "drawbridge-" makes a call only if the role's policies allow every
permission that AWS asks for, on every resource; all other callers stay free.
https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic.html

Which permissions, resources and condition keys a call is asked for is in the tables below, from
https://docs.aws.amazon.com/service-authorization/latest/reference/reference_policies_actions-resources-contextkeys.html
A permission that a role has and these tables do not know stops the call loudly: it is to be added here.
"""

import json
from dataclasses import dataclass, field
from functools import lru_cache

from moto.core.exceptions import ServiceException
from moto.core.responses import BaseResponse
from moto.ec2.models import ec2_backends
from moto.iam.models import Role, iam_backends

from . import authorizations, caller, checks, config, policy, sts
from .patching import replace, require

require(BaseResponse, "_get_action", "_get_param", "_get_params")

# The roles of functions, and those that they assume in member accounts.
OWN = "drawbridge-"


@dataclass
class Demand:
    """One permission that a call needs: the action, the ARN it is about, and the condition keys AWS would set."""

    action: str
    resource: str = "*"
    keys: dict = field(default_factory=dict)


# --- what a call needs ---------------------------------------------------------------------------------------------------


class Call:
    """The request of a moto response object, as the tables below read it."""

    def __init__(self, response, service, action):
        self.response, self.service, self.action = response, service, action
        self.account, self.region = response.current_account, response.region

    def get(self, name):
        return self.response._get_param(name) or ""

    def listed(self, name):
        # Older parts of moto do not parse requests by the API model, and know JSON members by name only.
        return self.response._get_params().get(name) or self.response._get_param(name) or []

    def arn(self, things):
        return f"arn:{config.PARTITION}:{self.service}:{self.region}:{self.account}:{things}"

    def on(self, *resources, keys=None):
        """The call itself, on each of the resources."""
        return [self.also(self.action, one, keys) for one in resources]

    def also(self, action, resource, keys=None):
        """Another action of the service that the call includes."""
        return Demand(f"{self.service}:{action}", resource, {**_tags_on(resource), **(keys or {})})

    def tag_keys(self, tags):
        keys = {f"aws:RequestTag/{tag['Key']}": tag.get("Value", "") for tag in tags}
        return {"aws:TagKeys": [tag["Key"] for tag in tags], **keys} if tags else {}


def _one(kind, parameter):
    """A call about one thing of its own account, named by a parameter."""
    return lambda call: call.on(call.arn(f"{kind}{call.get(parameter) or '*'}"))


def _peering(call):
    return call.arn(f"vpc-peering-connection/{call.get('VpcPeeringConnectionId')}")


def _accept(call):
    # The VPC that is asked about is the accepter's.
    backend = _ec2(call.account, call.region)
    peering = backend.vpc_pcxs.get(call.get("VpcPeeringConnectionId")) if backend else None
    return call.on(call.arn(f"vpc/{peering.peer_vpc.id if peering else '*'}"), _peering(call))


def _authorize(call):
    # Tags that come with the rules make it a second permission, on rules that have no id yet.
    # https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/supported-iam-actions-tagging.html
    tags = [tag for spec in call.listed("TagSpecifications") for tag in spec.get("Tags") or []]
    keys, rule = call.tag_keys(tags), call.arn("security-group-rule/*")
    demands = call.on(call.arn(f"security-group/{call.get('GroupId')}")) + call.on(rule, keys=keys)
    if tags:
        demands.append(call.also("CreateTags", rule, {**keys, "ec2:CreateAction": call.action}))
    return demands


# EC2's kinds of resources, by the prefix of their ids.
_KINDS = {
    "pcx": "vpc-peering-connection",
    "tgw": "transit-gateway",
    "tgw-attach": "transit-gateway-attachment",
    "tgw-rtb": "transit-gateway-route-table",
    "vpc": "vpc",
    "sgr": "security-group-rule",
    "sg": "security-group",
    "vpce": "vpc-endpoint",
    "rtb": "route-table",
    "subnet": "subnet",
}


def _tag(call):
    things = (f"{_KINDS.get(name.rsplit('-', 1)[0], 'unknown')}/{name}" for name in call.listed("Resources"))
    return call.on(*map(call.arn, things), keys=call.tag_keys(call.listed("Tags")))


def _notebook_config(call):
    arn = call.arn(f"notebook-instance-lifecycle-config/{call.get('NotebookInstanceLifecycleConfigName')}")
    demands = call.on(arn)
    if tags := call.listed("Tags"):
        demands.append(call.also("AddTags", arn, call.tag_keys(tags)))
    return demands


def _sagemaker_tags(call):
    given = [{"Key": key} for key in call.listed("TagKeys")]
    return call.on(call.get("ResourceArn"), keys=call.tag_keys(call.listed("Tags") or given))


def _assume(call):
    role = call.get("RoleArn")
    account = (role.split(":") + [""] * 5)[4]
    keys = {
        "sts:ExternalId": call.get("ExternalId") or None,
        "sts:RoleSessionName": call.get("RoleSessionName") or None,
        "aws:ResourceAccount": account,
        "aws:ResourceOrgID": config.ORGANIZATION if config.member(account) else None,
    }
    return call.on(role, keys=keys)


def _account(call):
    # https://docs.aws.amazon.com/service-authorization/latest/reference/list_awsorganizations.html
    return call.on(f"arn:{config.PARTITION}:organizations::{config.HUB_ACCOUNT}:account/{config.ORGANIZATION}/{call.get('AccountId')}")


def _unit(call):
    unit = call.get("OrganizationalUnitId")
    return call.on(f"arn:{config.PARTITION}:organizations::{config.HUB_ACCOUNT}:ou/{config.ORGANIZATION}/{unit}")


def _entries(call):
    # Each entry is asked about by itself.
    demands = []
    for entry in call.listed("Entries"):
        bus = entry.get("EventBusName") or "default"
        keys = {"events:source": entry.get("Source"), "events:detail-type": entry.get("DetailType")}
        demands += call.on(bus if bus.startswith("arn:") else call.arn(f"event-bus/{bus}"), keys=keys)
    return demands


def _notebook(call):
    return call.on(call.arn(f"notebook-instance/{call.get('NotebookInstanceName')}"))


def _parameter(call):
    return call.on(call.arn("parameter/" + call.get("Name").removeprefix("/")))


def _endpoint(call):
    """CreateVpcEndpoint: the VPC and its subnets and groups are asked about with their own tags, the endpoint with the new ones."""
    tags = [tag for spec in call.listed("TagSpecifications") for tag in spec.get("Tags") or []]
    keys, made = call.tag_keys(tags), call.arn("vpc-endpoint/*")
    demands = call.on(call.arn(f"vpc/{call.get('VpcId')}"))
    demands += call.on(*(call.arn(f"subnet/{one}") for one in call.listed("SubnetIds")))
    demands += call.on(*(call.arn(f"security-group/{one}") for one in call.listed("SecurityGroupIds")))
    demands += call.on(made, keys={**keys, "ec2:VpceServiceName": call.get("ServiceName")})
    if str(call.get("PrivateDnsEnabled")).lower() == "true":
        # A dependent action of CreateVpcEndpoint. The zone is one of AWS's own, which nobody can name before.
        # https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazonec2.html
        demands.append(Demand("route53:AssociateVPCWithHostedZone", f"arn:{config.PARTITION}:route53:::hostedzone/*"))
    if tags:
        demands.append(call.also("CreateTags", made, {**keys, "ec2:CreateAction": call.action}))
    return demands


def _extension(call):
    demands = call.on(call.arn(f"vpc-endpoint/{call.get('VpcEndpointId')}"))
    demands += call.on(*(call.arn(f"subnet/{one}") for one in call.listed("AddSubnetIds")))
    return demands + call.on(*(call.arn(f"security-group/{one}") for one in call.listed("AddSecurityGroupIds")))


def _new_group(call):
    tags = [tag for spec in call.listed("TagSpecifications") for tag in spec.get("Tags") or []]
    keys, made = call.tag_keys(tags), call.arn("security-group/*")
    demands = call.on(call.arn(f"vpc/{call.get('VpcId')}")) + call.on(made, keys=keys)
    if tags:
        demands.append(call.also("CreateTags", made, {**keys, "ec2:CreateAction": call.action}))
    return demands


def _iam_role(call):
    """A call about a role and, if it attaches one, a managed policy: IAM asks about the role and its tags."""
    name = call.get("RoleName")
    role = iam_backends[call.account][config.PARTITION].roles
    found = next((one for one in role.values() if one.name == name), None)
    arn = found.arn if found else f"arn:{config.PARTITION}:iam::{call.account}:role/{name}"
    own = (found.tags.values() if isinstance(found.tags, dict) else found.tags) if found else []
    tags = {f"{space}:ResourceTag/{tag['Key']}": tag["Value"] for tag in own or [] for space in ("aws", "iam")}
    return [Demand(f"iam:{call.action}", arn, {**tags, "iam:PolicyARN": call.get("PolicyArn") or None})]


def _iam_policy(call):
    path, name = call.get("Path") or "/", call.get("PolicyName")
    arn = call.get("PolicyArn") or f"arn:{config.PARTITION}:iam::{call.account}:policy{path}{name}"
    keys = call.tag_keys(call.listed("Tags"))
    demands = [Demand(f"iam:{call.action}", arn, keys)]
    if call.action == "CreatePolicy" and keys:
        demands.append(Demand("iam:TagPolicy", arn, keys))
    return demands


def _table(call, name=None):
    name = name or call.get("TableName")
    return name if name.startswith("arn:") else call.arn(f"table/{name}")


# What IAM asks of each action of a transaction: there is no permission for the call itself.
# https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/transaction-apis-iam.html
_ACTIONS = {"Put": "PutItem", "Update": "UpdateItem", "Delete": "DeleteItem", "ConditionCheck": "ConditionCheckItem", "Get": "GetItem"}


def _transaction(call):
    return [
        call.also(_ACTIONS[kind], _table(call, given["TableName"]))
        for action in call.listed("TransactItems")
        for kind, given in action.items()
    ]


_route, _group = _one("route-table/", "RouteTableId"), _one("security-group/", "GroupId")

CALLS = {
    "dynamodb:BatchGetItem": lambda call: call.on(*(_table(call, name) for name in call.listed("RequestItems"))),
    "dynamodb:DeleteItem": lambda call: call.on(_table(call)),
    "dynamodb:GetItem": lambda call: call.on(_table(call)),
    "dynamodb:PutItem": lambda call: call.on(_table(call)),
    "dynamodb:Query": lambda call: call.on(_table(call)),
    "dynamodb:Scan": lambda call: call.on(_table(call)),
    "dynamodb:TransactGetItems": _transaction,
    "dynamodb:TransactWriteItems": _transaction,
    "dynamodb:UpdateItem": lambda call: call.on(_table(call)),
    "ec2:AcceptVpcPeeringConnection": _accept,
    "ec2:AuthorizeSecurityGroupEgress": _authorize,
    "ec2:CreateSecurityGroup": _new_group,
    "ec2:CreateVpcEndpoint": _endpoint,
    "ec2:DeleteSecurityGroup": _group,
    "ec2:DeleteVpcEndpoints": lambda call: call.on(*(call.arn(f"vpc-endpoint/{one}") for one in call.listed("VpcEndpointIds"))),
    "ec2:DescribeVpcAttribute": _one("vpc/", "VpcId"),
    "ec2:GetManagedPrefixListEntries": _one("prefix-list/", "PrefixListId"),
    "ec2:ModifyVpcEndpoint": _extension,
    "iam:AttachRolePolicy": _iam_role,
    "iam:CreatePolicy": _iam_policy,
    "iam:CreatePolicyVersion": _iam_policy,
    "iam:DeletePolicy": _iam_policy,
    "iam:DeletePolicyVersion": _iam_policy,
    "iam:DetachRolePolicy": _iam_role,
    "iam:GetPolicy": _iam_policy,
    "iam:GetPolicyVersion": _iam_policy,
    "ec2:AuthorizeSecurityGroupIngress": _authorize,
    "ec2:CreateRoute": _route,
    "ec2:CreateTags": _tag,
    "ec2:DeleteRoute": _route,
    "ec2:DeleteTags": _tag,
    "ec2:DeleteVpcPeeringConnection": lambda call: call.on(_peering(call)),
    "ec2:ModifyVpcPeeringConnectionOptions": lambda call: call.on(_peering(call)),
    "ec2:RejectVpcPeeringConnection": lambda call: call.on(_peering(call)),
    "ec2:ReplaceRoute": _route,
    "ec2:RevokeSecurityGroupEgress": _group,
    "ec2:RevokeSecurityGroupIngress": _group,
    "events:PutEvents": _entries,
    "organizations:DescribeAccount": _account,
    "organizations:DescribeOrganizationalUnit": _unit,
    "iam:ListRoleTags": _iam_role,
    "rds:ListTagsForResource": lambda call: call.on(call.get("ResourceName")),
    "redshift:DescribeTags": lambda call: call.on(call.get("ResourceName")),
    "rds:DescribeDBClusters": _one("cluster:", "DBClusterIdentifier"),
    "rds:DescribeDBInstances": _one("db:", "DBInstanceIdentifier"),
    "rds:DescribeDBSubnetGroups": _one("subgrp:", "DBSubnetGroupName"),
    "sagemaker:AddTags": _sagemaker_tags,
    "sagemaker:CreateNotebookInstanceLifecycleConfig": _notebook_config,
    "sagemaker:DeleteNotebookInstanceLifecycleConfig": _notebook_config,
    "sagemaker:DeleteTags": _sagemaker_tags,
    "sagemaker:DescribeDomain": _one("domain/", "DomainId"),
    "sagemaker:DescribeNotebookInstance": _notebook,
    "sagemaker:DescribeNotebookInstanceLifecycleConfig": _notebook_config,
    "sagemaker:ListTags": _sagemaker_tags,
    "sagemaker:StartNotebookInstance": _notebook,
    "sagemaker:StopNotebookInstance": _notebook,
    "sagemaker:UpdateNotebookInstance": _notebook,
    "sagemaker:UpdateNotebookInstanceLifecycleConfig": _notebook_config,
    "sns:Publish": lambda call: call.on(call.get("TopicArn") or call.get("TargetArn")),
    "sqs:SendMessage": lambda call: call.on(call.arn(call.get("QueueUrl").rsplit("/", 1)[-1])),
    "ssm:GetParameter": _parameter,
    "states:DescribeExecution": lambda call: call.on(call.get("executionArn")),
    "states:GetExecutionHistory": lambda call: call.on(call.get("executionArn")),
    "states:StartExecution": lambda call: call.on(call.get("stateMachineArn")),
    "sts:AssumeRole": _assume,
}

# Reads for which IAM knows no resource, besides all of EC2's Describe calls.
ON_EVERYTHING = {
    "cloudwatch:PutMetricData",
    "events:ListRules",
    "iam:GetAccountAuthorizationDetails",
    "iam:ListRoles",
    "lambda:ListFunctions",
    "organizations:ListAccounts",
    "redshift:DescribeClusterSubnetGroups",
    "redshift:DescribeClusters",
    "route53resolver:ListResolverEndpoints",
    "sagemaker:ListDomains",
    "sagemaker:ListNotebookInstances",
    "states:ListStateMachines",
}

# What a service is called in a policy, where moto calls it something else.
_PREFIXES = {"awslambda": "lambda", "resourcegroupstaggingapi": "tag", "stepfunctions": "states"}

# The condition keys that the engine sets, lower case; and the beginnings of those that end in the key of a tag.
_KEYS = {
    "aws:principalaccount",
    "aws:principalarn",
    "aws:principalorgid",
    "aws:principalorgpaths",
    "aws:resourceaccount",
    "aws:resourceorgid",
    "aws:tagkeys",
    "ec2:createaction",
    "ec2:vpceservicename",
    "events:detail-type",
    "events:source",
    "iam:policyarn",
    "sts:externalid",
    "sts:rolesessionname",
}
_TAGS = ("aws:requesttag/", "aws:resourcetag/", "ec2:resourcetag/")


def demands(call):
    """Every permission that the call needs; nothing if that is not known."""
    name = f"{call.service}:{call.action}"
    if name in CALLS:
        return CALLS[name](call)
    if name in ON_EVERYTHING or name.startswith("ec2:Describe"):
        return [Demand(name)]
    return []


def _tags_on(arn):
    """The keys of a resource's own tags."""
    parts = arn.split(":", 5)
    if len(parts) != 6 or parts[2] not in TAGS:
        return {}
    tags = TAGS[parts[2]](parts[4], parts[3], parts[5])
    return {f"{space}:ResourceTag/{key}": value for key, value in tags.items() for space in ("aws", parts[2])}


def _ec2_tags(account, region, thing):
    backend = _ec2(account, region)
    return backend.tags.get(thing.rsplit("/", 1)[-1], {}) if backend else {}


# What returns the tags of a thing of a service: by account, Region and the last part of its ARN. IAM's are read where the role is.
TAGS = {"ec2": _ec2_tags}


def _ec2(account, region):
    """EC2 of an account in a Region, or None; makes no account."""
    regions = dict.get(ec2_backends, account)
    return dict.get(regions, region) if regions is not None else None


# --- whether it is allowed -----------------------------------------------------------------------------------------------


def denied(response):
    """The error for a call that a role of Drawbridge's makes and may not make; None for all others."""
    who = _bound(response)
    if who is None:
        return None
    service = _PREFIXES.get(response.service_name, response.service_name)
    call = Call(response, service, response._get_action())
    name = f"{service}:{call.action}"
    if name in ("sts:GetCallerIdentity", "kms:RetireGrant"):  # nobody needs a permission for it; the grant says who may (dataapi.py)
        return None
    wanted = demands(call)
    if not wanted:
        if any(policy.concerns(one, name) for one in _statements(sts.find_role(who.role_arn))):
            raise NotImplementedError(f"which resources {name} is asked for; add it to drawbridge_moto/privilege.py")
        wanted = [Demand(name)]
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
                if key.lower() not in _KEYS and not key.lower().startswith(_TAGS):
                    raise NotImplementedError(f"the condition key {key}; add it to drawbridge_moto/privilege.py")
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
