"""Attachments to transit gateways that accounts share: two owners, passing states.

Gaps closed, by the Transit Gateway guide (https://docs.aws.amazon.com/vpc/latest/tgw/) and the EC2 API reference:
  - another account's attachment is refused; here it waits for its acceptance, unless the gateway accepts shared ones itself
  - attachments are available at once, and never rejected; AcceptTransitGatewayVpcAttachment and Reject… are missing
  - two subnets of one Availability Zone, a second attachment of a VPC, wrong sides and states are taken
  - attaching needs nothing of the account; here the service-linked role, which is made for a caller who may make it. Without
    it an attachment is pending, about ten minutes in AWS, and fails
    https://github.com/aws-solutions-library-samples/network-orchestration-for-aws-transit-gateway/issues/42
An attachment, its association and its propagation pass through their states like a peering (peering.py). What else there is of
gateways: transitgatewayowner.py, transitgatewaytables.py, transitgatewayroutes.py, transitgatewayrecords.py.
"""

import fnmatch
import threading

from moto.core.responses import ActionResult
from moto.core.utils import utcnow
from moto.ec2.exceptions import EC2ClientError
from moto.ec2.models import EC2Backend, ec2_backends
from moto.ec2.models.transit_gateway import TransitGateway
from moto.ec2.responses.transit_gateway_attachments import TransitGatewayAttachment as AttachmentResponse
from moto.ec2.utils import random_transit_gateway_attachment_id

from . import checkpoint, linkedroles, ram
from .patching import add, on_reset, replace, require
from .passing import Status
from .peering import backend_of

require(TransitGateway, "arn", "owner_id", "physical_resource_id")
require(EC2Backend, "do_resources_exist", "get_vpc", "get_subnet")

attachments = {}  # by id, oldest first
relations = {}  # (route table id, attachment id, "association" or "propagation") → Relation
_lock = threading.RLock()

OVER = ("deleted", "rejected", "failed")


@on_reset
def _forget():
    attachments.clear()
    relations.clear()


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
        for key in [key for key in relations if key[1] == self.id]:
            del relations[key]

    def places(self):
        return {(self.gateway.owner_id, self.gateway.ec2_backend.region_name), (self.vpc.owner_id, self.vpc.region)}

    def accounts(self):
        return {account for account, _ in self.places()}

    def association(self):
        """The route table that it is associated with, and how far that is."""
        for (table, name, kind), status in relations.items():
            if name == self.id and kind == "association":
                return table, state(status)
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


checkpoint.holds(attachments, Attachment.accounts)
checkpoint.holds(relations, lambda relation: relation.attachment.accounts())


def state(status):
    status.age()
    return status.code


def relate(table, attachment, kind):
    """Associates an attachment with a route table of its gateway, or propagates its routes there; that takes a moment."""
    status = relations[(table, attachment.id, kind)] = Relation(attachment)
    status.set(*(("associating", "", ("associated", "")) if kind == "association" else ("enabling", "", ("enabled", ""))))
    return status


def error(code, message):
    return EC2ClientError(code, message)


def no_gateway(name):
    return error("InvalidTransitGatewayID.NotFound", f"Transit Gateway {name} was deleted or does not exist.")


def gateway(account, region, name):
    """The gateway of this id, if the account owns it or it is shared with it."""
    found = backend_of(account, region)
    if found is not None and name in found.transit_gateways and found.transit_gateways[name].owner_id == account:
        return found.transit_gateways[name]
    for one in gateways(region):
        if one.id == name and ram.shared(one.arn, account):
            return one
    raise no_gateway(name)


def gateways(region):
    for account in list(ec2_backends.keys()):
        backend = backend_of(account, region)
        for one in list(backend.transit_gateways.values()) if backend is not None else []:
            if one.owner_id == account:
                yield one


def seen(backend, name):
    found = attachments.get(name)
    if found is None or (backend.account_id, backend.region_name) not in found.places():
        raise error("InvalidTransitGatewayAttachmentID.NotFound", f"Transit Gateway Attachment {name} was deleted or does not exist.")
    return found


def mine(backend):
    place = (backend.account_id, backend.region_name)
    return [one for one in list(attachments.values()) if place in one.places()]


