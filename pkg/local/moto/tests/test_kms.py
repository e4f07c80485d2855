import json

from .engine import PRODUCER, Case
from .test_dataapi import allow, document


class Grants(Case):
    """What a key's policy leaves to IAM, and what its grants let do."""

    def setUp(self):
        super().setUp()
        iam, kms, secrets = (self.client(one, PRODUCER) for one in ("iam", "kms", "secretsmanager"))
        trust = json.dumps({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {"AWS": PRODUCER}}]})
        for name in ("reader", "drawbridge-member-admit-consumers", "drawbridge-member-retract-data-api", "other"):
            iam.create_role(RoleName=name, AssumeRolePolicyDocument=trust)
        iam.put_role_policy(RoleName="reader", PolicyName="x", PolicyDocument=document(allow("secretsmanager:GetSecretValue", StringLike={"aws:ResourceTag/for": "sales"})))
        iam.put_role_policy(RoleName="drawbridge-member-admit-consumers", PolicyName="x", PolicyDocument=document(allow("kms:CreateGrant", StringLike={"aws:ResourceTag/for": "?*"})))
        self.delegates = allow("kms:CreateGrant", principal=f"arn:aws:iam::{PRODUCER}:root")
        self.key = kms.create_key(Policy=document(self.delegates), Tags=[{"TagKey": "for", "TagValue": "sales"}])["KeyMetadata"]["Arn"]
        made = [secrets.create_secret(Name=name, KmsKeyId=self.key, SecretString="x", Tags=[{"Key": "for", "Value": "sales"}])["ARN"] for name in ("one", "two")]
        self.one, self.two = made

    def role(self, name):
        return f"arn:aws:iam::{PRODUCER}:role/{name}"

    def entered(self, service, name):
        keys = self.client("sts", PRODUCER).assume_role(RoleArn=self.role(name), RoleSessionName="session")["Credentials"]
        return self.client(service, PRODUCER, keys=keys)

    def given(self, client=None, **other):
        asked = {
            "KeyId": self.key, "Name": "a", "GranteePrincipal": self.role("reader"), "Operations": ["Decrypt"],
            "RetiringPrincipal": self.role("drawbridge-member-retract-data-api"), "Constraints": {"EncryptionContextSubset": {"SecretARN": self.one}},
        } | other  # fmt: skip
        return (client or self.entered("kms", "drawbridge-member-admit-consumers")).create_grant(**asked)["GrantId"]

    def test_a_grant_is_for_one_secret_and_once_of_a_name(self):
        read = lambda secret: self.entered("secretsmanager", "reader").get_secret_value(SecretId=secret)  # noqa: E731
        self.fails("AccessDeniedException", read, self.one)
        grant = self.given()
        self.assertEqual(grant, self.given())
        self.assertNotEqual(grant, self.given(Name="b"))
        read(self.one)
        self.fails("AccessDeniedException", read, self.two)
        self.client("secretsmanager", PRODUCER).untag_resource(SecretId="one", TagKeys=["for"])
        self.fails("AccessDeniedException", read, self.one)

    def test_only_who_is_named_retires_it(self):
        grant = self.given()
        retire = lambda role: self.entered("kms", role).retire_grant(KeyId=self.key, GrantId=grant)  # noqa: E731
        self.fails("AccessDeniedException", retire, "other")
        self.fails("AccessDeniedException", retire, "drawbridge-member-admit-consumers")
        retire("drawbridge-member-retract-data-api")
        self.fails("NotFoundException", retire, "drawbridge-member-retract-data-api")

    def test_a_grant_serves_the_role_it_was_made_for(self):
        self.given()
        iam = self.client("iam", PRODUCER)
        iam.delete_role_policy(RoleName="reader", PolicyName="x")
        iam.delete_role(RoleName="reader")
        trust = json.dumps({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {"AWS": PRODUCER}}]})
        iam.create_role(RoleName="reader", AssumeRolePolicyDocument=trust)
        iam.put_role_policy(RoleName="reader", PolicyName="x", PolicyDocument=document(allow("secretsmanager:GetSecretValue")))
        self.fails("AccessDeniedException", self.entered("secretsmanager", "reader").get_secret_value, SecretId=self.one)

    def test_a_key_listens_as_far_as_its_policy_says(self):
        kms = self.client("kms", PRODUCER)
        self.fails("InvalidArnException", self.given, None, GranteePrincipal=self.role("nobody"))
        kms.untag_resource(KeyId=self.key, TagKeys=["for"])
        self.fails("AccessDeniedException", self.given)
        kms.tag_resource(KeyId=self.key, Tags=[{"TagKey": "for", "TagValue": "sales"}])
        self.given()
        closed = document(allow("kms:*", principal=self.role("other")))
        kms.put_key_policy(KeyId=self.key, PolicyName="default", Policy=closed, BypassPolicyLockoutSafetyCheck=True)
        self.fails("AccessDeniedException", self.given, None, Name="c")
