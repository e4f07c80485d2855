"""Who makes a call: the account behind the access key, and the identity CloudTrail and a trust policy see.

Gap: moto puts every unknown access key into one account. Here an access key id that is a 12-digit account number acts as
that account's root user, so any client can say which account it is.
https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-event-reference-user-identity.html
"""

import re
import threading
from collections import defaultdict
from dataclasses import dataclass

from moto.core.responses import BaseResponse
from moto.iam.models import iam_backends

from . import config
from .patching import on_reset, replace

_CREDENTIAL = re.compile(r"Credential=([^/,\s]+)/")
_ACCOUNT = re.compile(r"\d{12}")

# Sessions by access key id, as sts.py hands them out.
sessions = {}


@on_reset
def _forget():
    sessions.clear()


@dataclass(frozen=True)
class Identity:
    """One caller: an account's root, an IAM user, or a session of a role."""

    account: str
    kind: str  # Root, IAMUser or AssumedRole
    arn: str
    principal_id: str
    access_key: str = ""
    role_arn: str = ""
    role_name: str = ""
    session_name: str = ""
    since: object = None
    source_identity: str = ""

    @property
    def principal_arn(self):
        """aws:PrincipalArn: of a session the role's ARN, not the session's."""
        return self.role_arn or self.arn

    def user_identity(self):
        """userIdentity of a CloudTrail record."""
        record = {
            "type": self.kind,
            "principalId": self.principal_id,
            "arn": self.arn,
            "accountId": self.account,
            "accessKeyId": self.access_key,
        }
        if self.kind == "IAMUser":
            record["userName"] = self.arn.rsplit("/", 1)[-1]
        if self.kind == "AssumedRole":
            record["sessionContext"] = {
                "sessionIssuer": {
                    "type": "Role",
                    "principalId": self.principal_id.split(":")[0],
                    "arn": self.role_arn,
                    "accountId": self.account,
                    "userName": self.role_name,
                },
                "attributes": {
                    "creationDate": self.since.strftime("%Y-%m-%dT%H:%M:%SZ"),
                    "mfaAuthenticated": "false",
                },
            }
            if self.source_identity:
                record["sessionContext"]["sourceIdentity"] = self.source_identity
        return record


def credential(headers):
    """The access key id a request was signed with, whatever it looks like; empty if unsigned."""
    match = _CREDENTIAL.search(headers.get("Authorization") or "")
    return match.group(1) if match else ""


@replace(BaseResponse, "get_access_key")
def get_access_key(original, self):
    key = credential(self.headers)
    return key or original(self)


@replace(BaseResponse, "get_current_account")
def get_current_account(original, self):
    key = credential(self.headers)
    if key in sessions:
        return sessions[key].account_id
    if "x-moto-account-id" not in self.headers and _ACCOUNT.fullmatch(key):
        return key
    return original(self)


# moto's backends are plain dictionaries. Services whose calls never wait, and never call back, are asked one call at a time.
_ONE_AT_A_TIME = {"ec2", "events", "iam", "kms", "organizations", "ram", "rds", "redshift", "sagemaker", "secretsmanager", "sns", "ssm", "sts"}
_locks = defaultdict(threading.RLock)


@replace(BaseResponse, "call_action")
def call_action(original, self):
    if self.service_name not in _ONE_AT_A_TIME:
        return original(self)
    with _locks[self.service_name]:
        return original(self)


def identity(response):
    """The caller of the request that a moto response object answers."""
    key, account = credential(response.headers), response.current_account
    session = sessions.get(key)
    if session is not None:
        return Identity(
            account=session.account_id,
            kind="AssumedRole",
            arn=session.arn,
            principal_id=session.user_id,
            access_key=key,
            role_arn=session.role_arn,
            role_name=session.role_arn.rsplit("/", 1)[-1],
            session_name=session.session_name,
            since=session.since,
            source_identity=session.source_identity,
        )
    user = iam_backends[account][config.PARTITION].get_user_from_access_key_id(key) if not _ACCOUNT.fullmatch(key) else None
    if user is not None:
        return Identity(account=account, kind="IAMUser", arn=user.arn, principal_id=user.id, access_key=key)
    return Identity(account=account, kind="Root", arn=f"arn:{config.PARTITION}:iam::{account}:root", principal_id=account, access_key=key)
