"""Interface endpoints as they come and go, who may issue the URL of a notebook through which of them, and tags of roles.

Gaps closed:
  - an endpoint is there at once and gone at once; private DNS asks nothing of the VPC and conflicts with nothing; a second
    call with the same client token makes a second endpoint; the endpoints of SageMaker are not offered
    https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_CreateVpcEndpoint.html
    https://docs.aws.amazon.com/vpc/latest/privatelink/manage-dns-names.html
  - a security group that an endpoint uses can be deleted
  - Client VPN endpoints are missing: https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_CreateClientVpnEndpoint.html
  - SageMaker issues no presigned URLs, and moto asks nobody's policies. Here CreatePresignedNotebookInstanceUrl and
    DescribeNotebookInstance ask the policies of whatever role calls, with aws:SourceVpce and aws:SourceVpc of the endpoint
    https://docs.aws.amazon.com/sagemaker/latest/dg/notebook-interface-endpoint.html
  - no CloudTrail records of these calls, nor of tags of IAM roles, which are recorded in one Region

SIMULATED: the network. A call comes through an endpoint if its host, or the header x-drawbridge-vpce, begins with the id of
one that is available in the caller's account and Region.
"""

import json
import re
from functools import lru_cache

from moto.core.exceptions import ServiceException
from moto.core.responses import ActionResult
from moto.ec2.exceptions import EC2ClientError
from moto.ec2.models.security_groups import SecurityGroupBackend
from moto.ec2.models.vpcs import VPCBackend
from moto.ec2.responses.vpcs import VPCs
from moto.iam.aws_managed_policies import aws_managed_policies_data
from moto.iam.models import AWSManagedPolicy, IAMBackend
from moto.iam.responses import IamResponse
from moto.sagemaker.responses import SageMakerResponse

from . import caller, cloudtrail, config, dataapi, events, resourcepolicy, studio  # noqa: F401 - studio and dataapi come first
from .patching import add, on_reset, replace

# --- what AWS offers -----------------------------------------------------------------------------------------------------

# The services that moto does not offer under their names, with their private DNS names.
# https://docs.amazonaws.cn/en_us/vpc/latest/privatelink/aws-services-privatelink-support.html
_PREFIX = "cn.com.amazonaws" if config.PARTITION == "aws-cn" else "com.amazonaws"
_OFFERED = {
    f"{_PREFIX}.{{region}}.sagemaker.api": f"api.sagemaker.{{region}}.{config.DNS_SUFFIX}",
    "com.amazonaws.{region}.rds-data": f"rds-data.{{region}}.{config.DNS_SUFFIX}",
    "aws.sagemaker.{region}.notebook": "*.notebook.{region}.sagemaker.aws",
}


def private_name(service, region):
    """The private DNS name of a service's endpoint, or None."""
    return {key.format(region=region): name.format(region=region) for key, name in _OFFERED.items()}.get(service)


@replace(VPCs, "describe_vpc_endpoint_services")
def describe_vpc_endpoint_services(original, self):
    names = list(self._get_param("ServiceNames") or [])
    for one in self._get_param("Filters") or []:
        if one.get("Name") == "service-name":
            names += one.get("Values") or []
    if not names:
        return original(self)
    zones = [zone.name for zone in self.ec2_backend.describe_availability_zones()]
    details = [
        {
            "ServiceName": name,
            "ServiceId": "vpce-svc-" + re.sub(r"[^0-9a-f]", "", name.encode().hex())[-17:],
            "ServiceType": [{"ServiceType": "Interface"}],
            "AvailabilityZones": zones,
            "Owner": "amazon",
            "PrivateDnsName": private_name(name, self.region),
            "PrivateDnsNames": [{"PrivateDnsName": private_name(name, self.region)}],
            "VpcEndpointPolicySupported": True,
            "AcceptanceRequired": False,
        }
        for name in names
        if private_name(name, self.region)
    ]
    return ActionResult({"ServiceNames": [one["ServiceName"] for one in details], "ServiceDetails": details})


# --- endpoints -----------------------------------------------------------------------------------------------------------

@on_reset
def _forget():
    _vpns.clear()


def _interface(endpoint):
    return (endpoint.vpc_endpoint_type or "").lower() == "interface"


@replace(VPCBackend, "create_vpc_endpoint")
def create_vpc_endpoint(original, self, vpc_id, service_name, endpoint_type, *args, **kwargs):
    if (endpoint_type or "").lower() != "interface":
        return original(self, vpc_id, service_name, endpoint_type, *args, **kwargs)
    token = kwargs.get("client_token")
    for one in self.vpc_end_points.values():
        if token and one.client_token == token:
            return one
    zones = [self.get_subnet(subnet).availability_zone for subnet in kwargs.get("subnet_ids") or []]
    if len(set(zones)) < len(zones):
        text = "Found another VPC endpoint subnet in the availability zone"
        raise EC2ClientError("DuplicateSubnetsInSameZone", f"{text} of {kwargs['subnet_ids'][-1]}")
    if kwargs.get("private_dns_enabled"):
        _must_resolve(self, vpc_id, service_name)
    kwargs.setdefault("policy_document", None)
    kwargs.setdefault("route_table_ids", [])
    made = original(self, vpc_id, service_name, endpoint_type, *args, **kwargs)
    made.state = "pending"
    made.subnet_ids = list(made.subnet_ids or [])
    return made


