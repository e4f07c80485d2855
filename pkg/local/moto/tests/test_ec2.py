from .engine import CONSUMER, ELSEWHERE, PRODUCER, REGION, Case


class Filters(Case):
    def test_one_of_several_tag_keys_is_enough(self):
        ec2 = self.client("ec2", CONSUMER)
        tags = [{"ResourceType": "vpc", "Tags": [{"Key": "one", "Value": ""}, {"Key": "two", "Value": ""}]}]
        made = ec2.create_vpc(CidrBlock="10.9.0.0/16", TagSpecifications=tags)["Vpc"]["VpcId"]
        for keys, want in ((["one"], [made]), (["other", "two"], [made]), (["one", "two", "other"], [made]), (["other"], [])):
            with self.subTest(keys):
                found = ec2.describe_vpcs(Filters=[{"Name": "tag-key", "Values": keys}])["Vpcs"]
                self.assertEqual(want, [vpc["VpcId"] for vpc in found])


class Routes(Case):
    def table(self, vpc):
        return self.client("ec2", CONSUMER).create_route_table(VpcId=vpc)["RouteTable"]["RouteTableId"]

    def routes(self, table):
        (found,) = self.client("ec2", CONSUMER).describe_route_tables(RouteTableIds=[table])["RouteTables"]
        keys = ("DestinationCidrBlock", "DestinationIpv6CidrBlock", "DestinationPrefixListId")
        return {next(route[key] for key in keys if key in route): route for route in found["Routes"]}

    def test_a_route_to_a_peering_is_black_until_active_and_after_it_is_gone(self):
        name, vpc, _ = self.peering()
        ec2, table = self.client("ec2", CONSUMER), self.table(vpc)
        ec2.create_route(RouteTableId=table, DestinationCidrBlock="10.2.0.0/16", VpcPeeringConnectionId=name)
        route = self.routes(table)["10.2.0.0/16"]
        self.assertEqual(
            (name, "blackhole", "CreateRoute"), tuple(route[k] for k in ("VpcPeeringConnectionId", "State", "Origin"))
        )
        self.activate(name)
        self.assertEqual("active", self.routes(table)["10.2.0.0/16"]["State"])
        ec2.delete_vpc_peering_connection(VpcPeeringConnectionId=name)
        self.assertEqual("blackhole", self.routes(table)["10.2.0.0/16"]["State"])
        local = self.routes(table)["10.1.0.0/16"]
        self.assertEqual(("local", "active", "CreateRouteTable"), tuple(local[k] for k in ("GatewayId", "State", "Origin")))

    def test_a_destination_has_one_route(self):
        name, vpc, _ = self.peering()
        ec2, table = self.client("ec2", CONSUMER), self.table(vpc)
        listed = ec2.create_managed_prefix_list(PrefixListName="p", MaxEntries=1, AddressFamily="IPv4")["PrefixList"]
        for destination in (
            {"DestinationCidrBlock": "10.2.0.0/16"},
            {"DestinationIpv6CidrBlock": "2001:db8:2::/56"},
            {"DestinationPrefixListId": listed["PrefixListId"]},
        ):
            with self.subTest(destination):
                ec2.create_route(RouteTableId=table, VpcPeeringConnectionId=name, **destination)
                for _same_target in range(2):
                    self.fails(
                        "RouteAlreadyExists", ec2.create_route, RouteTableId=table, VpcPeeringConnectionId=name, **destination
                    )
        self.assertIn("2001:db8:2::/56", self.routes(table))
        self.assertEqual(name, self.routes(table)[listed["PrefixListId"]]["VpcPeeringConnectionId"])
        self.fails(
            "RouteAlreadyExists",
            ec2.create_route,
            RouteTableId=table,
            VpcPeeringConnectionId=name,
            DestinationIpv6CidrBlock="2001:db8:2:0:0::1/56",
        )

    def test_a_prefix_list_may_lead_to_an_interface(self):
        _, vpc, _ = self.peering()
        ec2, table = self.client("ec2", CONSUMER), self.table(vpc)
        listed = ec2.create_managed_prefix_list(PrefixListName="p", MaxEntries=1, AddressFamily="IPv4")["PrefixList"]["PrefixListId"]
        subnet = ec2.create_subnet(VpcId=vpc, CidrBlock="10.1.0.0/24")["Subnet"]["SubnetId"]
        interface = ec2.create_network_interface(SubnetId=subnet)["NetworkInterface"]["NetworkInterfaceId"]
        ec2.create_route(RouteTableId=table, DestinationPrefixListId=listed, NetworkInterfaceId=interface)
        self.assertEqual(interface, self.routes(table)[listed]["NetworkInterfaceId"])

    def test_replace_and_delete(self):
        name, vpc, _ = self.peering()
        ec2, table = self.client("ec2", CONSUMER), self.table(vpc)
        gateway = ec2.create_internet_gateway()["InternetGateway"]["InternetGatewayId"]
        for key, value in (("DestinationCidrBlock", "10.2.0.0/16"), ("DestinationIpv6CidrBlock", "2001:db8:2::/56")):
            with self.subTest(key):
                destination = {key: value}
                self.fails(
                    "InvalidParameterValue",
                    ec2.replace_route,
                    RouteTableId=table,
                    VpcPeeringConnectionId=name,
                    **destination,
                )
                ec2.create_route(RouteTableId=table, GatewayId=gateway, **destination)
                ec2.replace_route(RouteTableId=table, VpcPeeringConnectionId=name, **destination)
                route = self.routes(table)[value]
                self.assertEqual((name, None), (route["VpcPeeringConnectionId"], route.get("GatewayId")))
                ec2.delete_route(RouteTableId=table, **destination)
                self.fails("InvalidRoute.NotFound", ec2.delete_route, RouteTableId=table, **destination)

    def test_a_route_leads_out_of_the_vpc_and_through_its_own_peering(self):
        name, vpc, _ = self.peering()
        ec2, table = self.client("ec2", CONSUMER), self.table(vpc)
        self.fails(
            "InvalidParameterValue",
            ec2.create_route,
            RouteTableId=table,
            DestinationCidrBlock="10.1.5.0/24",
            VpcPeeringConnectionId=name,
        )
        foreign = self.table(self.vpc(CONSUMER, "10.8.0.0/16"))
        self.fails(
            "InvalidParameterValue",
            ec2.create_route,
            RouteTableId=foreign,
            DestinationCidrBlock="10.2.0.0/16",
            VpcPeeringConnectionId=name,
        )
        self.fails(
            "InvalidVpcPeeringConnectionID.NotFound",
            ec2.create_route,
            RouteTableId=table,
            DestinationCidrBlock="10.2.0.0/16",
            VpcPeeringConnectionId="pcx-0123456789abcdef0",
        )

    def test_associations(self):
        vpc = self.vpc(CONSUMER, "10.1.0.0/16")
        ec2, table = self.client("ec2", CONSUMER), self.table(vpc)
        subnet = ec2.create_subnet(VpcId=vpc, CidrBlock="10.1.0.0/24")["Subnet"]["SubnetId"]
        ec2.associate_route_table(RouteTableId=table, SubnetId=subnet)
        mine = [{"Name": "vpc-id", "Values": [vpc]}]
        found = ec2.describe_route_tables(Filters=mine)["RouteTables"]
        self.assertEqual(2, len(found))
        (main,) = [one for one in found if any(link["Main"] for link in one["Associations"])]
        self.assertNotEqual(table, main["RouteTableId"])
        self.assertEqual([None], [link.get("SubnetId") for link in main["Associations"]])
        (other,) = [one for one in found if one is not main]
        self.assertEqual([(subnet, False)], [(link["SubnetId"], link["Main"]) for link in other["Associations"]])
        by_subnet = ec2.describe_route_tables(Filters=[{"Name": "association.subnet-id", "Values": [subnet]}])
        self.assertEqual([table], [one["RouteTableId"] for one in by_subnet["RouteTables"]])
        by_main = ec2.describe_route_tables(Filters=[*mine, {"Name": "association.main", "Values": ["true"]}])
        self.assertEqual([main["RouteTableId"]], [one["RouteTableId"] for one in by_main["RouteTables"]])


