"""Which permissions AWS asks for before each call: of which actions, on which resources, with which condition keys.

They are from https://docs.aws.amazon.com/service-authorization/latest/reference/reference_policies_actions-resources-contextkeys.html
privilege.py asks whether a role has them. A permission that a role has and these tables do not know stops the call loudly: it is to be added here,
or in the module of its service.
"""

from dataclasses import dataclass, field

from moto.core.responses import BaseResponse
from moto.ec2.models import ec2_backends
from moto.iam.models import iam_backends

from . import config
from .patching import require

require(BaseResponse, "_get_param", "_get_params")


@dataclass
class Demand:
    """One permission that a call needs: the action, the ARN it is about, and the condition keys AWS would set."""

    action: str
    resource: str = "*"
    keys: dict = field(default_factory=dict)


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


def _own_role(call):
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
    **{
        f"iam:{one}": _own_role
        for one in ("GetRole", "CreateRole", "DeleteRole", "TagRole", "UntagRole", "UpdateAssumeRolePolicy", "GetRolePolicy", "PutRolePolicy", "DeleteRolePolicy")
    },
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

# The condition keys that the engine sets, lower case; and the beginnings of those that end in the key of a tag.
KEYS = {
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
    "iam:permissionsboundary",
    "iam:policyarn",
    "sts:externalid",
    "sts:rolesessionname",
}
KEYS_OF_TAGS = ("aws:requesttag/", "aws:resourcetag/", "ec2:resourcetag/")


def of(call):
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
