"""Transit gateways as their owner and those that they are shared with see them.

Gaps closed, by the Transit Gateway guide (https://docs.aws.amazon.com/vpc/latest/tgw/) and the EC2 API reference:
  - a gateway is known to its own account only; here also to those that RAM shares it with (ram.py)
  - a gateway is deleted while VPCs are attached to it, and has a default route table also when nothing uses it
"""

from moto.core.responses import ActionResult
from moto.ec2.models.transit_gateway import TransitGateway
from moto.ec2.responses.transit_gateways import TransitGateways as GatewayResponse

from . import ram, transitgateway
from .patching import replace


@replace(GatewayResponse, "describe_transit_gateways")
def describe_gateways(_original, self):
    backend, names = self.ec2_backend, self._get_param("TransitGatewayIds", [])
    filters, region = self._filters_from_querystring(), self.region
    self.error_on_dryrun()
    asked = (
        [transitgateway.gateway(self.current_account, region, name) for name in names]
        if names
        else [one for one in transitgateway.gateways(region) if one.owner_id == self.current_account or ram.shared(one.arn, self.current_account)]
    )
    shown = []
    for one in asked:
        # Tags are each account's own.
        tags = [{"Key": key, "Value": value} for key, value in backend.tags.get(one.id, {}).items()]
        values = {"transit-gateway-id": one.id, "owner-id": one.owner_id, "state": one.state, "tags": tags}
        if transitgateway.matches(values, filters):
            shown.append(
                {
                    "TransitGatewayId": one.id,
                    "TransitGatewayArn": one.arn,
                    "OwnerId": one.owner_id,
                    "State": one.state,
                    "Description": one.description,
                    "CreationTime": one._created_at,
                    "Options": {key: int(value) if key == "AmazonSideAsn" else value for key, value in one.options.items()},
                    "Tags": tags,
                }
            )
    return ActionResult({"TransitGateways": shown})


def own_gateway(self):
    """The gateway that a call names, if it is the caller's; those that others share can only be attached to."""
    name = self._get_param("TransitGatewayId")
    found = transitgateway.gateway(self.current_account, self.region, name)
    if found.owner_id != self.current_account:
        raise transitgateway.no_gateway(name)
    self.error_on_dryrun()
    return found


@replace(GatewayResponse, "delete_transit_gateway")
def delete_gateway(original, self):
    # https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_DeleteTransitGateway.html
    found = own_gateway(self)
    if left := [one.id for one in list(transitgateway.attachments.values()) if one.gateway.id == found.id and one.code not in transitgateway.OVER]:
        raise transitgateway.error("IncorrectState", f"{found.id} has non-deleted Transit Gateway Attachments: {', '.join(left)}.")
    return original(self)


@replace(GatewayResponse, "modify_transit_gateway")
def modify_gateway(original, self):
    found = own_gateway(self)
    answer = original(self)
    _default_table(found)
    return answer


def _default_table(gateway):
    """The default route table is there only if attachments are associated with it or propagate to it by themselves.

    https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_TransitGatewayOptions.html
    """
    options, backend = gateway.options, gateway.ec2_backend
    needed = "enable" in (options.get("DefaultRouteTableAssociation"), options.get("DefaultRouteTablePropagation"))
    if needed and "AssociationDefaultRouteTableId" not in options:
        made = backend.create_transit_gateway_route_table(gateway.id, {}, True, True)
        gateway.default_route_table = made
        options["AssociationDefaultRouteTableId"] = options["PropagationDefaultRouteTableId"] = made.id
    return needed


@replace(TransitGateway, "__init__")
def new_gateway(original, self, *args, **kwargs):
    original(self, *args, **kwargs)
    if not _default_table(self):
        self.ec2_backend.transit_gateways_route_tables.pop(self.default_route_table.id)
        self.default_route_table = None
        del self.options["AssociationDefaultRouteTableId"], self.options["PropagationDefaultRouteTableId"]
