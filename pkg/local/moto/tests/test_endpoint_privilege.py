"""What the step PlaceEndpoints may do: its role of the template that is deployed, tried on the engine."""

import json
import pathlib

from .engine import CONSUMER, HUB, REGION, Case

TEMPLATE = pathlib.Path(__file__).parents[4] / "infra" / "template" / "member.template.json"
DATA_API, NOTEBOOKS = f"com.amazonaws.{REGION}.rds-data", f"com.amazonaws.{REGION}.sagemaker.api"
VALUES = {"${AWS::Partition}": "aws", "${AWS::AccountId}": CONSUMER, "${HubAccount}": HUB}


def plain(value):
    """The value without the functions of CloudFormation that a policy uses."""
    if isinstance(value, list):
        return [plain(one) for one in value]
    if not isinstance(value, dict):
        return value
    text = value.get("Fn::Sub")
    if text is None:
        return {key: plain(one) for key, one in value.items()}
    for name, given in VALUES.items():
        text = text.replace(name, given)
    return text


def policy(role):
    for resource in json.loads(TEMPLATE.read_text())["Resources"].values():
        if resource["Type"] == "AWS::IAM::Role" and resource["Properties"]["RoleName"] == role:
            # What changes something stands in a policy of its own, for members that let themselves be changed.
            both = [one["Fn::If"][1] if "Fn::If" in one else one for one in resource["Properties"]["Policies"]]
            return plain({"Version": "2012-10-17", "Statement": [each for one in both for each in one["PolicyDocument"]["Statement"]]})
    raise KeyError(role)


class PlaceEndpoints(Case):
    def setUp(self):
        super().setUp()
        self.owner = self.client("ec2", CONSUMER)
        self.vpc_id = self.vpc(CONSUMER, "10.60.0.0/16")
        for name in ("EnableDnsSupport", "EnableDnsHostnames"):
            self.owner.modify_vpc_attribute(VpcId=self.vpc_id, **{name: {"Value": True}})
        self.subnet = self.owner.create_subnet(VpcId=self.vpc_id, CidrBlock="10.60.0.0/24")["Subnet"]["SubnetId"]
        iam, role = self.client("iam", CONSUMER), "drawbridge-member-place-endpoints"
        trust = {"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {"AWS": CONSUMER}}
        iam.create_role(RoleName=role, AssumeRolePolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": [trust]}))
        iam.put_role_policy(RoleName=role, PolicyName="step", PolicyDocument=json.dumps(policy(role)))
        arn = f"arn:aws:iam::{CONSUMER}:role/{role}"
        keys = self.client("sts", CONSUMER).assume_role(RoleArn=arn, RoleSessionName="run-1")["Credentials"]
        self.step = self.client("ec2", CONSUMER, keys=keys)

    def tags(self, kind, value):
        return [{"ResourceType": kind, "Tags": [{"Key": "drawbridge:connection", "Value": value}]}] if value else []

    def group(self, ec2, name, word):
        made = ec2.create_security_group(
            GroupName=name, Description="d", VpcId=self.vpc_id, TagSpecifications=self.tags("security-group", word)
        )
        return made["GroupId"]

    def endpoint(self, ec2, service, word, group, **more):
        made = ec2.create_vpc_endpoint(
            VpcEndpointType="Interface", VpcId=self.vpc_id, ServiceName=service, SubnetIds=[self.subnet], SecurityGroupIds=[group],
            TagSpecifications=self.tags("vpc-endpoint", word), **more,
        )  # fmt: skip
        return made["VpcEndpoint"]["VpcEndpointId"]

    def test_it_places_the_endpoints_of_both_machines(self):
        for word, service in ((f"data-api-endpoint-{self.vpc_id}", DATA_API), (f"private-notebooks-{self.vpc_id}", NOTEBOOKS)):
            with self.subTest(service):
                group = self.group(self.step, f"drawbridge-{word}", word)
                made = self.endpoint(self.step, service, word, group)
                self.step.delete_vpc_endpoints(VpcEndpointIds=[made])

    def test_private_dns_takes_a_right_of_route_53(self):
        word = f"data-api-endpoint-{self.vpc_id}"
        group = self.group(self.step, "ours", word)
        made = self.endpoint(self.step, DATA_API, word, group, PrivateDnsEnabled=True)
        self.step.delete_vpc_endpoints(VpcEndpointIds=[made])
        role, document = "drawbridge-member-place-endpoints", policy("drawbridge-member-place-endpoints")
        document["Statement"] = [one for one in document["Statement"] if one["Action"] != ["route53:AssociateVPCWithHostedZone"]]
        self.client("iam", CONSUMER).put_role_policy(RoleName=role, PolicyName="step", PolicyDocument=json.dumps(document))
        call = lambda dns: self.endpoint(self.step, NOTEBOOKS, word, group, PrivateDnsEnabled=dns)
        error = self.fails("UnauthorizedOperation", call, True)
        self.assertIn("route53:AssociateVPCWithHostedZone", str(error))
        call(False)

    def test_it_touches_nothing_else(self):
        word = f"data-api-endpoint-{self.vpc_id}"
        ours, theirs = self.group(self.step, "ours", word), self.group(self.owner, "theirs", "")
        own = self.endpoint(self.owner, DATA_API, "", theirs)
        entry = {"IpProtocol": "tcp", "FromPort": 443, "ToPort": 443, "IpRanges": [{"CidrIp": "0.0.0.0/0"}]}
        acl = self.owner.describe_network_acls()["NetworkAcls"][0]["NetworkAclId"]
        for what, call in {
            "an endpoint of another service": lambda: self.endpoint(self.step, f"com.amazonaws.{REGION}.secretsmanager", word, ours),
            "an endpoint without the tag": lambda: self.endpoint(self.step, DATA_API, "", ours),
            "an endpoint with the word of a connection": lambda: self.endpoint(self.step, DATA_API, "pcx-0123456789abcdef0", ours),
            "an endpoint with the owner's group": lambda: self.endpoint(self.step, DATA_API, word, theirs),
            "deleting the owner's endpoint": lambda: self.step.delete_vpc_endpoints(VpcEndpointIds=[own]),
            "changing the owner's endpoint": lambda: self.step.modify_vpc_endpoint(VpcEndpointId=own, AddSubnetIds=[self.subnet]),
            "a rule in the owner's group": lambda: self.step.authorize_security_group_ingress(
                GroupId=theirs, IpPermissions=[entry], TagSpecifications=self.tags("security-group-rule", word)
            ),
            "a group without the tag": lambda: self.group(self.step, "x", ""),
            "taking a thing over by a tag": lambda: self.step.create_tags(
                Resources=[theirs], Tags=[{"Key": "drawbridge:connection", "Value": word}]
            ),
            "tagging the VPC": lambda: self.step.create_tags(
                Resources=[self.vpc_id], Tags=[{"Key": "drawbridge:data-api", "Value": "true"}]
            ),
            "a network ACL": lambda: self.step.create_network_acl_entry(
                NetworkAclId=acl, RuleNumber=50, Egress=False, Protocol="6", RuleAction="allow", CidrBlock="0.0.0.0/0",
                PortRange={"From": 443, "To": 443},
            ),  # fmt: skip
        }.items():
            with self.subTest(what):
                self.fails("UnauthorizedOperation", call)
