"""VPC peering connections with two owners, passing states and the checks of AWS.

Gaps closed, all by the VPC peering guide (https://docs.aws.amazon.com/vpc/latest/peering/) and the EC2 API reference:
  - DescribeVpcPeeringConnections ignores unknown ids
  - states jump: initiating-request, provisioning and (between Regions) deleting are never seen
  - a peer VPC that does not exist raises, overlapping CIDR blocks pass: both end as failed
  - accept, reject, delete and options are not checked for state and side
  - CidrBlockSet, Ipv6CidrBlockSet and ExpirationTime are missing
  - tags are shared by both sides, though each account has its own
"""

import ipaddress
import re
from datetime import timedelta

from moto.core.responses import ActionResult
from moto.core.utils import utcnow
from moto.ec2.exceptions import EC2ClientError
from moto.ec2.models import EC2Backend, ec2_backends
from moto.ec2.models.route_tables import Route
from moto.ec2.models.vpc_peering_connections import VPCPeeringConnection, VPCPeeringConnectionBackend
from moto.ec2.responses.vpc_peering_connections import VPCPeeringConnections
from moto.ec2.utils import random_vpc_peering_connection_id

from . import peeringfilters
from .passing import Status
from .patching import replace, require

require(VPCPeeringConnection, "status", "get_tags")
require(EC2Backend, "do_resources_exist", "get_vpc")

# https://docs.aws.amazon.com/vpc/latest/peering/vpc-peering-basics.html#vpc-peering-lifecycle
_PASSING = ("initiating-request", "provisioning", "deleting")
_FAILED = "Failed due to incorrect VPC-ID, Account ID, or overlapping CIDR range"
_WEEK = timedelta(days=7)
_SHOWN_DELETER, _SHOWN_OTHER = timedelta(hours=2), timedelta(days=2)


class MissingVpc:
    """Stands for a peer VPC that nobody has."""

    cidr_block = None

    def __init__(self, account, region, vpc_id):
        self.owner_id, self.region, self.id = account, region, vpc_id

    def get_cidr_block_association_set(self, ipv6):
        return []


class Peering(VPCPeeringConnection):
    """One connection, held by the backends of both sides; how it looks depends on who asks."""

    def __init__(self, backend, vpc, peer_vpc):
        super().__init__(backend, random_vpc_peering_connection_id(), vpc, peer_vpc)
        self._status = Status()
        self.expires = utcnow() + _WEEK
        self.deleter = None  # the account that deleted it
        peer = peer_vpc.owner_id
        pending = ("pending-acceptance", f"Pending Acceptance by {peer}")
        wrong = isinstance(peer_vpc, MissingVpc) or vpc is peer_vpc or _overlap(vpc, peer_vpc)
        self._status.set(
            "initiating-request", f"Initiating Request to {peer}", ("failed", _FAILED) if wrong else pending
        )

    @property
    def code(self):
        self._status.age()
        return self._status.code

    def sides(self, backend):
        """Which sides the account and Region of a backend own: {"requester"}, {"accepter"} or both."""
        place = (backend.account_id, backend.region_name)
        return {
            name
            for name, vpc in (("requester", self.vpc), ("accepter", self.peer_vpc))
            if (vpc.owner_id, vpc.region) == place
        }

    def view(self, backend, show_accepter=False):
        """The connection as one side sees it: its own tags, and the accepter's CIDR blocks only while active."""
        code = self.code
        view = {
            "VpcPeeringConnectionId": self.id,
            "Status": {"Code": code, "Message": self._status.message},
            "RequesterVpcInfo": _vpc_info(self.vpc, True, self.requester_options),
            "AccepterVpcInfo": _vpc_info(self.peer_vpc, show_accepter or code == "active", self.accepter_options),
            "Tags": [{"Key": key, "Value": value} for key, value in backend.tags.get(self.id, {}).items()],
        }
        if code in ("initiating-request", "pending-acceptance"):
            view["ExpirationTime"] = self.expires
        return view


