"""What AWS says of tags that come along with a thing, go with it, or are set by other ways than EC2's own call."""

from .engine import CONSUMER, PRODUCER, REGION, Case

ACCEPT = {"Key": "drawbridge:accept", "Value": "auto"}


def named(kind, *tags):
    return [{"ResourceType": kind, "Tags": list(tags)}]


class Creation(Case):
    def test_a_vpc_is_recorded_flat_with_its_tags(self):
        ec2 = self.client("ec2", CONSUMER)
        vpc = ec2.create_vpc(CidrBlock="10.1.0.0/16", TagSpecifications=named("vpc", ACCEPT))["Vpc"]["VpcId"]
        (event,) = self.events(eventName="CreateVpc")
        specification = event["detail"]["requestParameters"]["tagSpecificationSet"]["items"]
        self.assertEqual([{"resourceType": "vpc", "tags": [{"key": "drawbridge:accept", "value": "auto"}]}], specification)
        self.assertEqual(vpc, event["detail"]["responseElements"]["vpc"]["vpcId"])
        self.assertEqual([], self.events(eventName="CreateTags"))
        ec2.delete_vpc(VpcId=vpc)
        (event,) = self.events(eventName="DeleteVpc")
        self.assertEqual({"vpcId": vpc}, event["detail"]["requestParameters"])

    def test_a_gateway_is_recorded_as_xml_with_its_tags(self):
        ec2 = self.client("ec2", CONSUMER)
        gateway = ec2.create_transit_gateway(
            Options={"DnsSupport": "enable"}, TagSpecifications=named("transit-gateway", {"Key": "Name", "Value": "core"}, ACCEPT)
        )["TransitGateway"]["TransitGatewayId"]
        (event,) = self.events(eventName="CreateTransitGateway")
        request = event["detail"]["requestParameters"]["CreateTransitGatewayRequest"]
        tags = [{"tag": 1, "Key": "Name", "Value": "core"}, {"tag": 2, "Key": "drawbridge:accept", "Value": "auto"}]
        self.assertEqual({"tag": 1, "ResourceType": "transit-gateway", "Tag": tags}, request["TagSpecification"])
        answer = event["detail"]["responseElements"]["CreateTransitGatewayResponse"]
        self.assertEqual(gateway, answer["transitGateway"]["transitGatewayId"])

    def test_a_database_is_recorded_with_its_tags(self):
        rds = self.client("rds", PRODUCER)
        share = {"Key": "drawbridge:share", "Value": "true"}
        rds.create_db_instance(DBInstanceIdentifier="sales", Engine="mysql", DBInstanceClass="db.t3.micro", Tags=[share])
        rds.create_db_cluster(
            DBClusterIdentifier="books", Engine="aurora-mysql", MasterUsername="admin", MasterUserPassword="secret-secret", Tags=[share]
        )
        for name, key, value in (("CreateDBInstance", "dBInstanceIdentifier", "sales"), ("CreateDBCluster", "dBClusterIdentifier", "books")):
            (event,) = self.events(eventName=name)
            request = event["detail"]["requestParameters"]
            self.assertEqual(value, request[key])
            self.assertEqual([{"key": "drawbridge:share", "value": "true"}], request["tags"])
        self.assertEqual("****", request["masterUserPassword"])


class Ways(Case):
    def test_a_role_that_is_deleted_is_recorded_in_iams_region(self):
        iam = self.client("iam", CONSUMER, "eu-west-1")
        iam.create_role(RoleName="analysts", AssumeRolePolicyDocument="{}")
        iam.delete_role(RoleName="analysts")
        (event,) = self.events(eventName="DeleteRole")
        self.assertEqual(("us-east-1", {"roleName": "analysts"}), (event["region"], event["detail"]["requestParameters"]))

    def test_the_tagging_api_is_recorded_and_the_service_says_so_too(self):
        ec2, tagging = self.client("ec2", CONSUMER), self.client("resourcegroupstaggingapi", CONSUMER)
        vpcs = [ec2.create_vpc(CidrBlock=f"10.{n}.0.0/16")["Vpc"]["VpcId"] for n in (1, 2)]
        arns = [f"arn:aws:ec2:{REGION}:{CONSUMER}:vpc/{vpc}" for vpc in vpcs]
        tagging.tag_resources(ResourceARNList=arns, Tags={"drawbridge:accept": "auto"})
        for vpc in ec2.describe_vpcs(VpcIds=vpcs)["Vpcs"]:
            self.assertEqual([ACCEPT], vpc["Tags"])
        (event,) = self.events(eventName="TagResources")
        self.assertEqual("aws.tagging", event["source"])
        self.assertEqual({"resourceARNList": arns, "tags": {"drawbridge:accept": "auto"}}, event["detail"]["requestParameters"])
        said = self.events(service="ec2")
        self.assertEqual([[arn] for arn in arns], [one["resources"] for one in said])
        self.assertEqual(["drawbridge:accept"], said[0]["detail"]["changed-tag-keys"])
        tagging.untag_resources(ResourceARNList=arns[:1], TagKeys=["drawbridge:accept"])
        self.assertEqual([], ec2.describe_vpcs(VpcIds=vpcs[:1])["Vpcs"][0]["Tags"])
        (event,) = self.events(eventName="UntagResources")
        self.assertEqual(["drawbridge:accept"], event["detail"]["requestParameters"]["tagKeys"])
