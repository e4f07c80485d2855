"""Routes of VPCs to a transit gateway, and rules that name groups across it.

Gap closed, by the Transit Gateway guide (https://docs.aws.amazon.com/vpc/latest/tgw/):
  - a route to a gateway is taken from a VPC that has no attachment, and never turns blackhole
"""

from moto.ec2.models.route_tables import Route, RouteBackend

from . import ec2, transitgateway  # ec2 replaces create_route first
from .patching import replace


def _refers(vpc_id, other_id):
    """Whether rules of one VPC may name groups of another, by a gateway that both are attached to."""
    return any(
        one.vpc.id == vpc_id and other.vpc.id == other_id and one.gateway is other.gateway
        and one.gateway.options.get("SecurityGroupReferencingSupport") == "enable"
        and all(a.code == "available" and a.options["SecurityGroupReferencingSupport"] == "enable" for a in (one, other))
        for one in list(transitgateway.attachments.values())
        for other in list(transitgateway.attachments.values())
    )


ec2.carriers.append(_refers)


@replace(RouteBackend, "create_route")
def create_route(original, self, route_table_id, destination_cidr_block, *args, **kwargs):
    if name := kwargs.get("transit_gateway_id"):
        _must_be_attached(self, route_table_id, name)
    return original(self, route_table_id, destination_cidr_block, *args, **kwargs)


@replace(RouteBackend, "replace_route")
def replace_route(original, self, route_table_id, destination_cidr_block, *args, **kwargs):
    if name := kwargs.get("transit_gateway_id"):
        _must_be_attached(self, route_table_id, name)
    return original(self, route_table_id, destination_cidr_block, *args, **kwargs)


def _must_be_attached(backend, route_table_id, name):
    # https://docs.aws.amazon.com/vpc/latest/tgw/tgw-vpc-attachments.html: the gateway is unknown to a VPC without one.
    if not transitgateway.attached(name, backend.get_route_table(route_table_id).vpc_id):
        raise transitgateway.error("InvalidTransitGatewayID.NotFound", f"The transitGateway ID '{name}' does not exist.")


@replace(Route, "state")
def route_state(original, self):
    if self.transit_gateway is not None and not transitgateway.attached(
        self.transit_gateway.id, self.route_table.vpc_id, "available", "modifying"
    ):
        return "blackhole"
    return original(self)
