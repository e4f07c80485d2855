from .engine import PRODUCER, Case


class Changes(Case):
    def setUp(self):
        super().setUp()
        self.own = self.vpc(PRODUCER, "10.2.0.0/16")
        self.subnets = [
            self.client("ec2", PRODUCER).create_subnet(
                VpcId=self.own, CidrBlock=f"10.2.{n}.0/24", AvailabilityZone=zone
            )["Subnet"]["SubnetId"]
            for n, zone in enumerate(("us-east-1a", "us-east-1b"))
        ]

    def test_a_subnet_is_recorded_with_its_vpc(self):
        first, second = self.events(eventName="CreateSubnet", account=PRODUCER)
        self.assertEqual(self.own, first["detail"]["requestParameters"]["vpcId"])
        subnet = second["detail"]["responseElements"]["subnet"]
        self.assertEqual((self.subnets[1], self.own, "10.2.1.0/24"), tuple(subnet[k] for k in ("subnetId", "vpcId", "cidrBlock")))

    def test_a_subnet_that_fails_is_recorded_as_failed(self):
        self.fails("InvalidSubnet.Conflict", self.client("ec2", PRODUCER).create_subnet, VpcId=self.own, CidrBlock="10.2.0.0/24")
        last = self.events(eventName="CreateSubnet", account=PRODUCER)[-1]
        self.assertEqual("Client.InvalidSubnet.Conflict", last["detail"]["errorCode"])
        self.assertIsNone(last["detail"]["responseElements"])

    def test_an_instance_changes_its_port_and_is_deleted(self):
        rds = self.client("rds", PRODUCER)
        rds.create_db_subnet_group(DBSubnetGroupName="g", DBSubnetGroupDescription="d", SubnetIds=self.subnets)
        rds.create_db_instance(
            DBInstanceIdentifier="orders",
            DBInstanceClass="db.t3.micro",
            Engine="mysql",
            DBSubnetGroupName="g",
            AllocatedStorage=20,
        )
        rds.modify_db_instance(DBInstanceIdentifier="orders", DBPortNumber=3310, ApplyImmediately=True)
        (orders,) = rds.describe_db_instances()["DBInstances"]
        self.assertEqual(3310, orders["Endpoint"]["Port"])
        rds.delete_db_instance(DBInstanceIdentifier="orders", SkipFinalSnapshot=True)
        said = [e["detail"] for e in self.events(account=PRODUCER) if e["detail-type"] == "RDS DB Instance Event"]
        self.assertEqual(["RDS-EVENT-0005", "RDS-EVENT-0006", "RDS-EVENT-0003"], [one["EventID"] for one in said])
        self.assertEqual({"orders"}, {one["SourceIdentifier"] for one in said})

    def test_a_cluster_is_deleted(self):
        rds = self.client("rds", PRODUCER)
        rds.create_db_cluster(
            DBClusterIdentifier="ledger", Engine="aurora-mysql", MasterUsername="admin", MasterUserPassword="password123"
        )
        rds.delete_db_cluster(DBClusterIdentifier="ledger", SkipFinalSnapshot=True)
        (said,) = [e["detail"] for e in self.events(account=PRODUCER) if e["detail-type"] == "RDS DB Cluster Event"]
        self.assertEqual(("RDS-EVENT-0171", "ledger"), (said["EventID"], said["SourceIdentifier"]))

    def test_a_redshift_cluster_is_recorded_when_it_goes(self):
        redshift = self.client("redshift", PRODUCER)
        given = {"NodeType": "ra3.large", "MasterUsername": "admin", "MasterUserPassword": "Password123"}
        redshift.create_cluster(ClusterIdentifier="warehouse", ClusterType="single-node", **given)
        redshift.modify_cluster(ClusterIdentifier="warehouse", NodeType="ra3.xlplus")
        redshift.delete_cluster(ClusterIdentifier="warehouse", SkipFinalClusterSnapshot=True)
        for name in ("ModifyCluster", "DeleteCluster"):
            (record,) = self.events(eventName=name, account=PRODUCER)
            self.assertEqual(("aws.redshift", "warehouse"), (record["source"], record["detail"]["requestParameters"]["clusterIdentifier"]))
