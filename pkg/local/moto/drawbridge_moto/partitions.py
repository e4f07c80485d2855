"""Every ARN and every host name in the partition of the hub's Region.

Gap: moto's CloudFormation, security groups and subnets know one partition only.
https://docs.aws.amazon.com/IAM/latest/UserGuide/reference-arns.html
https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/pseudo-parameter-reference.html
"""

from moto.cloudformation.parsing import ResourceMap
from moto.ec2.models.security_groups import SecurityGroup
from moto.ec2.models.subnets import Subnet

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