def _vpc_info(vpc, cidrs, options):
    info = {"OwnerId": vpc.owner_id, "Region": vpc.region, "VpcId": vpc.id}
    if cidrs and vpc.cidr_block:
        blocks, ipv6 = _blocks(vpc, False), _blocks(vpc, True)
        info |= {
            "CidrBlock": vpc.cidr_block,
            "CidrBlockSet": [{"CidrBlock": block} for block in blocks],
            "Ipv6CidrBlockSet": [{"Ipv6CidrBlock": block} for block in ipv6],
            "PeeringOptions": dict(options),
        }
    return info


def _blocks(vpc, ipv6):
    return [
        item["cidr_block"]
        for item in vpc.get_cidr_block_association_set(ipv6=ipv6)
        if item["cidr_block_state"]["state"] == "associated"
    ]


def _overlap(one, other):
    # Secondary and IPv6 blocks count too: https://docs.aws.amazon.com/vpc/latest/peering/invalid-peering-configurations.html
    for ipv6 in (False, True):
        theirs = [ipaddress.ip_network(block) for block in _blocks(other, ipv6)]
        for block in _blocks(one, ipv6):
            if any(ipaddress.ip_network(block).overlaps(their) for their in theirs):
                return True
    return False


def age(name, days):
    """Lets days pass for a peering: as if all had happened that much earlier. A request that nobody answers within a week
    expires; one that is deleted is shown for two hours to who deleted it, and for two days to the other.

    https://docs.aws.amazon.com/vpc/latest/peering/vpc-peering-basics.html#vpc-peering-lifecycle
    """
    aged = False
    for regions in list(ec2_backends.values()):
        for backend in list(regions.values()):
            pcx = backend.vpc_pcxs.get(name)
            if pcx is None:
                continue
            pcx._status.settle()
            if pcx.code == "pending-acceptance" and not aged:
                pcx.expires -= timedelta(days=days)
                if pcx.expires <= utcnow():
                    pcx._status.set("expired", "Expired")
            if pcx.code == "deleted" and timedelta(days=days) > (_SHOWN_DELETER if pcx.deleter == backend.account_id else _SHOWN_OTHER):
                del backend.vpc_pcxs[name]
                backend.tags.pop(name, None)
            aged = True
    return aged


def backend_of(account, region):
    """The EC2 backend of an account in a Region, or None if nobody has used it yet; never makes one."""
    regions = dict.get(ec2_backends, account)
    return dict.get(regions, region) if regions is not None else None


def get(backend, name):
    """The connection an account sees under this id, or the error AWS gives."""
    if not name:
        raise EC2ClientError("MissingParameter", "The request must contain the parameter VpcPeeringConnectionId")
    if not re.fullmatch(r"pcx-[0-9a-zA-Z]+", name):
        raise EC2ClientError("InvalidVpcPeeringConnectionId.Malformed", f"Invalid id: '{name}' (expecting 'pcx-...')")
    found = backend.vpc_pcxs.get(name)
    if found is None:
        # The spelling of the EC2 error list: https://docs.aws.amazon.com/AWSEC2/latest/APIReference/errors-overview.html
        raise EC2ClientError(
            "InvalidVpcPeeringConnectionID.NotFound", f"The vpcPeeringConnection ID '{name}' does not exist"
        )
    return found


def _bad_state(pcx, wish):
    return EC2ClientError(
        "InvalidStateTransition",
        f"Invalid state transition for {pcx.id}, attempted to transition from {pcx.code} to {wish}",
    )


def _must_be_accepter(pcx, backend, verb):
    if "accepter" in pcx.sides(backend):
        return
    if backend.account_id != pcx.peer_vpc.owner_id:
        message = f"User {backend.account_id} cannot {verb} peering {pcx.id}"
    else:
        message = (
            f"Incorrect region ({backend.region_name}) specified for this request. "
            f"VPC peering connection {pcx.id} must be accepted or rejected in region {pcx.peer_vpc.region}"
        )
    raise EC2ClientError("OperationNotPermitted", message)