def matches(values, filters):
    """Whether what a thing says to each filter's name is among what is asked for; wildcards count."""
    for name, wanted in filters.items():
        if name.startswith("tag:"):
            have = [tag["Value"] for tag in values["tags"] if tag["Key"] == name[4:]]
        elif name == "tag-key":
            have = [tag["Key"] for tag in values["tags"]]
        elif name in values:
            have = values[name] if isinstance(values[name], list) else [values[name]]
        else:
            raise error("InvalidParameterValue", f"The filter '{name}' is invalid")
        if not any(fnmatch.fnmatchcase(str(one), want.replace("[", "[[]")) for one in have for want in wanted):
            return False
    return True


def age(name, days):
    """Lets days pass for an attachment: as if all had happened that much earlier. One that is over is shown for two hours."""
    found = attachments.get(name)
    if found is None:
        return False
    found._status.settle()
    if found.code in OVER and days > 2 / 24:
        del attachments[name]
        for account, region in found.places():
            backend = ec2_backends[account][region]
            backend.transit_gateway_attachments.pop(name, None)
            backend.tags.pop(name, None)
    return True


def attached(gateway_id, vpc_id, *states):
    return any(
        one.gateway.id == gateway_id and one.vpc.id == vpc_id and (one.code in states if states else one.code not in OVER)
        for one in list(attachments.values())
    )


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
        raise error("MissingParameter", "The request must contain the parameter SubnetIds")
    _one_in_each_zone(backend, vpc, subnets)
    with _lock:
        if attached(found.id, vpc.id):
            raise error(
                "DuplicateTransitGatewayAttachment", f"{found.id} has a non-deleted Transit Gateway Attachment with same VPC ID."
            )
        linkedroles.ensure(self, linkedroles.TRANSIT_GATEWAY)
        made = Attachment(found, vpc, subnets, self._get_param("Options") or {})
        attachments[made.id] = made
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
            raise error("InvalidParameterValue", f"Subnet {name} is not in VPC {vpc.id}.")
        if subnet.availability_zone in zones:
            raise error("DuplicateSubnetsInSameZone", "Duplicate Subnets for same AZ")
        zones.add(subnet.availability_zone)


def _answer(backend, attachments, general):
    shown = [one.general(backend) if general else one.view(backend) for one in attachments]
    for one in attachments:
        one._status.seen()
        for key, status in list(relations.items()):
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
    asked = [seen(backend, name) for name in names] if names else mine(backend)
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
        if matches(values, filters):
            wanted.append(one)
    return _answer(backend, wanted, general)


def _act(self, owner, wish, *states):
    """The attachment that a call names, if the caller is the side that may and the state is one of those."""
    backend = self.ec2_backend
    found = seen(backend, self._get_param("TransitGatewayAttachmentId"))
    self.error_on_dryrun()
    if backend.account_id != (found.gateway.owner_id if owner else found.vpc.owner_id):
        raise error("OperationNotPermitted", f"User {backend.account_id} cannot {wish} {found.id}.")
    if found.code not in states:
        raise error("IncorrectState", f"{found.id} is in invalid state: {found.code}")
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
    found = seen(backend, self._get_param("TransitGatewayAttachmentId"))
    self.error_on_dryrun()
    if found.code not in ("available", "pendingAcceptance"):
        raise error("IncorrectState", f"{found.id} is in invalid state: {found.code}")
    found.end("deleting", "deleted")
    return ActionResult({"TransitGatewayVpcAttachment": found.view(backend)})


@replace(AttachmentResponse, "modify_transit_gateway_vpc_attachment")
def modify(_original, self):
    # https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_ModifyTransitGatewayVpcAttachment.html
    found = _act(self, False, "modify", "available")
    kept = [name for name in found.subnets if name not in self._get_param("RemoveSubnetIds", [])]
    subnets = kept + [name for name in self._get_param("AddSubnetIds", []) if name not in kept]
    if not subnets:
        raise error("InvalidParameterValue", "An attachment needs a subnet.")
    _one_in_each_zone(self.ec2_backend, found.vpc, subnets)
    found.subnets, found.options = subnets, found.options | (self._get_param("Options") or {})
    found._status.set("modifying", "", ("available", ""))
    return ActionResult({"TransitGatewayVpcAttachment": found.view(self.ec2_backend)})
