"""The CloudTrail records of the calls Drawbridge listens for, as EventBridge gets them.

Gap: moto records nothing. Each recorded call becomes one event "AWS API Call via CloudTrail" on the default bus of the
caller's own account and Region, and nowhere else; a call that failed carries errorCode and no responseElements.
https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-service-event-cloudtrail.html
https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-event-reference-record-contents.html
"""

import uuid
from datetime import datetime, timezone

from moto.core.exceptions import ServiceException
from moto.ec2.responses.route_tables import RouteTables
from moto.ec2.responses.tags import TagResponse
from moto.ec2.responses.vpc_peering_connections import VPCPeeringConnections
from moto.ec2.responses.vpcs import VPCs
from moto.rds.responses import RDSResponse
from moto.redshift.responses import RedshiftResponse

from . import events, peering  # noqa: F401 - peering replaces the calls recorded here, so it comes first
from .caller import identity
from .patching import replace


CLOUDFORMATION = "cloudformation.amazonaws.com"


def now():
    return datetime.now(timezone.utc)


def seconds(moment):
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")


def record(response, source, name, request, elements, error=None, beside=None):
    """Puts the record of one call on the caller's default bus; beside are further fields of it."""
    account, region = response.current_account, response.region
    request_headers = response.headers
    detail = {
        "eventVersion": "1.11",
        "userIdentity": identity(response).user_identity(),
        "eventTime": seconds(now()),
        "eventSource": f"{source}.amazonaws.com",
        "eventName": name,
        "awsRegion": region,
        "sourceIPAddress": request_headers.get("X-Forwarded-For", "127.0.0.1").split(",")[0].strip(),
        "userAgent": request_headers.get("User-Agent", ""),
    }
    # What CloudFormation calls for its user is told apart only so; whoever plays it says so in the user agent.
    # https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-event-reference-user-identity.html
    if detail["userAgent"].startswith(CLOUDFORMATION):
        detail["userAgent"] = detail["sourceIPAddress"] = detail["userIdentity"]["invokedBy"] = CLOUDFORMATION
    if error is not None:
        # EC2 writes the side at fault before the code.
        detail["errorCode"] = f"Client.{error.code}" if source == "ec2" else error.code
        detail["errorMessage"] = error.message
    detail |= {
        "requestParameters": request,
        "responseElements": None if error is not None else elements,
        "requestID": str(uuid.uuid4()),
        "eventID": str(uuid.uuid4()),
        "readOnly": False,
        "eventType": "AwsApiCall",
        "managementEvent": True,
        "recipientAccountId": account,
        "eventCategory": "Management",
    } | (beside or {})
    if elements is not None and "requestId" in elements:
        elements["requestId"] = detail["requestID"]
    events.emit(account, region, f"aws.{source}", "AWS API Call via CloudTrail", detail)


def recorded(owner, method, name, request, elements, wanted=lambda parameters: True):
    """Records every call of owner.method: request makes requestParameters, elements makes responseElements."""

    @replace(owner, method)
    def call(original, self):
        parameters = self._get_params()
        if not wanted(parameters):
            return original(self)
        try:
            result = original(self)
        except ServiceException as error:
            record(self, "ec2", name, request(parameters), None, error)
            raise
        record(self, "ec2", name, request(parameters), elements(result.result))
        return result


def _done(_result):
    return {"requestId": "", "_return": True}


# --- VPC peering ---------------------------------------------------------------------------------------------------------


def _create_request(parameters):
    request = {"vpcId": parameters.get("VpcId"), "peerVpcId": parameters.get("PeerVpcId")}
    for key in ("PeerOwnerId", "PeerRegion"):
        if parameters.get(key):
            request[key[0].lower() + key[1:]] = parameters[key]
    if tags := [tag for spec in parameters.get("TagSpecifications") or [] for tag in spec.get("Tags") or []]:
        request["tagSpecificationSet"] = {
            "items": [{"resourceType": "vpc-peering-connection", "tags": _tags(tags)["items"]}],
        }
    return request


def _named_request(parameters):
    return {"vpcPeeringConnectionId": parameters.get("VpcPeeringConnectionId")}


