"""What calls to transit gateways need of IAM, and what CloudTrail records of them."""

from moto.ec2.responses.transit_gateway_attachments import TransitGatewayAttachment as AttachmentResponse

from . import cloudtrail, config, demands, transitgateway, transitgatewayowner, transitgatewaytables  # noqa: F401 - theirs are recorded as they answer

# --- what the calls need -------------------------------------------------------------------------------------------------
# https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazonec2.html


def _ids(**kinds):
    """A call about the things that its parameters name."""

    def needs(call):
        found = []
        for parameter, kind in kinds.items():
            given = call.listed(parameter)
            found += [call.arn(f"{kind}/{one}") for one in ([given] if isinstance(given, str) else given) if one]
        return call.on(*found)

    return needs


def _creation(call):
    # The gateway is its owner's, wherever the attachment is.
    owner = next((one.owner_id for one in transitgateway.gateways(call.region) if one.id == call.get("TransitGatewayId")), call.account)
    resources = [f"arn:{config.PARTITION}:ec2:{call.region}:{owner}:transit-gateway/{call.get('TransitGatewayId')}"]
    resources += [call.arn(f"vpc/{call.get('VpcId')}")] + [call.arn(f"subnet/{one}") for one in call.listed("SubnetIds")]
    made = call.arn("transit-gateway-attachment/*")
    specs = [spec for spec in call.listed("TagSpecifications") if spec.get("Tags")]
    tags = [tag for spec in specs for tag in spec["Tags"]]
    demands = call.on(*resources) + call.on(made, keys=call.tag_keys(tags))
    if tags:
        keys = call.tag_keys(tags) | {"ec2:CreateAction": "CreateTransitGatewayVpcAttachment"}
        demands.append(call.also("CreateTags", made, keys))
    return demands


_attachment = _ids(TransitGatewayAttachmentId="transit-gateway-attachment")
_both = _ids(TransitGatewayAttachmentId="transit-gateway-attachment", TransitGatewayRouteTableId="transit-gateway-route-table")
demands.CALLS |= {
    "ec2:CreateTransitGatewayVpcAttachment": _creation,
    "ec2:ModifyTransitGatewayVpcAttachment": _ids(
        TransitGatewayAttachmentId="transit-gateway-attachment", AddSubnetIds="subnet", RemoveSubnetIds="subnet"
    ),
    "ec2:AcceptTransitGatewayVpcAttachment": _attachment,
    "ec2:RejectTransitGatewayVpcAttachment": _attachment,
    "ec2:DeleteTransitGatewayVpcAttachment": _attachment,
    "ec2:AssociateTransitGatewayRouteTable": _both,
    "ec2:DisassociateTransitGatewayRouteTable": _both,
    "ec2:EnableTransitGatewayRouteTablePropagation": _both,
    "ec2:DisableTransitGatewayRouteTablePropagation": _both,
    "ec2:SearchTransitGatewayRoutes": _ids(TransitGatewayRouteTableId="transit-gateway-route-table"),
}
demands.ON_EVERYTHING |= {
    "ec2:GetTransitGatewayRouteTableAssociations",
    "ec2:GetTransitGatewayRouteTablePropagations",
    "ec2:GetTransitGatewayAttachmentPropagations",
}


# --- records: newer calls, whose records are the XML turned into JSON, wrapped -------------------------------------------


def _one_or_many(items):
    """As the XML turns out: an object for one, a list for more, an empty text for none."""
    return "" if not items else items[0] if len(items) == 1 else items


def _request(name):
    def request(parameters):
        wrapped = {}
        for key, value in parameters.items():
            if key in ("Action", "Version", "TagSpecifications") or value is None:
                continue
            if isinstance(value, list):
                key = key.removesuffix("s")
                value = _one_or_many([{"tag": n, "content": one} for n, one in enumerate(value, 1)])
            wrapped[key] = value
        tags = [tag for spec in parameters.get("TagSpecifications") or [] for tag in spec.get("Tags") or []]
        if tags:
            wrapped["TagSpecification"] = {"ResourceType": "transit-gateway-attachment", "tag": 1, "Tag": _one_or_many([{"tag": n, **one} for n, one in enumerate(tags, 1)])}
        return {f"{name}Request": wrapped}

    return request


def _response(name):
    def elements(result):
        body = {"xmlns": "http://ec2.amazonaws.com/doc/2016-11-15/"}
        if view := result.get("TransitGatewayVpcAttachment"):
            body["transitGatewayVpcAttachment"] = {
                "transitGatewayAttachmentId": view["TransitGatewayAttachmentId"],
                "transitGatewayId": view["TransitGatewayId"],
                "vpcId": view["VpcId"],
                "vpcOwnerId": int(view["VpcOwnerId"]),
                "state": view["State"],
                "subnetIds": {"item": _one_or_many(view["SubnetIds"])} if view["SubnetIds"] else "",
                "options": {key[0].lower() + key[1:]: value for key, value in view["Options"].items()},
                "tagSet": {"item": _one_or_many([{"key": one["Key"], "value": one["Value"]} for one in view["Tags"]])} if view["Tags"] else "",
            }
        for key in ("Association", "Propagation"):
            if key in result:
                body[key.lower()] = {inner[0].lower() + inner[1:]: value for inner, value in result[key].items()}
        return {f"{name}Response": body}

    return elements


for _method, _name in (
    ("create_transit_gateway_vpc_attachment", "CreateTransitGatewayVpcAttachment"),
    ("accept_transit_gateway_vpc_attachment", "AcceptTransitGatewayVpcAttachment"),
    ("reject_transit_gateway_vpc_attachment", "RejectTransitGatewayVpcAttachment"),
    ("delete_transit_gateway_vpc_attachment", "DeleteTransitGatewayVpcAttachment"),
    ("modify_transit_gateway_vpc_attachment", "ModifyTransitGatewayVpcAttachment"),
    ("associate_transit_gateway_route_table", "AssociateTransitGatewayRouteTable"),
    ("disassociate_transit_gateway_route_table", "DisassociateTransitGatewayRouteTable"),
    ("enable_transit_gateway_route_table_propagation", "EnableTransitGatewayRouteTablePropagation"),
    ("disable_transit_gateway_route_table_propagation", "DisableTransitGatewayRouteTablePropagation"),
):
    cloudtrail.recorded(AttachmentResponse, _method, _name, _request(_name), _response(_name))
