from concurrent.futures import ThreadPoolExecutor

from botocore.exceptions import ClientError

from .engine import CONSUMER, HUB, PRODUCER, Case


class Gateways(Case):
    """CONSUMER owns a gateway, PRODUCER attaches to it."""

    def setUp(self):
        super().setUp()
        self.owner, self.spoke = self.client("ec2", CONSUMER), self.client("ec2", PRODUCER)

    def gateway(self, **options):
        return self.owner.create_transit_gateway(Options=options)["TransitGateway"]["TransitGatewayId"]

    def share(self, gateway, *principals):
        arn = self.owner.describe_transit_gateways(TransitGatewayIds=[gateway])["TransitGateways"][0]["TransitGatewayArn"]
        ram = self.client("ram", CONSUMER)
        return ram.create_resource_share(name="hub", resourceArns=[arn], principals=list(principals or [PRODUCER]))["resourceShare"]["resourceShareArn"]

    def subnet(self, account, vpc, cidr, zone="us-east-1a"):
        return self.client("ec2", account).create_subnet(VpcId=vpc, CidrBlock=cidr, AvailabilityZone=zone)["Subnet"]["SubnetId"]

    def attach(self, account, gateway, cidr, **more):
        vpc = self.vpc(account, cidr)
        subnet = self.subnet(account, vpc, cidr.replace("/16", "/24"))
        made = self.client("ec2", account).create_transit_gateway_vpc_attachment(
            TransitGatewayId=gateway, VpcId=vpc, SubnetIds=[subnet], **more
        )["TransitGatewayVpcAttachment"]
        return made["TransitGatewayAttachmentId"], vpc, made["State"]

    def state(self, name, account=PRODUCER):
        found = self.client("ec2", account).describe_transit_gateway_vpc_attachments(TransitGatewayAttachmentIds=[name])
        return found["TransitGatewayVpcAttachments"][0]["State"]

    def until(self, name, state, account=PRODUCER):
        self.eventually(lambda: self.state(name, account) == state)

    def table(self, gateway):
        return self.owner.describe_transit_gateways(TransitGatewayIds=[gateway])["TransitGateways"][0]["Options"][
            "AssociationDefaultRouteTableId"
        ]

    def routes(self, table, **filters):
        wanted = [{"Name": name, "Values": [value]} for name, value in filters.items()] or [
            {"Name": "state", "Values": ["active"]}
        ]
        found = self.owner.search_transit_gateway_routes(TransitGatewayRouteTableId=table, Filters=wanted)["Routes"]
        return sorted(one["DestinationCidrBlock"] for one in found)

    def test_a_gateway_is_known_to_whom_it_is_shared_with(self):
        gateway = self.gateway()
        self.assertEqual([], self.spoke.describe_transit_gateways()["TransitGateways"])
        self.fails("InvalidTransitGatewayID.NotFound", self.attach, PRODUCER, gateway, "10.2.0.0/16")
        share = self.share(gateway)
        self.assertEqual([CONSUMER], [one["OwnerId"] for one in self.spoke.describe_transit_gateways()["TransitGateways"]])
        self.assertEqual([], self.client("ec2", HUB).describe_transit_gateways()["TransitGateways"])
        self.client("ram", CONSUMER).delete_resource_share(resourceShareArn=share)
        self.assertEqual([], self.spoke.describe_transit_gateways()["TransitGateways"])

    def test_an_attachment_of_another_account_waits_for_the_owner(self):
        gateway = self.gateway()
        self.share(gateway)
        name, vpc, state = self.attach(PRODUCER, gateway, "10.2.0.0/16")
        self.assertEqual("pendingAcceptance", state)
        self.assertEqual("pendingAcceptance", self.state(name, CONSUMER))
        self.fails("OperationNotPermitted", self.spoke.accept_transit_gateway_vpc_attachment, TransitGatewayAttachmentId=name)
        self.owner.accept_transit_gateway_vpc_attachment(TransitGatewayAttachmentId=name)
        self.assertEqual("pending", self.state(name))
        self.until(name, "available")
        self.fails("IncorrectState", self.owner.accept_transit_gateway_vpc_attachment, TransitGatewayAttachmentId=name)
        subnet = self.spoke.describe_subnets(Filters=[{"Name": "vpc-id", "Values": [vpc]}])["Subnets"][0]["SubnetId"]
        self.fails(
            "DuplicateTransitGatewayAttachment",
            self.spoke.create_transit_gateway_vpc_attachment, TransitGatewayId=gateway, VpcId=vpc, SubnetIds=[subnet],
        )
        self.fails(
            "InvalidTransitGatewayAttachmentID.NotFound",
            self.client("ec2", HUB).describe_transit_gateway_vpc_attachments, TransitGatewayAttachmentIds=[name],
        )

    def test_a_group_is_a_source_across_a_gateway_that_allows_it(self):
        for allowed in ("enable", "disable"):
            gateway = self.gateway(AutoAcceptSharedAttachments="enable", SecurityGroupReferencingSupport=allowed)
            self.share(gateway)
            one, here, _ = self.attach(CONSUMER, gateway, "10.1.0.0/16")
            two, there, _ = self.attach(PRODUCER, gateway, "10.2.0.0/16")
            self.until(one, "available", CONSUMER)
            self.until(two, "available")
            theirs, mine = (
                client.create_security_group(GroupName="g", Description="d", VpcId=vpc)["GroupId"]
                for client, vpc in ((self.owner, here), (self.spoke, there))
            )
            asked = {
                "GroupId": mine,
                "IpPermissions": [
                    {"IpProtocol": "tcp", "FromPort": 3306, "ToPort": 3306, "UserIdGroupPairs": [{"GroupId": theirs, "UserId": CONSUMER}]}
                ],
            }
            self.fails("InvalidGroup.NotFound", self.spoke.authorize_security_group_egress, **asked)
            if allowed == "enable":
                self.spoke.authorize_security_group_ingress(**asked)
            else:
                self.fails("InvalidGroup.NotFound", self.spoke.authorize_security_group_ingress, **asked)

    def test_auto_accept_rejection_and_deletion(self):
        gateway = self.gateway(AutoAcceptSharedAttachments="enable")
        self.share(gateway)
        name, _, state = self.attach(PRODUCER, gateway, "10.2.0.0/16")
        self.assertEqual("pending", state)
        self.until(name, "available")
        self.spoke.delete_transit_gateway_vpc_attachment(TransitGatewayAttachmentId=name)
        self.until(name, "deleted")
        other = self.gateway()
        self.share(other)
        name, _, _ = self.attach(PRODUCER, other, "10.3.0.0/16")
        self.owner.reject_transit_gateway_vpc_attachment(TransitGatewayAttachmentId=name)
        self.until(name, "rejected")
        self.fails("IncorrectState", self.spoke.delete_transit_gateway_vpc_attachment, TransitGatewayAttachmentId=name)

    def test_one_subnet_in_each_zone(self):
        gateway = self.gateway()
        vpc = self.vpc(CONSUMER, "10.0.0.0/16")
        a, b = self.subnet(CONSUMER, vpc, "10.0.0.0/24"), self.subnet(CONSUMER, vpc, "10.0.1.0/24")
        c = self.subnet(CONSUMER, vpc, "10.0.2.0/24", "us-east-1b")
        create = self.owner.create_transit_gateway_vpc_attachment
        self.fails("DuplicateSubnetsInSameZone", create, TransitGatewayId=gateway, VpcId=vpc, SubnetIds=[a, b])
        name = create(TransitGatewayId=gateway, VpcId=vpc, SubnetIds=[a])["TransitGatewayVpcAttachment"]["TransitGatewayAttachmentId"]
        self.until(name, "available", CONSUMER)
        modify = self.owner.modify_transit_gateway_vpc_attachment
        self.fails("DuplicateSubnetsInSameZone", modify, TransitGatewayAttachmentId=name, AddSubnetIds=[b])
        self.assertEqual([a, c], modify(TransitGatewayAttachmentId=name, AddSubnetIds=[c])["TransitGatewayVpcAttachment"]["SubnetIds"])

    def test_tags_are_each_accounts_own(self):
        gateway = self.gateway()
        self.share(gateway)
        specification = [{"ResourceType": "transit-gateway-attachment", "Tags": [{"Key": "drawbridge:connection", "Value": "x"}]}]
        name, _, _ = self.attach(PRODUCER, gateway, "10.2.0.0/16", TagSpecifications=specification)
        self.owner.create_tags(Resources=[name], Tags=[{"Key": "drawbridge:approval", "Value": "approved"}])

        def tags(account):
            found = self.client("ec2", account).describe_transit_gateway_attachments(TransitGatewayAttachmentIds=[name])
            return {tag["Key"] for tag in found["TransitGatewayAttachments"][0].get("Tags", [])}

        self.assertEqual({"drawbridge:connection"}, tags(PRODUCER))
        self.assertEqual({"drawbridge:approval"}, tags(CONSUMER))
        self.owner.delete_tags(Resources=[name], Tags=[{"Key": "drawbridge:approval"}])
        self.assertEqual(set(), tags(CONSUMER))

    def test_hours_pass_and_a_deleted_attachment_is_forgotten(self):
        gateway = self.gateway()
        self.share(gateway)
        name, vpc, _ = self.attach(PRODUCER, gateway, "10.2.0.0/16")
        self.owner.accept_transit_gateway_vpc_attachment(TransitGatewayAttachmentId=name)
        self.pass_days("attachment", name, 9)
        self.assertEqual("available", self.state(name))
        self.spoke.delete_transit_gateway_vpc_attachment(TransitGatewayAttachmentId=name)
        self.pass_days("attachment", name, 1 / 24)
        self.assertEqual("deleted", self.state(name))
        self.pass_days("attachment", name, 1)
        for account in (CONSUMER, PRODUCER):
            self.fails("InvalidTransitGatewayAttachmentID.NotFound", self.state, name, account)

    def test_what_overlaps_attaches_and_is_not_propagated(self):
        gateway = self.gateway(AutoAcceptSharedAttachments="enable")
        self.share(gateway)
        one, _, _ = self.attach(CONSUMER, gateway, "10.0.0.0/16")
        self.until(one, "available", CONSUMER)
        table = self.table(gateway)
        self.eventually(lambda: self.routes(table) == ["10.0.0.0/16"] or self.settle(table))
        two, _, _ = self.attach(PRODUCER, gateway, "10.0.0.0/16")
        three, vpc, _ = self.attach(PRODUCER, gateway, "10.1.0.0/16")
        for name in (two, three):
            self.until(name, "available")
        self.eventually(lambda: self.routes(table) == ["10.0.0.0/16", "10.1.0.0/16"] or self.settle(table))
        self.assertEqual(["10.1.0.0/16"], self.routes(table, **{"route-search.longest-prefix-match": "10.1.128.1/32"}))
        self.assertEqual(["10.1.0.0/16"], self.routes(table, **{"attachment.transit-gateway-attachment-id": three}))
        self.spoke.associate_vpc_cidr_block(VpcId=vpc, CidrBlock="10.77.0.0/16")
        self.assertIn("10.77.0.0/16", self.routes(table))
        self.spoke.delete_transit_gateway_vpc_attachment(TransitGatewayAttachmentId=three)
        self.assertEqual(["10.0.0.0/16"], self.routes(table))

    def settle(self, table):
        """Looks at what is under way, so that it passes."""
        self.owner.get_transit_gateway_route_table_propagations(TransitGatewayRouteTableId=table)
        self.owner.get_transit_gateway_route_table_associations(TransitGatewayRouteTableId=table)
        return False

    def test_without_defaults_the_owner_associates_and_propagates(self):
        gateway = self.gateway(DefaultRouteTableAssociation="disable", DefaultRouteTablePropagation="disable")
        name, _, _ = self.attach(CONSUMER, gateway, "10.0.0.0/16")
        self.until(name, "available", CONSUMER)
        table = self.owner.create_transit_gateway_route_table(TransitGatewayId=gateway)["TransitGatewayRouteTable"][
            "TransitGatewayRouteTableId"
        ]
        self.assertEqual([], self.routes(table))
        both = {"TransitGatewayAttachmentId": name, "TransitGatewayRouteTableId": table}
        self.owner.associate_transit_gateway_route_table(**both)
        self.fails("Resource.AlreadyAssociated", self.owner.associate_transit_gateway_route_table, **both)
        self.owner.enable_transit_gateway_route_table_propagation(**both)
        self.fails(
            "TransitGatewayRouteTablePropagation.Duplicate", self.owner.enable_transit_gateway_route_table_propagation, **both
        )
        self.eventually(lambda: self.routes(table) == ["10.0.0.0/16"] or self.settle(table))
        self.fails("InvalidRouteTableID.NotFound", self.spoke.associate_transit_gateway_route_table, **both)

    def test_a_route_needs_an_attachment_and_turns_blackhole_without(self):
        gateway = self.gateway()
        self.share(gateway)
        vpc = self.vpc(PRODUCER, "10.5.0.0/16")
        table = self.spoke.create_route_table(VpcId=vpc)["RouteTable"]["RouteTableId"]
        route = {"RouteTableId": table, "DestinationCidrBlock": "10.0.0.0/16", "TransitGatewayId": gateway}
        self.fails("InvalidTransitGatewayID.NotFound", self.spoke.create_route, **route)
        subnet = self.subnet(PRODUCER, vpc, "10.5.0.0/24")
        name = self.spoke.create_transit_gateway_vpc_attachment(TransitGatewayId=gateway, VpcId=vpc, SubnetIds=[subnet])[
            "TransitGatewayVpcAttachment"
        ]["TransitGatewayAttachmentId"]
        self.spoke.create_route(**route)

        def state():
            routes = self.spoke.describe_route_tables(RouteTableIds=[table])["RouteTables"][0]["Routes"]
            return [one["State"] for one in routes if one.get("TransitGatewayId") == gateway]

        self.assertEqual(["blackhole"], state())
        self.owner.accept_transit_gateway_vpc_attachment(TransitGatewayAttachmentId=name)
        self.until(name, "available")
        self.assertEqual(["active"], state())
        self.owner.delete_transit_gateway_vpc_attachment(TransitGatewayAttachmentId=name)
        self.assertEqual(["blackhole"], state())

    def test_the_caller_alone_has_the_record(self):
        gateway = self.gateway()
        self.share(gateway)
        name, vpc, _ = self.attach(PRODUCER, gateway, "10.2.0.0/16")
        call = {"eventName": "CreateTransitGatewayVpcAttachment"}
        (seen,) = self.events(account=PRODUCER, **call)
        self.assertEqual([], self.events(account=CONSUMER, **call))
        request = seen["detail"]["requestParameters"]["CreateTransitGatewayVpcAttachmentRequest"]
        self.assertEqual((gateway, vpc), (request["TransitGatewayId"], request["VpcId"]))
        self.assertEqual(1, request["SubnetId"]["tag"])
        made = seen["detail"]["responseElements"]["CreateTransitGatewayVpcAttachmentResponse"]["transitGatewayVpcAttachment"]
        self.assertEqual((name, int(PRODUCER), ""), (made["transitGatewayAttachmentId"], made["vpcOwnerId"], made["tagSet"]))

    def test_a_default_route_table_only_where_something_uses_it(self):
        gateway = self.gateway(DefaultRouteTableAssociation="disable", DefaultRouteTablePropagation="disable")

        def tables():
            found = self.owner.describe_transit_gateway_route_tables(Filters=[{"Name": "transit-gateway-id", "Values": [gateway]}])
            return [one["TransitGatewayRouteTableId"] for one in found["TransitGatewayRouteTables"]]

        options = self.owner.describe_transit_gateways(TransitGatewayIds=[gateway])["TransitGateways"][0]["Options"]
        self.assertNotIn("AssociationDefaultRouteTableId", options)
        self.assertEqual([], tables())
        self.owner.modify_transit_gateway(TransitGatewayId=gateway, Options={"DefaultRouteTableAssociation": "enable"})
        self.assertEqual([self.table(gateway)], tables())
        unknown = "tgw-rtb-0123456789abcdef0"
        self.fails(
            "InvalidRouteTableID.NotFound",
            self.owner.describe_transit_gateway_route_tables, TransitGatewayRouteTableIds=[unknown],
        )

    def test_the_owner_alone_changes_and_deletes_a_gateway(self):
        gateway = self.gateway()
        self.share(gateway)
        name, _, _ = self.attach(PRODUCER, gateway, "10.2.0.0/16")
        for call in ("delete_transit_gateway", "modify_transit_gateway", "create_transit_gateway_route_table"):
            self.fails("InvalidTransitGatewayID.NotFound", getattr(self.spoke, call), TransitGatewayId=gateway)
        error = self.fails("IncorrectState", self.owner.delete_transit_gateway, TransitGatewayId=gateway)
        self.assertIn(name, str(error))
        self.owner.reject_transit_gateway_vpc_attachment(TransitGatewayAttachmentId=name)
        self.until(name, "rejected")
        self.owner.delete_transit_gateway(TransitGatewayId=gateway)
        self.fails("InvalidTransitGatewayID.NotFound", self.owner.describe_transit_gateways, TransitGatewayIds=[gateway])

    def test_of_attachments_made_at_once_one_is_made(self):
        gateway = self.gateway()
        vpc = self.vpc(CONSUMER, "10.0.0.0/16")
        subnet = self.subnet(CONSUMER, vpc, "10.0.0.0/24")

        def make(_):
            try:
                return self.owner.create_transit_gateway_vpc_attachment(TransitGatewayId=gateway, VpcId=vpc, SubnetIds=[subnet])
            except ClientError as error:
                return error.response["Error"]["Code"]

        with ThreadPoolExecutor(8) as pool:
            made = list(pool.map(make, range(8)))
        self.assertEqual(7, made.count("DuplicateTransitGatewayAttachment"), made)