@replace(VPCPeeringConnectionBackend, "create_vpc_peering_connection")
def create_in_backend(_original, self, vpc, peer_vpc, tags=None):
    pcx = Peering(self, vpc, peer_vpc)
    self.vpc_pcxs[pcx.id] = pcx
    if tags:
        self.create_tags([pcx.id], tags)  # of the requester only
    if not isinstance(peer_vpc, MissingVpc):
        ec2_backends[peer_vpc.owner_id][peer_vpc.region].vpc_pcxs[pcx.id] = pcx
    return pcx


@replace(VPCPeeringConnectionBackend, "get_vpc_peering_connection")
def get_in_backend(_original, self, vpc_pcx_id):
    return get(self, vpc_pcx_id)


@replace(VPCPeeringConnections, "create_vpc_peering_connection")
def create(_original, self):
    # https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_CreateVpcPeeringConnection.html
    backend, peer = self.ec2_backend, self._get_param("PeerVpcId")
    for key in ("VpcId", "PeerVpcId"):
        if not self._get_param(key):
            raise EC2ClientError("MissingParameter", f"The request must contain the parameter {key}")
    tags = self._parse_tag_specification().get("vpc-peering-connection", {})
    vpc = backend.get_vpc(self._get_param("VpcId"))
    account = self._get_param("PeerOwnerId") or self.current_account
    region = self._get_param("PeerRegion") or self.region
    if not re.fullmatch(r"\d{12}", account):
        raise EC2ClientError("InvalidParameterValue", f"Value ({account}) for parameter peerOwnerId is invalid.")
    self.error_on_dryrun()
    peers = backend_of(account, region)
    peer_vpc = peers.vpcs.get(peer) if peers is not None else None
    pcx = backend.create_vpc_peering_connection(vpc, peer_vpc or MissingVpc(account, region, peer), tags)
    view = pcx.view(backend)
    view["Status"] = {"Code": "initiating-request", "Message": f"Initiating Request to {account}"}
    return ActionResult({"VpcPeeringConnection": view})


@replace(VPCPeeringConnections, "describe_vpc_peering_connections")
def describe(_original, self):
    # https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_DescribeVpcPeeringConnections.html
    backend, names = self.ec2_backend, self._get_param("VpcPeeringConnectionIds", [])
    filters = self._filters_from_querystring()
    self.error_on_dryrun()
    asked = [get(backend, name) for name in names] if names else list(backend.vpc_pcxs.values())
    shown = [view for view in (pcx.view(backend) for pcx in asked) if peeringfilters.matches(view, filters)]
    for pcx in asked:
        pcx._status.seen()
    return ActionResult({"VpcPeeringConnections": shown})


@replace(VPCPeeringConnections, "accept_vpc_peering_connection")
def accept(_original, self):
    # https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_AcceptVpcPeeringConnection.html
    backend = self.ec2_backend
    pcx = get(backend, self._get_param("VpcPeeringConnectionId"))
    self.error_on_dryrun()
    _must_be_accepter(pcx, backend, "accept")
    if pcx.code == "initiating-request":
        pcx._status.settle()  # AWS leaves this state within moments: whoever accepts at once is not refused
    if pcx.code != "pending-acceptance":
        raise _bad_state(pcx, "active")
    if any(_same_pair(pcx, other) for other in list(backend.vpc_pcxs.values())):
        raise EC2ClientError(
            "VpcPeeringConnectionAlreadyExists", "A VPC peering connection already exists between these two VPCs"
        )
    pcx._status.set("provisioning", "Provisioning", ("active", "Active"))
    view = pcx.view(backend, show_accepter=True)
    view["Status"] = {"Code": "provisioning", "Message": "Provisioning"}
    return ActionResult({"VpcPeeringConnection": view})


