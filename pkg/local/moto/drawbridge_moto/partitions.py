"""ARNs and host names in the partition of the hub's Region, and Regions that moto has not heard of.

Gap: moto's CloudFormation, security groups and subnets know one partition only.
https://docs.aws.amazon.com/IAM/latest/UserGuide/reference-arns.html
https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/pseudo-parameter-reference.html
"""

import os

from moto.cloudformation.parsing import ResourceMap
from moto.ec2.models.availability_zones_and_regions import RegionsAndZonesBackend, Zone
from moto.ec2.models.security_groups import SecurityGroup
from moto.ec2.models.subnets import Subnet
from moto.rds.models import DBCluster, DBInstance
from moto.redshift.models import Cluster
from moto.sqs.models import Queue

from . import config
from .patching import replace


@replace(ResourceMap, "__init__")
def pseudo_parameters(original, self, *args, **kwargs):
    original(self, *args, **kwargs)
    self._parsed_resources |= {"AWS::Partition": config.PARTITION, "AWS::URLSuffix": config.DNS_SUFFIX}


@replace(SecurityGroup, "__init__")
def security_group(original, self, *args, **kwargs):
    original(self, *args, **kwargs)
    self.arn = self.arn.replace("arn:aws:", f"arn:{config.PARTITION}:", 1)


@replace(Subnet, "arn")
def subnet(original, self):
    return original(self).replace("arn:aws:", f"arn:{config.PARTITION}:", 1)


# Gap: the addresses that moto makes up end alike in all partitions.
# https://docs.aws.amazon.com/general/latest/gr/rande.html
def _address(owner, name):
    @replace(owner, name)
    def address(original, self):
        return original(self).replace(".amazonaws.com", f".{config.DNS_SUFFIX}", 1)


for _owner, _name in (
    (DBCluster, "endpoint"),
    (DBCluster, "reader_endpoint"),
    (DBInstance, "address"),
    (Cluster, "address"),
    (Queue, "physical_resource_id"),
):
    _address(_owner, _name)

# Gap: moto knows the Regions that its botocore lists. A newer one is a Region too, with three zones.
os.environ.setdefault("MOTO_ALLOW_NONEXISTENT_REGION", "true")
RegionsAndZonesBackend.zones.setdefault(
    config.REGION,
    [Zone(region_name=config.REGION, name=config.REGION + letter, zone_id=f"{config.REGION}-az{n}") for n, letter in enumerate("abc", 1)],
)
