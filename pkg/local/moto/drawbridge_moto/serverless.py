"""Redshift Serverless, as far as networks are concerned: workgroups, where they are, and their tags; and Redshift-managed VPC endpoints.

Gap: moto has neither.
https://docs.aws.amazon.com/redshift-serverless/latest/APIReference/API_Workgroup.html
https://docs.aws.amazon.com/redshift/latest/APIReference/API_EndpointAccess.html
"""

import re
import sys
import types
import uuid

from moto import backend_index
from moto.core.base_backend import BackendDict, BaseBackend
from moto.core.exceptions import ServiceException
from moto.core.resource_tagging import TaggableResourcesMixin, TaggedResource
from moto.core.responses import ActionResult, BaseResponse, EmptyResult
from moto.core.utils import utcnow
from moto.ec2.models import ec2_backends
from moto.redshift.exceptions import ClusterNotFoundError
from moto.redshift.models import RedshiftBackend, redshift_backends
from moto.redshift.responses import RedshiftResponse

from . import cloudtrail, config, demands, studio
from .patching import add, on_reset

PORT = 5439


class ResourceNotFound(ServiceException):
    code = "ResourceNotFoundException"


class Conflict(ServiceException):
    code = "ConflictException"


class ServerlessBackend(TaggableResourcesMixin, BaseBackend):
    SERVICE_NAMESPACE = "redshift-serverless"

    def __init__(self, region_name, account_id):
        super().__init__(region_name, account_id)
        self.workgroups = {}  # by name, as the API shows them; their tags are beside them, by ARN
        self.tags = {}

    @property
    def _url_module(self):
        return _urls

    def iter_tagged_resources(self):
        for one in self.workgroups.values():
            arn = one["workgroupArn"]
            yield TaggedResource(arn=arn, tags=dict(self.tags[arn]), resource_type="redshift-serverless:workgroup")

    def owns_arn(self, arn):
        return arn in self.tags

    def vpc(self, subnets):
        found = ec2_backends[self.account_id][self.region_name].describe_subnets(subnet_ids=subnets)
        return found[0].vpc_id if found else None

    def named(self, name):
        if name not in self.workgroups:
            raise ResourceNotFound(f"Workgroup {name} not found.")
        return self.workgroups[name]

    def held(self, arn):
        if arn not in self.tags:
            raise ResourceNotFound(f"The resource with ARN {arn} does not exist.")
        return self.tags[arn]


backends = BackendDict(ServerlessBackend, "redshift-serverless", additional_regions=[])


class ServerlessResponse(BaseResponse):
    def __init__(self):
        super().__init__(service_name="redshift-serverless")
        self.automated_parameter_parsing = True

    @property
    def backend(self):
        return backends[self.current_account][self.region]

    def create_workgroup(self):
        backend, name = self.backend, self._get_param("workgroupName")
        if name in backend.workgroups:
            raise Conflict(f"Workgroup with name {name} already exists.")
        subnets = self._get_param("subnetIds") or []
        vpc, port, identity = backend.vpc(subnets), self._get_param("port") or PORT, str(uuid.uuid4())
        groups = self._get_param("securityGroupIds") or [ec2_backends[self.current_account][self.region].get_default_security_group(vpc).id]
        arn = f"arn:{config.PARTITION}:redshift-serverless:{self.region}:{self.current_account}:workgroup/{identity}"
        backend.workgroups[name] = {
            "workgroupArn": arn,
            "workgroupId": identity,
            "workgroupName": name,
            "namespaceName": self._get_param("namespaceName"),
            "port": port,
            "status": "AVAILABLE",
            "subnetIds": subnets,
            "securityGroupIds": groups,
            "publiclyAccessible": bool(self._get_param("publiclyAccessible")),
            "ipAddressType": self._get_param("ipAddressType") or "ipv4",
            "creationDate": utcnow(),
            "endpoint": {
                "address": f"{name}.{self.current_account}.{self.region}.redshift-serverless.amazonaws.com",
                "port": port,
                "vpcEndpoints": [{"vpcEndpointId": f"vpce-{identity.replace('-', '')[:17]}", "vpcId": vpc, "networkInterfaces": []}],
            },
        }
        backend.tags[arn] = {one["key"]: one.get("value", "") for one in self._get_param("tags") or []}
        return ActionResult({"workgroup": backend.workgroups[name]})

    def get_workgroup(self):
        return ActionResult({"workgroup": self.backend.named(self._get_param("workgroupName"))})

    def list_workgroups(self):
        return ActionResult({"workgroups": list(self.backend.workgroups.values())})

    def update_workgroup(self):
        one = self.backend.named(self._get_param("workgroupName"))
        for key in ("securityGroupIds", "subnetIds", "port", "ipAddressType"):
            if (value := self._get_param(key)) is not None:
                one[key] = value
        one["endpoint"]["port"] = one["port"]
        return ActionResult({"workgroup": one})

    def delete_workgroup(self):
        one = self.backend.named(self._get_param("workgroupName"))
        del self.backend.workgroups[one["workgroupName"]], self.backend.tags[one["workgroupArn"]]
        return ActionResult({"workgroup": one | {"status": "DELETING"}})

    def tag_resource(self):
        held = self.backend.held(self._get_param("resourceArn"))
        held.update({one["key"]: one.get("value", "") for one in self._get_param("tags") or []})
        return EmptyResult()

    def untag_resource(self):
        held = self.backend.held(self._get_param("resourceArn"))
        for key in self._get_param("tagKeys") or []:
            held.pop(key, None)
        return EmptyResult()

    def list_tags_for_resource(self):
        held = self.backend.held(self._get_param("resourceArn"))
        return ActionResult({"tags": [{"key": key, "value": value} for key, value in held.items()]})


