"""Databases that say which VPC they are in.

Gaps closed:
  - Redshift DescribeClusters has no VpcId, and shows the security groups of the VPC under a wrong shape
    https://docs.aws.amazon.com/redshift/latest/APIReference/API_Cluster.html
  - a Redshift cluster has no ARN of its namespace, by which policies know it
  - the id of a proxy is another in every run; here it follows from its name
  - an RDS instance does not say of which families its addresses are, nor, unless it was asked for, whether it has a public one
    https://docs.aws.amazon.com/AmazonRDS/latest/APIReference/API_CreateDBInstance.html
  - an RDS instance shows its endpoint always; on AWS it shows none while it is being created, and a story may say so of one
    https://docs.aws.amazon.com/AmazonRDS/latest/APIReference/API_DBInstance.html
  - an option of an option group has no port
    https://docs.aws.amazon.com/AmazonRDS/latest/APIReference/API_Option.html
  - a proxy has no endpoints that were added to it; here with what DescribeDBProxyEndpoints shows of them
    https://docs.aws.amazon.com/AmazonRDS/latest/APIReference/API_DBProxyEndpoint.html
  - an RDS instance without security groups of its own gets the default group of the default VPC, even when its subnet group
    is elsewhere
    https://docs.aws.amazon.com/AmazonRDS/latest/APIReference/API_CreateDBInstance.html
"""

import hashlib
import uuid

from moto.ec2.models import ec2_backends
from moto.core.responses import ActionResult
from moto.rds.models import DBInstance, DBProxy, OptionGroup, rds_backends
from moto.rds.responses import RDSResponse
from moto.redshift.models import Cluster, SubnetGroup
from moto.utilities.arns import parse_arn

from . import config, demands
from .patching import add, replace, require

require(SubnetGroup, "vpc_id")
require(Cluster, "vpc_security_group_membership_list")


def _redshift_vpc(cluster):
    group = cluster.redshift_backend.subnet_groups.get(cluster.cluster_subnet_group_name)
    if group is not None:
        return group.vpc_id
    default = ec2_backends[cluster.account_id][cluster.region].default_vpc
    return default.id if default is not None else None


add(Cluster, "vpc_id")(property(_redshift_vpc))


def _namespace(cluster):
    identity = uuid.uuid5(uuid.NAMESPACE_OID, f"{cluster.account_id}/{cluster.region}/{cluster.cluster_identifier}")
    return f"arn:{config.PARTITION}:redshift:{cluster.region}:{cluster.account_id}:namespace:{identity}"


add(Cluster, "cluster_namespace_arn")(property(_namespace))


@replace(DBProxy, "__init__")
def db_proxy(original, self, backend, db_proxy_name, *args, **kwargs):
    original(self, backend, db_proxy_name, *args, **kwargs)
    self.unique_id = "prx-" + hashlib.sha256(db_proxy_name.encode()).hexdigest()[:17]


@replace(OptionGroup, "add_options")
def add_options(original, self, options_to_add):
    original(self, options_to_add)
    if not hasattr(self, "_ports"):
        self._ports = {}
    for option in options_to_add:
        if option.get("Port"):
            self._ports[option["OptionName"]] = int(option["Port"])


_options = OptionGroup.options


@property
def options(self):
    ports = getattr(self, "_ports", {})
    return [one | ({"Port": ports[one["OptionName"]]} if one["OptionName"] in ports else {}) for one in _options.fget(self)]


OptionGroup.options = options


@add(RDSResponse, "create_db_proxy_endpoint")
def create_db_proxy_endpoint(self):
    proxy = self.backend.describe_db_proxies(self.params["DBProxyName"])[0]
    ec2 = ec2_backends[self.current_account][self.region]
    subnets = ec2.describe_subnets(subnet_ids=self.params["VpcSubnetIds"])
    name = self.params["DBProxyEndpointName"]
    identity = hashlib.sha256(name.encode()).hexdigest()[:17]
    made = {
        "DBProxyEndpointName": name,
        "DBProxyEndpointArn": f"arn:{config.PARTITION}:rds:{self.region}:{self.current_account}:db-proxy-endpoint:prx-endpoint-{identity}",
        "DBProxyName": proxy.db_proxy_name,
        "Status": "available",
        "VpcId": subnets[0].vpc_id,
        "VpcSecurityGroupIds": self.params.get("VpcSecurityGroupIds") or [ec2.get_default_security_group(subnets[0].vpc_id).id],
        "VpcSubnetIds": self.params["VpcSubnetIds"],
        "Endpoint": f"{name}.endpoint.proxy-{proxy.url_identifier}.{self.region}.rds.amazonaws.com",
        "TargetRole": self.params.get("TargetRole") or "READ_WRITE",
        "IsDefault": False,
    }
    if not hasattr(self.backend, "proxy_endpoints"):
        self.backend.proxy_endpoints = {}
    self.backend.proxy_endpoints[name] = made
    return ActionResult({"DBProxyEndpoint": made})


@add(RDSResponse, "describe_db_proxy_endpoints")
def describe_db_proxy_endpoints(self):
    known = getattr(self.backend, "proxy_endpoints", {}).values()
    of, name = self.params.get("DBProxyName"), self.params.get("DBProxyEndpointName")
    return ActionResult({"DBProxyEndpoints": [one for one in known if of in (None, one["DBProxyName"]) and name in (None, one["DBProxyEndpointName"])]})


demands.CALLS |= {
    "rds:DescribeDBProxyEndpoints": lambda call: call.on(call.arn(f"db-proxy-endpoint:{call.get('DBProxyEndpointName') or '*'}")),
    "rds:DescribeOptionGroups": lambda call: call.on(call.arn(f"og:{call.get('OptionGroupName') or '*'}")),
}


@replace(DBInstance, "__init__")
def db_instance(original, self, *args, **kwargs):
    original(self, *args, **kwargs)
    self.network_type = kwargs.get("network_type") or "IPV4"
    if self.publicly_accessible is None:
        named = kwargs.get("db_subnet_group_name")
        self.publicly_accessible = named == "default" if named else not self.engine.startswith("aurora")
    group = getattr(self, "db_subnet_group", None)
    if group is not None and self.db_cluster_identifier is None and not kwargs.get("vpc_security_group_ids"):
        ec2 = ec2_backends[self.account_id][self.region]
        default = ec2.get_default_security_group(group.vpc_id)
        if default is not None:
            self.vpc_security_group_ids = [default.id]


# The ARNs of instances that show no endpoint for now.
_unanswering = set()


def answer(arn, status):
    """Lets an RDS instance show this status and no endpoint; with an empty status, that it is available, and its endpoint."""
    at = parse_arn(arn)
    for instance in list(rds_backends[at.account][at.region].databases.values()):
        if instance.db_instance_arn == arn:
            (_unanswering.add if status else _unanswering.discard)(arn)
            instance.status = status or "available"
            return True
    return False


@replace(DBInstance, "endpoint")
def endpoint(original, self):
    return None if self.db_instance_arn in _unanswering else original(self)