class SecurityGroups(Case):
    def group(self, account, vpc, name="g", region=REGION):
        ec2 = self.client("ec2", account, region)
        return ec2.create_security_group(GroupName=name, Description="d", VpcId=vpc)["GroupId"]

    def mysql(self, *blocks, **more):
        ranges = [{"CidrIp": block, "Description": "by drawbridge"} for block in blocks]
        return {"IpProtocol": "tcp", "FromPort": 3306, "ToPort": 3306, "IpRanges": ranges, **more}

    def test_rules_are_returned_tagged_and_described(self):
        vpc = self.vpc(PRODUCER, "10.2.0.0/16")
        ec2, group = self.client("ec2", PRODUCER), self.group(PRODUCER, vpc)
        tags = [{"Key": "drawbridge:connection", "Value": "pcx-1"}]
        for direction in ("ingress", "egress"):
            with self.subTest(direction):
                answer = getattr(ec2, f"authorize_security_group_{direction}")(
                    GroupId=group,
                    IpPermissions=[
                        self.mysql("10.1.0.0/16", "10.3.0.0/16"),
                        self.mysql(Ipv6Ranges=[{"CidrIpv6": "2001:db8::/56", "Description": "by drawbridge"}]),
                    ],
                    TagSpecifications=[{"ResourceType": "security-group-rule", "Tags": tags}],
                )["SecurityGroupRules"]
                self.assertEqual(3, len(answer))
                names = [one["SecurityGroupRuleId"] for one in answer]
                found = ec2.describe_security_group_rules(SecurityGroupRuleIds=names)["SecurityGroupRules"]
                self.assertEqual(
                    {("10.1.0.0/16", None), ("10.3.0.0/16", None), (None, "2001:db8::/56")},
                    {(one.get("CidrIpv4"), one.get("CidrIpv6")) for one in found},
                )
                for one in found:
                    self.assertEqual(
                        (group, PRODUCER, "by drawbridge", tags, direction == "egress", "tcp", 3306),
                        (
                            one["GroupId"],
                            one["GroupOwnerId"],
                            one["Description"],
                            one["Tags"],
                            one["IsEgress"],
                            one["IpProtocol"],
                            one["FromPort"],
                        ),
                    )
        by_tag = ec2.describe_security_group_rules(
            Filters=[{"Name": "group-id", "Values": [group]}, {"Name": "tag:drawbridge:connection", "Values": ["pcx-1"]}]
        )["SecurityGroupRules"]
        self.assertEqual(6, len(by_tag))
        one = by_tag[0]["SecurityGroupRuleId"]
        ec2.create_tags(Resources=[one], Tags=[{"Key": "more", "Value": "x"}])
        (found,) = ec2.describe_security_group_rules(SecurityGroupRuleIds=[one])["SecurityGroupRules"]
        self.assertIn({"Key": "more", "Value": "x"}, found["Tags"])

    def test_a_duplicate_is_refused_and_leaves_nothing(self):
        vpc = self.vpc(PRODUCER, "10.2.0.0/16")
        ec2, group = self.client("ec2", PRODUCER), self.group(PRODUCER, vpc)
        ec2.authorize_security_group_ingress(GroupId=group, IpPermissions=[self.mysql("10.1.0.0/16")])
        again = self.mysql("10.1.0.0/16")
        again["IpRanges"][0]["Description"] = "another description"
        self.fails(
            "InvalidPermission.Duplicate",
            ec2.authorize_security_group_ingress,
            GroupId=group,
            IpPermissions=[self.mysql("10.7.0.0/16"), again],
        )
        (found,) = ec2.describe_security_groups(GroupIds=[group])["SecurityGroups"]
        self.assertEqual(["10.1.0.0/16"], [one["CidrIp"] for one in found["IpPermissions"][0]["IpRanges"]])

    def test_a_group_of_the_peer_is_a_source_while_the_peering_is_active(self):
        name, one, other = self.peering()
        theirs, mine = self.group(CONSUMER, one), self.group(PRODUCER, other)
        ec2 = self.client("ec2", PRODUCER)
        pair = {"GroupId": theirs, "UserId": CONSUMER, "Description": "notebooks"}
        permission = self.mysql(UserIdGroupPairs=[pair])
        permission.pop("IpRanges")
        authorize = ec2.authorize_security_group_ingress
        self.fails("InvalidGroup.NotFound", authorize, GroupId=mine, IpPermissions=[permission])
        self.activate(name)
        authorize(GroupId=mine, IpPermissions=[permission])
        self.fails("InvalidPermission.Duplicate", authorize, GroupId=mine, IpPermissions=[permission])
        (found,) = ec2.describe_security_groups(GroupIds=[mine])["SecurityGroups"]
        (shown,) = found["IpPermissions"][0]["UserIdGroupPairs"]
        self.assertEqual((theirs, CONSUMER, name, "active"), tuple(
            shown[key] for key in ("GroupId", "UserId", "VpcPeeringConnectionId", "PeeringStatus")
        ))
        rules = ec2.describe_security_group_rules(Filters=[{"Name": "group-id", "Values": [mine]}])["SecurityGroupRules"]
        (rule,) = [one for one in rules if not one["IsEgress"]]
        self.assertEqual(("notebooks", theirs), (rule["Description"], rule["ReferencedGroupInfo"]["GroupId"]))
        ec2.revoke_security_group_ingress(GroupId=mine, IpPermissions=[permission])
        self.assertEqual([], ec2.describe_security_groups(GroupIds=[mine])["SecurityGroups"][0]["IpPermissions"])

    def test_a_reference_to_a_peer_stays_when_the_peering_goes(self):
        # "the security group rule isn't automatically removed": it is stale, and is revoked by its id like any other.
        name, one, other = self.peering()
        self.activate(name)
        theirs, mine = self.group(CONSUMER, one), self.group(PRODUCER, other)
        ec2, permission = self.client("ec2", PRODUCER), self.mysql(UserIdGroupPairs=[{"GroupId": theirs}])
        permission.pop("IpRanges")
        self.fails("InvalidGroup.NotFound", ec2.authorize_security_group_ingress, GroupId=mine, IpPermissions=[permission])
        permission["UserIdGroupPairs"][0]["UserId"] = CONSUMER
        (rule,) = ec2.authorize_security_group_ingress(GroupId=mine, IpPermissions=[permission])["SecurityGroupRules"]
        ec2.delete_vpc_peering_connection(VpcPeeringConnectionId=name)

        def info():
            rules = ec2.describe_security_group_rules(Filters=[{"Name": "group-id", "Values": [mine]}])["SecurityGroupRules"]
            return [one["ReferencedGroupInfo"] for one in rules if not one["IsEgress"]]

        (left,) = info()
        self.assertEqual((one, CONSUMER, "deleted"), (left["VpcId"], left["UserId"], left["PeeringStatus"]))
        self.client("ec2", CONSUMER).delete_security_group(GroupId=theirs)  # a reference of a peer keeps nobody from it
        ec2.revoke_security_group_ingress(GroupId=mine, SecurityGroupRuleIds=[rule["SecurityGroupRuleId"]])
        self.assertEqual([], info())

    def test_a_group_elsewhere_is_not_found(self):
        name, one, other = self.peering(accepter_region=ELSEWHERE)
        self.activate(name, ELSEWHERE)
        theirs, mine = self.group(CONSUMER, one), self.group(PRODUCER, other, region=ELSEWHERE)
        permission = {"IpProtocol": "-1", "UserIdGroupPairs": [{"GroupId": theirs, "UserId": CONSUMER}]}
        self.fails(
            "InvalidGroup.NotFound",
            self.client("ec2", PRODUCER, ELSEWHERE).authorize_security_group_ingress,
            GroupId=mine,
            IpPermissions=[permission],
        )

    def test_revoke_by_rule_id(self):
        vpc = self.vpc(PRODUCER, "10.2.0.0/16")
        ec2, group = self.client("ec2", PRODUCER), self.group(PRODUCER, vpc)
        (rule,) = ec2.authorize_security_group_ingress(GroupId=group, IpPermissions=[self.mysql("10.1.0.0/16")])[
            "SecurityGroupRules"
        ]
        ec2.revoke_security_group_ingress(GroupId=group, SecurityGroupRuleIds=[rule["SecurityGroupRuleId"]])
        (found,) = ec2.describe_security_groups(GroupIds=[group])["SecurityGroups"]
        self.assertEqual([], found["IpPermissions"])

    def test_what_a_tag_names_is_revoked_all_or_nothing(self):
        vpc = self.vpc(PRODUCER, "10.2.0.0/16")
        ec2, group = self.client("ec2", PRODUCER), self.group(PRODUCER, vpc)
        tags = [{"ResourceType": "security-group-rule", "Tags": [{"Key": "drawbridge:connection", "Value": "pcx-1"}]}]
        ec2.authorize_security_group_egress(GroupId=group, IpPermissions=[self.mysql("10.1.0.0/16")], TagSpecifications=tags)
        ec2.authorize_security_group_egress(GroupId=group, IpPermissions=[self.mysql("10.3.0.0/16")])

        def named():
            filters = [{"Name": "tag:drawbridge:connection", "Values": ["pcx-1"]}]
            return ec2.describe_security_group_rules(Filters=filters)["SecurityGroupRules"]

        (rule,) = named()
        ids = [rule["SecurityGroupRuleId"]]
        wrong = {"GroupId": group, "SecurityGroupRuleIds": [*ids, "sgr-0123456789abcdef0"]}
        self.fails("InvalidPermission.NotFound", ec2.revoke_security_group_egress, **wrong)
        self.assertEqual(1, len(named()))
        ec2.revoke_security_group_egress(GroupId=group, SecurityGroupRuleIds=ids)
        self.assertEqual([], named())
        (found,) = ec2.describe_security_groups(GroupIds=[group])["SecurityGroups"]
        self.assertIn("10.3.0.0/16", str(found["IpPermissionsEgress"]))

    def test_rules_are_found_by_the_value_of_a_tag_and_not_by_its_key(self):
        ec2 = self.client("ec2", PRODUCER)
        group = ec2.create_security_group(GroupName="db", Description="d", VpcId=self.vpc(PRODUCER, "10.9.0.0/16"))["GroupId"]
        for n, owner in enumerate(("pcx-1", "tgw-1:vpc-a:vpc-b", "private-notebooks-vpc-a")):
            ec2.authorize_security_group_ingress(
                GroupId=group,
                IpPermissions=[{"IpProtocol": "tcp", "FromPort": 3306 + n, "ToPort": 3306 + n, "IpRanges": [{"CidrIp": "10.1.0.0/16"}]}],
                TagSpecifications=[{"ResourceType": "security-group-rule", "Tags": [{"Key": "drawbridge:connection", "Value": owner}]}],
            )
        found = ec2.describe_security_group_rules(Filters=[{"Name": "tag:drawbridge:connection", "Values": ["pcx-*", "tgw-*"]}])
        self.assertEqual([3306, 3307], sorted(rule["FromPort"] for rule in found["SecurityGroupRules"]))
        filters = [{"Name": "tag-key", "Values": ["drawbridge:connection"]}]
        self.fails("InvalidParameterValue", ec2.describe_security_group_rules, Filters=filters)