def _same_pair(pcx, other):
    if other is pcx or other.code not in ("active", "provisioning"):
        return False
    return {pcx.vpc.id, pcx.peer_vpc.id} == {other.vpc.id, other.peer_vpc.id}


@replace(VPCPeeringConnections, "reject_vpc_peering_connection")
def reject(_original, self):
    # https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_RejectVpcPeeringConnection.html
    backend = self.ec2_backend
    pcx = get(backend, self._get_param("VpcPeeringConnectionId"))
    self.error_on_dryrun()
    _must_be_accepter(pcx, backend, "reject")
    if pcx.code == "initiating-request":
        pcx._status.settle()
    if pcx.code != "pending-acceptance":
        raise _bad_state(pcx, "rejected")
    pcx._status.set("rejected", f"Rejected by {backend.account_id}")
    return ActionResult({"Return": True})


@replace(VPCPeeringConnections, "delete_vpc_peering_connection")
def delete(_original, self):
    # Either owner while active, only the requester while pending, nobody once failed or rejected:
    # https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_DeleteVpcPeeringConnection.html
    backend = self.ec2_backend
    pcx = get(backend, self._get_param("VpcPeeringConnectionId"))
    self.error_on_dryrun()
    code = pcx.code
    if code not in ("initiating-request", "pending-acceptance", "provisioning", "active"):
        raise _bad_state(pcx, "deleted")
    if code in ("initiating-request", "pending-acceptance") and "requester" not in pcx.sides(backend):
        raise EC2ClientError("OperationNotPermitted", f"User {backend.account_id} cannot delete peering {pcx.id}")
    gone, pcx.deleter = ("deleted", f"Deleted by {backend.account_id}"), backend.account_id
    if pcx.vpc.region == pcx.peer_vpc.region:
        pcx._status.set(*gone)
    else:  # deleting is seen between Regions only
        pcx._status.set("deleting", f"Deletion initiated by {backend.account_id}", gone)
    return ActionResult({"Return": True})


@replace(VPCPeeringConnections, "modify_vpc_peering_connection_options")
def modify(_original, self):
    # https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_ModifyVpcPeeringConnectionOptions.html
    backend = self.ec2_backend
    pcx = get(backend, self._get_param("VpcPeeringConnectionId"))
    asked = {
        "accepter": self._get_param("AccepterPeeringConnectionOptions") or {},
        "requester": self._get_param("RequesterPeeringConnectionOptions") or {},
    }
    self.error_on_dryrun()
    if pcx.code != "active":
        raise EC2ClientError(
            "OperationNotPermitted",
            f"Peering {pcx.id} is not active. Peering options can be added only to active peerings.",
        )
    if not any(asked.values()):
        raise EC2ClientError("MissingParameter", "The request must contain peering connection options of at least one side")
    own = pcx.sides(backend)
    for side, options in asked.items():
        if options and side not in own:
            owner = pcx.peer_vpc.owner_id if side == "accepter" else pcx.vpc.owner_id
            message = (
                f"User {backend.account_id} does not have permission to modify the {side} side peering options"
                if backend.account_id != owner
                else f"{side.capitalize()}'s VPC Peering connection options cannot be modified for a different region"
            )
            raise EC2ClientError("OperationNotPermitted", message)
    result = {}
    for side, options in asked.items():
        if options:
            held = pcx.accepter_options if side == "accepter" else pcx.requester_options
            held.update({key: str(value).lower() == "true" for key, value in options.items()})
            result[f"{side.capitalize()}PeeringConnectionOptions"] = dict(held)
    return ActionResult(result)


@replace(Route, "state")
def route_state(original, self):
    # A route to a peering that is not active drops its traffic:
    # https://docs.aws.amazon.com/vpc/latest/peering/vpc-peering-routing.html
    if self.vpc_pcx is not None and self.vpc_pcx.code != "active":
        return "blackhole"
    return original(self)
