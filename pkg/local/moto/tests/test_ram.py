import json
import unittest
from unittest import mock
from datetime import timedelta

from drawbridge_moto import ram

from .engine import CONSUMER, HUB, OUTSIDE, PRODUCER, REGION, Case


class Shares(Case):
    def setUp(self):
        super().setUp()
        self.arn = self.client("ec2", CONSUMER).create_transit_gateway()["TransitGateway"]["TransitGatewayArn"]
        self.owner, self.other = self.client("ram", CONSUMER), self.client("ram", PRODUCER)

    def share(self, *principals, **more):
        return self.owner.create_resource_share(name="hub", resourceArns=[self.arn], principals=list(principals), **more)[
            "resourceShare"
        ]["resourceShareArn"]

    def given(self, client):
        return [one["resourceShareArn"] for one in client.get_resource_shares(resourceOwner="OTHER-ACCOUNTS")["resourceShares"]]

    def principals(self):
        found = self.owner.get_resource_share_associations(associationType="PRINCIPAL")["resourceShareAssociations"]
        return {one["associatedEntity"]: one["status"] for one in found}

    def test_within_the_organization_nobody_is_invited(self):
        share = self.share(PRODUCER)
        self.assertEqual([share], self.given(self.other))
        self.assertEqual([], self.other.get_resource_share_invitations()["resourceShareInvitations"])
        self.assertEqual({PRODUCER: "ASSOCIATED"}, self.principals())
        self.owner.disassociate_resource_share(resourceShareArn=share, principals=[PRODUCER])
        self.assertEqual([], self.given(self.other))

    def test_an_account_outside_is_invited(self):
        share = self.share(OUTSIDE)
        guest = self.client("ram", OUTSIDE)
        self.assertEqual([], self.given(guest))
        (invitation,) = guest.get_resource_share_invitations(resourceShareArns=[share])["resourceShareInvitations"]
        self.assertEqual(("PENDING", CONSUMER), (invitation["status"], invitation["senderAccountId"]))
        answer = {"resourceShareInvitationArn": invitation["resourceShareInvitationArn"]}
        self.fails("ResourceShareInvitationArnNotFoundException", self.other.accept_resource_share_invitation, **answer)
        guest.accept_resource_share_invitation(**answer)
        self.assertEqual([share], self.given(guest))
        self.fails("ResourceShareInvitationAlreadyAcceptedException", guest.accept_resource_share_invitation, **answer)
        self.fails("OperationNotPermittedException", self.share, OUTSIDE, allowExternalPrincipals=False)

    def test_while_sharing_within_is_off_members_are_invited_too(self):
        organizations = self.client("organizations", HUB)
        organizations.disable_aws_service_access(ServicePrincipal="ram.amazonaws.com")
        self.share(PRODUCER)
        (invitation,) = self.other.get_resource_share_invitations()["resourceShareInvitations"]
        self.other.reject_resource_share_invitation(resourceShareInvitationArn=invitation["resourceShareInvitationArn"])
        self.assertEqual([], self.given(self.other))
        organizations.enable_aws_service_access(ServicePrincipal="ram.amazonaws.com")
        self.share(PRODUCER)
        self.assertEqual(1, len(self.given(self.other)))

    def test_an_organizational_unit_is_a_principal(self):
        unit = self.client("organizations", HUB)
        root = unit.list_roots()["Roots"][0]["Id"]
        arn = next(one["Arn"] for one in unit.list_organizational_units_for_parent(ParentId=root)["OrganizationalUnits"] if one["Name"] == "data")
        self.share(arn)
        self.assertEqual(1, len(self.given(self.other)))
        self.assertEqual([], self.given(self.client("ram", HUB)))

    def told(self, account):
        """What RAM's events told an account, oldest first; each names the share."""
        found = [one for one in self.events(account=account) if one["detail-type"] == "Resource Sharing State Change"]
        self.assertEqual({"aws.ram"}, {one["source"] for one in found} or {"aws.ram"})
        return [(one["detail"]["event"], one["detail"]["status"], *one["resources"]) for one in found]

    def test_owner_and_principal_are_told(self):
        share = self.share(PRODUCER)
        for account in (CONSUMER, PRODUCER):
            self.assertEqual([("Resource Share Association", "associated", share)], self.told(account))
        self.assertEqual(1, len(self.events(account=CONSUMER, eventName="CreateResourceShare")))
        self.assertEqual([], self.events(account=PRODUCER, eventName="CreateResourceShare"))
        self.owner.associate_resource_share(resourceShareArn=share, principals=[PRODUCER])
        self.assertEqual(1, len(self.told(PRODUCER)), "nothing changed")
        self.owner.delete_resource_share(resourceShareArn=share)
        self.assertEqual(("Resource Share Association", "disassociated", share), self.told(PRODUCER)[-1])

    def test_who_is_invited_is_told_of_the_association_when_it_accepts(self):
        share = self.share(OUTSIDE)
        invited, associated = ("Resource Share Invitation", "pending", share), ("Resource Share Association", "associated", share)
        self.assertEqual([invited], self.told(OUTSIDE))
        guest = self.client("ram", OUTSIDE)
        (invitation,) = guest.get_resource_share_invitations()["resourceShareInvitations"]
        guest.accept_resource_share_invitation(resourceShareInvitationArn=invitation["resourceShareInvitationArn"])
        self.assertEqual([invited, associated], self.told(OUTSIDE))
        self.assertEqual(1, len(self.events(account=OUTSIDE, eventName="AcceptResourceShareInvitation")))

    def test_the_accounts_of_a_unit_are_told(self):
        organizations = self.client("organizations", HUB)
        root = organizations.list_roots()["Roots"][0]["Id"]
        units = organizations.list_organizational_units_for_parent(ParentId=root)["OrganizationalUnits"]
        self.share(next(one["Arn"] for one in units if one["Name"] == "data"))
        self.assertEqual((1, 0), (len(self.told(PRODUCER)), len(self.told(HUB))))

    def test_only_what_is_there_and_ones_own_is_shared(self):
        create = self.other.create_resource_share
        self.fails("UnknownResourceException", create, name="theft", resourceArns=[self.arn], principals=[OUTSIDE])
        self.assertEqual([], self.client("ec2", OUTSIDE).describe_transit_gateways()["TransitGateways"])
        missing = self.arn.rsplit("/", 1)[0] + "/tgw-0123456789abcdef0"
        share = self.share(PRODUCER)
        self.fails(
            "UnknownResourceException",
            self.owner.associate_resource_share, resourceShareArn=share, resourceArns=[missing], principals=[HUB],
        )
        self.assertEqual({PRODUCER: "ASSOCIATED"}, self.principals(), "all or nothing")
        self.fails("MalformedArnException", self.owner.create_resource_share, name="x", resourceArns=["gateway"])
        self.fails("UnknownResourceException", self.other.update_resource_share, resourceShareArn=share, name="mine")

    def test_an_association_that_ended_is_still_to_be_seen_and_can_begin_again(self):
        share = self.share(PRODUCER)
        self.owner.disassociate_resource_share(resourceShareArn=share, principals=[PRODUCER])
        self.assertEqual({PRODUCER: "DISASSOCIATED"}, self.principals())
        self.owner.associate_resource_share(resourceShareArn=share, principals=[PRODUCER])
        self.assertEqual({PRODUCER: "ASSOCIATED"}, self.principals())
        self.assertEqual([share], self.given(self.other))

    def test_lists_of_resources_and_principals(self):
        share = self.share(PRODUCER, OUTSIDE)

        def resources(client, owner, **more):
            return [(one["arn"], one["type"]) for one in client.list_resources(resourceOwner=owner, **more)["resources"]]

        def principals(client, owner, **more):
            found = client.list_principals(resourceOwner=owner, **more)["principals"]
            return [(one["id"], one["resourceShareArn"], one["external"]) for one in found]

        gateway = (self.arn, "ec2:TransitGateway")
        self.assertEqual([gateway], resources(self.owner, "SELF"))
        self.assertEqual([gateway], resources(self.other, "OTHER-ACCOUNTS", principal=CONSUMER, resourceType="ec2:TransitGateway"))
        self.assertEqual([], resources(self.other, "OTHER-ACCOUNTS", resourceType="ec2:Subnet"))
        self.assertEqual([], resources(self.owner, "SELF", principal=OUTSIDE), "it has not accepted")
        self.assertEqual([], resources(self.client("ram", OUTSIDE), "OTHER-ACCOUNTS"))
        self.assertEqual([(PRODUCER, share, False)], principals(self.owner, "SELF", resourceArn=self.arn))
        self.assertEqual([(CONSUMER, share, False)], principals(self.other, "OTHER-ACCOUNTS"))
        self.assertEqual([], principals(self.owner, "SELF", principals=[HUB]))


