"""Transit gateways that accounts share: attachments with two owners, passing states, association and propagation.

Gaps closed, by the Transit Gateway guide (https://docs.aws.amazon.com/vpc/latest/tgw/) and the EC2 API reference:
  - a gateway is known to its own account only; here also to those that RAM shares it with (ram.py)
  - another account's attachment is refused; here it waits for its acceptance, unless the gateway accepts shared ones itself
  - attachments are available at once, and never rejected; AcceptTransitGatewayVpcAttachment and Reject… are missing
  - two subnets of one Availability Zone, a second attachment of a VPC, wrong sides and states are taken
  - a gateway is deleted while VPCs are attached to it, and has a default route table also when nothing uses it
  - nothing is propagated; a CIDR block that overlaps one that is there attaches, and is silently not propagated
  - a route to a gateway is taken from a VPC that has no attachment, and never turns blackhole
  - attaching needs nothing of the account; here the service-linked role, which is made for a caller who may make it. Without
    it an attachment is pending, about ten minutes in AWS, and fails
    https://github.com/aws-solutions-library-samples/network-orchestration-for-aws-transit-gateway/issues/42
An attachment, its association and its propagation pass through their states like a peering (peering.py).
"""

import fnmatch
import ipaddress
import threading

from moto.core.responses import ActionResult
from moto.core.utils import utcnow
from moto.ec2.exceptions import EC2ClientError
from moto.ec2.models import EC2Backend, ec2_backends
from moto.ec2.models.route_tables import Route, RouteBackend
from moto.ec2.models.transit_gateway import TransitGateway
from moto.ec2.responses.transit_gateway_attachments import TransitGatewayAttachment as AttachmentResponse
from moto.ec2.responses.transit_gateway_route_tables import TransitGatewayRouteTable as RouteTableResponse
from moto.ec2.responses.transit_gateways import TransitGateways as GatewayResponse
from moto.ec2.utils import random_transit_gateway_attachment_id

from . import checkpoint, cloudtrail, config, ec2, linkedroles, privilege, ram  # noqa: F401 - ec2 replaces create_route first
from .patching import add, on_reset, replace, require
from .peering import Status, backend_of

require(TransitGateway, "arn", "owner_id", "physical_resource_id")
require(EC2Backend, "do_resources_exist", "get_vpc", "get_subnet")

_attachments = {}  # by id, oldest first
_relations = {}  # (route table id, attachment id, "association" or "propagation") → Relation
_lock = threading.RLock()

_OVER = ("deleted", "rejected", "failed")


@on_reset
def _forget():
    _attachments.clear()
    _relations.clear()


class Attachment:
    """One VPC on one gateway, seen by the gateway's owner and by the VPC's."""

    resource_type = "vpc"

    def __init__(self, gateway, vpc, subnets, options):
        self.id = random_transit_gateway_attachment_id()
        self.gateway, self.vpc, self.subnets = gateway, vpc, list(subnets)
        self.resource_id, self.created = vpc.id, utcnow()
        self.options = {"DnsSupport": "enable", "SecurityGroupReferencingSupport": "enable", "Ipv6Support": "disable", "ApplianceModeSupport": "disable"} | options
        self._status = Status()
        if self.foreign and gateway.options.get("AutoAcceptSharedAttachments") != "enable":
            self._status.set("pendingAcceptance", "")
        else:
            self.go()

    @property
    def foreign(self):
        return self.vpc.owner_id != self.gateway.owner_id

    @property
    def code(self):
        self._status.age()
        return self._status.code

    def go(self):
        """It was accepted; on the way it gets what the gateway gives to every attachment."""
        if not linkedroles.exists(self.vpc.owner_id, linkedroles.TRANSIT_GATEWAY):
            return self.end("pending", "failed")
        self._status.set("pending", "", ("available", ""))
        options = self.gateway.options
        if options.get("DefaultRouteTableAssociation") == "enable":
            relate(options["AssociationDefaultRouteTableId"], self, "association")
        if options.get("DefaultRouteTablePropagation") == "enable":
            relate(options["PropagationDefaultRouteTableId"], self, "propagation")

    def end(self, passing, code):
        self._status.set(passing, "", (code, ""))
        for key in [key for key in _relations if key[1] == self.id]:
            del _relations[key]

    def places(self):
        return {(self.gateway.owner_id, self.gateway.ec2_backend.region_name), (self.vpc.owner_id, self.vpc.region)}

    def accounts(self):
        return {account for account, _ in self.places()}

    def association(self):
        """The route table that it is associated with, and how far that is."""
        for (table, name, kind), status in _relations.items():
            if name == self.id and kind == "association":
                return table, _state(status)
        return None

    def tags(self, backend):
        return [{"Key": key, "Value": value} for key, value in backend.tags.get(self.id, {}).items()]

    def view(self, backend):
        """As DescribeTransitGatewayVpcAttachments shows it; tags are each account's own."""
        return {
            "TransitGatewayAttachmentId": self.id,
            "TransitGatewayId": self.gateway.id,
            "VpcId": self.vpc.id,
            "VpcOwnerId": self.vpc.owner_id,
            "State": self.code,
            "SubnetIds": list(self.subnets),
            "CreationTime": self.created,
            "Options": dict(self.options),
            "Tags": self.tags(backend),
        }

    def general(self, backend):
        """As DescribeTransitGatewayAttachments shows it."""
        shown = {
            "TransitGatewayAttachmentId": self.id,
            "TransitGatewayId": self.gateway.id,
            "TransitGatewayOwnerId": self.gateway.owner_id,
            "ResourceId": self.vpc.id,
            "ResourceOwnerId": self.vpc.owner_id,
            "ResourceType": "vpc",
            "State": self.code,
            "CreationTime": self.created,
            "Tags": self.tags(backend),
        }
        if associated := self.association():
            shown["Association"] = {"TransitGatewayRouteTableId": associated[0], "State": associated[1]}
        return shown


