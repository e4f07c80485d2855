from .engine import PRODUCER, Case


class Serverless(Case):
    def setUp(self):
        super().setUp()
        self.own = self.vpc(PRODUCER, "10.2.0.0/16")
        ec2 = self.client("ec2", PRODUCER)
        self.subnets = [
            ec2.create_subnet(VpcId=self.own, CidrBlock=f"10.2.{n}.0/24", AvailabilityZone=f"us-east-1{'abc'[n]}")["Subnet"]["SubnetId"]
            for n in range(3)
        ]
        self.group = ec2.create_security_group(GroupName="wg", Description="d", VpcId=self.own)["GroupId"]

    def test_a_workgroup(self):
        serverless = self.client("redshift-serverless", PRODUCER)
        made = serverless.create_workgroup(
            workgroupName="sales",
            namespaceName="sales",
            subnetIds=self.subnets,
            securityGroupIds=[self.group],
            tags=[{"key": "drawbridge:share", "value": "true"}],
        )["workgroup"]
        (found,) = serverless.list_workgroups()["workgroups"]
        self.assertEqual(
            (5439, self.subnets, [self.group], self.own),
            (found["port"], found["subnetIds"], found["securityGroupIds"], found["endpoint"]["vpcEndpoints"][0]["vpcId"]),
        )
        arn = made["workgroupArn"]
        self.assertEqual(arn, serverless.get_workgroup(workgroupName="sales")["workgroup"]["workgroupArn"])
        serverless.tag_resource(resourceArn=arn, tags=[{"key": "Name", "value": "x"}])
        serverless.untag_resource(resourceArn=arn, tagKeys=["drawbridge:share"])
        self.assertEqual([{"key": "Name", "value": "x"}], serverless.list_tags_for_resource(resourceArn=arn)["tags"])
        self.assertEqual(5450, serverless.update_workgroup(workgroupName="sales", port=5450)["workgroup"]["endpoint"]["port"])
        serverless.delete_workgroup(workgroupName="sales")
        self.assertEqual([], serverless.list_workgroups()["workgroups"])
        self.fails("ResourceNotFoundException", serverless.get_workgroup, workgroupName="sales")

    def test_the_tagging_api_finds_workgroups_and_proxies(self):
        serverless, rds = self.client("redshift-serverless", PRODUCER), self.client("rds", PRODUCER)
        tags = {"Key": "drawbridge:share", "Value": "true"}
        made = serverless.create_workgroup(
            workgroupName="sales", namespaceName="sales", subnetIds=self.subnets, tags=[{"key": tags["Key"], "value": tags["Value"]}]
        )
        proxy = rds.create_db_proxy(
            DBProxyName="pool",
            EngineFamily="POSTGRESQL",
            Auth=[{"AuthScheme": "SECRETS"}],
            RoleArn=f"arn:aws:iam::{PRODUCER}:role/proxy",
            VpcSubnetIds=self.subnets,
            Tags=[tags],
        )["DBProxy"]
        found = self.client("resourcegroupstaggingapi", PRODUCER).get_resources(TagFilters=[{"Key": "drawbridge:share"}])
        arns = {one["ResourceARN"] for one in found["ResourceTagMappingList"]}
        self.assertEqual({made["workgroup"]["workgroupArn"], proxy["DBProxyArn"]}, arns)
        self.assertEqual([tags], rds.list_tags_for_resource(ResourceName=proxy["DBProxyArn"])["TagList"])

    def test_a_managed_endpoint(self):
        redshift = self.client("redshift", PRODUCER)
        redshift.create_cluster_subnet_group(ClusterSubnetGroupName="g", Description="d", SubnetIds=self.subnets)
        redshift.create_cluster(
            ClusterIdentifier="wh", NodeType="ra3.large", MasterUsername="u", MasterUserPassword="Passw0rd1", ClusterSubnetGroupName="g"
        )
        redshift.create_endpoint_access(
            EndpointName="near", ClusterIdentifier="wh", SubnetGroupName="g", VpcSecurityGroupIds=[self.group]
        )
        (found,) = redshift.describe_endpoint_access(VpcId=self.own)["EndpointAccessList"]
        self.assertEqual(
            ("near", "wh", PRODUCER, self.own, self.group, set(self.subnets)),
            (
                found["EndpointName"],
                found["ClusterIdentifier"],
                found["ResourceOwner"],
                found["VpcEndpoint"]["VpcId"],
                found["VpcSecurityGroups"][0]["VpcSecurityGroupId"],
                {one["SubnetId"] for one in found["VpcEndpoint"]["NetworkInterfaces"]},
            ),
        )
        self.assertEqual([], redshift.describe_endpoint_access(VpcId="vpc-other")["EndpointAccessList"])
