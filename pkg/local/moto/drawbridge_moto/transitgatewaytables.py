"""Route tables of transit gateways: association, propagation, the routes that come of it.

Gaps closed, by the Transit Gateway guide (https://docs.aws.amazon.com/vpc/latest/tgw/) and the EC2 API reference:
  - association and propagation are there at once, of attachments that are not
  - nothing is propagated; a CIDR block that overlaps one that is there attaches, and is silently not propagated
"""

import ipaddress

from moto.core.responses import ActionResult
from moto.ec2.responses.transit_gateway_attachments import TransitGatewayAttachment as AttachmentResponse
from moto.ec2.responses.transit_gateway_route_tables import TransitGatewayRouteTable as RouteTableResponse

from . import transitgateway, transitgatewayowner
from .patching import add, replace


def _table(self):
    return _known_table(self, self._get_param("TransitGatewayRouteTableId"))


def _known_table(self, name):
    found = self.ec2_backend.transit_gateways_route_tables.get(name)
    if found is None:
        raise transitgateway.error("InvalidRouteTableID.NotFound", f"Transit Gateway Route Table {name} was deleted or does not exist.")
    return found


@replace(RouteTableResponse, "describe_transit_gateway_route_tables")
def describe_tables(original, self):
    for name in self._get_param("TransitGatewayRouteTableIds") or []:
        _known_table(self, name)
    return original(self)


@replace(RouteTableResponse, "create_transit_gateway_route_table")
def create_table(original, self):
    transitgatewayowner.own_gateway(self)
    return original(self)


def _owned(self):
    """The attachment and the route table that a call of the gateway's owner names."""
    table = _table(self)
    found = transitgateway.seen(self.ec2_backend, self._get_param("TransitGatewayAttachmentId"))
    self.error_on_dryrun()
    if found.code not in ("available", "modifying"):
        raise transitgateway.error("IncorrectState", f"{found.id} is in invalid state: {found.code}")
    return table, found


def _relation(table, found, state):
    return {
        "TransitGatewayRouteTableId": table.id,
        "TransitGatewayAttachmentId": found.id,
        "ResourceId": found.vpc.id,
        "ResourceType": "vpc",
        "State": state,
    }


@replace(AttachmentResponse, "associate_transit_gateway_route_table")
def associate(_original, self):
    table, found = _owned(self)
    if found.association():
        raise transitgateway.error("Resource.AlreadyAssociated", f"Transit Gateway Attachment {found.id} is already associated to a route table.")
    return ActionResult({"Association": _relation(table, found, transitgateway.relate(table.id, found, "association").code)})


@replace(AttachmentResponse, "disassociate_transit_gateway_route_table")
def disassociate(_original, self):
    table, found = _owned(self)
    if transitgateway.relations.pop((table.id, found.id, "association"), None) is None:
        raise transitgateway.error("InvalidAssociation.NotFound", f"{found.id} is not associated with {table.id}")
    return ActionResult({"Association": _relation(table, found, "disassociating")})


@replace(AttachmentResponse, "enable_transit_gateway_route_table_propagation")
def enable(_original, self):
    table, found = _owned(self)
    if (table.id, found.id, "propagation") in transitgateway.relations:
        raise transitgateway.error("TransitGatewayRouteTablePropagation.Duplicate", f"Propagation of {found.id} to {table.id} already exists.")
    return ActionResult({"Propagation": _relation(table, found, transitgateway.relate(table.id, found, "propagation").code)})


@replace(AttachmentResponse, "disable_transit_gateway_route_table_propagation")
def disable(_original, self):
    table, found = _owned(self)
    if transitgateway.relations.pop((table.id, found.id, "propagation"), None) is None:
        raise transitgateway.error("TransitGatewayRouteTablePropagation.NotFound", f"{found.id} is not propagated to {table.id}")
    return ActionResult({"Propagation": _relation(table, found, "disabling")})


def _listed(self, kind):
    table, filters = _table(self), self._filters_from_querystring()
    shown = []
    for (name, attachment, of), status in list(transitgateway.relations.items()):
        if name != table.id or of != kind:
            continue
        found = transitgateway.attachments[attachment]
        values = {"resource-id": found.vpc.id, "resource-type": "vpc", "transit-gateway-attachment-id": found.id, "tags": []}
        if transitgateway.matches(values, filters):
            view = _relation(table, found, transitgateway.state(status))
            del view["TransitGatewayRouteTableId"]
            shown.append(view)
            status.seen()
    return shown


