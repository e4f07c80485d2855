"""Routes, security groups, network ACLs and CIDR blocks as AWS checks and shows them.

Gaps closed (https://docs.aws.amazon.com/AWSEC2/latest/APIReference/):
  - a second route to the same IPv6 destination or prefix list replaces the first; CIDR blocks keep their host bits
  - a route through a peering of other VPCs, or into the VPC's own range, is taken
  - a security group of the peer VPC's account cannot be a source; authorizing several permissions returns only the last,
    and keeps the first ones when a later one is refused; a description hides a duplicate
  - a network ACL of one's own has no closing deny entries, and a missing entry cannot be deleted politely
  - a given IPv6 CIDR block cannot be associated with a VPC
  - a filter with several values on something that has several, such as tag-key, wants all of them
  - DescribeSecurityGroupRules takes filters that AWS does not know there
"""

import copy
import fnmatch
import ipaddress
import itertools
import secrets

from moto.core.responses import ActionResult
from moto.ec2 import utils
from moto.ec2.exceptions import EC2ClientError, InvalidSecurityGroupNotFoundError, RouteAlreadyExistsError
from moto.ec2.models import ec2_backends, vpcs
from moto.ec2.models.network_acls import NetworkAclBackend
from moto.ec2.models.route_tables import RouteBackend
from moto.ec2.models.security_groups import SecurityGroupBackend, SecurityGroupRule
from moto.ec2.models.vpcs import VPCBackend
from moto.ec2.responses.route_tables import RouteTables
from moto.ec2.responses.security_groups import SecurityGroups
from moto.ec2.responses.vpcs import VPCs

from . import ec2quotas
from .patching import add, replace, require

require(SecurityGroups, "_process_rules_from_querystring")


# --- filters -------------------------------------------------------------------------------------------------------------


@replace(utils, "is_filter_matching")
def matches(original, obj, name, wanted):
    # "you can specify multiple values for a filter": one of them is enough.
    # https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/Using_Filtering.html#Filtering_Resources_CLI
    if name == "tag-key" and isinstance(wanted, list):
        return any(fnmatch.fnmatchcase(have, one) for have in obj.get_filter_value(name) or [] for one in wanted)
    return original(obj, name, wanted)


# --- ids -----------------------------------------------------------------------------------------------------------------

_vpcs = itertools.count(0x10000000)


@replace(vpcs, "random_vpc_id")
def vpc_id(_original):
    """Of two VPCs, the one that was made later has the greater id; AWS's are in no order. So a pair of VPCs, which is known by their
    ids in order, reads the same in every run."""
    return f"vpc-{next(_vpcs):08x}{secrets.token_hex(5)[1:]}"


# --- routes --------------------------------------------------------------------------------------------------------------


def _masked(cidr):
    """A CIDR block without host bits, the way AWS stores it."""
    if not cidr:
        return cidr
    try:
        return str(ipaddress.ip_network(cidr, strict=False))
    except ValueError:
        text = f"Value ({cidr}) for parameter destinationCidrBlock is invalid. This is not a valid CIDR block."
        raise EC2ClientError("InvalidParameterValue", text) from None


@replace(RouteBackend, "create_route")
def create_route(original, self, route_table_id, destination_cidr_block, *args, **kwargs):
    # https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_CreateRoute.html
    names = ("destination_ipv6_cidr_block", "destination_prefix_list_id", "local")
    kwargs |= dict(zip(names, args))
    block = _masked(destination_cidr_block)
    block6 = kwargs["destination_ipv6_cidr_block"] = _masked(kwargs.get("destination_ipv6_cidr_block"))
    listed, table = kwargs.get("destination_prefix_list_id"), self.get_route_table(route_table_id)
    if not kwargs.get("local"):
        if listed and listed not in self.managed_prefix_lists:
            raise EC2ClientError("InvalidPrefixListID.NotFound", f"The prefix list ID '{listed}' does not exist")
        for route in table.routes:
            if not route.local:
                same = (block6 and route.destination_ipv6_cidr_block == block6) or (
                    listed and route.destination_prefix_list_id == listed
                )
                if same:
                    raise RouteAlreadyExistsError(block6 or listed)
            elif not kwargs.get("interface_id") and not kwargs.get("instance_id"):
                _must_lead_out(route, block or block6)
        if kwargs.get("vpc_peering_connection_id"):
            _must_belong(self, table, kwargs["vpc_peering_connection_id"])
    interface = kwargs.pop("interface_id", None) if listed else None  # with which moto forgets the list
    route = original(self, route_table_id, block, **kwargs)
    if interface:
        route.interface = self.get_network_interface(interface)
    return route


def _must_lead_out(local, block):
    own = local.destination_cidr_block or local.destination_ipv6_cidr_block
    if not block or not own:
        return
    inner, outer = ipaddress.ip_network(block), ipaddress.ip_network(own)
    if inner.version == outer.version and inner.subnet_of(outer):
        # https://docs.aws.amazon.com/vpc/latest/userguide/subnet-route-tables.html
        raise EC2ClientError(
            "InvalidParameterValue",
            f"The destination CIDR block {block} is equal to or more specific than one of this VPC's CIDR blocks. "
            "This route can target only an interface or an instance.",
        )