class Invitations(unittest.TestCase):
    """How long an invitation can be accepted; without a server, since nobody waits for days."""

    def sent(self, arn, before):
        share = ram.Share(CONSUMER, REGION, "hub", True)
        share.resources[arn], share.principals[OUTSIDE] = "ASSOCIATED", "ASSOCIATING"
        invitation = ram.Invitation(share, OUTSIDE)
        invitation.sent -= before
        return invitation.age(), share.principals[OUTSIDE]

    def test_seven_days_for_what_is_listed_and_twelve_hours_for_the_rest(self):
        minute, pending, expired = timedelta(minutes=1), ("PENDING", "ASSOCIATING"), ("EXPIRED", "DISASSOCIATED")
        for kind, lasts in (
            ("ec2:us-east-1:111111111111:transit-gateway/tgw-1", timedelta(days=7)),
            ("ec2:us-east-1:111111111111:prefix-list/pl-1", timedelta(days=7)),
            ("rds:us-east-1:111111111111:cluster:aurora", timedelta(days=7)),
            ("codebuild:us-east-1:111111111111:project/p", timedelta(hours=12)),
        ):
            with self.subTest(kind):
                self.assertEqual(pending, self.sent(f"arn:aws:{kind}", lasts - minute))
                self.assertEqual(expired, self.sent(f"arn:aws:{kind}", lasts + minute))

    def test_days_pass_and_ram_tells_that_an_invitation_expired(self):
        share = ram.Share(CONSUMER, REGION, "hub", True)
        share.resources["arn:aws:ec2:us-east-1:111111111111:transit-gateway/tgw-1"] = "ASSOCIATED"
        share.principals[OUTSIDE] = "ASSOCIATING"
        invitation = ram.Invitation(share, OUTSIDE)
        share.invitations.append(invitation)
        told = []
        with mock.patch.object(ram, "_tell", lambda *what: told.append(what[2:])), mock.patch.dict(ram.shares, {share.arn: share}):
            self.assertFalse(ram.age("arn:aws:ram:us-east-1:111111111111:resource-share/other", 8))
            self.assertTrue(ram.age(share.arn, 4))
            self.assertEqual(("PENDING", []), (invitation.status, told))
            self.assertTrue(ram.age(share.arn, 4))
            self.assertTrue(ram.age(share.arn, 1))
        self.assertEqual("EXPIRED", invitation.status)
        self.assertEqual([("disassociated", [OUTSIDE])], told)


