import json

from .engine import CONSUMER, OUTSIDE, PRODUCER, REGION, Case

USER = {"username": "analyst", "password": "long enough"}


def document(*statements):
    return json.dumps({"Version": "2012-10-17", "Statement": list(statements)})


def allow(action, resource="*", principal=None, effect="Allow", **condition):
    statement = {"Effect": effect, "Action": action, "Resource": resource}
    if principal:
        statement["Principal"] = {"AWS": principal}
    if condition:
        statement["Condition"] = condition
    return statement


class DataAPI(Case):
    """An Aurora cluster, its secret under a key of its own, and a role that an analyst of another account may assume."""

    def setUp(self):
        super().setUp()
        kms, secrets, rds = (self.client(one, PRODUCER) for one in ("kms", "secretsmanager", "rds"))
        self.root = allow("kms:*", principal=f"arn:aws:iam::{PRODUCER}:root")
        self.key = kms.create_key(Policy=document(self.root))["KeyMetadata"]["Arn"]
        self.secret = secrets.create_secret(Name="sales", KmsKeyId=self.key, SecretString=json.dumps(USER))["ARN"]
        self.cluster = self.made("sales")
        rds.enable_http_endpoint(ResourceArn=self.cluster)
        self.role = f"arn:aws:iam::{PRODUCER}:role/drawbridge/drawbridge-data-api-sales"
        self.rights = [
            allow(["rds-data:ExecuteStatement"], self.cluster),
            allow("secretsmanager:GetSecretValue", self.secret),
            allow(["kms:Decrypt", "kms:DescribeKey"], self.key),
        ]
        self.grant()

    def made(self, name, **more):
        user = {"MasterUsername": USER["username"], "MasterUserPassword": USER["password"]}
        made = self.client("rds", PRODUCER).create_db_cluster(DBClusterIdentifier=name, Engine="aurora-postgresql", **user, **more)
        return made["DBCluster"]["DBClusterArn"]

    def grant(self, rights=None, limit=None, trusts=f"arn:aws:iam::{CONSUMER}:root"):
        iam = self.client("iam", PRODUCER)
        bound = {}
        if limit:
            made = iam.create_policy(PolicyName="limit", Path="/drawbridge/", PolicyDocument=document(*limit))
            bound = {"PermissionsBoundary": made["Policy"]["Arn"]}
        name = self.role.rsplit("/", 1)[-1]
        if any(one["RoleName"] == name for one in iam.list_roles()["Roles"]):
            iam.delete_role_policy(RoleName=name, PolicyName="data-api")
            iam.delete_role(RoleName=name)
        trust = {"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {"AWS": trusts}}
        iam.create_role(RoleName=name, Path="/drawbridge/", AssumeRolePolicyDocument=document(trust), **bound)
        iam.put_role_policy(RoleName=name, PolicyName="data-api", PolicyDocument=document(*(rights if rights is not None else self.rights)))

    def enter(self, account=CONSUMER):
        got = self.client("sts", account).assume_role(RoleArn=self.role, RoleSessionName="analyst")
        return self.client("rds-data", PRODUCER, keys=got["Credentials"])

    def ask(self, client=None, sql="SELECT 6 * 7 AS answer", **other):
        return (client or self.enter()).execute_statement(**{"resourceArn": self.cluster, "secretArn": self.secret, "sql": sql} | other)

    def test_a_consumer_asks(self):
        self.assertEqual([[{"longValue": 42}]], self.ask()["records"])

    def test_a_cluster_is_a_database_of_its_own(self):
        client = self.enter()
        self.ask(client, "CREATE TABLE orders (id INTEGER, buyer TEXT)")
        one = [{"name": "id", "value": {"longValue": 7}}, {"name": "buyer", "value": {"isNull": True}}]
        self.assertEqual(1, self.ask(client, "INSERT INTO orders VALUES (:id, :buyer)", parameters=one)["numberOfRecordsUpdated"])
        self.assertEqual([[{"longValue": 7}, {"isNull": True}]], self.ask(client, "SELECT * FROM orders")["records"])
        for hostile in ("ATTACH DATABASE '/tmp/x' AS x", "PRAGMA database_list", "SELEC 1"):
            self.fails("DatabaseErrorException", self.ask, client, hostile)
        other = self.made("other", EnableHttpEndpoint=True)
        self.grant([allow("rds-data:ExecuteStatement"), *self.rights[1:]])
        self.fails("DatabaseErrorException", self.ask, None, "SELECT * FROM orders", resourceArn=other)

    def test_a_third_account_may_not_even_enter(self):
        self.fails("AccessDenied", self.enter, OUTSIDE)

    def test_nobody_asks_a_cluster_of_another_account(self):
        self.fails("AccessDeniedException", self.ask, self.client("rds-data", CONSUMER))

    def test_what_the_role_lacks(self):
        # As the role's own policy, its boundary, the secret's and the key's policy say: who may do what.
        everything, nothing, to_role = allow("*"), [allow("s3:*")], {"principal": self.role}
        via = {"StringEquals": {"kms:ViaService": f"secretsmanager.{REGION}.amazonaws.com", "kms:EncryptionContext:SecretARN": self.secret}}
        secrets, kms = self.client("secretsmanager", PRODUCER), self.client("kms", PRODUCER)
        for name, rights, limit, on_secret, on_key, code in (
            ("all three rights", self.rights, None, None, [self.root], None),
            ("no statements", self.rights[1:], None, None, [self.root], "AccessDeniedException"),
            ("no secret", [self.rights[0], self.rights[2]], None, None, [self.root], "AccessDeniedException"),
            ("the secret's policy instead", [self.rights[0], self.rights[2]], None, [allow("secretsmanager:GetSecretValue", **to_role)], [self.root], None),
            ("the secret denies", self.rights, None, [allow("secretsmanager:*", effect="Deny", **to_role)], [self.root], "AccessDeniedException"),
            ("the secret denies another version", self.rights, None,
             [allow("secretsmanager:*", effect="Deny", **to_role, StringNotEquals={"secretsmanager:VersionStage": "AWSCURRENT"})], [self.root], None),
            ("no key", self.rights[:2], None, None, [self.root], "AccessDeniedException"),
            ("the key's policy instead", self.rights[:2], None, None, [self.root, allow("kms:Decrypt", **to_role)], None),
            ("the key's policy, for this secret alone", self.rights[:2], None, None, [self.root, allow("kms:Decrypt", **to_role, **via)], None),
            ("the key's policy, for another secret", self.rights[:2], None, None,
             [self.root, allow("kms:Decrypt", **to_role, StringEquals={"kms:EncryptionContext:SecretARN": "x"})], "AccessDeniedException"),
            ("a key that does not listen to IAM", self.rights, None, None, [allow("kms:PutKeyPolicy", principal=PRODUCER)], "AccessDeniedException"),
            ("the key denies", self.rights, None, None, [self.root, allow("kms:Decrypt", effect="Deny", **to_role)], "AccessDeniedException"),
            ("a boundary that allows it", self.rights, [everything], None, [self.root], None),
            ("a boundary without it", self.rights, nothing, None, [self.root], "AccessDeniedException"),
            ("a boundary without the secret, allowed by its policy", self.rights,
             [allow(["rds-data:*", "kms:*"])], [allow("secretsmanager:GetSecretValue", **to_role)], [self.root], "AccessDeniedException"),
            ("a right to everything, and a boundary that denies the key", [everything],
             [everything, allow("kms:Decrypt", effect="Deny")], None, [self.root], "AccessDeniedException"),
        ):  # fmt: skip
            with self.subTest(name):
                for one in self.client("iam", PRODUCER).list_policies(Scope="Local")["Policies"]:
                    self.client("iam", PRODUCER).delete_policy(PolicyArn=one["Arn"])
                self.grant(rights, limit)
                kms.put_key_policy(KeyId=self.key, PolicyName="default", Policy=document(*on_key))
                secrets.delete_resource_policy(SecretId="sales")
                if on_secret:
                    secrets.put_resource_policy(SecretId="sales", ResourcePolicy=document(*on_secret))
                if code:
                    self.fails(code, self.ask)
                else:
                    self.ask()

    def test_what_does_not_fit_the_cluster(self):
        rds, secrets = self.client("rds", PRODUCER), self.client("secretsmanager", PRODUCER)
        self.grant([allow("*")])
        wrong = secrets.create_secret(Name="wrong", KmsKeyId=self.key, SecretString=json.dumps(USER | {"password": "another one"}))["ARN"]
        empty = secrets.create_secret(Name="empty", KmsKeyId=self.key, SecretString="x")["ARN"]
        self.fails("DatabaseErrorException", self.ask, secretArn=wrong)
        self.fails("InvalidSecretException", self.ask, secretArn=empty)
        self.fails("SecretsErrorException", self.ask, secretArn=self.secret + "x")
        self.fails("DatabaseNotFoundException", self.ask, resourceArn=self.cluster + "x")
        rds.disable_http_endpoint(ResourceArn=self.cluster)
        self.fails("HttpEndpointNotEnabledException", self.ask)
        self.assertFalse(rds.describe_db_clusters()["DBClusters"][0]["HttpEndpointEnabled"])

    def test_a_secret_of_another_account(self):
        value = lambda account: self.client("secretsmanager", account).get_secret_value(SecretId=self.secret)  # noqa: E731
        self.assertEqual(json.dumps(USER), value(PRODUCER)["SecretString"])
        self.fails("AccessDeniedException", value, CONSUMER)
        other = f"arn:aws:iam::{CONSUMER}:root"
        self.client("secretsmanager", PRODUCER).put_resource_policy(SecretId="sales", ResourcePolicy=document(allow("secretsmanager:GetSecretValue", principal=other)))
        self.fails("AccessDeniedException", value, CONSUMER)
        self.client("kms", PRODUCER).put_key_policy(KeyId=self.key, PolicyName="default", Policy=document(self.root, allow("kms:Decrypt", principal=other)))
        value(CONSUMER)
        self.fails("AccessDeniedException", value, OUTSIDE)

    def test_a_secret_under_the_managed_key_never_leaves_its_account(self):
        secrets = self.client("secretsmanager", PRODUCER)
        name = secrets.create_secret(Name="managed", SecretString="{}")["ARN"]
        everybody = allow("secretsmanager:GetSecretValue", principal=f"arn:aws:iam::{CONSUMER}:root")
        secrets.put_resource_policy(SecretId="managed", ResourcePolicy=document(everybody))
        self.fails("AccessDeniedException", self.client("secretsmanager", CONSUMER).get_secret_value, SecretId=name)
        secrets.get_secret_value(SecretId="managed")

    def test_policies_that_aws_refuses(self):
        kms, secrets = self.client("kms", PRODUCER), self.client("secretsmanager", PRODUCER)
        key = {"KeyId": self.key, "PolicyName": "default"}
        unknown = allow("kms:Decrypt", principal=f"arn:aws:iam::{PRODUCER}:role/unknown")
        for bad in ("x", document(), document(self.root, unknown), document(allow("kms:Decrypt", principal=self.role))):
            self.fails("MalformedPolicyDocumentException", kms.put_key_policy, **key, Policy=bad)
        self.fails("LimitExceededException", kms.put_key_policy, **key, Policy=document(self.root, {**self.root, "Sid": "x" * 33000}))
        kms.put_key_policy(**key, Policy=document(allow("kms:Decrypt", principal=self.role)), BypassPolicyLockoutSafetyCheck=True)
        for bad in ("x", document(), document(unknown)):
            self.fails("MalformedPolicyDocumentException", secrets.put_resource_policy, SecretId="sales", ResourcePolicy=bad)
        public = document({**allow("secretsmanager:GetSecretValue"), "Principal": "*"})
        self.fails("PublicPolicyException", secrets.put_resource_policy, SecretId="sales", ResourcePolicy=public, BlockPublicPolicy=True)

    def test_tags_are_recorded_as_cloudtrail_writes_them(self):
        rds = self.client("rds", PRODUCER)
        rds.add_tags_to_resource(ResourceName=self.cluster, Tags=[{"Key": "drawbridge:data-api", "Value": CONSUMER}])
        rds.remove_tags_from_resource(ResourceName=self.cluster, TagKeys=["drawbridge:data-api"])
        said = [event["detail"]["requestParameters"] for event in self.events(eventSource="rds.amazonaws.com")]
        name = {"resourceName": self.cluster}
        tags = {"tags": [{"key": "drawbridge:data-api", "value": CONSUMER}]}
        self.assertEqual([name | tags, name | {"tagKeys": ["drawbridge:data-api"]}], [one for one in said if "resourceName" in one])

    def test_only_aurora_has_an_endpoint(self):
        rds = self.client("rds", PRODUCER)
        self.fails("DBClusterNotFoundFault", rds.enable_http_endpoint, ResourceArn=self.cluster + "x")
        self.fails("DBClusterNotFoundFault", self.client("rds", CONSUMER).enable_http_endpoint, ResourceArn=self.cluster)


class OwnRoles(Case):
    """IAM, keys and secrets for Drawbridge's own roles."""

    PATH = f"arn:aws:iam::{PRODUCER}:role/drawbridge/drawbridge-data-api-*"
    LIMIT = f"arn:aws:iam::{PRODUCER}:policy/drawbridge/drawbridge-data-api-boundary"

    def session(self, service, *statements):
        iam = self.client("iam", PRODUCER)
        trust = document({"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {"AWS": PRODUCER}})
        iam.create_role(RoleName="drawbridge-member-step", AssumeRolePolicyDocument=trust)
        iam.put_role_policy(RoleName="drawbridge-member-step", PolicyName="step", PolicyDocument=document(*statements))
        arn = f"arn:aws:iam::{PRODUCER}:role/drawbridge-member-step"
        keys = self.client("sts", PRODUCER).assume_role(RoleArn=arn, RoleSessionName="run-1")["Credentials"]
        return self.client(service, PRODUCER, keys=keys)

    def test_roles_only_in_our_path_and_within_the_boundary(self):
        bounded = {"StringEquals": {"iam:PermissionsBoundary": self.LIMIT}}
        iam = self.session(
            "iam",
            allow(["iam:CreateRole", "iam:PutRolePolicy", "iam:DeleteRolePolicy"], self.PATH, **bounded),
            allow(["iam:GetRole", "iam:UpdateAssumeRolePolicy"], self.PATH),
            allow("iam:TagRole", self.PATH, **{"ForAllValues:StringEquals": {"aws:TagKeys": ["drawbridge:connection"]}}),
        )
        self.client("iam", PRODUCER).create_policy(PolicyName="drawbridge-data-api-boundary", Path="/drawbridge/", PolicyDocument=document(allow("rds-data:*")))
        new = {"RoleName": "drawbridge-data-api-sales", "Path": "/drawbridge/", "AssumeRolePolicyDocument": document({"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {"AWS": CONSUMER}})}
        bad = {"PermissionsBoundary": "arn:aws:iam::aws:policy/AdministratorAccess"}
        good = {**new, "PermissionsBoundary": self.LIMIT}
        for name, change in (
            ("no boundary", new),
            ("another boundary", {**new, **bad}),
            ("another path", {**good, "Path": "/"}),
            ("another name", {**good, "RoleName": "drawbridge-member-inspect-peering"}),
            ("another tag", {**good, "Tags": [{"Key": "drawbridge:approval", "Value": "approved"}]}),
        ):
            with self.subTest(name):
                self.fails("AccessDenied", iam.create_role, **change)
        iam.create_role(**good, Tags=[{"Key": "drawbridge:connection", "Value": "x"}])
        iam.put_role_policy(RoleName="drawbridge-data-api-sales", PolicyName="p", PolicyDocument=document(allow("*")))
        owner = self.client("iam", PRODUCER)
        owner.create_role(**{**new, "RoleName": "drawbridge-data-api-free"})
        self.fails("AccessDenied", iam.put_role_policy, RoleName="drawbridge-data-api-free", PolicyName="p", PolicyDocument=document(allow("*")))
        owner.create_role(**{**new, "RoleName": "administrator", "Path": "/"})
        for call in (iam.get_role, iam.delete_role):
            self.fails("AccessDenied", call, RoleName="administrator")
        self.fails("AccessDenied", iam.update_assume_role_policy, RoleName="administrator", PolicyDocument=new["AssumeRolePolicyDocument"])
        self.fails("AccessDenied", iam.put_role_permissions_boundary, RoleName="drawbridge-data-api-sales", PermissionsBoundary=self.LIMIT)
        self.fails("AccessDenied", iam.delete_role_permissions_boundary, RoleName="drawbridge-data-api-sales")

    def test_key_policies_only_with_the_safety_check(self):
        key = self.client("kms", PRODUCER).create_key()["KeyMetadata"]["Arn"]
        kms = self.session("kms", allow(["kms:GetKeyPolicy", "kms:PutKeyPolicy"], key, Bool={"kms:BypassPolicyLockoutSafetyCheck": "false"}), allow("kms:GetKeyPolicy", key))
        text = kms.get_key_policy(KeyId=key, PolicyName="default")["Policy"]
        kms.put_key_policy(KeyId=key, PolicyName="default", Policy=text)
        self.fails("AccessDeniedException", kms.put_key_policy, KeyId=key, PolicyName="default", Policy=text, BypassPolicyLockoutSafetyCheck=True)
        other = self.client("kms", PRODUCER).create_key()["KeyMetadata"]["Arn"]
        self.fails("AccessDeniedException", kms.get_key_policy, KeyId=other, PolicyName="default")

    def test_secret_policies_only_where_public_ones_are_blocked(self):
        secret = self.client("secretsmanager", PRODUCER).create_secret(Name="s", SecretString="{}")["ARN"]
        secrets = self.session("secretsmanager", allow("secretsmanager:PutResourcePolicy", secret, Bool={"secretsmanager:BlockPublicPolicy": "true"}))
        one = document(allow("secretsmanager:GetSecretValue", principal=CONSUMER))
        secrets.put_resource_policy(SecretId="s", ResourcePolicy=one, BlockPublicPolicy=True)
        self.fails("AccessDeniedException", secrets.put_resource_policy, SecretId="s", ResourcePolicy=one)
        self.fails("AccessDeniedException", secrets.get_secret_value, SecretId="s")
