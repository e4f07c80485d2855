import json

from .engine import CONSUMER, PRODUCER, Case

EXECUTION = f"arn:aws:iam::{CONSUMER}:role/studio-execution"
READER = f"arn:aws:iam::{PRODUCER}:role/reader"


class Studio(Case):
    def setUp(self):
        super().setUp()
        self.studio = self.client("sagemaker", CONSUMER)
        self.studio.create_domain(
            DomainName="research",
            AuthMode="IAM",
            VpcId="vpc-11111111",
            SubnetIds=["subnet-11111111"],
            AppNetworkAccessType="VpcOnly",
            DefaultUserSettings={"ExecutionRole": EXECUTION},
        )
        self.domain = self.studio.list_domains()["Domains"][0]["DomainId"]

    def identity(self):
        held = self.studio.describe_domain(DomainId=self.domain).get("DomainSettings") or {}
        return held.get("ExecutionRoleIdentityConfig", "DISABLED")

    def wish(self, value="USER_PROFILE_NAME"):
        return {"DomainId": self.domain, "DomainSettingsForUpdate": {"ExecutionRoleIdentityConfig": value}}

    def app(self):
        return {"DomainId": self.domain, "UserProfileName": "ana", "AppType": "JupyterLab", "AppName": "default"}

    def status(self):
        return [one["Status"] for one in self.studio.list_apps(DomainIdEquals=self.domain)["Apps"]]

    def wait_for(self, status):
        for _ in range(3):
            if self.status() == [status]:
                return
        self.fail(f"the app is {self.status()}, not {status}")

    def test_the_identity_setting_changes_only_while_no_app_is_there(self):
        self.assertEqual("DISABLED", self.identity())
        self.studio.create_user_profile(DomainId=self.domain, UserProfileName="ana")
        self.studio.create_app(**self.app())
        self.fails("ValidationException", self.studio.update_domain, **self.wish())
        self.wait_for("InService")
        self.fails("ValidationException", self.studio.update_domain, **self.wish())
        self.assertEqual("DISABLED", self.identity())
        self.studio.update_domain(**self.wish("DISABLED"))  # no change is no problem
        self.studio.delete_app(**self.app())
        self.assertEqual(["Deleting"], self.status())
        self.wait_for("Deleted")
        self.studio.update_domain(**self.wish())
        self.assertEqual("USER_PROFILE_NAME", self.identity())
        self.fails("ValidationException", self.studio.update_domain, **self.wish("MAYBE"))

    def test_an_app_belongs_to_a_profile_or_a_space_that_exists(self):
        self.fails("ResourceNotFound", self.studio.create_app, **self.app())
        self.studio.create_user_profile(DomainId=self.domain, UserProfileName="ana", UserSettings={"ExecutionRole": READER})
        self.assertEqual(
            READER,
            self.studio.describe_user_profile(DomainId=self.domain, UserProfileName="ana")["UserSettings"]["ExecutionRole"],
        )
        self.studio.create_app(**self.app())
        self.fails("ResourceInUse", self.studio.create_app, **self.app())
        self.studio.create_space(DomainId=self.domain, SpaceName="shared")
        own = {"DomainId": self.domain, "SpaceName": "shared", "AppType": "JupyterLab", "AppName": "default"}
        self.studio.create_app(**own)
        self.assertEqual("shared", self.studio.describe_app(**own)["SpaceName"])
        self.assertEqual(2, len(self.status()))
        self.fails("ResourceNotFound", self.studio.delete_app, **{**own, "AppName": "other"})

    def test_another_account_sees_nothing_of_it(self):
        other = self.client("sagemaker", PRODUCER)
        self.assertEqual([], other.list_apps()["Apps"])
        self.assertEqual([], other.list_user_profiles()["UserProfiles"])
        self.fails("ResourceNotFound", other.describe_domain, DomainId=self.domain)

    def test_eventbridge_learns_of_it_by_cloudtrail_records(self):
        self.studio.create_user_profile(DomainId=self.domain, UserProfileName="ana")
        self.studio.create_app(**self.app())
        self.fails("ValidationException", self.studio.update_domain, **self.wish())
        seen = [event["detail"] for event in self.events(account=CONSUMER, eventSource="sagemaker.amazonaws.com")]
        names = [one["eventName"] for one in seen]
        self.assertEqual(["CreateDomain", "CreateUserProfile", "CreateApp", "UpdateDomain"], names)
        self.assertEqual("ValidationException", seen[-1]["errorCode"])
        self.assertEqual(self.domain, seen[-1]["requestParameters"]["domainId"])


class SourceIdentity(Case):
    def role(self, account, name, *statements):
        document = {"Version": "2012-10-17", "Statement": list(statements)}
        self.client("iam", account).create_role(RoleName=name, AssumeRolePolicyDocument=json.dumps(document))

    def trust(self, principal, *actions):
        return {"Effect": "Allow", "Action": list(actions), "Principal": principal}

    def as_studio(self, **parameters):
        """What SageMaker does for an app of a user: assumes the execution role as itself."""
        sts = self.client("sts", CONSUMER)

        def service(request, **_):
            request.headers["x-drawbridge-service"] = "sagemaker.amazonaws.com"

        sts.meta.events.register("before-sign.sts.AssumeRole", service)
        try:
            return sts.assume_role(RoleArn=EXECUTION, RoleSessionName="SageMaker", **parameters)
        finally:
            sts.meta.events.unregister("before-sign.sts.AssumeRole", service)

    def test_it_needs_a_permission_of_its_own_at_every_hop_and_stays(self):
        service = {"Service": "sagemaker.amazonaws.com"}
        self.role(CONSUMER, "studio-execution", self.trust(service, "sts:AssumeRole"))
        self.as_studio()
        self.fails("AccessDenied", self.as_studio, SourceIdentity="ana")
        both = {"Version": "2012-10-17", "Statement": [self.trust(service, "sts:AssumeRole", "sts:SetSourceIdentity")]}
        self.client("iam", CONSUMER).update_assume_role_policy(RoleName="studio-execution", PolicyDocument=json.dumps(both))
        session = self.as_studio(SourceIdentity="ana")
        self.assertEqual("ana", session["SourceIdentity"])

        sts = self.client("sts", CONSUMER, keys=session["Credentials"])
        next_hop = {"RoleArn": READER, "RoleSessionName": "query"}
        self.role(PRODUCER, "reader", self.trust({"AWS": EXECUTION}, "sts:AssumeRole"))
        self.fails("AccessDenied", sts.assume_role, **next_hop)
        both = {"Version": "2012-10-17", "Statement": [self.trust({"AWS": EXECUTION}, "sts:AssumeRole", "sts:SetSourceIdentity")]}
        self.client("iam", PRODUCER).update_assume_role_policy(RoleName="reader", PolicyDocument=json.dumps(both))
        self.assertEqual("ana", sts.assume_role(**next_hop)["SourceIdentity"])
        self.fails("AccessDenied", sts.assume_role, **next_hop, SourceIdentity="boris")
