import json

from .engine import CONSUMER, REGION, Case

API, UI = f"com.amazonaws.{REGION}.sagemaker.api", f"aws.sagemaker.{REGION}.notebook"
POLICY = f"arn:aws:iam::{CONSUMER}:policy/drawbridge/drawbridge-private-notebooks"
OPTED_IN = {"StringEquals": {"aws:ResourceTag/drawbridge:private-notebooks": "true"}, "ArnEquals": {"iam:PolicyARN": POLICY}}
DOCUMENT = json.dumps({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "s3:GetObject", "Resource": "*"}]})


class Endpoints(Case):
    def network(self, dns=True):
        ec2 = self.client("ec2", CONSUMER)
        vpc = self.vpc(CONSUMER, "10.60.0.0/16")
        for name in ("EnableDnsSupport", "EnableDnsHostnames"):
            ec2.modify_vpc_attribute(VpcId=vpc, **{name: {"Value": dns}})
        subnet = ec2.create_subnet(VpcId=vpc, CidrBlock="10.60.0.0/24")["Subnet"]["SubnetId"]
        return ec2, vpc, subnet

    def make(self, ec2, vpc, subnet, service=API, **more):
        made = ec2.create_vpc_endpoint(
            VpcEndpointType="Interface", VpcId=vpc, ServiceName=service, SubnetIds=[subnet], PrivateDnsEnabled=True, **more
        )
        return made["VpcEndpoint"]["VpcEndpointId"]

    def state(self, ec2, name):
        return ec2.describe_vpc_endpoints(VpcEndpointIds=[name])["VpcEndpoints"][0]["State"]

    def test_an_endpoint_comes_and_goes_in_steps(self):
        ec2, vpc, subnet = self.network()
        name = self.make(ec2, vpc, subnet)
        self.assertEqual(["pending", "available"], [self.state(ec2, name) for _ in "ab"])
        self.assertEqual([], ec2.delete_vpc_endpoints(VpcEndpointIds=[name])["Unsuccessful"])
        self.assertEqual(["deleting", "deleted"], [self.state(ec2, name) for _ in "ab"])
        gone = ec2.delete_vpc_endpoints(VpcEndpointIds=[name])["Unsuccessful"]
        self.assertEqual("InvalidVpcEndpoint.NotFound", gone[0]["Error"]["Code"])

    def test_private_dns_needs_the_attributes_and_takes_its_name_once(self):
        ec2, vpc, subnet = self.network(dns=False)
        self.fails("InvalidParameter", self.make, ec2, vpc, subnet)
        ec2, vpc, subnet = self.network()
        self.make(ec2, vpc, subnet)
        self.make(ec2, vpc, subnet, UI)
        self.assertIn("already a conflicting DNS domain", str(self.fails("InvalidParameter", self.make, ec2, vpc, subnet)))

    def test_a_group_in_use_stays(self):
        ec2, vpc, subnet = self.network()
        group = ec2.create_security_group(GroupName="g", Description="d", VpcId=vpc)["GroupId"]
        name = self.make(ec2, vpc, subnet, SecurityGroupIds=[group])
        self.fails("DependencyViolation", ec2.delete_security_group, GroupId=group)
        ec2.delete_vpc_endpoints(VpcEndpointIds=[name])
        self.assertEqual(["deleting", "deleted"], [self.state(ec2, name) for _ in "ab"])
        ec2.delete_security_group(GroupId=group)

    def test_the_services_of_sagemaker_are_offered(self):
        ec2 = self.client("ec2", CONSUMER)
        asked = [{"Name": "service-name", "Values": [API, UI, "com.amazonaws.nowhere"]}]
        offered = ec2.describe_vpc_endpoint_services(Filters=asked)["ServiceDetails"]
        self.assertEqual({API, UI}, {one["ServiceName"] for one in offered})
        self.assertTrue(all(one["AvailabilityZones"] for one in offered))

    def granter(self):
        """IAM with what the step GrantNotebookAccess may do there."""
        iam = self.client("iam", CONSUMER)
        trust = {"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {"AWS": CONSUMER}}
        iam.create_role(RoleName="drawbridge-member-step", AssumeRolePolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": [trust]}))
        any_role = f"arn:aws:iam::{CONSUMER}:role/*"
        statements = [
            {"Effect": "Allow", "Action": ["iam:CreatePolicy", "iam:CreatePolicyVersion", "iam:DeletePolicy"], "Resource": POLICY},
            {"Effect": "Allow", "Action": "iam:AttachRolePolicy", "Resource": any_role, "Condition": OPTED_IN},
            {"Effect": "Allow", "Action": "iam:DetachRolePolicy", "Resource": any_role, "Condition": {"ArnEquals": OPTED_IN["ArnEquals"]}},
        ]
        policy = json.dumps({"Version": "2012-10-17", "Statement": statements})
        iam.put_role_policy(RoleName="drawbridge-member-step", PolicyName="step", PolicyDocument=policy)
        for name, tags in (("opted-in", [{"Key": "drawbridge:private-notebooks", "Value": "true"}]), ("closed", [])):
            iam.create_role(RoleName=name, AssumeRolePolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": [trust]}), Tags=tags)
        keys = self.client("sts", CONSUMER).assume_role(
            RoleArn=f"arn:aws:iam::{CONSUMER}:role/drawbridge-member-step", RoleSessionName="run-1"
        )["Credentials"]
        return self.client("iam", CONSUMER, keys=keys)

    def test_only_our_policy_is_written_and_only_roles_that_opted_in_get_it(self):
        iam, owner = self.granter(), self.client("iam", CONSUMER)
        iam.create_policy(PolicyName="drawbridge-private-notebooks", Path="/drawbridge/", PolicyDocument=DOCUMENT)
        other = owner.create_policy(PolicyName="other", PolicyDocument=DOCUMENT)["Policy"]["Arn"]
        iam.attach_role_policy(RoleName="opted-in", PolicyArn=POLICY)
        iam.detach_role_policy(RoleName="opted-in", PolicyArn=POLICY)
        owner.attach_role_policy(RoleName="closed", PolicyArn=POLICY)
        iam.detach_role_policy(RoleName="closed", PolicyArn=POLICY)
        owner.attach_role_policy(RoleName="closed", PolicyArn=other)
        for what, call in {
            "our policy on a role that did not opt in": lambda: iam.attach_role_policy(RoleName="closed", PolicyArn=POLICY),
            "our policy on Drawbridge's own role": lambda: iam.attach_role_policy(RoleName="drawbridge-member-step", PolicyArn=POLICY),
            "another policy on a role that opted in": lambda: iam.attach_role_policy(RoleName="opted-in", PolicyArn=other),
            "AWS's policy on a role that opted in": lambda: iam.attach_role_policy(
                RoleName="opted-in", PolicyArn="arn:aws:iam::aws:policy/AdministratorAccess"
            ),
            "taking another policy away": lambda: iam.detach_role_policy(RoleName="closed", PolicyArn=other),
            "a policy of another name": lambda: iam.create_policy(PolicyName="x", Path="/drawbridge/", PolicyDocument=DOCUMENT),
            "a policy of another path": lambda: iam.create_policy(PolicyName="drawbridge-private-notebooks", PolicyDocument=DOCUMENT),
            "another policy's text": lambda: iam.create_policy_version(PolicyArn=other, PolicyDocument=DOCUMENT),
            "deleting another policy": lambda: iam.delete_policy(PolicyArn=other),
            "an inline policy": lambda: iam.put_role_policy(RoleName="opted-in", PolicyName="p", PolicyDocument=DOCUMENT),
            "opting in for somebody": lambda: iam.tag_role(RoleName="closed", Tags=[{"Key": "drawbridge:private-notebooks", "Value": "true"}]),
        }.items():
            with self.subTest(what):
                self.fails("AccessDenied", call)
