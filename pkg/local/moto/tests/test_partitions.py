"""The same engine in another partition: what AWS names there, it names as AWS does there."""

import json
import unittest

from .engine import CONSUMER, HUB, Engine


class Partitions(unittest.TestCase):
    def test_what_is_made_is_named_as_in_its_partition(self):
        for region, partition, suffix in (
            ("cn-northwest-1", "aws-cn", "amazonaws.com.cn"),
            ("us-gov-west-1", "aws-us-gov", "amazonaws.com"),
            ("eusc-de-east-1", "aws-eusc", "amazonaws.eu"),
        ):
            with self.subTest(region):
                engine = Engine(DRAWBRIDGE_REGION=region)
                try:
                    made = self.make(engine, region, suffix)
                finally:
                    engine.stop()
                for what, arn in made.items():
                    self.assertTrue(arn.startswith(f"arn:{partition}:"), f"{what}: {arn}")

    def make(self, engine, region, suffix):
        def client(service, account=CONSUMER):
            return engine.client(service, account, region)

        ec2 = client("ec2")
        vpc = ec2.create_vpc(CidrBlock="10.1.0.0/16")["Vpc"]["VpcId"]
        zones = [zone["ZoneName"] for zone in ec2.describe_availability_zones()["AvailabilityZones"]]
        self.assertGreaterEqual(len(zones), 3)
        subnets = [ec2.create_subnet(VpcId=vpc, CidrBlock=f"10.1.{n}.0/24", AvailabilityZone=zone)["Subnet"] for n, zone in enumerate(zones[:2])]
        client("rds").create_db_subnet_group(DBSubnetGroupName="g", DBSubnetGroupDescription="g", SubnetIds=[one["SubnetId"] for one in subnets])
        database = client("rds").create_db_instance(DBInstanceIdentifier="sales", DBInstanceClass="db.t3.micro", Engine="mysql", DBSubnetGroupName="g")["DBInstance"]
        client("redshift").create_cluster(ClusterIdentifier="sales", NodeType="ra3.xlplus", MasterUsername="u", MasterUserPassword="Password1")
        address = client("redshift").describe_clusters()["Clusters"][0]["Endpoint"]["Address"]
        for host in (database["Endpoint"]["Address"], address):
            self.assertTrue(host.endswith("." + suffix), host)
        trust = {"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Principal": {"AWS": CONSUMER}, "Action": "sts:AssumeRole"}}
        role = client("iam").create_role(RoleName="analyst", AssumeRolePolicyDocument=json.dumps(trust))["Role"]["Arn"]
        session = client("sts").assume_role(RoleArn=role, RoleSessionName="ada")["AssumedRoleUser"]["Arn"]
        gateway = ec2.create_transit_gateway()["TransitGateway"]["TransitGatewayArn"]
        share = client("ram").create_resource_share(name="core", resourceArns=[gateway])["resourceShare"]["resourceShareArn"]
        text = '{"Resources": {"T": {"Type": "AWS::SNS::Topic"}}, "Outputs": {"O": {"Value": {"Fn::Sub": "arn:${AWS::Partition}:x ${AWS::URLSuffix}"}}}}'
        client("cloudformation").create_stack(StackName="s", TemplateBody=text)
        output = client("cloudformation").describe_stacks(StackName="s")["Stacks"][0]["Outputs"][0]["OutputValue"]
        self.assertTrue(output.endswith(" " + suffix), output)
        return {
            "root": client("sts").get_caller_identity()["Arn"],
            "subnet": subnets[0]["SubnetArn"],
            "database": database["DBInstanceArn"],
            "role": role,
            "session": session,
            "gateway": gateway,
            "share": share,
            "pseudo parameters": output,
            "account": client("organizations", HUB).describe_account(AccountId=CONSUMER)["Account"]["Arn"],
        }