class Relation(Status):
    """How far the association or propagation of an attachment is."""

    def __init__(self, attachment):
        super().__init__()
        self.attachment = attachment


checkpoint.holds(_attachments, Attachment.accounts)
checkpoint.holds(_relations, lambda relation: relation.attachment.accounts())


def _state(status):
    status.age()
    return status.code


def relate(table, attachment, kind):
    """Associates an attachment with a route table of its gateway, or propagates its routes there; that takes a moment."""
    status = _relations[(table, attachment.id, kind)] = Relation(attachment)
    status.set(*(("associating", "", ("associated", "")) if kind == "association" else ("enabling", "", ("enabled", ""))))
    return status


def _error(code, message):
    return EC2ClientError(code, message)


def _no_gateway(name):
    return _error("InvalidTransitGatewayID.NotFound", f"Transit Gateway {name} was deleted or does not exist.")


def gateway(account, region, name):
    """The gateway of this id, if the account owns it or it is shared with it."""
    found = backend_of(account, region)
    if found is not None and name in found.transit_gateways and found.transit_gateways[name].owner_id == account:
        return found.transit_gateways[name]
    for one in _gateways(region):
        if one.id == name and ram.shared(one.arn, account):
            return one
    raise _no_gateway(name)


def _gateways(region):
    for account in list(ec2_backends.keys()):
        backend = backend_of(account, region)
        for one in list(backend.transit_gateways.values()) if backend is not None else []:
            if one.owner_id == account:
                yield one


def _seen(backend, name):
    found = _attachments.get(name)
    if found is None or (backend.account_id, backend.region_name) not in found.places():
        raise _error("InvalidTransitGatewayAttachmentID.NotFound", f"Transit Gateway Attachment {name} was deleted or does not exist.")
    return found


def _mine(backend):
    place = (backend.account_id, backend.region_name)
    return [one for one in list(_attachments.values()) if place in one.places()]


def _matches(values, filters):
    """Whether what a thing says to each filter's name is among what is asked for; wildcards count."""
    for name, wanted in filters.items():
        if name.startswith("tag:"):
            have = [tag["Value"] for tag in values["tags"] if tag["Key"] == name[4:]]
        elif name == "tag-key":
            have = [tag["Key"] for tag in values["tags"]]
        elif name in values:
            have = values[name] if isinstance(values[name], list) else [values[name]]
        else:
            raise _error("InvalidParameterValue", f"The filter '{name}' is invalid")
        if not any(fnmatch.fnmatchcase(str(one), want.replace("[", "[[]")) for one in have for want in wanted):
            return False
    return True


def age(name, days):
    """Lets days pass for an attachment: as if all had happened that much earlier. One that is over is shown for two hours."""
    found = _attachments.get(name)
    if found is None:
        return False
    found._status.settle()
    if found.code in _OVER and days > 2 / 24:
        del _attachments[name]
        for account, region in found.places():
            backend = ec2_backends[account][region]
            backend.transit_gateway_attachments.pop(name, None)
            backend.tags.pop(name, None)
    return True


