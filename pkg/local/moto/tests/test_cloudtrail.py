import json

from .engine import CONSUMER, ELSEWHERE, HUB, PRODUCER, REGION, Case


class CloudTrail(Case):
    def test_create_is_recorded_where_it_was_called_and_nowhere_else(self):
        name, one, other = self.peering(accepter_region=ELSEWHERE)
        (event,) = self.events(eventName="CreateVpcPeeringConnection")
        self.assertEqual(["CreateVpc", "CreateVpc", event["detail"]["eventName"]], [one["detail"]["eventName"] for one in self.events()])
        self.assertEqual(
            ("aws.ec2", "AWS API Call via CloudTrail", CONSUMER, REGION, []),
            tuple(event[key] for key in ("source", "detail-type", "account", "region", "resources")),
        )
        detail = event["detail"]
        self.assertEqual(
            {"vpcId": one, "peerVpcId": other, "peerOwnerId": PRODUCER, "peerRegion": ELSEWHERE}, detail["requestParameters"]
        )
        peering = detail["responseElements"]["vpcPeeringConnection"]
        self.assertEqual(name, peering["vpcPeeringConnectionId"])
        self.assertEqual("initiating-request", peering["status"]["code"])
        self.assertEqual({"ownerId": PRODUCER, "vpcId": other, "region": ELSEWHERE}, peering["accepterVpcInfo"])
        requester = peering["requesterVpcInfo"]
        self.assertEqual({"items": [{"cidrBlock": "10.1.0.0/16"}]}, requester["cidrBlockSet"])
        self.assertIs(False, requester["peeringOptions"]["allowDnsResolutionFromRemoteVpc"])
        self.assertEqual({}, peering["tagSet"])
        self.assertGreater(peering["expirationTime"], 10**12)
        self.assertEqual(
            ("ec2.amazonaws.com", REGION, "127.0.0.1", False, "AwsApiCall", CONSUMER),
            tuple(
                detail[key]
                for key in ("eventSource", "awsRegion", "sourceIPAddress", "readOnly", "eventType", "recipientAccountId")
            ),
        )
        for key in ("eventTime", "eventID", "requestID", "userAgent", "eventVersion"):
            self.assertTrue(detail[key], key)
        self.assertEqual(("Root", CONSUMER), (detail["userIdentity"]["type"], detail["userIdentity"]["accountId"]))
        self.assertNotIn("errorCode", detail)

    def test_accept_reject_delete_and_options(self):
        name, _, _ = self.peering(accepter_region=ELSEWHERE)
        self.activate(name, ELSEWHERE)
        (accepted,) = self.events(eventName="AcceptVpcPeeringConnection", account=PRODUCER, region=ELSEWHERE)
        self.assertEqual({"vpcPeeringConnectionId": name}, accepted["detail"]["requestParameters"])
        view = accepted["detail"]["responseElements"]["vpcPeeringConnection"]
        self.assertEqual(("provisioning", "10.2.0.0/16"), (view["status"]["code"], view["accepterVpcInfo"]["cidrBlock"]))
        ec2 = self.client("ec2", CONSUMER)
        ec2.modify_vpc_peering_connection_options(
            VpcPeeringConnectionId=name, RequesterPeeringConnectionOptions={"AllowDnsResolutionFromRemoteVpc": True}
        )
        (modified,) = self.events(eventName="ModifyVpcPeeringConnectionOptions", account=CONSUMER)
        self.assertEqual(name, modified["detail"]["requestParameters"]["vpcPeeringConnectionId"])
        ec2.delete_vpc_peering_connection(VpcPeeringConnectionId=name)
        (deleted,) = self.events(eventName="DeleteVpcPeeringConnection", account=CONSUMER)
        self.assertIs(True, deleted["detail"]["responseElements"]["_return"])
        self.assertEqual(deleted["detail"]["requestID"], deleted["detail"]["responseElements"]["requestId"])
        name, _, _ = self.peering("10.5.0.0/16", "10.6.0.0/16")
        self.client("ec2", PRODUCER).reject_vpc_peering_connection(VpcPeeringConnectionId=name)
        (rejected,) = self.events(eventName="RejectVpcPeeringConnection", account=PRODUCER)
        self.assertIs(True, rejected["detail"]["responseElements"]["_return"])

    def test_a_failed_call_carries_its_error_and_no_response(self):
        name, _, _ = self.peering()
        self.fails(
            "OperationNotPermitted",
            self.client("ec2", CONSUMER).accept_vpc_peering_connection,
            VpcPeeringConnectionId=name,
        )
        (event,) = self.events(eventName="AcceptVpcPeeringConnection")
        self.assertEqual("Client.OperationNotPermitted", event["detail"]["errorCode"])
        self.assertIn(name, event["detail"]["errorMessage"])
        self.assertIsNone(event["detail"]["responseElements"])

    def test_tags_of_what_owners_tag_for_drawbridge_only(self):
        name, one, _ = self.peering()
        ec2 = self.client("ec2", CONSUMER)
        subnet = ec2.create_subnet(VpcId=one, CidrBlock="10.1.0.0/24")["Subnet"]["SubnetId"]
        acl = ec2.create_network_acl(VpcId=one)["NetworkAcl"]["NetworkAclId"]
        for resource in (name, one, subnet, acl):
            ec2.create_tags(Resources=[resource], Tags=[{"Key": "drawbridge:approval", "Value": "approved"}])
        ec2.delete_tags(Resources=[name], Tags=[{"Key": "drawbridge:approval"}])
        created = self.events(eventName="CreateTags")
        self.assertEqual(
            [
                {
                    "resourcesSet": {"items": [{"resourceId": resource}]},
                    "tagSet": {"items": [{"key": "drawbridge:approval", "value": "approved"}]},
                }
                for resource in (name, one, subnet)
            ],
            [event["detail"]["requestParameters"] for event in created],
        )
        (deleted,) = self.events(eventName="DeleteTags")
        self.assertEqual({"items": [{"key": "drawbridge:approval"}]}, deleted["detail"]["requestParameters"]["tagSet"])

    def test_entries_of_prefix_lists(self):
        ec2 = self.client("ec2", CONSUMER)
        made = ec2.create_managed_prefix_list(
            PrefixListName="databases", MaxEntries=2, AddressFamily="IPv4", Entries=[{"Cidr": "10.2.0.0/16"}]
        )["PrefixList"]["PrefixListId"]
        ec2.modify_managed_prefix_list(PrefixListId=made, CurrentVersion=1, RemoveEntries=[{"Cidr": "10.2.0.0/16"}])
        (changed,) = self.events(eventName="ModifyManagedPrefixList")
        request = changed["detail"]["requestParameters"]["ModifyManagedPrefixListRequest"]
        self.assertEqual((made, "1"), (request["PrefixListId"], str(request["CurrentVersion"])))
        self.assertEqual(
            made, changed["detail"]["responseElements"]["ModifyManagedPrefixListResponse"]["prefixList"]["prefixListId"]
        )

    def test_cidr_blocks_of_vpcs(self):
        vpc = self.vpc(CONSUMER, "10.1.0.0/16")
        ec2 = self.client("ec2", CONSUMER)
        answer = ec2.associate_vpc_cidr_block(VpcId=vpc, CidrBlock="10.9.0.0/16")["CidrBlockAssociation"]
        ec2.disassociate_vpc_cidr_block(AssociationId=answer["AssociationId"])
        (added,) = self.events(eventName="AssociateVpcCidrBlock")
        self.assertEqual(
            {"AssociateVpcCidrBlockRequest": {"VpcId": vpc, "CidrBlock": "10.9.0.0/16"}}, added["detail"]["requestParameters"]
        )
        response = added["detail"]["responseElements"]["AssociateVpcCidrBlockResponse"]
        self.assertEqual(
            (vpc, "10.9.0.0/16", "associating"),
            (
                response["vpcId"],
                response["cidrBlockAssociation"]["cidrBlock"],
                response["cidrBlockAssociation"]["cidrBlockState"]["state"],
            ),
        )
        (removed,) = self.events(eventName="DisassociateVpcCidrBlock")
        self.assertEqual(
            {"DisassociateVpcCidrBlockRequest": {"AssociationId": answer["AssociationId"]}},
            removed["detail"]["requestParameters"],
        )

    def test_a_role_session_is_named_by_its_role(self):
        self.client("iam", PRODUCER).create_role(
            RoleName="drawbridge-member-accept-peering",
            AssumeRolePolicyDocument=json.dumps(
                {
                    "Version": "2012-10-17",
                    "Statement": [{"Effect": "Allow", "Principal": {"AWS": HUB}, "Action": "sts:AssumeRole"}],
                }
            ),
        )
        self.client("iam", PRODUCER).put_role_policy(
            RoleName="drawbridge-member-accept-peering",
            PolicyName="step",
            PolicyDocument=json.dumps(
                {
                    "Version": "2012-10-17",
                    "Statement": [{"Effect": "Allow", "Action": "ec2:AcceptVpcPeeringConnection", "Resource": "*"}],
                }
            ),
        )
        arn = f"arn:aws:iam::{PRODUCER}:role/drawbridge-member-accept-peering"
        keys = self.client("sts", HUB).assume_role(RoleArn=arn, RoleSessionName="run-1")["Credentials"]
        name, _, _ = self.peering()
        self.client("ec2", PRODUCER, keys=keys).accept_vpc_peering_connection(VpcPeeringConnectionId=name)
        (event,) = self.events(eventName="AcceptVpcPeeringConnection", account=PRODUCER)
        who = event["detail"]["userIdentity"]
        self.assertEqual(
            ("AssumedRole", f"arn:aws:sts::{PRODUCER}:assumed-role/drawbridge-member-accept-peering/run-1"),
            (who["type"], who["arn"]),
        )
        issuer = who["sessionContext"]["sessionIssuer"]
        self.assertEqual(("Role", arn, "drawbridge-member-accept-peering"), tuple(issuer[k] for k in ("type", "arn", "userName")))
