import unittest

from .engine import CONSUMER, ELSEWHERE, PRODUCER, REGION, Case


class Peering(Case):
    def ec2(self, account, region=REGION):
        return self.client("ec2", account, region)

    def test_passing_states_are_each_seen_once_and_shared_by_both_sides(self):
        name, _, _ = self.peering()
        self.assertEqual("initiating-request", self.status(name, PRODUCER))
        self.assertEqual("pending-acceptance", self.status(name, CONSUMER))
        answer = self.ec2(PRODUCER).accept_vpc_peering_connection(VpcPeeringConnectionId=name)["VpcPeeringConnection"]
        self.assertEqual("provisioning", answer["Status"]["Code"])
        self.assertEqual("10.2.0.0/16", answer["AccepterVpcInfo"]["CidrBlock"])
        self.assertEqual("provisioning", self.status(name, CONSUMER))
        self.assertEqual("active", self.status(name, PRODUCER))

    def test_create_answers_initiating_request_with_expiry_and_without_the_accepters_blocks(self):
        one, other = self.vpc(CONSUMER, "10.1.0.0/16"), self.vpc(PRODUCER, "10.2.0.0/16")
        view = self.ec2(CONSUMER).create_vpc_peering_connection(VpcId=one, PeerVpcId=other, PeerOwnerId=PRODUCER)[
            "VpcPeeringConnection"
        ]
        self.assertEqual("initiating-request", view["Status"]["Code"])
        self.assertIn("ExpirationTime", view)
        self.assertNotIn("CidrBlock", view["AccepterVpcInfo"])
        self.assertEqual([{"CidrBlock": "10.1.0.0/16"}], view["RequesterVpcInfo"]["CidrBlockSet"])

    def test_works_between_regions(self):
        name, _, _ = self.peering(accepter_region=ELSEWHERE)
        self.assertEqual("initiating-request", self.status(name, CONSUMER))
        self.fails(
            "InvalidVpcPeeringConnectionID.NotFound",
            self.ec2(PRODUCER).accept_vpc_peering_connection,
            VpcPeeringConnectionId=name,
        )
        self.activate(name, ELSEWHERE)
        view = self.look(name)
        self.assertEqual((ELSEWHERE, "10.2.0.0/16"), (view["AccepterVpcInfo"]["Region"], view["AccepterVpcInfo"]["CidrBlock"]))
        self.ec2(CONSUMER).delete_vpc_peering_connection(VpcPeeringConnectionId=name)
        self.assertEqual("deleting", self.status(name, PRODUCER, ELSEWHERE))
        self.assertEqual("deleted", self.status(name))

    def test_days_pass_and_a_deleted_peering_is_forgotten_first_by_who_deleted_it(self):
        name, _, _ = self.peering()
        self.activate(name)
        self.pass_days("peering", name, 9)
        self.assertEqual("active", self.status(name))
        self.ec2(CONSUMER).delete_vpc_peering_connection(VpcPeeringConnectionId=name)
        self.pass_days("peering", name, 1 / 24)
        self.assertEqual("deleted", self.status(name))
        self.pass_days("peering", name, 1)
        self.fails("InvalidVpcPeeringConnectionID.NotFound", self.status, name)
        self.assertEqual("deleted", self.status(name, PRODUCER))
        self.pass_days("peering", name, 3)
        self.fails("InvalidVpcPeeringConnectionID.NotFound", self.status, name, PRODUCER)

    def test_filters_choose(self):
        name, one, other = self.peering()
        self.peering("10.3.0.0/16", "10.4.0.0/16")
        self.ec2(CONSUMER).create_tags(Resources=[name], Tags=[{"Key": "team", "Value": "bridge"}])
        self.status(name)
        for filter_name, value in {
            "status-code": "pending-acceptance",
            "requester-vpc-info.vpc-id": one,
            "accepter-vpc-info.vpc-id": other,
            "requester-vpc-info.cidr-block": "10.1.*",
            "vpc-peering-connection-id": name,
            "tag:team": "bri*",
            "tag-key": "team",
        }.items():
            with self.subTest(filter_name):
                found = self.ec2(CONSUMER).describe_vpc_peering_connections(
                    Filters=[{"Name": filter_name, "Values": [value, "neither"]}]
                )["VpcPeeringConnections"]
                self.assertIn(name, [one["VpcPeeringConnectionId"] for one in found])
                if filter_name != "status-code":
                    self.assertEqual(1, len(found))
        self.fails(
            "InvalidParameterValue",
            self.ec2(CONSUMER).describe_vpc_peering_connections,
            Filters=[{"Name": "colour", "Values": ["red"]}],
        )

    def test_overlap_of_any_block_fails(self):
        for case, first, second in (
            ("primary", {}, {"accepter": "10.1.128.0/17"}),
            ("secondary", {"secondary": "10.9.0.0/16"}, {"accepter": "10.2.0.0/16", "secondary": "10.9.1.0/24"}),
            ("ipv6", {"ipv6": "2001:db8:1::/48"}, {"accepter": "10.2.0.0/16", "ipv6": "2001:db8:1:8000::/56"}),
        ):
            with self.subTest(case):
                one, other = self.vpc(CONSUMER, "10.1.0.0/16"), self.vpc(PRODUCER, second["accepter"])
                for account, vpc, extra in ((CONSUMER, one, first), (PRODUCER, other, second)):
                    if "secondary" in extra:
                        self.ec2(account).associate_vpc_cidr_block(VpcId=vpc, CidrBlock=extra["secondary"])
                    if "ipv6" in extra:
                        self.ec2(account).associate_vpc_cidr_block(VpcId=vpc, Ipv6CidrBlock=extra["ipv6"], Ipv6Pool="pool")
                name = self.ec2(CONSUMER).create_vpc_peering_connection(VpcId=one, PeerVpcId=other, PeerOwnerId=PRODUCER)[
                    "VpcPeeringConnection"
                ]["VpcPeeringConnectionId"]
                self.assertEqual("initiating-request", self.status(name))
                self.assertEqual("failed", self.status(name))
                self.fails(
                    "InvalidStateTransition",
                    self.ec2(PRODUCER).accept_vpc_peering_connection,
                    VpcPeeringConnectionId=name,
                )

    def test_a_block_that_is_gone_does_not_overlap(self):
        one, other = self.vpc(CONSUMER, "10.1.0.0/16"), self.vpc(PRODUCER, "10.2.0.0/16")
        ec2 = self.ec2(CONSUMER)
        extra = ec2.associate_vpc_cidr_block(VpcId=one, CidrBlock="10.3.0.0/16")["CidrBlockAssociation"]["AssociationId"]
        ec2.disassociate_vpc_cidr_block(AssociationId=extra)
        self.ec2(PRODUCER).associate_vpc_cidr_block(VpcId=other, CidrBlock="10.3.0.0/16")
        name = ec2.create_vpc_peering_connection(VpcId=one, PeerVpcId=other, PeerOwnerId=PRODUCER)["VpcPeeringConnection"]
        self.activate(name["VpcPeeringConnectionId"])

    def test_a_peer_that_nobody_has_fails_without_an_error(self):
        one = self.vpc(CONSUMER, "10.1.0.0/16")
        for peer in ({"PeerOwnerId": "333333333333"}, {"PeerOwnerId": PRODUCER, "PeerRegion": "ap-south-1"}, {}):
            with self.subTest(peer):
                view = self.ec2(CONSUMER).create_vpc_peering_connection(VpcId=one, PeerVpcId="vpc-0000000000000dead", **peer)[
                    "VpcPeeringConnection"
                ]
                self.assertEqual("vpc-0000000000000dead", view["AccepterVpcInfo"]["VpcId"])
                self.status(view["VpcPeeringConnectionId"])
                self.assertEqual("failed", self.status(view["VpcPeeringConnectionId"]))

    def test_only_the_accepter_accepts_and_rejects(self):
        name, _, _ = self.peering()
        for verb in ("accept", "reject"):
            call = getattr(self.ec2(CONSUMER), f"{verb}_vpc_peering_connection")
            self.fails("OperationNotPermitted", call, VpcPeeringConnectionId=name)
        self.ec2(PRODUCER).reject_vpc_peering_connection(VpcPeeringConnectionId=name)
        self.assertEqual("rejected", self.status(name))
        self.fails(
            "InvalidStateTransition", self.ec2(PRODUCER).accept_vpc_peering_connection, VpcPeeringConnectionId=name
        )
        self.fails(
            "InvalidStateTransition", self.ec2(CONSUMER).delete_vpc_peering_connection, VpcPeeringConnectionId=name
        )

    def test_who_deletes_when(self):
        name, _, _ = self.peering()
        self.fails(
            "OperationNotPermitted", self.ec2(PRODUCER).delete_vpc_peering_connection, VpcPeeringConnectionId=name
        )
        self.activate(name)
        self.ec2(PRODUCER).delete_vpc_peering_connection(VpcPeeringConnectionId=name)
        self.assertEqual("deleted", self.status(name))
        self.fails(
            "InvalidStateTransition", self.ec2(CONSUMER).delete_vpc_peering_connection, VpcPeeringConnectionId=name
        )

    def test_unknown_and_malformed_ids(self):
        ec2 = self.ec2(CONSUMER)
        self.fails(
            "InvalidVpcPeeringConnectionID.NotFound",
            ec2.describe_vpc_peering_connections,
            VpcPeeringConnectionIds=["pcx-0123456789abcdef0"],
        )
        self.fails(
            "InvalidVpcPeeringConnectionId.Malformed", ec2.accept_vpc_peering_connection, VpcPeeringConnectionId="peer"
        )
        self.fails(
            "InvalidVpcPeeringConnectionID.NotFound",
            ec2.create_tags,
            Resources=["pcx-0123456789abcdef0"],
            Tags=[{"Key": "a", "Value": "b"}],
        )

    def test_options_only_when_active_and_only_of_ones_own_side(self):
        name, _, _ = self.peering(accepter_region=ELSEWHERE)
        allow = {"AllowDnsResolutionFromRemoteVpc": True}
        requester, accepter = self.ec2(CONSUMER), self.ec2(PRODUCER, ELSEWHERE)

        def modify(client, **options):
            return client.modify_vpc_peering_connection_options(VpcPeeringConnectionId=name, **options)

        error = self.fails("OperationNotPermitted", modify, requester, RequesterPeeringConnectionOptions=allow)
        self.assertIn("not active", str(error))
        self.activate(name, ELSEWHERE)
        self.fails("OperationNotPermitted", modify, requester, AccepterPeeringConnectionOptions=allow)
        self.fails("OperationNotPermitted", modify, accepter, RequesterPeeringConnectionOptions=allow)
        answer = modify(requester, RequesterPeeringConnectionOptions=allow)
        self.assertTrue(answer["RequesterPeeringConnectionOptions"]["AllowDnsResolutionFromRemoteVpc"])
        self.assertNotIn("AccepterPeeringConnectionOptions", answer)
        modify(accepter, AccepterPeeringConnectionOptions=allow)
        view = self.look(name)
        for side in ("RequesterVpcInfo", "AccepterVpcInfo"):
            self.assertIs(True, view[side]["PeeringOptions"]["AllowDnsResolutionFromRemoteVpc"])

    def test_all_blocks_are_shown_the_accepters_once_active(self):
        one, other = self.vpc(CONSUMER, "10.1.0.0/16"), self.vpc(PRODUCER, "10.2.0.0/16")
        self.ec2(PRODUCER).associate_vpc_cidr_block(VpcId=other, CidrBlock="10.3.0.0/16")
        self.ec2(PRODUCER).associate_vpc_cidr_block(VpcId=other, Ipv6CidrBlock="2001:db8:2::/56", Ipv6Pool="pool")
        name = self.ec2(CONSUMER).create_vpc_peering_connection(VpcId=one, PeerVpcId=other, PeerOwnerId=PRODUCER)[
            "VpcPeeringConnection"
        ]["VpcPeeringConnectionId"]
        self.assertNotIn("CidrBlockSet", self.look(name, PRODUCER)["AccepterVpcInfo"])
        self.activate(name)
        info = self.look(name)["AccepterVpcInfo"]
        self.assertEqual([{"CidrBlock": "10.2.0.0/16"}, {"CidrBlock": "10.3.0.0/16"}], info["CidrBlockSet"])
        self.assertEqual([{"Ipv6CidrBlock": "2001:db8:2::/56"}], info["Ipv6CidrBlockSet"])

    def test_each_side_has_its_own_tags(self):
        for region in (REGION, ELSEWHERE):
            with self.subTest(region):
                name, _, _ = self.peering(accepter_region=region)
                requester, accepter = self.ec2(CONSUMER), self.ec2(PRODUCER, region)
                requester.create_tags(Resources=[name], Tags=[{"Key": "side", "Value": "requester"}])
                accepter.create_tags(Resources=[name], Tags=[{"Key": "side", "Value": "accepter"}])
                self.assertEqual([{"Key": "side", "Value": "requester"}], self.look(name)["Tags"])
                self.assertEqual([{"Key": "side", "Value": "accepter"}], self.look(name, PRODUCER, region)["Tags"])
                accepter.delete_tags(Resources=[name], Tags=[{"Key": "side"}])
                self.assertEqual([], self.look(name, PRODUCER, region)["Tags"])
                self.assertEqual([{"Key": "side", "Value": "requester"}], self.look(name)["Tags"])

    def test_a_deleted_peering_is_still_shown_and_each_side_deletes_its_own_tags(self):
        name, _, _ = self.peering()
        self.activate(name)
        for account in (CONSUMER, PRODUCER):
            self.ec2(account).create_tags(
                Resources=[name], Tags=[{"Key": key, "Value": account} for key in ("drawbridge:status", "team")]
            )
        self.ec2(PRODUCER).delete_vpc_peering_connection(VpcPeeringConnectionId=name)
        for account in (CONSUMER, PRODUCER):
            self.assertEqual("deleted", self.status(name, account))
        self.ec2(CONSUMER).delete_tags(Resources=[name], Tags=[{"Key": "drawbridge:status"}, {"Key": "drawbridge:reason"}])
        self.assertEqual([{"Key": "team", "Value": CONSUMER}], self.look(name)["Tags"])
        self.assertEqual(2, len(self.look(name, PRODUCER)["Tags"]))

    def test_tags_at_creation_belong_to_the_requester(self):
        one, other = self.vpc(CONSUMER, "10.1.0.0/16"), self.vpc(PRODUCER, "10.2.0.0/16")
        name = self.ec2(CONSUMER).create_vpc_peering_connection(
            VpcId=one,
            PeerVpcId=other,
            PeerOwnerId=PRODUCER,
            TagSpecifications=[{"ResourceType": "vpc-peering-connection", "Tags": [{"Key": "a", "Value": "b"}]}],
        )["VpcPeeringConnection"]["VpcPeeringConnectionId"]
        self.assertEqual([{"Key": "a", "Value": "b"}], self.look(name)["Tags"])
        self.assertEqual([], self.look(name, PRODUCER)["Tags"])

    def test_a_pair_of_vpcs_has_one_active_peering(self):
        name, one, other = self.peering()
        self.activate(name)
        second = self.ec2(PRODUCER).create_vpc_peering_connection(VpcId=other, PeerVpcId=one, PeerOwnerId=CONSUMER)[
            "VpcPeeringConnection"
        ]["VpcPeeringConnectionId"]
        self.fails(
            "VpcPeeringConnectionAlreadyExists",
            self.ec2(CONSUMER).accept_vpc_peering_connection,
            VpcPeeringConnectionId=second,
        )

    def test_within_one_account_the_owner_may_do_both_sides(self):
        one, other = self.vpc(CONSUMER, "10.1.0.0/16"), self.vpc(CONSUMER, "10.2.0.0/16")
        ec2 = self.ec2(CONSUMER)
        name = ec2.create_vpc_peering_connection(VpcId=one, PeerVpcId=other)["VpcPeeringConnection"]["VpcPeeringConnectionId"]
        ec2.accept_vpc_peering_connection(VpcPeeringConnectionId=name)
        self.assertEqual("provisioning", self.status(name))
        self.assertEqual("active", self.status(name))
        allow = {"AllowDnsResolutionFromRemoteVpc": True}
        ec2.modify_vpc_peering_connection_options(
            VpcPeeringConnectionId=name, AccepterPeeringConnectionOptions=allow, RequesterPeeringConnectionOptions=allow
        )


if __name__ == "__main__":
    unittest.main()
