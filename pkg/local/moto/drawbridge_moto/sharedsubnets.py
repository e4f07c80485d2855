"""VPCs whose owner shares subnets with other accounts: what each of them sees, and what it may do there.

Gaps closed, by https://docs.aws.amazon.com/vpc/latest/userguide/vpc-share-limitations.html, as for moto nobody but its owner knows a VPC:
  - a participant sees the subnets that RAM gives it, their VPC, route tables and network ACLs, with the owner's id and
    without the owner's tags; it changes none of them
  - it makes security groups in the VPC, and notebooks, functions and databases with network interfaces in those subnets
  - the owner sees the security groups of participants that are on something; a participant sees its own only
What runs in a subnet that is shared no longer goes on; its participant does not see the subnet any more.
"""

import copy
import threading

from moto.awslambda.models import lambda_backends
from moto.ec2.exceptions import EC2ClientError
from moto.ec2.models import ec2_backends
from moto.ec2.models.elastic_network_interfaces import NetworkInterfaceBackend
from moto.ec2.models.network_acls import NetworkAclBackend
from moto.ec2.models.route_tables import RouteBackend
from moto.ec2.models.security_groups import SecurityGroupBackend, SecurityGroupRule
from moto.ec2.models.subnets import SubnetBackend
from moto.ec2.models.vpcs import VPCBackend
from moto.ec2.responses.route_tables import RouteTables
from moto.ec2.responses.subnets import Subnets
from moto.ec2.utils import generic_filter
from moto.rds.models import rds_backends
from moto.redshift.models import redshift_backends
from moto.sagemaker.models import sagemaker_backends

from . import ram
from .patching import replace

_views = {}


def _view(thing):
    """A resource of the owner's as a participant sees it: the owner's tags are the owner's."""
    kind = type(thing)
    if kind not in _views:
        _views[kind] = type(kind.__name__, (kind,), {"get_tags": lambda self: []})
    seen = copy.copy(thing)
    seen.__class__ = _views[kind]
    return seen


def _given(backend):
    """The subnets of others that RAM gives the account of a backend, by id."""
    found = {}
    for share in list(ram.shares.values()):
        if share.region != backend.region_name or share.account == backend.account_id:
            continue
        for arn, status in list(share.resources.items()):
            if status == "ASSOCIATED" and ram.kind(arn) == "subnet" and share.reaches(backend.account_id):
                subnet = _subnet(share.account, share.region, arn.rsplit("/", 1)[-1])
                if subnet is not None:
                    found[subnet.id] = subnet
    return found


def _subnet(account, region, name):
    for zone in list(ec2_backends[account][region].subnets.values()):
        if name in zone:
            return zone[name]
    return None


def _with_given(original, self, ids, filters, things):
    """What an account owns and what it is given, as one answer of a Describe call."""
    if not things:
        return original(self, ids, filters)
    own = [one for one in ids or [] if one not in things]
    found = original(self, own, filters) if own or not ids else []
    given = [_view(thing) for name, thing in things.items() if not ids or name in ids]
    return found + (generic_filter(filters, given) if filters else given)


@replace(SubnetBackend, "describe_subnets")
def describe_subnets(original, self, subnet_ids=None, filters=None):
    return _with_given(original, self, subnet_ids, filters, _given(self))


@replace(SubnetBackend, "get_subnet")
def get_subnet(original, self, subnet_id):
    return _given(self).get(subnet_id) or original(self, subnet_id)


@replace(VPCBackend, "describe_vpcs")
def describe_vpcs(original, self, vpc_ids=None, filters=None):
    vpcs = {one.vpc_id: one.ec2_backend.vpcs[one.vpc_id] for one in _given(self).values()}
    return _with_given(original, self, vpc_ids, filters, vpcs)


# Who makes a network interface in a given subnet may look at the VPC; whoever else asks for one that is not its own has none.
_making = threading.local()


@replace(NetworkInterfaceBackend, "create_network_interface")
def create_network_interface(original, self, *args, **kwargs):
    _making.interface = True
    try:
        return original(self, *args, **kwargs)
    finally:
        _making.interface = False