def _must_resolve(backend, vpc_id, service):
    vpc = backend.get_vpc(vpc_id)
    if not (_on(vpc.enable_dns_support) and _on(vpc.enable_dns_hostnames)):
        text = f"Enabling private DNS requires both enableDnsSupport and enableDnsHostnames VPC attributes set to true for {vpc_id}"
        raise EC2ClientError("InvalidParameter", text)
    for one in backend.vpc_end_points.values():
        if one.vpc_id == vpc_id and one.service_name == service and _interface(one):
            if one.private_dns_enabled and one.state in ("pending", "available", "deleting"):
                name = private_name(service, backend.region_name)
                text = f"private-dns-enabled cannot be set because there is already a conflicting DNS domain for {name} in the VPC {vpc_id}"
                raise EC2ClientError("InvalidParameter", text)


def _on(value):
    return str(value).lower() == "true"


def _shown(endpoint):
    """Counts the answers that have shown an endpoint in its passing state; what stands in the endpoint is kept with it."""
    endpoint.shown = getattr(endpoint, "shown", {})
    endpoint.shown[endpoint.state] = endpoint.shown.get(endpoint.state, 0) + 1
    return endpoint.shown[endpoint.state]


@replace(VPCBackend, "describe_vpc_endpoints")
def describe_vpc_endpoints(original, self, *args, **kwargs):
    for one in self.vpc_end_points.values():
        if one.state in ("pending", "deleting") and _interface(one):
            if _shown(one) > config.PENDING_POLLS:
                one.state = _next(self, one)
    # The answer is of now: what it shows must not change while it is written.
    return original(self, *args, **kwargs)


# SIMULATED: an endpoint fails, once, if one of its subnets has this tag with the value failed. On AWS it does so seldom.
_FAILS = "simulated:endpoint"


def _next(backend, endpoint):
    if endpoint.state == "deleting":
        return "deleted"
    for subnet in endpoint.subnet_ids:
        if backend.tags.get(subnet, {}).pop(_FAILS, None) == "failed":
            return "failed"
    return "available"


@replace(VPCBackend, "delete_vpc_endpoints")
def delete_vpc_endpoints(original, self, vpce_ids=None):
    original(self, vpce_ids)
    for name in vpce_ids or []:
        one = self.vpc_end_points.get(name)
        if one is not None and _interface(one) and "deleting" not in getattr(one, "shown", {}):
            one.state = "deleting"


@replace(VPCs, "delete_vpc_endpoints")
def delete_call(original, self):
    known = self.ec2_backend.vpc_end_points
    names = self._get_param("VpcEndpointIds") or []
    missing = [name for name in names if name not in known or known[name].state == "deleted"]
    original(self)
    text = "The Vpc Endpoint Id '{}' does not exist"
    code = "InvalidVpcEndpoint.NotFound"
    failed = [{"ResourceId": name, "Error": {"Code": code, "Message": text.format(name)}} for name in missing]
    return ActionResult({"Unsuccessful": failed})


@replace(SecurityGroupBackend, "delete_security_group")
def delete_security_group(original, self, name=None, group_id=None):
    for one in self.vpc_end_points.values():
        if group_id in (one.security_group_ids or []) and one.state != "deleted":
            raise EC2ClientError("DependencyViolation", f"resource {group_id} has a dependent object")
    return original(self, name, group_id)


# Newer calls of EC2: wrapped, a list of one element is that element.
def _wrapped(name, parameters):
    inner = {key: _single(value) for key, value in parameters.items() if value is not None and key not in ("Action", "Version")}
    return {f"{name}Request": inner}


def _single(value):
    if isinstance(value, list):
        items = [{"tag": n + 1, "content": one} if isinstance(one, str) else one for n, one in enumerate(value)]
        return items[0] if len(items) == 1 else items
    return value


def _recorded(owner, method, name, elements):
    @replace(owner, method)
    def call(original, self):
        parameters = dict(self._get_params())
        try:
            result = original(self)
        except ServiceException as error:
            cloudtrail.record(self, "ec2", name, _wrapped(name, parameters), None, error)
            raise
        cloudtrail.record(self, "ec2", name, _wrapped(name, parameters), {f"{name}Response": elements(result.result)})
        return result


def _made(result):
    made = result["VpcEndpoint"]
    shown = {"vpcEndpointId": made.id, "vpcId": made.vpc_id, "serviceName": made.service_name, "state": made.state}
    return {"vpcEndpoint": {**shown, "ownerId": int(made.owner_id)}}


