import json

from .engine import CONSUMER, PRODUCER, Case

ROLE, SERVICE = "AWSServiceRoleForVPCTransitGateway", "transitgateway.amazonaws.com"
ARN = f"arn:aws:iam::{PRODUCER}:role/aws-service-role/{SERVICE}/{ROLE}"
ATTACH = {
    "Effect": "Allow",
    "Action": ["ec2:CreateTransitGatewayVpcAttachment", "ec2:CreateTags"],
    "Resource": "*",
}
# https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles_create-service-linked-role.html#service-linked-role-permissions
MAKE = {
    "Effect": "Allow",
    "Action": "iam:CreateServiceLinkedRole",
    "Resource": ARN,
    "Condition": {"StringEquals": {"iam:AWSServiceName": SERVICE}},
}


class LinkedRoles(Case):
    """CONSUMER's gateway accepts what a role of PRODUCER, where nobody ever attached a VPC, attaches to it."""

    def setUp(self):
        super().setUp()
        self.iam = self.client("iam", PRODUCER)
        self.iam.create_role(
            RoleName="drawbridge-member-step",
            AssumeRolePolicyDocument=json.dumps(
                {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {"AWS": PRODUCER}}]}
            ),
        )

    def step(self, service, *statements):
        document = json.dumps({"Version": "2012-10-17", "Statement": list(statements)})
        self.iam.put_role_policy(RoleName="drawbridge-member-step", PolicyName="step", PolicyDocument=document)
        arn = f"arn:aws:iam::{PRODUCER}:role/drawbridge-member-step"
        keys = self.client("sts", PRODUCER).assume_role(RoleArn=arn, RoleSessionName="run-1")["Credentials"]
        return self.client(service, PRODUCER, keys=keys)

    def gateway(self, accepts="enable"):
        owner = self.client("ec2", CONSUMER)
        made = owner.create_transit_gateway(Options={"AutoAcceptSharedAttachments": accepts})["TransitGateway"]
        self.client("ram", CONSUMER).create_resource_share(
            name="hub", resourceArns=[made["TransitGatewayArn"]], principals=[PRODUCER]
        )
        return made["TransitGatewayId"]

    def attach(self, ec2, gateway, cidr="10.2.0.0/16"):
        vpc = self.vpc(PRODUCER, cidr)
        subnet = self.client("ec2", PRODUCER).create_subnet(VpcId=vpc, CidrBlock=cidr)["Subnet"]["SubnetId"]
        made = ec2.create_transit_gateway_vpc_attachment(TransitGatewayId=gateway, VpcId=vpc, SubnetIds=[subnet])
        self.where = {"TransitGatewayId": gateway, "VpcId": vpc, "SubnetIds": [subnet]}
        return made["TransitGatewayVpcAttachment"]["TransitGatewayAttachmentId"]

    def state(self, name):
        found = self.client("ec2", PRODUCER).describe_transit_gateway_vpc_attachments(TransitGatewayAttachmentIds=[name])
        return found["TransitGatewayVpcAttachments"][0]["State"]

    def ends(self, name, state):
        self.eventually(lambda: self.state(name) not in ("pending", "pendingAcceptance"))
        self.assertEqual(state, self.state(name))

    def roles(self):
        return [one["Arn"] for one in self.iam.list_roles(PathPrefix="/aws-service-role/")["Roles"]]

    def test_without_the_role_and_the_right_to_make_it_an_attachment_fails(self):
        ec2, gateway = self.step("ec2", ATTACH), self.gateway()
        name = self.attach(ec2, gateway)
        self.assertEqual("pending", self.state(name))
        self.ends(name, "failed")
        self.assertEqual([], self.roles())
        # "While in this state, it cannot be deleted": https://docs.aws.amazon.com/vpc/latest/tgw/tgw-vpc-attachments.html
        self.fails("IncorrectState", self.client("ec2", PRODUCER).delete_transit_gateway_vpc_attachment, TransitGatewayAttachmentId=name)
        table = self.client("ec2", CONSUMER).describe_transit_gateways()["TransitGateways"][0]["Options"]["AssociationDefaultRouteTableId"]
        related = self.client("ec2", CONSUMER).get_transit_gateway_route_table_associations(TransitGatewayRouteTableId=table)
        self.assertEqual([], related["Associations"])
        self.iam.create_service_linked_role(AWSServiceName=SERVICE)
        again = ec2.create_transit_gateway_vpc_attachment(**self.where)["TransitGatewayVpcAttachment"]
        self.ends(again["TransitGatewayAttachmentId"], "available")
        self.pass_days("attachment", name, 1 / 24)
        self.assertEqual("failed", self.state(name))
        self.pass_days("attachment", name, 1)
        self.fails("InvalidTransitGatewayAttachmentID.NotFound", self.state, name)

    def test_the_role_is_made_for_who_may_make_it(self):
        name = self.attach(self.step("ec2", ATTACH, MAKE), self.gateway())
        self.assertEqual([ARN], self.roles())
        self.ends(name, "available")

    def test_the_right_to_make_another_services_role_is_none(self):
        other = {**MAKE, "Resource": "*", "Condition": {"StringEquals": {"iam:AWSServiceName": "rds.amazonaws.com"}}}
        self.ends(self.attach(self.step("ec2", ATTACH, other), self.gateway()), "failed")

    def test_an_account_that_has_the_role_needs_no_right(self):
        self.iam.create_service_linked_role(AWSServiceName=SERVICE)
        self.ends(self.attach(self.step("ec2", ATTACH), self.gateway()), "available")

    def test_who_is_no_role_of_drawbridges_may_make_it(self):
        self.ends(self.attach(self.client("ec2", PRODUCER), self.gateway()), "available")
        self.assertEqual([ARN], self.roles())

    def test_what_counts_is_the_role_when_the_owner_accepts(self):
        ec2, gateway = self.step("ec2", ATTACH), self.gateway("disable")
        name = self.attach(ec2, gateway)
        self.assertEqual("pendingAcceptance", self.state(name))
        self.client("ec2", CONSUMER).accept_transit_gateway_vpc_attachment(TransitGatewayAttachmentId=name)
        self.ends(name, "failed")

    def test_a_role_is_made_once(self):
        iam = self.step("iam", MAKE)
        self.assertEqual(ARN, iam.create_service_linked_role(AWSServiceName=SERVICE)["Role"]["Arn"])
        error = self.fails("InvalidInput", iam.create_service_linked_role, AWSServiceName=SERVICE)
        self.assertIn(f"Service role name {ROLE} has been taken in this account", str(error))
        self.fails("AccessDenied", iam.create_service_linked_role, AWSServiceName="rds.amazonaws.com")