@replace(VPCBackend, "get_vpc")
def get_vpc(original, self, vpc_id):
    if getattr(_making, "interface", False) and vpc_id not in self.vpcs:
        for subnet in _given(self).values():
            if subnet.vpc_id == vpc_id:
                return subnet.ec2_backend.vpcs[vpc_id]
    return original(self, vpc_id)


@replace(RouteBackend, "describe_route_tables")
def describe_route_tables(original, self, route_table_ids=None, filters=None):
    tables = {}
    for subnet in _given(self).values():
        of_vpc = [one for one in list(subnet.ec2_backend.route_tables.values()) if one.vpc_id == subnet.vpc_id]
        own = [one for one in of_vpc if subnet.id in one._associations.values()]
        tables |= {one.id: one for one in own or [one for one in of_vpc if one.main_association_id]}
    return _with_given(original, self, route_table_ids, filters, tables)


@replace(NetworkAclBackend, "describe_network_acls")
def describe_network_acls(original, self, network_acl_ids=None, filters=None):
    acls = {}
    for subnet in _given(self).values():
        for acl in list(subnet.ec2_backend.network_acls.values()):
            if any(one.subnet_id == subnet.id for one in acl._associations.values()):
                acls[acl.id] = acl
    return _with_given(original, self, network_acl_ids, filters, acls)


# --- security groups of participants ---------------------------------------------------------------------------------------


def _on_something(backend, group):
    """Whether a security group is on a network interface, a database, a function or a domain of its account."""
    at = (backend.account_id, backend.region_name)
    used = [one.id for eni in list(backend.enis.values()) for one in eni.group_set]
    for database in [*rds_backends[at[0]][at[1]].databases.values(), *rds_backends[at[0]][at[1]].clusters.values()]:
        used += database.vpc_security_group_ids or []
    for cluster in list(redshift_backends[at[0]][at[1]].clusters.values()):
        used += cluster.vpc_security_group_ids or []
    for function in lambda_backends[at[0]][at[1]].list_functions():
        used += (function._vpc_config or {}).get("SecurityGroupIds") or []
    for domain in list(sagemaker_backends[at[0]][at[1]].domains.values()):
        used += (domain.default_user_settings or {}).get("SecurityGroups") or []
    return group.id in used


def _of_participants(backend):
    found = {}
    for regions in list(ec2_backends.values()):
        other = dict.get(regions, backend.region_name)
        if other is None or other is backend:
            continue
        for vpc in list(backend.vpcs):
            for group in list(dict.get(other.groups, vpc, {}).values()):
                if _on_something(other, group):
                    found[group.id] = group
    return found


@replace(SecurityGroupBackend, "create_security_group")
def create_security_group(original, self, name, description, vpc_id=None, *args, **kwargs):
    group = original(self, name, description, vpc_id, *args, **kwargs)
    if vpc_id not in self.vpcs and any(one.vpc_id == vpc_id for one in _given(self).values()):
        # moto gives it to groups of VPCs that it knows: https://docs.aws.amazon.com/vpc/latest/userguide/vpc-security-groups.html
        group.egress_rules.append(SecurityGroupRule(self, "-1", group.id, None, None, {"CidrIp": "0.0.0.0/0"}))
    return group


@replace(SecurityGroupBackend, "describe_security_groups")
def describe_security_groups(original, self, group_ids=None, groupnames=None, filters=None):
    theirs = {} if groupnames else _of_participants(self)
    if not theirs:
        return original(self, group_ids, groupnames, filters)
    own = [one for one in group_ids or [] if one not in theirs]
    found = original(self, own, groupnames, filters) if own or not group_ids else []
    given = [_view(group) for name, group in theirs.items() if not group_ids or name in group_ids]
    return found + [one for one in given if not filters or one.matches_filters(filters)]


# --- what only the owner may do ---------------------------------------------------------------------------------------------


def _owners_only(responses, name):
    @replace(responses, name)
    def refuse(original, self):
        if self._get_param("SubnetId") in _given(self.ec2_backend):
            raise EC2ClientError("UnauthorizedOperation", "You are not authorized to perform this operation.")
        return original(self)


_owners_only(Subnets, "delete_subnet")
_owners_only(Subnets, "modify_subnet_attribute")
_owners_only(Subnets, "associate_subnet_cidr_block")
_owners_only(RouteTables, "associate_route_table")