# moto finds a service by the package of its name.
_urls = types.SimpleNamespace(
    url_bases=[r"https?://redshift-serverless\.(.+)\.amazonaws\.com"], url_paths={"{0}/$": ServerlessResponse.dispatch}
)
_package = types.ModuleType("moto.redshiftserverless")
_package.redshiftserverless_backends = backends
sys.modules["moto.redshiftserverless"] = _package
backend_index.backend_url_patterns.append(("redshift-serverless", re.compile(_urls.url_bases[0])))


def _recorded(method, name):
    original = getattr(ServerlessResponse, method)

    def call(self):
        parameters = studio._plain(self._get_params())
        try:
            result = original(self)
        except ServiceException as error:
            cloudtrail.record(self, "redshift-serverless", name, parameters, None, error)
            raise
        cloudtrail.record(self, "redshift-serverless", name, parameters, {})
        return result

    setattr(ServerlessResponse, method, call)


for _method, _name in (
    ("create_workgroup", "CreateWorkgroup"),
    ("update_workgroup", "UpdateWorkgroup"),
    ("delete_workgroup", "DeleteWorkgroup"),
    ("tag_resource", "TagResource"),
    ("untag_resource", "UntagResource"),
):
    _recorded(_method, _name)


# --- Redshift-managed VPC endpoints ----------------------------------------------------------------------------------------

_endpoints = {}  # by (account, Region, name)


@on_reset
def _forget():
    _endpoints.clear()


def _cluster(self, name):
    backend = redshift_backends[self.current_account][self.region]
    if name not in backend.clusters:
        raise ClusterNotFoundError(name)
    return backend


@add(RedshiftResponse, "create_endpoint_access")
def create_endpoint_access(self):
    name, cluster, group = (self._get_param(key) for key in ("EndpointName", "ClusterIdentifier", "SubnetGroupName"))
    backend = _cluster(self, cluster)
    found = backend.subnet_groups[group]
    endpoint = {
        "EndpointName": name,
        "ClusterIdentifier": cluster,
        "ResourceOwner": self.current_account,
        "SubnetGroupName": group,
        "EndpointStatus": "active",
        "EndpointCreateTime": utcnow(),
        "Port": PORT,
        "Address": f"{name}-endpoint.{self.current_account}.{self.region}.redshift.amazonaws.com",
        "VpcSecurityGroups": [{"VpcSecurityGroupId": one, "Status": "active"} for one in self._get_param("VpcSecurityGroupIds") or []],
        "VpcEndpoint": {
            "VpcEndpointId": f"vpce-{uuid.uuid4().hex[:17]}",
            "VpcId": found.vpc_id,
            "NetworkInterfaces": [{"SubnetId": one} for one in found.subnet_ids],
        },
    }
    _endpoints[self.current_account, self.region, name] = endpoint
    return ActionResult(endpoint)


@add(RedshiftResponse, "describe_endpoint_access")
def describe_endpoint_access(self):
    wanted = self._get_param("VpcId")
    found = [
        one
        for key, one in sorted(_endpoints.items())
        if key[:2] == (self.current_account, self.region) and wanted in (None, one["VpcEndpoint"]["VpcId"])
    ]
    return ActionResult({"EndpointAccessList": found})


cloudtrail._database_call(RedshiftResponse, "redshift", "create_endpoint_access", "CreateEndpointAccess")


# --- what the calls need -------------------------------------------------------------------------------------------------


def _workgroup(call):
    one = backends[call.account][call.region].workgroups.get(call.get("workgroupName"))
    return call.on(call.arn(f"workgroup/{one['workgroupId'] if one else '*'}"))


def _tags(call):
    keys = call.tag_keys(
        [{"Key": one["key"], "Value": one.get("value", "")} for one in call.listed("tags")] + [{"Key": one} for one in call.listed("tagKeys")]
    )
    return call.on(call.get("resourceArn"), keys=keys)


demands.CALLS |= {
    "redshift-serverless:GetWorkgroup": _workgroup,
    "redshift-serverless:ListTagsForResource": lambda call: call.on(call.get("resourceArn")),
    "redshift-serverless:TagResource": _tags,
    "redshift-serverless:UntagResource": _tags,
    "rds:DescribeDBProxies": lambda call: call.on(call.arn(f"db-proxy:{call.get('DBProxyName') or '*'}")),
}
demands.ON_EVERYTHING |= {"redshift-serverless:ListWorkgroups", "redshift:DescribeEndpointAccess", "tag:GetResources"}
