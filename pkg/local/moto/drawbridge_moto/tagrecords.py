"""The records of what begins or ends with tags, and of tags that are set by other ways than EC2's; beside what cloudtrail.py has.

Gaps closed:
  - nothing is recorded of VPCs and transit gateways that are made or deleted, of databases that are made or restored, of
    roles that are deleted, and of SageMaker's calls for tags
  - the tagging API records nothing, and its services say nothing of the change
    https://docs.aws.amazon.com/resourcegroupstagging/latest/APIReference/API_TagResources.html
    https://docs.aws.amazon.com/tag-editor/latest/userguide/monitor-tag-changes.html
Tags given at creation stand in the record of the creating call; nothing else is recorded of them.
"""

from moto.core.exceptions import ServiceException
from moto.ec2.responses.transit_gateways import TransitGateways
from moto.ec2.responses.vpcs import VPCs
from moto.iam.responses import IamResponse
from moto.rds.responses import RDSResponse
from moto.redshift.responses import RedshiftResponse
from moto.resourcegroupstaggingapi.responses import ResourceGroupsTaggingAPIResponse
from moto.sagemaker.responses import SageMakerResponse

from . import cloudtrail, endpoints, events, studio
from .patching import replace

# --- EC2: an old call is flat, a newer one is XML turned into JSON ---------------------------------------------------------


def _vpc_request(parameters):
    request = {"cidrBlock": parameters.get("CidrBlock"), "instanceTenancy": "default"}
    if specifications := parameters.get("TagSpecifications"):
        request["tagSpecificationSet"] = {
            "items": [
                {"resourceType": one.get("ResourceType"), "tags": cloudtrail._tags(one.get("Tags") or [])["items"]}
                for one in specifications
            ]
        }
    return request


def _vpc_elements(result):
    made = result["Vpc"]
    vpc = {"vpcId": made.id, "state": "pending", "ownerId": made.owner_id, "cidrBlock": made.cidr_block}
    return {"requestId": "", "vpc": vpc}


cloudtrail.recorded(VPCs, "create_vpc", "CreateVpc", _vpc_request, _vpc_elements)
cloudtrail.recorded(VPCs, "delete_vpc", "DeleteVpc", cloudtrail._flat_request, cloudtrail._done)


def _xml(value):
    """A request as CloudTrail writes the XML of a newer call: an element of a list has its number, a list of one is the element."""
    if isinstance(value, dict):
        return {key: _xml(inner) for key, inner in value.items()}
    if isinstance(value, list):
        items = [{"tag": n + 1, **_xml(one)} if isinstance(one, dict) else {"tag": n + 1, "content": one} for n, one in enumerate(value)]
        return items[0] if len(items) == 1 else items
    return value == "true" if value in ("true", "false") else value


def _gateway_request(name):
    def request(parameters):
        names = {"TagSpecifications": "TagSpecification", "Tags": "Tag"}

        def renamed(value):
            if isinstance(value, dict):
                return {names.get(key, key): renamed(inner) for key, inner in value.items()}
            return [renamed(one) for one in value] if isinstance(value, list) else value

        return {f"{name}Request": _xml(renamed(dict(parameters)))}

    return request


def _gateway_response(name):
    def elements(result):
        gateway = result.get("TransitGateway")
        identity = getattr(gateway, "id", None) or (gateway or {}).get("TransitGatewayId")
        body = {"transitGatewayId": identity, "state": "pending"}
        return {f"{name}Response": {"xmlns": "http://ec2.amazonaws.com/doc/2016-11-15/", "transitGateway": body}}

    return elements


for _method, _name in (("create_transit_gateway", "CreateTransitGateway"), ("delete_transit_gateway", "DeleteTransitGateway")):
    cloudtrail.recorded(TransitGateways, _method, _name, _gateway_request(_name), _gateway_response(_name))

# --- databases -------------------------------------------------------------------------------------------------------------


for _method, _name in (
    ("create_db_instance", "CreateDBInstance"),
    ("create_db_cluster", "CreateDBCluster"),
    ("create_db_instance_read_replica", "CreateDBInstanceReadReplica"),
    ("restore_db_instance_from_db_snapshot", "RestoreDBInstanceFromDBSnapshot"),
    ("restore_db_instance_to_point_in_time", "RestoreDBInstanceToPointInTime"),
    ("restore_db_cluster_from_snapshot", "RestoreDBClusterFromSnapshot"),
    ("restore_db_cluster_to_point_in_time", "RestoreDBClusterToPointInTime"),
):
    cloudtrail._database_call(RDSResponse, "rds", _method, _name)
cloudtrail._database_call(RedshiftResponse, "redshift", "restore_from_cluster_snapshot", "RestoreFromClusterSnapshot")


def _proxy(method, name):
    # A proxy is called by its name, and its ARN has an id: https://docs.aws.amazon.com/AmazonRDS/latest/APIReference/API_DBProxy.html
    @replace(RDSResponse, method)
    def call(original, self):
        request = cloudtrail._plain(self.params)
        try:
            result = original(self)
        except ServiceException as error:
            cloudtrail.record(self, "rds", name, request, None, error)
            raise
        made = result.result["DBProxy"]
        cloudtrail.record(self, "rds", name, request, {"dBProxy": {"dBProxyName": made.db_proxy_name, "dBProxyArn": made.arn}})
        return result


for _method, _name in (("create_db_proxy", "CreateDBProxy"), ("delete_db_proxy", "DeleteDBProxy")):
    _proxy(_method, _name)

# --- roles and notebooks ---------------------------------------------------------------------------------------------------

endpoints._role_call("delete_role", "DeleteRole")
for _method, _name in (("add_tags", "AddTags"), ("delete_tags", "DeleteTags")):
    studio._recorded(_method, _name)

# --- the tagging API -------------------------------------------------------------------------------------------------------


def _tagging(method, name):
    @replace(ResourceGroupsTaggingAPIResponse, method)
    def call(original, self):
        arns, tags, keys = (self._get_param(one) for one in ("ResourceARNList", "Tags", "TagKeys"))
        result = original(self)
        request = {"resourceARNList": arns, **({"tags": tags} if tags else {"tagKeys": keys})}
        cloudtrail.record(self, "tagging", name, request, {"failedResourcesMap": {}})
        for arn in arns:
            service, resource = arn.split(":", 5)[2::3]
            detail = {
                "changed-tag-keys": keys or list(tags),
                "service": service,
                "resource-type": resource.replace(":", "/").split("/")[0],
                "version": 1,
                "tags": tags or {},
            }
            events.emit(self.current_account, self.region, "aws.tag", "Tag Change on Resource", detail, [arn])
        return result


for _method, _name in (("tag_resources", "TagResources"), ("untag_resources", "UntagResources")):
    _tagging(_method, _name)