def _side(info):
    side = {"ownerId": info["OwnerId"], "vpcId": info["VpcId"], "region": info["Region"]}
    if "CidrBlock" in info:
        side["cidrBlock"] = info["CidrBlock"]
        side["cidrBlockSet"] = {"items": [{"cidrBlock": block["CidrBlock"]} for block in info["CidrBlockSet"]]}
        if info["Ipv6CidrBlockSet"]:
            blocks = [{"ipv6CidrBlock": block["Ipv6CidrBlock"]} for block in info["Ipv6CidrBlockSet"]]
            side["ipv6CidrBlockSet"] = {"items": blocks}
    if "PeeringOptions" in info:
        side["peeringOptions"] = {key[0].lower() + key[1:]: value for key, value in info["PeeringOptions"].items()}
    return side


def _peering_elements(result):
    view = result["VpcPeeringConnection"]
    elements = {
        "vpcPeeringConnectionId": view["VpcPeeringConnectionId"],
        "requesterVpcInfo": _side(view["RequesterVpcInfo"]),
        "accepterVpcInfo": _side(view["AccepterVpcInfo"]),
        "status": {"code": view["Status"]["Code"], "message": view["Status"]["Message"]},
        "tagSet": _tags(view["Tags"]) if view["Tags"] else {},
    }
    if "ExpirationTime" in view:
        elements["expirationTime"] = int(view["ExpirationTime"].timestamp() * 1000)
    return {"requestId": "", "vpcPeeringConnection": elements}


def _options_request(parameters):
    request = _named_request(parameters)
    for key in ("AccepterPeeringConnectionOptions", "RequesterPeeringConnectionOptions"):
        if parameters.get(key):
            request[key[0].lower() + key[1:]] = _options(parameters[key])
    return request


def _options_elements(result):
    elements = {"requestId": ""}
    for key, value in result.items():
        elements[key[0].lower() + key[1:]] = _options(value)
    return elements


def _options(options):
    return {key[0].lower() + key[1:]: value for key, value in options.items()}


def _tags(tags):
    return {"items": [{"key": tag["Key"], "value": tag.get("Value", "")} for tag in tags]}


for _method, _name, _request, _elements in (
    ("create_vpc_peering_connection", "CreateVpcPeeringConnection", _create_request, _peering_elements),
    ("accept_vpc_peering_connection", "AcceptVpcPeeringConnection", _named_request, _peering_elements),
    ("reject_vpc_peering_connection", "RejectVpcPeeringConnection", _named_request, _done),
    ("delete_vpc_peering_connection", "DeleteVpcPeeringConnection", _named_request, _done),
    ("modify_vpc_peering_connection_options", "ModifyVpcPeeringConnectionOptions", _options_request, _options_elements),
):
    recorded(VPCPeeringConnections, _method, _name, _request, _elements)


# --- tags of peerings and VPCs -------------------------------------------------------------------------------------------


def _tag_request(parameters):
    tags = [
        {"key": tag["Key"]} | ({"value": tag["Value"]} if tag.get("Value") is not None else {})
        for tag in parameters.get("Tags") or []
    ]
    return {
        "resourcesSet": {"items": [{"resourceId": name} for name in parameters.get("Resources") or []]},
        "tagSet": {"items": tags},
    }


def _of_interest(parameters):
    return any(name.startswith(("pcx-", "tgw-", "vpc-", "subnet-", "rtb-", "sg-")) for name in parameters.get("Resources") or [])


recorded(TagResponse, "create_tags", "CreateTags", _tag_request, _done, _of_interest)
recorded(TagResponse, "delete_tags", "DeleteTags", _tag_request, _done, _of_interest)


# --- route tables: older calls, flat -------------------------------------------------------------------------------------


def _flat_request(parameters):
    return {key[0].lower() + key[1:]: value for key, value in parameters.items() if isinstance(value, str)}


def _association(result):
    return {"requestId": "", "associationId": result.get("AssociationId") or result.get("NewAssociationId")}


for _method, _name, _elements in (
    ("create_route", "CreateRoute", _done),
    ("replace_route", "ReplaceRoute", _done),
    ("delete_route", "DeleteRoute", _done),
    ("associate_route_table", "AssociateRouteTable", _association),
    ("replace_route_table_association", "ReplaceRouteTableAssociation", _association),
):
    recorded(RouteTables, _method, _name, _flat_request, _elements)