_recorded(VPCs, "create_vpc_endpoint", "CreateVpcEndpoint", _made)
_recorded(VPCs, "delete_vpc_endpoints", "DeleteVpcEndpoints", lambda result: {"unsuccessful": ""})


# --- Client VPN ----------------------------------------------------------------------------------------------------------

_vpns = {}  # by (account, Region)


@add(VPCs, "create_client_vpn_endpoint")
def create_client_vpn_endpoint(self):
    held = _vpns.setdefault((self.current_account, self.region), [])
    made = {
        "ClientVpnEndpointId": f"cvpn-endpoint-{len(held) + 1:017x}",
        "Status": {"Code": "available"},
        "ClientCidrBlock": self._get_param("ClientCidrBlock"),
        "DnsServers": self._get_param("DnsServers") or [],
        "VpcId": self._get_param("VpcId"),
    }
    held.append(made)
    return ActionResult({"ClientVpnEndpointId": made["ClientVpnEndpointId"], "Status": made["Status"]})


@add(VPCs, "describe_client_vpn_endpoints")
def describe_client_vpn_endpoints(self):
    return ActionResult({"ClientVpnEndpoints": list(_vpns.get((self.current_account, self.region), []))})


# --- the URL of a notebook -----------------------------------------------------------------------------------------------


def through(response):
    """The condition keys that AWS sets for a call that comes through an interface endpoint; none for the internet."""
    named = response.headers.get("x-drawbridge-vpce") or response.headers.get("Host") or ""
    match = re.match(r"(vpce-[0-9a-f]+)", named)
    found = resourcepolicy.find(_ec2_backends(), "", response.current_account, response.region)
    endpoint = found.vpc_end_points.get(match.group(1)) if match and found else None
    if endpoint is None or endpoint.state not in ("available", "pending"):
        return {}
    return {"aws:SourceVpce": endpoint.id, "aws:SourceVpc": endpoint.vpc_id}


def _ec2_backends():
    from moto.ec2.models import ec2_backends

    return ec2_backends


def _ask(response, action):
    """Refuses a call unless the caller's own policies allow it from where it comes."""
    name = response._get_param("NotebookInstanceName")
    arn = f"arn:{config.PARTITION}:sagemaker:{response.region}:{response.current_account}:notebook-instance/{(name or '').lower()}"
    who = caller.identity(response)
    if who.role_name.startswith("drawbridge-"):
        return  # asked already, in privilege.py
    resourcepolicy.check(who, f"sagemaker:{action}", arn, None, through(response))


@replace(SageMakerResponse, "describe_notebook_instance")
def describe_notebook_instance(original, self):
    _ask(self, "DescribeNotebookInstance")
    return original(self)


@add(SageMakerResponse, "create_presigned_notebook_instance_url")
def create_presigned_notebook_instance_url(self):
    # https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_CreatePresignedNotebookInstanceUrl.html
    _ask(self, "CreatePresignedNotebookInstanceUrl")
    name = self._get_param("NotebookInstanceName")
    instance = self.sagemaker_backend.get_notebook_instance(name)
    if instance.status != "InService":
        text = f"Status ({instance.status}) not in ([InService]). Unable to create a URL for Notebook Instance ({instance.arn})"
        raise resourcepolicy.Refused("ValidationException", text)
    host = f"{name.lower()}-simulated.notebook.{self.region}.sagemaker.aws"
    return ActionResult({"AuthorizedUrl": f"https://{host}?authToken=simulated"})


# --- policies that AWS manages -------------------------------------------------------------------------------------------

# Gap: moto has either all thousand of them, in every account, or none.
_MANAGED = ("AdministratorAccess", "PowerUserAccess", "AmazonSageMakerFullAccess")


@lru_cache(maxsize=1)
def _managed():
    everything = json.loads(aws_managed_policies_data)
    return {name: everything[name] for name in _MANAGED}


@replace(IAMBackend, "_init_aws_policies")
def init_aws_policies(_original, self):
    made = _managed().items()
    return [AWSManagedPolicy.from_data(name, self.account_id, self.region_name, data) for name, data in made]


# --- tags of roles -------------------------------------------------------------------------------------------------------


def _role_call(method, name):
    @replace(IamResponse, method)
    def call(original, self):
        result = original(self)
        request = {"roleName": self._get_param("RoleName")}
        if tags := self._get_param("Tags"):
            request["tags"] = [{"key": one["Key"], "value": one["Value"]} for one in tags]
        if keys := self._get_param("TagKeys"):
            request["tagKeys"] = list(keys)
        cloudtrail.record(_InRegion(self), "iam", name, request, None)
        return result


class _InRegion:
    """A response object of IAM, recorded where CloudTrail records it."""

    def __init__(self, response):
        self._response, self.region = response, config.IAM_REGION

    def __getattr__(self, name):
        return getattr(self._response, name)


for _method, _name in (("tag_role", "TagRole"), ("untag_role", "UntagRole"), ("create_role", "CreateRole")):
    _role_call(_method, _name)