def _must_belong(backend, table, name):
    pcx = backend.get_vpc_peering_connection(name)
    if table.vpc_id not in (pcx.vpc.id, pcx.peer_vpc.id):
        raise EC2ClientError(
            "InvalidParameterValue", f"route table {table.id} and peering connection {name} belong to different networks"
        )


@replace(RouteBackend, "replace_route")
def replace_route(original, self, route_table_id, destination_cidr_block, destination_ipv6_cidr_block=None, *args, **kwargs):
    if pcx := kwargs.get("vpc_peering_connection_id"):
        _must_belong(self, self.get_route_table(route_table_id), pcx)
    block, block6 = _masked(destination_cidr_block), _masked(destination_ipv6_cidr_block)
    return original(self, route_table_id, block, block6, *args, **kwargs)


@replace(RouteBackend, "delete_route")
def delete_route(original, self, route_table_id, destination_cidr_block, destination_ipv6_cidr_block=None, *args):
    block, block6 = _masked(destination_cidr_block), _masked(destination_ipv6_cidr_block)
    return original(self, route_table_id, block, block6, *args)


require(RouteTables, "create_route", "replace_route", "delete_route")


# --- security groups -----------------------------------------------------------------------------------------------------


def _rule_key(rule):
    group, block = rule.source_group or {}, rule.ip_range or {}
    return (
        rule.ip_protocol,
        None if rule.ip_protocol == "-1" else (rule.from_port, rule.to_port),
        block.get("CidrIp"),
        block.get("CidrIpv6"),
        group.get("GroupId"),
        rule.prefix_list_id,
    )


@replace(SecurityGroupRule, "__eq__")
def same_rule(_original, self, other):
    return _rule_key(self) == _rule_key(other)


@replace(SecurityGroupRule, "description")
def description(original, self):
    return original(self) or (self.source_group or {}).get("Description")


add(SecurityGroupRule, "group_owner_id")(property(lambda self: self.ec2_backend.account_id))


def _foreign_group(backend, name):
    for regions in list(ec2_backends.values()):
        other = dict.get(regions, backend.region_name)
        if other is not None and other is not backend and (group := other.get_security_group_from_id(name)):
            return group
    return None


def _peering_between(backend, vpc_id, other_id):
    for pcx in list(backend.vpc_pcxs.values()):
        if {pcx.vpc.id, pcx.peer_vpc.id} == {vpc_id, other_id} and pcx.code == "active":
            return pcx
    return None


carriers = []  # what says whether rules of one VPC may name groups of another, beside peerings


@replace(SecurityGroupBackend, "_add_source_group")
def add_source_group(original, self, source_groups, vpc_id):
    # A group of the peer VPC is a source in the same Region while the peering is active:
    # https://docs.aws.amazon.com/vpc/latest/peering/vpc-peering-security-groups.html
    # Over a transit gateway it is for inbound rules alone, where the gateway and both attachments allow it:
    # https://docs.aws.amazon.com/vpc/latest/tgw/tgw-vpc-attachments.html#vpc-attachment-security
    added = []
    own_vpc, direction = getattr(self, "_authorizing", None) or (None, None)
    for item in source_groups or []:
        name = item.get("GroupId")
        own = self.get_security_group_from_id(name) if name else None
        other = own if own is not None else _foreign_group(self, name) if name else None
        if other is None or own_vpc is None or other.vpc_id == own_vpc:
            item.setdefault("UserId", self.account_id)
            added += original(self, [item], vpc_id)
            continue
        if item.get("UserId", self.account_id) != other.owner_id:  # "include the account number with the ID"
            raise InvalidSecurityGroupNotFoundError(name)
        over = {}
        if (pcx := _peering_between(self, own_vpc, other.vpc_id)) is not None:
            over = {"VpcPeeringConnectionId": pcx.id, "PeeringStatus": "active"}
        elif direction != "revoke" and (direction != "ingress" or not any(refers(own_vpc, other.vpc_id) for refers in carriers)):
            raise InvalidSecurityGroupNotFoundError(name)
        added.append({**item, "UserId": other.owner_id, "OwnerId": other.owner_id, "VpcId": other.vpc_id, **over})
    return added


def _with_status(self):
    """A rule stays when its peering is deleted, and says so: it is stale."""
    for group in list(itertools.chain.from_iterable(groups.values() for groups in self.ec2_backend.groups.values())):
        for rule in [*group.ingress_rules, *group.egress_rules]:
            if name := (rule.source_group or {}).get("VpcPeeringConnectionId"):
                pcx = self.ec2_backend.vpc_pcxs.get(name)
                rule.source_group["PeeringStatus"] = pcx.code if pcx is not None else "deleted"


@replace(SecurityGroups, "describe_security_groups")
def describe_groups(original, self):
    _with_status(self)
    return original(self)