@replace(RouteTableResponse, "get_transit_gateway_route_table_associations")
def associations(_original, self):
    return ActionResult({"Associations": _listed(self, "association")})


@replace(RouteTableResponse, "get_transit_gateway_route_table_propagations")
def propagations(_original, self):
    return ActionResult({"TransitGatewayRouteTablePropagations": _listed(self, "propagation")})


@add(RouteTableResponse, "get_transit_gateway_attachment_propagations")
def propagations_of(self):
    # https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_GetTransitGatewayAttachmentPropagations.html
    found = transitgateway.seen(self.ec2_backend, self._get_param("TransitGatewayAttachmentId"))
    shown = []
    for (table, attachment, kind), status in list(transitgateway.relations.items()):
        if attachment == found.id and kind == "propagation":
            shown.append({"TransitGatewayRouteTableId": table, "State": transitgateway.state(status)})
            status.seen()
    return ActionResult({"TransitGatewayAttachmentPropagations": shown})


def _blocks(vpc):
    return [
        block["cidr_block"]
        for ipv6 in (False, True)
        for block in vpc.get_cidr_block_association_set(ipv6=ipv6)
        if block["cidr_block_state"]["state"] == "associated"
    ]


def _propagated(table):
    """The routes that attachments propagate to a table. A block that overlaps one that is there stays out, and nobody says so.

    https://docs.aws.amazon.com/vpc/latest/tgw/tgw-vpc-attachments.html
    """
    taken, routes = [], []
    for (name, attachment, kind), status in list(transitgateway.relations.items()):
        found = transitgateway.attachments.get(attachment)
        if name != table or kind != "propagation" or found is None or found.code not in ("available", "modifying"):
            continue
        if transitgateway.state(status) != "enabled":
            continue
        for block in _blocks(found.vpc):
            network = ipaddress.ip_network(block)
            if any(network.version == other.version and network.overlaps(other) and of is not found for other, of in taken):
                continue
            taken.append((network, found))
            routes.append((block, found))
    return routes


@replace(RouteTableResponse, "search_transit_gateway_routes")
def search(_original, self):
    # https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_SearchTransitGatewayRoutes.html
    table, filters = _table(self), self._filters_from_querystring()
    found = []
    for block, attachment in _propagated(table.id):
        target = {"ResourceId": attachment.vpc.id, "ResourceType": "vpc", "TransitGatewayAttachmentId": attachment.id}
        found.append({"DestinationCidrBlock": block, "Type": "propagated", "State": "active", "TransitGatewayAttachments": [target]})
    for block, route in table.routes.items():
        made = {"DestinationCidrBlock": block, "Type": "static", "State": route["state"]}
        if target := route.get("transitGatewayAttachments"):
            made["TransitGatewayAttachments"] = [{key[0].upper() + key[1:]: value for key, value in target.items()}]
        found.append(made)
    shown = [one for one in found if _searched(one, filters)]
    return ActionResult({"Routes": shown, "AdditionalRoutesAvailable": False})


def _searched(route, filters):
    block = ipaddress.ip_network(route["DestinationCidrBlock"])
    targets = route.get("TransitGatewayAttachments", [])
    for name, wanted in filters.items():
        nets = [ipaddress.ip_network(one, strict=False) for one in wanted] if name.startswith("route-search.") else []
        nets = [one for one in nets if one.version == block.version]
        holds = {
            "type": lambda: route["Type"] in wanted,
            "state": lambda: route["State"] in wanted,
            "attachment.transit-gateway-attachment-id": lambda: any(one["TransitGatewayAttachmentId"] in wanted for one in targets),
            "attachment.resource-id": lambda: any(one["ResourceId"] in wanted for one in targets),
            "attachment.resource-type": lambda: any(one["ResourceType"] in wanted for one in targets),
            "route-search.exact-match": lambda: block in nets,
            "route-search.longest-prefix-match": lambda: any(one.subnet_of(block) for one in nets),
            "route-search.subnet-of-match": lambda: any(block.subnet_of(one) for one in nets),
            "route-search.supernet-of-match": lambda: any(one.subnet_of(block) for one in nets),
        }.get(name)
        if holds is None:
            raise transitgateway.error("InvalidParameterValue", f"The filter '{name}' is invalid")
        if not holds():
            return False
    return True