# --- gateways ------------------------------------------------------------------------------------------------------------


@replace(GatewayResponse, "describe_transit_gateways")
def describe_gateways(_original, self):
    backend, names = self.ec2_backend, self._get_param("TransitGatewayIds", [])
    filters, region = self._filters_from_querystring(), self.region
    self.error_on_dryrun()
    asked = (
        [gateway(self.current_account, region, name) for name in names]
        if names
        else [one for one in _gateways(region) if one.owner_id == self.current_account or ram.shared(one.arn, self.current_account)]
    )
    shown = []
    for one in asked:
        # Tags are each account's own.
        tags = [{"Key": key, "Value": value} for key, value in backend.tags.get(one.id, {}).items()]
        values = {"transit-gateway-id": one.id, "owner-id": one.owner_id, "state": one.state, "tags": tags}
        if _matches(values, filters):
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


def _own_gateway(self):
    """The gateway that a call names, if it is the caller's; those that others share can only be attached to."""
    name = self._get_param("TransitGatewayId")
    found = gateway(self.current_account, self.region, name)
    if found.owner_id != self.current_account:
        raise _no_gateway(name)
    self.error_on_dryrun()
    return found


@replace(GatewayResponse, "delete_transit_gateway")
def delete_gateway(original, self):
    # https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_DeleteTransitGateway.html
    found = _own_gateway(self)
    if left := [one.id for one in list(_attachments.values()) if one.gateway.id == found.id and one.code not in _OVER]:
        raise _error("IncorrectState", f"{found.id} has non-deleted Transit Gateway Attachments: {', '.join(left)}.")
    return original(self)


@replace(GatewayResponse, "modify_transit_gateway")
def modify_gateway(original, self):
    found = _own_gateway(self)
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


# --- attachments ---------------------------------------------------------------------------------------------------------


@replace(AttachmentResponse, "create_transit_gateway_vpc_attachment")
def create(_original, self):
    # https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_CreateTransitGatewayVpcAttachment.html
    backend = self.ec2_backend
    found = gateway(self.current_account, self.region, self._get_param("TransitGatewayId"))
    vpc, subnets = backend.get_vpc(self._get_param("VpcId")), self._get_param("SubnetIds", [])
    tags = self._parse_tag_specification().get("transit-gateway-attachment", {})
    self.error_on_dryrun()
    if not subnets:
        raise _error("MissingParameter", "The request must contain the parameter SubnetIds")
    _one_in_each_zone(backend, vpc, subnets)
    with _lock:
        if _attached(found.id, vpc.id):
            raise _error(
                "DuplicateTransitGatewayAttachment", f"{found.id} has a non-deleted Transit Gateway Attachment with same VPC ID."
            )
        linkedroles.ensure(self, linkedroles.TRANSIT_GATEWAY)
        made = Attachment(found, vpc, subnets, self._get_param("Options") or {})
        _attachments[made.id] = made
    for account, region in made.places():
        # So that tags can be put on it, and routes lead to its gateway.
        there = ec2_backends[account][region]
        there.transit_gateway_attachments[made.id] = made
        there.transit_gateways.setdefault(found.id, found)
    if tags:
        backend.create_tags([made.id], tags)
    return ActionResult({"TransitGatewayVpcAttachment": made.view(backend)})


def _one_in_each_zone(backend, vpc, subnets):
    zones = set()
    for name in subnets:
        subnet = backend.get_subnet(name)
        if subnet.vpc_id != vpc.id:
            raise _error("InvalidParameterValue", f"Subnet {name} is not in VPC {vpc.id}.")
        if subnet.availability_zone in zones:
            raise _error("DuplicateSubnetsInSameZone", "Duplicate Subnets for same AZ")
        zones.add(subnet.availability_zone)


def _answer(backend, attachments, general):
    shown = [one.general(backend) if general else one.view(backend) for one in attachments]
    for one in attachments:
        one._status.seen()
        for key, status in list(_relations.items()):
            if key[1] == one.id and one.code == "available":
                status.seen()
    return shown


@replace(AttachmentResponse, "describe_transit_gateway_vpc_attachments")
def describe(_original, self):
    return ActionResult({"TransitGatewayVpcAttachments": _described(self, False)})


@replace(AttachmentResponse, "describe_transit_gateway_attachments")
def describe_general(_original, self):
    return ActionResult({"TransitGatewayAttachments": _described(self, True)})