class NetworkAcls(Case):
    def test_entries_and_associations(self):
        vpc = self.vpc(PRODUCER, "10.2.0.0/16")
        ec2 = self.client("ec2", PRODUCER)
        subnet = ec2.create_subnet(VpcId=vpc, CidrBlock="10.2.0.0/24")["Subnet"]["SubnetId"]
        of_subnet = [{"Name": "association.subnet-id", "Values": [subnet]}]
        (default,) = ec2.describe_network_acls(Filters=of_subnet)["NetworkAcls"]
        self.assertTrue(default["IsDefault"])
        self.assertEqual(
            {(100, "allow", False), (100, "allow", True), (32767, "deny", False), (32767, "deny", True)},
            {(one["RuleNumber"], one["RuleAction"], one["Egress"]) for one in default["Entries"]},
        )
        own = ec2.create_network_acl(VpcId=vpc)["NetworkAcl"]["NetworkAclId"]
        (link,) = default["Associations"]
        ec2.replace_network_acl_association(AssociationId=link["NetworkAclAssociationId"], NetworkAclId=own)
        ec2.create_network_acl_entry(
            NetworkAclId=own,
            RuleNumber=90,
            Protocol="6",
            RuleAction="allow",
            Egress=False,
            CidrBlock="10.1.0.0/16",
            PortRange={"From": 3306, "To": 3306},
        )
        (found,) = ec2.describe_network_acls(Filters=of_subnet)["NetworkAcls"]
        self.assertEqual((own, False), (found["NetworkAclId"], found["IsDefault"]))
        entries = {(one["RuleNumber"], one["Egress"]): one for one in found["Entries"]}
        self.assertEqual({(90, False), (32767, False), (32767, True)}, set(entries))
        self.assertEqual(
            ("6", {"From": 3306, "To": 3306}, "10.1.0.0/16"),
            tuple(entries[90, False][key] for key in ("Protocol", "PortRange", "CidrBlock")),
        )
        self.fails(
            "InvalidNetworkAclEntry.NotFound", ec2.delete_network_acl_entry, NetworkAclId=own, RuleNumber=1, Egress=True
        )