class Privileges(Case):
    """What a role of Drawbridge's own needs to accept an invitation."""

    def may(self, *resources):
        iam, name = self.client("iam", PRODUCER), "drawbridge-member-share"
        trust = {"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {"AWS": PRODUCER}}
        iam.create_role(RoleName=name, AssumeRolePolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": [trust]}))
        allowed = [{"Effect": "Allow", "Action": "ram:GetResourceShareInvitations", "Resource": "*"}]
        allowed += [{"Effect": "Allow", "Action": "ram:AcceptResourceShareInvitation", "Resource": one} for one in resources]
        document = {"Version": "2012-10-17", "Statement": allowed}
        iam.put_role_policy(RoleName=name, PolicyName="step", PolicyDocument=json.dumps(document))
        keys = self.client("sts", PRODUCER).assume_role(RoleArn=f"arn:aws:iam::{PRODUCER}:role/{name}", RoleSessionName="run")
        return self.client("ram", PRODUCER, keys=keys["Credentials"])

    def invited(self):
        self.client("organizations", HUB).disable_aws_service_access(ServicePrincipal="ram.amazonaws.com")
        arn = self.client("ec2", CONSUMER).create_transit_gateway()["TransitGateway"]["TransitGatewayArn"]
        self.client("ram", CONSUMER).create_resource_share(name="hub", resourceArns=[arn], principals=[PRODUCER])

    def accept(self, client):
        (one,) = client.get_resource_share_invitations()["resourceShareInvitations"]
        return client.accept_resource_share_invitation(resourceShareInvitationArn=one["resourceShareInvitationArn"])

    def test_an_invitation_is_accepted_with_permission_for_it(self):
        self.invited()
        accepted = self.accept(self.may("arn:aws:ram:*:*:resource-share-invitation/*"))
        self.assertEqual("ACCEPTED", accepted["resourceShareInvitation"]["status"])

    def test_and_with_none_for_another_kind_of_resource(self):
        self.invited()
        role = self.may("arn:aws:ram:*:*:resource-share/*")
        self.fails("AccessDeniedException", self.accept, role)
        self.fails("AccessDeniedException", role.get_resource_shares, resourceOwner="SELF")