def _described(self, general):
    backend, names, filters = self.ec2_backend, self._get_param("TransitGatewayAttachmentIds", []), self._filters_from_querystring()
    self.error_on_dryrun()
    asked = [_seen(backend, name) for name in names] if names else _mine(backend)
    wanted = []
    for one in asked:
        associated = one.association()
        values = {
            "transit-gateway-attachment-id": one.id,
            "transit-gateway-id": one.gateway.id,
            "transit-gateway-owner-id": one.gateway.owner_id,
            "vpc-id": one.vpc.id,
            "resource-id": one.vpc.id,
            "resource-owner-id": one.vpc.owner_id,
            "resource-type": "vpc",
            "state": one.code,
            "association.transit-gateway-route-table-id": associated[0] if associated else [],
            "association.state": associated[1] if associated else [],
            "tags": one.tags(backend),
        }
        if _matches(values, filters):
            wanted.append(one)
    return _answer(backend, wanted, general)


def _act(self, owner, wish, *states):
    """The attachment that a call names, if the caller is the side that may and the state is one of those."""
    backend = self.ec2_backend
    found = _seen(backend, self._get_param("TransitGatewayAttachmentId"))
    self.error_on_dryrun()
    if backend.account_id != (found.gateway.owner_id if owner else found.vpc.owner_id):
        raise _error("OperationNotPermitted", f"User {backend.account_id} cannot {wish} {found.id}.")
    if found.code not in states:
        raise _error("IncorrectState", f"{found.id} is in invalid state: {found.code}")
    return found


@add(AttachmentResponse, "accept_transit_gateway_vpc_attachment")
def accept(self):
    # https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_AcceptTransitGatewayVpcAttachment.html
    found = _act(self, True, "accept", "pendingAcceptance")
    found.go()
    return ActionResult({"TransitGatewayVpcAttachment": found.view(self.ec2_backend)})


@add(AttachmentResponse, "reject_transit_gateway_vpc_attachment")
def reject(self):
    # https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_RejectTransitGatewayVpcAttachment.html
    found = _act(self, True, "reject", "pendingAcceptance")
    found.end("rejecting", "rejected")
    return ActionResult({"TransitGatewayVpcAttachment": found.view(self.ec2_backend)})


@replace(AttachmentResponse, "delete_transit_gateway_vpc_attachment")
def delete(_original, self):
    # Either owner may: https://docs.aws.amazon.com/vpc/latest/tgw/tgw-vpc-attachments.html
    backend = self.ec2_backend
    found = _seen(backend, self._get_param("TransitGatewayAttachmentId"))
    self.error_on_dryrun()
    if found.code not in ("available", "pendingAcceptance"):
        raise _error("IncorrectState", f"{found.id} is in invalid state: {found.code}")
    found.end("deleting", "deleted")
    return ActionResult({"TransitGatewayVpcAttachment": found.view(backend)})


@replace(AttachmentResponse, "modify_transit_gateway_vpc_attachment")
def modify(_original, self):
    # https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_ModifyTransitGatewayVpcAttachment.html
    found = _act(self, False, "modify", "available")
    kept = [name for name in found.subnets if name not in self._get_param("RemoveSubnetIds", [])]
    subnets = kept + [name for name in self._get_param("AddSubnetIds", []) if name not in kept]
    if not subnets:
        raise _error("InvalidParameterValue", "An attachment needs a subnet.")
    _one_in_each_zone(self.ec2_backend, found.vpc, subnets)
    found.subnets, found.options = subnets, found.options | (self._get_param("Options") or {})
    found._status.set("modifying", "", ("available", ""))
    return ActionResult({"TransitGatewayVpcAttachment": found.view(self.ec2_backend)})


# --- association, propagation, routes of the gateway ---------------------------------------------------------------------


def _table(self):
    return _known_table(self, self._get_param("TransitGatewayRouteTableId"))


def _known_table(self, name):
    found = self.ec2_backend.transit_gateways_route_tables.get(name)
    if found is None:
        raise _error("InvalidRouteTableID.NotFound", f"Transit Gateway Route Table {name} was deleted or does not exist.")
    return found


@replace(RouteTableResponse, "describe_transit_gateway_route_tables")
def describe_tables(original, self):
    for name in self._get_param("TransitGatewayRouteTableIds") or []:
        _known_table(self, name)
    return original(self)


@replace(RouteTableResponse, "create_transit_gateway_route_table")
def create_table(original, self):
    _own_gateway(self)
    return original(self)