# --- CIDR blocks of VPCs: newer calls, whose records are the XML turned into JSON, wrapped -------------------------------


def _wrapped_request(name, *keys):
    def request(parameters):
        return {f"{name}Request": {key: parameters[key] for key in keys if parameters.get(key) is not None}}

    return request


def _wrapped_response(name):
    def elements(result):
        body = {"xmlns": "http://ec2.amazonaws.com/doc/2016-11-15/", "vpcId": result.get("VpcId")}
        for key in ("CidrBlockAssociation", "Ipv6CidrBlockAssociation"):
            if key in result:
                body[key[0].lower() + key[1:]] = {
                    inner[0].lower() + inner[1:]: _options(value) if isinstance(value, dict) else value
                    for inner, value in result[key].items()
                    if value is not None
                }
        return {f"{name}Response": body}

    return elements


_ASSOCIATE, _DISASSOCIATE = "AssociateVpcCidrBlock", "DisassociateVpcCidrBlock"
recorded(
    VPCs,
    "associate_vpc_cidr_block",
    _ASSOCIATE,
    _wrapped_request(_ASSOCIATE, "VpcId", "CidrBlock", "AmazonProvidedIpv6CidrBlock", "Ipv6CidrBlock"),
    _wrapped_response(_ASSOCIATE),
)
recorded(
    VPCs,
    "disassociate_vpc_cidr_block",
    _DISASSOCIATE,
    _wrapped_request(_DISASSOCIATE, "AssociationId"),
    _wrapped_response(_DISASSOCIATE),
)


# --- entries of prefix lists: a newer call, too --------------------------------------------------------------------------

_MODIFY_LIST = "ModifyManagedPrefixList"


def _list_elements(result):
    held = result["PrefixList"]
    body = {
        "xmlns": "http://ec2.amazonaws.com/doc/2016-11-15/",
        "prefixList": {"prefixListId": held.id, "version": held.version},
    }
    return {f"{_MODIFY_LIST}Response": body}


recorded(
    VPCs,
    "modify_managed_prefix_list",
    _MODIFY_LIST,
    _wrapped_request(_MODIFY_LIST, "PrefixListId", "CurrentVersion"),
    _list_elements,
)


# --- databases -----------------------------------------------------------------------------------------------------------


def _database_call(owner, source, method, name):
    @replace(owner, method)
    def call(original, self):
        # Redshift's part of moto reads requests by the API model, RDS's does not.
        parameters = _plain(self._get_params() if owner is RedshiftResponse else self.params)
        try:
            result = original(self)
        except ServiceException as error:
            record(self, source, name, parameters, None, error)
            raise
        record(self, source, name, parameters, {})
        return result


def _plain(value):
    # moto shows RDS's parameters in snake case, and keeps them as they came.
    value = value.original_dict() if hasattr(value, "original_dict") else value
    if hasattr(value, "items"):
        return {key[0].lower() + key[1:]: "****" if "Password" in key else _plain(inner) for key, inner in value.items()}
    return [_plain(inner) for inner in value] if isinstance(value, list) else value


for _owner, _source, _method, _name in (
    (RDSResponse, "rds", "add_tags_to_resource", "AddTagsToResource"),
    (RDSResponse, "rds", "remove_tags_from_resource", "RemoveTagsFromResource"),
    (RDSResponse, "rds", "modify_db_instance", "ModifyDBInstance"),
    (RedshiftResponse, "redshift", "create_cluster", "CreateCluster"),
    (RedshiftResponse, "redshift", "create_tags", "CreateTags"),
    (RedshiftResponse, "redshift", "delete_tags", "DeleteTags"),
):
    _database_call(_owner, _source, _method, _name)


@replace(RDSResponse, "create_db_instance")
def create_db_instance(original, self):
    # https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/USER_Events.Messages.html
    result = original(self)
    database = result.result["DBInstance"]
    detail = {
        "EventCategories": ["creation"],
        "SourceType": "DB_INSTANCE",
        "SourceArn": database.arn,
        "SourceIdentifier": database.db_instance_identifier,
        "Date": seconds(now()),
        "Message": "DB instance created",
        "EventID": "RDS-EVENT-0005",
    }
    arns = [database.arn]
    events.emit(self.current_account, self.region, "aws.rds", "RDS DB Instance Event", detail, arns)
    return result
