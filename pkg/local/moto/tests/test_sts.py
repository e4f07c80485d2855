import json

from .engine import CONSUMER, HUB, OUTSIDE, PRODUCER, Case

FUNCTION = f"arn:aws:iam::{HUB}:role/drawbridge-accept-peering"
MEMBER = f"arn:aws:iam::{PRODUCER}:role/drawbridge-member-accept-peering"


class AssumeRole(Case):
    def role(self, account, name, *statements):
        document = {"Version": "2012-10-17", "Statement": list(statements)}
        self.client("iam", account).create_role(RoleName=name, AssumeRolePolicyDocument=json.dumps(document))

    def trust(self, principal, **condition):
        return {"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": principal, "Condition": condition}

    def function_keys(self):
        """What the front door does for a function: assumes its role as the Lambda service."""
        self.role(HUB, "drawbridge-accept-peering", self.trust({"Service": "lambda.amazonaws.com"}))
        allowed = {"Effect": "Allow", "Action": "sts:AssumeRole", "Resource": "arn:aws:iam::*:role/drawbridge-member-accept-peering"}
        document = json.dumps({"Version": "2012-10-17", "Statement": [allowed]})
        self.client("iam", HUB).put_role_policy(RoleName="drawbridge-accept-peering", PolicyName="step", PolicyDocument=document)
        sts = self.client("sts", HUB)

        def as_lambda(request, **_):
            request.headers["x-drawbridge-service"] = "lambda.amazonaws.com"

        sts.meta.events.register("before-sign.sts.AssumeRole", as_lambda)
        try:
            return sts.assume_role(RoleArn=FUNCTION, RoleSessionName="drawbridge-accept-peering")["Credentials"]
        finally:
            sts.meta.events.unregister("before-sign.sts.AssumeRole", as_lambda)

    def test_the_member_role_lets_in_exactly_the_hubs_function(self):
        self.role(
            PRODUCER,
            "drawbridge-member-accept-peering",
            self.trust(
                {"AWS": f"arn:aws:iam::{HUB}:root"},
                ArnEquals={"aws:PrincipalArn": FUNCTION},
                StringEquals={"aws:PrincipalOrgID": "o-drawbridge0", "sts:ExternalId": "drawbridge-local"},
            ),
        )
        keys = self.function_keys()
        sts = self.client("sts", HUB, keys=keys)
        wanted = {"RoleArn": MEMBER, "RoleSessionName": "execution-1", "ExternalId": "drawbridge-local"}
        session = sts.assume_role(**wanted)
        self.assertEqual(
            f"arn:aws:sts::{PRODUCER}:assumed-role/drawbridge-member-accept-peering/execution-1",
            session["AssumedRoleUser"]["Arn"],
        )
        inside = self.client("sts", PRODUCER, keys=session["Credentials"]).get_caller_identity()
        self.assertEqual((PRODUCER, session["AssumedRoleUser"]["Arn"]), (inside["Account"], inside["Arn"]))
        error = self.fails("AccessDenied", sts.assume_role, **{**wanted, "ExternalId": "wrong"})
        self.assertEqual(
            f"User: arn:aws:sts::{HUB}:assumed-role/drawbridge-accept-peering/drawbridge-accept-peering is not authorized "
            f"to perform: sts:AssumeRole on resource: {MEMBER}",
            error.response["Error"]["Message"],
        )
        self.assertEqual(403, error.response["ResponseMetadata"]["HTTPStatusCode"])
        self.fails("AccessDenied", sts.assume_role, RoleArn=MEMBER, RoleSessionName="run")
        self.fails("AccessDenied", self.client("sts", HUB).assume_role, **wanted)  # root is not the function
        self.fails("AccessDenied", self.client("sts", CONSUMER).assume_role, **wanted)

    def test_a_role_that_does_not_exist(self):
        sts = self.client("sts", HUB)
        for arn in (MEMBER, "arn:aws:iam::333333333333:role/nobody", f"arn:aws:iam::{HUB}:user/not-a-role"):
            self.fails("AccessDenied", sts.assume_role, RoleArn=arn, RoleSessionName="run")

    def test_principals_and_conditions(self):
        for name, statement, caller, admitted in (
            ("account by number", self.trust({"AWS": CONSUMER}), CONSUMER, True),
            ("another account", self.trust({"AWS": CONSUMER}), HUB, False),
            ("anybody", self.trust({"AWS": "*"}), OUTSIDE, True),
            ("one of several", self.trust({"AWS": [HUB, f"arn:aws:iam::{CONSUMER}:root"]}), CONSUMER, True),
            ("member", self.trust("*", StringEquals={"aws:PrincipalOrgID": "o-drawbridge0"}), CONSUMER, True),
            ("no member", self.trust("*", StringEquals={"aws:PrincipalOrgID": "o-drawbridge0"}), OUTSIDE, False),
            ("unit", self.trust("*", **{"ForAnyValue:StringLike": {"aws:PrincipalOrgPaths": "o-*/r-*/ou-*/"}}), CONSUMER, True),
            ("no unit", self.trust("*", **{"ForAnyValue:StringLike": {"aws:PrincipalOrgPaths": "o-*/r-*/ou-*/"}}), HUB, False),
            ("like", self.trust("*", ArnLike={"aws:PrincipalArn": f"arn:aws:iam::{CONSUMER}:*"}), CONSUMER, True),
            ("unlike", self.trust("*", ArnNotLike={"aws:PrincipalArn": f"arn:aws:iam::{CONSUMER}:*"}), CONSUMER, False),
            ("session name", self.trust("*", StringLike={"sts:RoleSessionName": "run-*"}), CONSUMER, True),
            ("other session name", self.trust("*", StringLike={"sts:RoleSessionName": "walk-*"}), CONSUMER, False),
            ("no external id", self.trust("*", Null={"sts:ExternalId": "true"}), CONSUMER, True),
            ("if it exists", self.trust("*", StringEqualsIfExists={"sts:ExternalId": "a"}), CONSUMER, True),
            ("service only", self.trust({"Service": "lambda.amazonaws.com"}), CONSUMER, False),
        ):
            with self.subTest(name):
                self.setUp()
                self.role(PRODUCER, "r", statement)
                call = self.client("sts", caller).assume_role
                arn = f"arn:aws:iam::{PRODUCER}:role/r"
                if admitted:
                    call(RoleArn=arn, RoleSessionName="run-1")
                else:
                    self.fails("AccessDenied", call, RoleArn=arn, RoleSessionName="run-1")

    def test_a_denial_wins(self):
        deny = {"Effect": "Deny", "Action": "sts:*", "Principal": {"AWS": CONSUMER}}
        self.role(PRODUCER, "r", self.trust("*"), deny)
        arn = f"arn:aws:iam::{PRODUCER}:role/r"
        self.client("sts", HUB).assume_role(RoleArn=arn, RoleSessionName="run")
        self.fails("AccessDenied", self.client("sts", CONSUMER).assume_role, RoleArn=arn, RoleSessionName="run")

    def test_an_account_number_is_an_access_key(self):
        who = self.client("sts", CONSUMER).get_caller_identity()
        self.assertEqual((CONSUMER, f"arn:aws:iam::{CONSUMER}:root"), (who["Account"], who["Arn"]))