def _owned(self):
    """The attachment and the route table that a call of the gateway's owner names."""
    table = _table(self)
    found = _seen(self.ec2_backend, self._get_param("TransitGatewayAttachmentId"))
    self.error_on_dryrun()
    if found.code not in ("available", "modifying"):
        raise _error("IncorrectState", f"{found.id} is in invalid state: {found.code}")
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
        raise _error("Resource.AlreadyAssociated", f"Transit Gateway Attachment {found.id} is already associated to a route table.")
    return ActionResult({"Association": _relation(table, found, relate(table.id, found, "association").code)})


@replace(AttachmentResponse, "disassociate_transit_gateway_route_table")
def disassociate(_original, self):
    table, found = _owned(self)
    if _relations.pop((table.id, found.id, "association"), None) is None:
        raise _error("InvalidAssociation.NotFound", f"{found.id} is not associated with {table.id}")
    return ActionResult({"Association": _relation(table, found, "disassociating")})


@replace(AttachmentResponse, "enable_transit_gateway_route_table_propagation")
def enable(_original, self):
    table, found = _owned(self)
    if (table.id, found.id, "propagation") in _relations:
        raise _error("TransitGatewayRouteTablePropagation.Duplicate", f"Propagation of {found.id} to {table.id} already exists.")
    return ActionResult({"Propagation": _relation(table, found, relate(table.id, found, "propagation").code)})


@replace(AttachmentResponse, "disable_transit_gateway_route_table_propagation")
def disable(_original, self):
    table, found = _owned(self)
    if _relations.pop((table.id, found.id, "propagation"), None) is None:
        raise _error("TransitGatewayRouteTablePropagation.NotFound", f"{found.id} is not propagated to {table.id}")
    return ActionResult({"Propagation": _relation(table, found, "disabling")})


def _listed(self, kind):
    table, filters = _table(self), self._filters_from_querystring()
    shown = []
    for (name, attachment, of), status in list(_relations.items()):
        if name != table.id or of != kind:
            continue
        found = _attachments[attachment]
        values = {"resource-id": found.vpc.id, "resource-type": "vpc", "transit-gateway-attachment-id": found.id, "tags": []}
        if _matches(values, filters):
            view = _relation(table, found, _state(status))
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
    found = _seen(self.ec2_backend, self._get_param("TransitGatewayAttachmentId"))
    shown = []
    for (table, attachment, kind), status in list(_relations.items()):
        if attachment == found.id and kind == "propagation":
            shown.append({"TransitGatewayRouteTableId": table, "State": _state(status)})
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
    for (name, attachment, kind), status in list(_relations.items()):
        found = _attachments.get(attachment)
        if name != table or kind != "propagation" or found is None or found.code not in ("available", "modifying"):
            continue
        if _state(status) != "enabled":
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
            raise _error("InvalidParameterValue", f"The filter '{name}' is invalid")
        if not holds():
            return False
    return True


# --- routes of VPCs to a gateway -----------------------------------------------------------------------------------------


def _refers(vpc_id, other_id):
    """Whether rules of one VPC may name groups of another, by a gateway that both are attached to."""
    return any(
        one.vpc.id == vpc_id and other.vpc.id == other_id and one.gateway is other.gateway
        and one.gateway.options.get("SecurityGroupReferencingSupport") == "enable"
        and all(a.code == "available" and a.options["SecurityGroupReferencingSupport"] == "enable" for a in (one, other))
        for one in list(_attachments.values())
        for other in list(_attachments.values())
    )


ec2.carriers.append(_refers)


def _attached(gateway_id, vpc_id, *states):
    return any(
        one.gateway.id == gateway_id and one.vpc.id == vpc_id and (one.code in states if states else one.code not in _OVER)
        for one in list(_attachments.values())
    )


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
    if not _attached(name, backend.get_route_table(route_table_id).vpc_id):
        raise _error("InvalidTransitGatewayID.NotFound", f"The transitGateway ID '{name}' does not exist.")


@replace(Route, "state")
def route_state(original, self):
    if self.transit_gateway is not None and not _attached(
        self.transit_gateway.id, self.route_table.vpc_id, "available", "modifying"
    ):
        return "blackhole"
    return original(self)


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
    owner = next((one.owner_id for one in _gateways(call.region) if one.id == call.get("TransitGatewayId")), call.account)
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
privilege.CALLS |= {
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
privilege.ON_EVERYTHING |= {
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
