import unittest

from .engine import CONSUMER, OUTSIDE, PRODUCER, REGION, Case

OTHER = "333333333333"


class SharedSubnets(Case):
    """CONSUMER owns a VPC with two subnets, and shares the first with PRODUCER."""

    def setUp(self):
        super().setUp()
        self.owner, self.guest = self.client("ec2", CONSUMER), self.client("ec2", PRODUCER)
        tags = [{"ResourceType": "vpc", "Tags": [{"Key": "Name", "Value": "core"}]}]
        self.vpc = self.owner.create_vpc(CidrBlock="10.0.0.0/16", TagSpecifications=tags)["Vpc"]["VpcId"]
        self.subnets, self.tables = [], []
        for third in (0, 1):
            subnet = self.owner.create_subnet(VpcId=self.vpc, CidrBlock=f"10.0.{third}.0/24")["Subnet"]["SubnetId"]
            table = self.owner.create_route_table(VpcId=self.vpc)["RouteTable"]["RouteTableId"]
            self.owner.associate_route_table(SubnetId=subnet, RouteTableId=table)
            self.subnets.append(subnet)
            self.tables.append(table)
        self.share = self.lend(PRODUCER)

    def arn(self, subnet):
        return f"arn:aws:ec2:{REGION}:{CONSUMER}:subnet/{subnet}"

    def lend(self, *principals):
        ram = self.client("ram", CONSUMER)
        return ram.create_resource_share(name="core", resourceArns=[self.arn(self.subnets[0])], principals=list(principals))[
            "resourceShare"
        ]["resourceShareArn"]

    def of_vpc(self, call, key, client=None):
        return getattr(client or self.guest, call)(Filters=[{"Name": "vpc-id", "Values": [self.vpc]}])[key]

    def group(self):
        return self.guest.create_security_group(GroupName="books", Description="of a participant", VpcId=self.vpc)["GroupId"]

    def test_a_participant_sees_what_is_shared_and_whose_it_is(self):
        (subnet,) = self.of_vpc("describe_subnets", "Subnets")
        self.assertEqual((self.subnets[0], CONSUMER), (subnet["SubnetId"], subnet["OwnerId"]))
        (vpc,) = self.guest.describe_vpcs(VpcIds=[self.vpc])["Vpcs"]
        self.assertEqual((CONSUMER, []), (vpc["OwnerId"], vpc.get("Tags", [])))
        (table,) = self.of_vpc("describe_route_tables", "RouteTables")
        self.assertEqual(self.tables[0], table["RouteTableId"])
        (acl,) = self.of_vpc("describe_network_acls", "NetworkAcls")
        self.assertEqual(CONSUMER, acl["OwnerId"])
        stranger = self.client("ec2", OTHER)
        self.assertEqual([], self.of_vpc("describe_subnets", "Subnets", stranger))
        self.fails("InvalidSubnetID.NotFound", self.guest.describe_subnets, SubnetIds=[self.subnets[1]])

    def test_a_subnet_without_a_table_of_its_own_shows_the_main_one(self):
        table = self.owner.describe_route_tables(RouteTableIds=[self.tables[0]])["RouteTables"][0]
        self.owner.disassociate_route_table(AssociationId=table["Associations"][0]["RouteTableAssociationId"])
        (seen,) = self.of_vpc("describe_route_tables", "RouteTables")
        self.assertTrue(seen["Associations"][0]["Main"])

    def test_only_the_owner_changes_the_network(self):
        other = self.guest.create_route_table(VpcId=self.guest.create_vpc(CidrBlock="10.9.0.0/16")["Vpc"]["VpcId"])
        refused = "UnauthorizedOperation"
        self.fails(refused, self.guest.associate_route_table, SubnetId=self.subnets[0], RouteTableId=other["RouteTable"]["RouteTableId"])
        self.fails(refused, self.guest.delete_subnet, SubnetId=self.subnets[0])
        self.fails(refused, self.guest.modify_subnet_attribute, SubnetId=self.subnets[0], MapPublicIpOnLaunch={"Value": True})
        route = {"DestinationCidrBlock": "10.2.0.0/16", "GatewayId": "igw-1"}
        self.fails("InvalidRouteTableID.NotFound", self.guest.create_route, RouteTableId=self.tables[0], **route)
        self.fails("InvalidVpcID.NotFound", self.guest.create_vpc_peering_connection, VpcId=self.vpc, PeerVpcId=self.vpc)

    def test_the_owner_sees_the_groups_that_are_on_something(self):
        group = self.group()
        seen = lambda client: {one["GroupId"]: one["OwnerId"] for one in self.of_vpc("describe_security_groups", "SecurityGroups", client)}
        self.assertNotIn(group, seen(self.owner))
        self.guest.create_network_interface(SubnetId=self.subnets[0], Groups=[group])
        self.assertEqual(PRODUCER, seen(self.owner)[group])
        self.assertEqual({group: PRODUCER}, seen(self.guest))
        (own,) = self.guest.describe_security_groups(GroupIds=[group])["SecurityGroups"]
        self.assertEqual("0.0.0.0/0", own["IpPermissionsEgress"][0]["IpRanges"][0]["CidrIp"])
        self.fails("InvalidGroup.NotFound", self.owner.authorize_security_group_ingress, GroupId=group, IpPermissions=[
            {"IpProtocol": "tcp", "FromPort": 1, "ToPort": 1, "IpRanges": [{"CidrIp": "10.2.0.0/16"}]}])

    def test_notebooks_databases_and_warehouses_are_in_it(self):
        group, rds, redshift = self.group(), self.client("rds", PRODUCER), self.client("redshift", PRODUCER)
        names = {"DBSubnetGroupName": "shared", "DBSubnetGroupDescription": "shared", "SubnetIds": [self.subnets[0]]}
        self.assertEqual(self.vpc, rds.create_db_subnet_group(**names)["DBSubnetGroup"]["VpcId"])
        rds.create_db_instance(DBInstanceIdentifier="books", DBInstanceClass="db.t4g.micro", Engine="mysql", AllocatedStorage=20,
            MasterUsername="admin", MasterUserPassword="password123", DBSubnetGroupName="shared", VpcSecurityGroupIds=[group])
        (seen,) = self.owner.describe_security_groups(GroupIds=[group])["SecurityGroups"]
        self.assertEqual(PRODUCER, seen["OwnerId"])
        redshift.create_cluster_subnet_group(ClusterSubnetGroupName="shared", Description="shared", SubnetIds=[self.subnets[0]])
        self.assertEqual(self.vpc, redshift.describe_cluster_subnet_groups()["ClusterSubnetGroups"][0]["VpcId"])
        sagemaker = self.client("sagemaker", PRODUCER)
        sagemaker.create_notebook_instance(NotebookInstanceName="study", InstanceType="ml.t3.medium", SubnetId=self.subnets[0],
            SecurityGroupIds=[group], RoleArn=f"arn:aws:iam::{PRODUCER}:role/notebook")
        interface = sagemaker.describe_notebook_instance(NotebookInstanceName="study")["NetworkInterfaceId"]
        (eni,) = self.guest.describe_network_interfaces(NetworkInterfaceIds=[interface])["NetworkInterfaces"]
        self.assertEqual(self.vpc, eni["VpcId"])

    def test_what_is_unshared_is_not_seen_and_goes_on(self):
        group = self.group()
        self.guest.create_network_interface(SubnetId=self.subnets[0], Groups=[group])
        self.client("ram", CONSUMER).delete_resource_share(resourceShareArn=self.share)
        self.assertEqual([], self.of_vpc("describe_subnets", "Subnets"))
        self.assertEqual([], self.guest.describe_vpcs(Filters=[{"Name": "vpc-id", "Values": [self.vpc]}])["Vpcs"])
        self.assertEqual(1, len(self.owner.describe_security_groups(GroupIds=[group])["SecurityGroups"]))

    def test_a_subnet_is_shared_within_the_organization_only(self):
        self.fails("OperationNotPermittedException", self.lend, OUTSIDE)
        gone = {"name": "gone", "resourceArns": [self.arn("subnet-00000000")], "principals": [PRODUCER]}
        self.fails("UnknownResourceException", self.client("ram", CONSUMER).create_resource_share, **gone)


if __name__ == "__main__":
    unittest.main()