class CidrBlocks(Case):
    def test_a_secondary_block_gets_its_local_route_and_may_not_overlap(self):
        vpc = self.vpc(CONSUMER, "10.1.0.0/16")
        ec2 = self.client("ec2", CONSUMER)
        ec2.associate_vpc_cidr_block(VpcId=vpc, CidrBlock="10.9.0.0/16")
        ec2.associate_vpc_cidr_block(VpcId=vpc, Ipv6CidrBlock="2001:db8:1::/56", Ipv6Pool="pool")
        self.fails("CidrConflict", ec2.associate_vpc_cidr_block, VpcId=vpc, CidrBlock="10.9.128.0/17")
        (found,) = ec2.describe_vpcs(VpcIds=[vpc])["Vpcs"]
        self.assertEqual(["10.1.0.0/16", "10.9.0.0/16"], [one["CidrBlock"] for one in found["CidrBlockAssociationSet"]])
        self.assertEqual(["2001:db8:1::/56"], [one["Ipv6CidrBlock"] for one in found["Ipv6CidrBlockAssociationSet"]])
        (table,) = ec2.describe_route_tables(Filters=[{"Name": "vpc-id", "Values": [vpc]}])["RouteTables"]
        self.assertEqual(
            {"10.1.0.0/16", "10.9.0.0/16", "2001:db8:1::/56"},
            {one.get("DestinationCidrBlock") or one["DestinationIpv6CidrBlock"] for one in table["Routes"]},
        )