@replace(SecurityGroups, "describe_security_group_rules")
def describe_rules(original, self):
    # https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_DescribeSecurityGroupRules.html
    for name in self._filters_from_querystring():
        if name not in ("group-id", "security-group-rule-id") and not name.startswith("tag:"):
            raise EC2ClientError("InvalidParameterValue", f"The filter '{name}' is invalid")
    _with_status(self)
    return original(self)


def _authorize(direction):
    method, rules = f"authorize_security_group_{direction}", f"{direction}_rules"

    @replace(SecurityGroups, method)
    def authorize(_original, self):
        self.error_on_dryrun()
        backend, permissions = self.ec2_backend, list(self._process_rules_from_querystring())
        named = permissions[0]["group_name_or_id"] if permissions else None
        group = backend.get_security_group_by_name_or_id(named, None) if named else None
        before = copy.copy(getattr(group, rules)) if group is not None else []
        backend._authorizing = (group.vpc_id, direction) if group is not None else None
        added = []
        try:
            for permission in permissions:
                added += getattr(backend, method)(**permission)[0]
            if group is not None:
                ec2quotas.must_have_room(backend, getattr(group, rules))
        except EC2ClientError:
            if group is not None:
                setattr(group, rules, before)  # all permissions or none
            raise
        finally:
            backend._authorizing = None
        return ActionResult({"Return": True, "SecurityGroupRules": added})


_authorize("ingress")
_authorize("egress")


def _revoke(direction):
    @replace(SecurityGroupBackend, f"revoke_security_group_{direction}")
    def revoke(original, self, group_name_or_id, *args, **kwargs):
        # A rule is named as it was made, also by a group of another VPC; whether it might be made now does not matter.
        group = self.get_security_group_by_name_or_id(group_name_or_id, None)
        self._authorizing = (group.vpc_id, "revoke") if group is not None else None
        try:
            return original(self, group_name_or_id, *args, **kwargs)
        finally:
            self._authorizing = None


_revoke("ingress")
_revoke("egress")


# --- network ACLs --------------------------------------------------------------------------------------------------------


@replace(NetworkAclBackend, "create_network_acl")
def create_network_acl(original, self, vpc_id, tags=None, default=False):
    acl = original(self, vpc_id, tags, default)
    if not default:
        # "Each network ACL also includes a rule whose rule number is an asterisk":
        # https://docs.aws.amazon.com/vpc/latest/userguide/nacl-basics.html
        for egress in (True, False):
            self.create_network_acl_entry(acl.id, 32767, "-1", "deny", egress, "0.0.0.0/0", None, None, None, None, None)
    return acl


@replace(NetworkAclBackend, "delete_network_acl_entry")
def delete_network_acl_entry(original, self, network_acl_id, rule_number, egress):
    entries = self.get_network_acl(network_acl_id).network_acl_entries
    if not any(entry.egress == egress and entry.rule_number == rule_number for entry in entries):
        raise EC2ClientError(
            "InvalidNetworkAclEntry.NotFound", f"The network acl entry identified by {rule_number} does not exist"
        )
    return original(self, network_acl_id, rule_number, egress)


# --- CIDR blocks of a VPC ------------------------------------------------------------------------------------------------


@replace(VPCBackend, "associate_vpc_cidr_block")
def associate_vpc_cidr_block(original, self, vpc_id, cidr_block, amazon_provided_ipv6_cidr_block):
    vpc = self.get_vpc(vpc_id)
    if cidr_block and not amazon_provided_ipv6_cidr_block:
        cidr_block = _masked(cidr_block)
        new = ipaddress.ip_network(cidr_block)
        for held in vpc.get_cidr_block_association_set(ipv6=False):
            if held["cidr_block_state"]["state"] == "associated" and new.overlaps(ipaddress.ip_network(held["cidr_block"])):
                raise EC2ClientError(
                    "CidrConflict", f"The CIDR '{cidr_block}' conflicts with another subnet or VPC CIDR block"
                )
    return original(self, vpc_id, cidr_block, amazon_provided_ipv6_cidr_block)


@replace(VPCs, "associate_vpc_cidr_block")
def associate_call(original, self):
    block = self._get_param("Ipv6CidrBlock")
    if not block:
        return original(self)
    # A block of one's own pool: https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_AssociateVpcCidrBlock.html
    backend, vpc = self.ec2_backend, self.ec2_backend.get_vpc(self._get_param("VpcId"))
    block = _masked(block)
    held = vpc.associate_vpc_cidr_block(None, True)
    held["cidr_block"] = block
    held["ipv6_pool"] = self._get_param("Ipv6Pool")
    for table in list(backend.route_tables.values()):
        if table.vpc_id == vpc.id:
            backend.create_route(table.id, None, destination_ipv6_cidr_block=block, local=True)
    association = {
        "AssociationId": held["association_id"],
        "Ipv6CidrBlock": block,
        "Ipv6CidrBlockState": {"State": "associating"},
    }
    return ActionResult({"VpcId": vpc.id, "Ipv6CidrBlockAssociation": association})


