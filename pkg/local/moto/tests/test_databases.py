from .engine import PRODUCER, Case


class Databases(Case):
    def setUp(self):
        super().setUp()
        self.own = self.vpc(PRODUCER, "10.2.0.0/16")
        ec2 = self.client("ec2", PRODUCER)
        self.subnets = [
            ec2.create_subnet(VpcId=self.own, CidrBlock=f"10.2.{n}.0/24", AvailabilityZone=zone)["Subnet"]["SubnetId"]
            for n, zone in enumerate(("us-east-1a", "us-east-1b"))
        ]
        self.group = ec2.create_security_group(GroupName="db", Description="d", VpcId=self.own)["GroupId"]

    def test_an_rds_instance(self):
        rds = self.client("rds", PRODUCER)
        rds.create_db_subnet_group(DBSubnetGroupName="g", DBSubnetGroupDescription="d", SubnetIds=self.subnets)
        given = {"DBInstanceClass": "db.t3.micro", "Engine": "mysql", "DBSubnetGroupName": "g", "AllocatedStorage": 20}
        rds.create_db_instance(
            DBInstanceIdentifier="orders",
            **given,
            VpcSecurityGroupIds=[self.group],
            Tags=[{"Key": "drawbridge:share", "Value": "111111111111"}],
        )
        rds.create_db_instance(DBInstanceIdentifier="plain", **given, Port=3307)
        found = {one["DBInstanceIdentifier"]: one for one in rds.describe_db_instances()["DBInstances"]}
        orders = found["orders"]
        self.assertEqual(
            (self.own, [self.group], 3306, [{"Key": "drawbridge:share", "Value": "111111111111"}], "available"),
            (
                orders["DBSubnetGroup"]["VpcId"],
                [one["VpcSecurityGroupId"] for one in orders["VpcSecurityGroups"]],
                orders["Endpoint"]["Port"],
                orders["TagList"],
                orders["DBInstanceStatus"],
            ),
        )
        self.assertEqual(3307, found["plain"]["Endpoint"]["Port"])
        self.assertFalse(found["plain"]["PubliclyAccessible"])
        rds.create_db_instance(DBInstanceIdentifier="open", **given, PubliclyAccessible=True)
        (shown,) = rds.describe_db_instances(DBInstanceIdentifier="open")["DBInstances"]
        self.assertTrue(shown["PubliclyAccessible"])
        (default,) = self.client("ec2", PRODUCER).describe_security_groups(
            Filters=[{"Name": "vpc-id", "Values": [self.own]}, {"Name": "group-name", "Values": ["default"]}]
        )["SecurityGroups"]
        self.assertEqual([default["GroupId"]], [one["VpcSecurityGroupId"] for one in found["plain"]["VpcSecurityGroups"]])

    def test_an_aurora_cluster(self):
        rds = self.client("rds", PRODUCER)
        rds.create_db_subnet_group(DBSubnetGroupName="g", DBSubnetGroupDescription="d", SubnetIds=self.subnets)
        rds.create_db_cluster(
            DBClusterIdentifier="ledger",
            Engine="aurora-mysql",
            MasterUsername="admin",
            MasterUserPassword="password123",
            DBSubnetGroupName="g",
            VpcSecurityGroupIds=[self.group],
            Tags=[{"Key": "drawbridge:share", "Value": "true"}],
        )
        rds.create_db_instance(
            DBInstanceIdentifier="ledger-1",
            DBInstanceClass="db.r6g.large",
            Engine="aurora-mysql",
            DBClusterIdentifier="ledger",
            DBSubnetGroupName="g",
        )
        (cluster,) = rds.describe_db_clusters()["DBClusters"]
        self.assertEqual(
            ("g", [self.group], 3306, [{"Key": "drawbridge:share", "Value": "true"}], ["ledger-1"]),
            (
                cluster["DBSubnetGroup"],
                [one["VpcSecurityGroupId"] for one in cluster["VpcSecurityGroups"]],
                cluster["Port"],
                cluster["TagList"],
                [one["DBInstanceIdentifier"] for one in cluster["DBClusterMembers"]],
            ),
        )
        (member,) = rds.describe_db_instances()["DBInstances"]
        self.assertEqual(
            ("ledger", self.own, [self.group], 3306),
            (
                member["DBClusterIdentifier"],
                member["DBSubnetGroup"]["VpcId"],
                [one["VpcSecurityGroupId"] for one in member["VpcSecurityGroups"]],
                member["Endpoint"]["Port"],
            ),
        )

    def test_a_redshift_cluster(self):
        redshift = self.client("redshift", PRODUCER)
        redshift.create_cluster_subnet_group(ClusterSubnetGroupName="g", Description="d", SubnetIds=self.subnets)
        redshift.create_cluster(
            ClusterIdentifier="warehouse",
            NodeType="ra3.large",
            MasterUsername="admin",
            MasterUserPassword="Password123",
            ClusterType="single-node",
            ClusterSubnetGroupName="g",
            VpcSecurityGroupIds=[self.group],
            Tags=[{"Key": "drawbridge:share", "Value": "true"}],
        )
        (found,) = redshift.describe_clusters()["Clusters"]
        self.assertEqual(
            (self.own, [self.group], 5439, [{"Key": "drawbridge:share", "Value": "true"}], "available"),
            (
                found["VpcId"],
                [one["VpcSecurityGroupId"] for one in found["VpcSecurityGroups"]],
                found["Endpoint"]["Port"],
                found["Tags"],
                found["ClusterStatus"],
            ),
        )

    def test_a_function_in_a_vpc(self):
        functions = self.client("lambda", PRODUCER)
        functions.create_function(
            FunctionName="reader",
            Runtime="provided.al2023",
            Role=self.client("iam", PRODUCER).create_role(RoleName="r", AssumeRolePolicyDocument="{}")["Role"]["Arn"],
            Handler="bootstrap",
            Code={"ZipFile": b"PK\x05\x06" + bytes(18)},
            VpcConfig={"SubnetIds": self.subnets, "SecurityGroupIds": [self.group]},
        )
        (found,) = functions.list_functions()["Functions"]
        self.assertEqual(self.own, found["VpcConfig"]["VpcId"])
        self.assertEqual([self.group], found["VpcConfig"]["SecurityGroupIds"])
