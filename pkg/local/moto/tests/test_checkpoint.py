import json

from .engine import CONSUMER, PRODUCER, Case


class Checkpoints(Case):
    def keep(self, *accounts):
        return json.loads(self.engine.post("/_drawbridge/keep?" + "&".join("account=" + a for a in accounts)))["kept"]

    def world(self, peering):
        """What can be read of the peering and of both sides' tables and groups."""
        out = []
        for account in (CONSUMER, PRODUCER):
            ec2 = self.client("ec2", account)
            out.append(self.look(peering, account)["Status"]["Code"])
            out.append(ec2.describe_route_tables()["RouteTables"])
            out.append(ec2.describe_security_group_rules()["SecurityGroupRules"])
            out.append(self.look(peering, account).get("Tags"))
        return out

    def test_what_was_kept_comes_back_as_often_as_wanted(self):
        peering, vpc, _ = self.peering()
        while self.status(peering, PRODUCER) != "pending-acceptance":
            pass
        before = self.world(peering)
        kept = self.keep(CONSUMER, PRODUCER)
        for _ in range(2):
            self.activate(peering)
            ec2 = self.client("ec2", CONSUMER)
            table = ec2.describe_route_tables(Filters=[{"Name": "vpc-id", "Values": [vpc]}])["RouteTables"][0]["RouteTableId"]
            ec2.create_route(RouteTableId=table, DestinationCidrBlock="10.2.0.0/16", VpcPeeringConnectionId=peering)
            ec2.create_tags(Resources=[peering], Tags=[{"Key": "k", "Value": "v"}])
            self.assertNotEqual(before, self.world(peering))
            self.engine.post("/_drawbridge/restore?kept=" + kept)
            self.assertEqual(before, self.world(peering))

    def test_other_accounts_are_left_alone(self):
        mine, other = self.vpc(CONSUMER, "10.1.0.0/16"), self.client("ec2", PRODUCER)
        kept = self.keep(CONSUMER)
        later = self.vpc(PRODUCER, "10.2.0.0/16")
        self.client("ec2", CONSUMER).delete_vpc(VpcId=mine)
        self.engine.post("/_drawbridge/restore?kept=" + kept)
        self.assertEqual(1, len(self.client("ec2", CONSUMER).describe_vpcs(VpcIds=[mine])["Vpcs"]))
        self.assertEqual(1, len(other.describe_vpcs(VpcIds=[later])["Vpcs"]))

    def test_a_notebook_and_its_configuration_come_back(self):
        sagemaker = self.client("sagemaker", CONSUMER)
        sagemaker.create_notebook_instance_lifecycle_config(
            NotebookInstanceLifecycleConfigName="c", OnStart=[{"Content": "Zmlyc3Q="}]
        )
        kept = self.keep(CONSUMER)

        def content():
            return sagemaker.describe_notebook_instance_lifecycle_config(NotebookInstanceLifecycleConfigName="c")["OnStart"]

        sagemaker.update_notebook_instance_lifecycle_config(
            NotebookInstanceLifecycleConfigName="c", OnStart=[{"Content": "c2Vjb25k"}]
        )
        self.assertEqual([{"Content": "c2Vjb25k"}], content())
        self.engine.post("/_drawbridge/restore?kept=" + kept)
        self.assertEqual([{"Content": "Zmlyc3Q="}], content())

    def test_a_share_and_an_attachment_come_back(self):
        owner, spoke, ram = self.client("ec2", CONSUMER), self.client("ec2", PRODUCER), self.client("ram", CONSUMER)
        gateway = owner.create_transit_gateway(Options={"AutoAcceptSharedAttachments": "enable"})["TransitGateway"]
        share = ram.create_resource_share(name="hub", resourceArns=[gateway["TransitGatewayArn"]], principals=[PRODUCER])
        vpc = self.vpc(PRODUCER, "10.2.0.0/16")
        subnet = spoke.create_subnet(VpcId=vpc, CidrBlock="10.2.0.0/24")["Subnet"]["SubnetId"]
        wish = {"TransitGatewayId": gateway["TransitGatewayId"], "VpcId": vpc, "SubnetIds": [subnet]}
        made = spoke.create_transit_gateway_vpc_attachment(**wish)["TransitGatewayVpcAttachment"]["TransitGatewayAttachmentId"]
        table = {"TransitGatewayRouteTableId": gateway["Options"]["PropagationDefaultRouteTableId"]}

        def world():
            return (
                spoke.describe_transit_gateway_vpc_attachments()["TransitGatewayVpcAttachments"],
                owner.get_transit_gateway_route_table_propagations(**table)["TransitGatewayRouteTablePropagations"],
                len(spoke.describe_transit_gateways()["TransitGateways"]),
            )

        self.eventually(lambda: (seen := world())[0][0]["State"] == "available" and seen[1][0]["State"] == "enabled")
        before, kept = world(), self.keep(CONSUMER, PRODUCER)
        for _ in range(2):
            spoke.delete_transit_gateway_vpc_attachment(TransitGatewayAttachmentId=made)
            ram.delete_resource_share(resourceShareArn=share["resourceShare"]["resourceShareArn"])
            self.assertNotEqual(before, world())
            self.engine.post("/_drawbridge/restore?kept=" + kept)
            self.assertEqual(before, world())
            self.fails("DuplicateTransitGatewayAttachment", spoke.create_transit_gateway_vpc_attachment, **wish)
