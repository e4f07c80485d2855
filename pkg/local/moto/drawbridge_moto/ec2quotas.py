"""How much room route tables, security groups and interfaces have, and what a rule may be called.

Gaps closed (https://docs.aws.amazon.com/vpc/latest/userguide/amazon-vpc-limits.html):
  - rules of IPv4 and of IPv6 are counted together, and a prefix list not at all
  - descriptions of rules and groups are taken as they come
  - a route table has room for any number of routes, an interface for any number of groups
"""

import ipaddress
import re

from moto.ec2.exceptions import EC2ClientError, RulesPerSecurityGroupLimitExceededError
from moto.ec2.models.elastic_network_interfaces import NetworkInterfaceBackend
from moto.ec2.models.route_tables import RouteBackend
from moto.ec2.models.security_groups import SecurityGroupBackend
from moto.ec2.models.vpcs import VPCBackend

from . import config
from .checks import Refused, check
from .patching import replace, require

RULES_PER_GROUP, GROUPS_PER_INTERFACE = 60, 5


# --- descriptions --------------------------------------------------------------------------------------------------------

_ALLOWED = "a-zA-Z0-9. _-:/()#,@[]+=&;{}!$*"
_DESCRIPTION = re.compile(r"[a-zA-Z0-9. _\-:/()#,@\[\]+=&;{}!$*]{0,255}")


def _described(value):
    if isinstance(value, dict):
        for key, inner in value.items():
            if key == "Description" and isinstance(inner, str):
                yield inner
            else:
                yield from _described(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _described(inner)


@check(
    "ec2",
    "AuthorizeSecurityGroupIngress",
    "AuthorizeSecurityGroupEgress",
    "UpdateSecurityGroupRuleDescriptionsIngress",
    "UpdateSecurityGroupRuleDescriptionsEgress",
    "ModifySecurityGroupRules",
)
def rule_descriptions(given):
    # https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_IpRange.html
    for text in _described(given):
        if not _DESCRIPTION.fullmatch(text):
            raise Refused(
                "InvalidParameterValue",
                "Invalid rule description. Valid descriptions are strings less than 256 characters from the following set:  "
                + _ALLOWED,
            )


@check("ec2", "CreateSecurityGroup")
def group_description(given):
    # https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_CreateSecurityGroup.html
    for what, text in (("name", given.get("GroupName")), ("description", given.get("Description"))):
        if isinstance(text, str) and not _DESCRIPTION.fullmatch(text):
            raise Refused(
                "InvalidParameterValue",
                f"Invalid security group {what}. Valid {what}s are strings less than 256 characters from the following set:  "
                + _ALLOWED,
            )


# --- rules of a group ----------------------------------------------------------------------------------------------------

require(SecurityGroupBackend, "_verify_group_will_respect_rule_count_limit", "_iterate_security_rules")


@replace(SecurityGroupBackend, "_verify_group_will_respect_rule_count_limit")
def counted_by_authorize(_original, self, group, current_rule_nb, ip_ranges, source_groups=None, egress=False):
    pass  # must_have_room counts, once the rules are there


def weights(backend, rule):
    """How many rules of IPv4 and of IPv6 a rule counts as.

    "This quota is enforced separately for inbound and outbound rules … and for IPv4 rules and IPv6 rules", a group or a
    list of AWS's counts in both, a customer's list with its maximum number of entries.
    """
    block = rule.ip_range or {}
    if block.get("CidrIp"):
        return 1, 0
    if block.get("CidrIpv6"):
        return 0, 1
    if rule.prefix_list_id:
        return _entries(backend, rule.prefix_list_id)
    return 1, 1


def _entries(backend, name):
    listed = backend.managed_prefix_lists.get(name)
    if listed is None or not listed.max_entries:
        return 1, 1
    return (0, int(listed.max_entries)) if listed.address_family == "IPv6" else (int(listed.max_entries), 0)


def must_have_room(backend, rules):
    if any(sum(one) > RULES_PER_GROUP for one in zip(*(weights(backend, rule) for rule in rules))):
        raise RulesPerSecurityGroupLimitExceededError


# --- routes of a table ---------------------------------------------------------------------------------------------------


@replace(RouteBackend, "create_route")
def create_route(original, self, route_table_id, destination_cidr_block, *args, **kwargs):
    route = original(self, route_table_id, destination_cidr_block, *args, **kwargs)
    table = self.get_route_table(route_table_id)
    # Whether AWS counts the local routes as well is not documented; here they count.
    count = [sum(one) for one in zip(*(_places(self, one) for one in table.routes))]
    if max(count) > config.ROUTES_PER_TABLE and not route.local:
        del table._routes[route.id]
        raise EC2ClientError("RouteLimitExceeded", f"The maximum number of routes has been reached for {route_table_id}.")
    return route


def _places(backend, route):
    # "enforced separately for IPv4 routes and IPv6 routes"; a prefix list takes its maximum number of entries.
    if name := route.destination_prefix_list_id:
        return _entries(backend, name)
    block = route.destination_cidr_block or route.destination_ipv6_cidr_block
    return (0, 1) if ipaddress.ip_network(block, strict=False).version == 6 else (1, 0)


# --- groups of an interface ----------------------------------------------------------------------------------------------


def _must_be_few(names):
    if len(set(names or [])) > GROUPS_PER_INTERFACE:
        # https://docs.aws.amazon.com/AWSEC2/latest/APIReference/errors-overview.html
        text = "The maximum number of security groups per interface has been reached."
        raise EC2ClientError("SecurityGroupsPerInterfaceLimitExceeded", text)


@replace(NetworkInterfaceBackend, "create_network_interface")
def create_interface(original, self, subnet, private_ip_address, private_ip_addresses=None, group_ids=None, *args, **kwargs):
    _must_be_few(group_ids)
    return original(self, subnet, private_ip_address, private_ip_addresses, group_ids, *args, **kwargs)


@replace(NetworkInterfaceBackend, "modify_network_interface_attribute")
def modify_interface(original, self, eni_id, group_ids, *args, **kwargs):
    _must_be_few(group_ids)
    return original(self, eni_id, group_ids, *args, **kwargs)


@replace(VPCBackend, "create_vpc_endpoint")
def create_endpoint(original, self, *args, **kwargs):
    _must_be_few(kwargs.get("security_group_ids"))
    return original(self, *args, **kwargs)
