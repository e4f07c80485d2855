"""SageMaker Studio: domains whose settings change, user profiles, spaces and apps.

Gaps closed (https://docs.aws.amazon.com/sagemaker/latest/APIReference/):
  - UpdateDomain is missing; so are user profiles, spaces and apps
  - no CloudTrail records, which are all that EventBridge learns of a domain, an app or a profile
A domain's ExecutionRoleIdentityConfig changes only while every app is deleted or failed:
https://docs.aws.amazon.com/sagemaker/latest/dg/monitor-user-access-how-to.html
A passing status of an app ends after PENDING_POLLS answers or by itself after NOTEBOOK_SECONDS, whichever comes first.
"""

import re
import threading

from moto.core.exceptions import ServiceException
from moto.core.responses import ActionResult, EmptyResult
from moto.core.utils import utcnow
from moto.sagemaker.exceptions import ValidationError
from moto.redshift.models import redshift_backends
from moto.sagemaker.models import Domain, SageMakerModelBackend, arn_formatter, sagemaker_backends
from moto.sagemaker.responses import SageMakerResponse

from . import cloudtrail, config, demands
from .background import clock
from .patching import add, on_reset, replace, require

require(Domain, "describe")
require(SageMakerModelBackend, "describe_domain")

_profiles, _spaces, _apps = {}, {}, {}  # by (account, Region, domain, …)
_lock = threading.RLock()


@on_reset
def _forget():
    for held in (_profiles, _spaces, _apps):
        held.clear()


class ResourceNotFound(ServiceException):
    code = "ResourceNotFound"


class ResourceInUse(ServiceException):
    code = "ResourceInUse"


def _domain(self):
    """The domain that a call names, after it was found."""
    backend, name = self.sagemaker_backend, self._get_param("DomainId")
    if name not in backend.domains:
        raise ResourceNotFound(f"Domain with id {name} is not found.")
    return backend.domains[name]


def _key(self, domain, *rest):
    return (self.current_account, self.region, domain.id, *rest)


def _within(held, *prefix):
    return [value for key, value in sorted(held.items(), key=lambda item: str(item[0])) if key[: len(prefix)] == prefix]


# --- domains -------------------------------------------------------------------------------------------------------------


@replace(Domain, "__init__")
def make(original, self, **properties):
    original(self, **properties)
    # AWS makes up an id; moto takes the name, which may be longer and hold other characters.
    self.id = "d-" + re.sub(r"[^a-z0-9]", "", properties["domain_name"].lower())[:13]
    self.arn = arn_formatter("domain", self.id, self.account_id, self.region_name)


@replace(SageMakerResponse, "describe_domain")
def describe_domain(_original, self):
    domain = _domain(self)
    return ActionResult({key: value for key, value in domain.describe().items() if value is not None})


@replace(SageMakerModelBackend, "_get_resource_from_arn")
def resource_from_arn(original, self, arn):
    # moto takes the tags of what is not there.
    found = original(self, arn)
    if found is None and ":domain/" in arn:
        raise ResourceNotFound(f"Domain with id {arn.rsplit('/', 1)[-1]} is not found.")
    return found


@add(SageMakerResponse, "update_domain")
def update_domain(self):
    # https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_UpdateDomain.html
    domain = _domain(self)
    new = self._get_param("DomainSettingsForUpdate") or {}
    held = dict(domain.domain_settings or {})
    wish = new.get("ExecutionRoleIdentityConfig")
    if wish not in (None, "USER_PROFILE_NAME", "DISABLED"):
        raise ValidationError(
            message=f"1 validation error detected: Value '{wish}' at 'domainSettingsForUpdate.executionRoleIdentityConfig' "
            "failed to satisfy constraint: Member must satisfy enum value set: [USER_PROFILE_NAME, DISABLED]"
        )
    if wish is not None and wish != held.get("ExecutionRoleIdentityConfig", "DISABLED"):
        with _lock:
            running = [app for app in _within(_apps, *_key(self, domain)) if app["Status"] not in ("Deleted", "Failed")]
        if running:
            raise ValidationError(
                message=f"Unable to update domain {domain.id}: ExecutionRoleIdentityConfig can only be updated when there are "
                f"no apps in the domain that are not in a Deleted or Failed state; {len(running)} found."
            )
    held |= {key: value for key, value in new.items() if value is not None}
    domain.domain_settings = held
    for parameter, field in (
        ("DefaultUserSettings", "default_user_settings"),
        ("AppNetworkAccessType", "app_network_access_type"),
        ("SubnetIds", "subnet_ids"),
    ):
        if (value := self._get_param(parameter)) is not None:
            setattr(domain, field, (getattr(domain, field) or {}) | value if isinstance(value, dict) else value)
    domain.last_modified_time = utcnow()
    return ActionResult({"DomainArn": domain.arn})


# --- user profiles and spaces --------------------------------------------------------------------------------------------


def _made(self, held, kind, name, **properties):
    domain = _domain(self)
    key = _key(self, domain, name)
    if key in held:
        raise ResourceInUse(f"{kind} {name} already exists in domain {domain.id}.")
    path = {"User profile": "user-profile", "Space": "space"}[kind]
    arn = arn_formatter(path, f"{domain.id}/{name}", self.current_account, self.region)
    held[key] = {
        "DomainId": domain.id,
        "Status": "InService",
        "CreationTime": utcnow(),
        "LastModifiedTime": utcnow(),
        "arn": arn,
        "tags": list(self._get_param("Tags") or []),
        **properties,
    }
    return arn


def _found(self, held, kind, name):
    domain = _domain(self)
    one = held.get(_key(self, domain, name))
    if one is None:
        raise ResourceNotFound(f"{kind} {name} is not found in domain {domain.id}.")
    return one


def _listed(self, held, prefix=()):
    wanted = self._get_param("DomainIdEquals")
    where = (self.current_account, self.region) + ((wanted,) if wanted else ())
    return _within(held, *where)


@add(SageMakerResponse, "create_user_profile")
def create_user_profile(self):
    name = self._get_param("UserProfileName")
    settings = self._get_param("UserSettings") or {}
    return ActionResult({"UserProfileArn": _made(self, _profiles, "User profile", name, UserProfileName=name, UserSettings=settings)})


@add(SageMakerResponse, "update_user_profile")
def update_user_profile(self):
    one = _found(self, _profiles, "User profile", self._get_param("UserProfileName"))
    one["UserSettings"] = one["UserSettings"] | (self._get_param("UserSettings") or {})
    one["LastModifiedTime"] = utcnow()
    return ActionResult({"UserProfileArn": one["arn"]})


@add(SageMakerResponse, "describe_user_profile")
def describe_user_profile(self):
    one = _found(self, _profiles, "User profile", self._get_param("UserProfileName"))
    return ActionResult({"UserProfileArn": one["arn"]} | {key: value for key, value in one.items() if key not in ("arn", "tags")})


@add(SageMakerResponse, "list_user_profiles")
def list_user_profiles(self):
    keys = ("DomainId", "UserProfileName", "Status", "CreationTime", "LastModifiedTime")
    return ActionResult({"UserProfiles": [{key: one[key] for key in keys} for one in _listed(self, _profiles)]})


@add(SageMakerResponse, "delete_user_profile")
def delete_user_profile(self):
    _found(self, _profiles, "User profile", self._get_param("UserProfileName"))
    del _profiles[_key(self, _domain(self), self._get_param("UserProfileName"))]
    return EmptyResult()


@add(SageMakerResponse, "create_space")
def create_space(self):
    name = self._get_param("SpaceName")
    return ActionResult(
        {
            "SpaceArn": _made(
                self,
                _spaces,
                "Space",
                name,
                SpaceName=name,
                OwnershipSettings=self._get_param("OwnershipSettings") or {},
                SpaceSharingSettings=self._get_param("SpaceSharingSettings") or {},
                SpaceSettings=self._get_param("SpaceSettings") or {},
            )
        }
    )


@add(SageMakerResponse, "describe_space")
def describe_space(self):
    one = _found(self, _spaces, "Space", self._get_param("SpaceName"))
    return ActionResult({"SpaceArn": one["arn"]} | {key: value for key, value in one.items() if key not in ("arn", "tags")})


# --- apps ----------------------------------------------------------------------------------------------------------------


def _app_name(self):
    owner = ("UserProfileName", self._get_param("UserProfileName")) if self._get_param("UserProfileName") else (
        "SpaceName",
        self._get_param("SpaceName"),
    )
    return (*owner, self._get_param("AppType"), self._get_param("AppName"))


@add(SageMakerResponse, "create_app")
def create_app(self):
    # https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_CreateApp.html
    domain, name = _domain(self), _app_name(self)
    held, kind = (_profiles, "User profile") if name[0] == "UserProfileName" else (_spaces, "Space")
    _found(self, held, kind, name[1])
    key = _key(self, domain, *name)
    with _lock:
        if key in _apps and _apps[key]["Status"] not in ("Deleted", "Failed"):
            raise ResourceInUse(f"App {name[3]} of type {name[2]} already exists.")
        arn = arn_formatter("app", f"{domain.id}/{name[1]}/{name[2].lower()}/{name[3]}", self.current_account, self.region)
        _apps[key] = app = {
            "AppArn": arn,
            "DomainId": domain.id,
            name[0]: name[1],
            "AppType": name[2],
            "AppName": name[3],
            "CreationTime": utcnow(),
        }
        _pass(app, "Pending", "InService")
    return ActionResult({"AppArn": arn})


@add(SageMakerResponse, "delete_app")
def delete_app(self):
    with _lock:
        app = _apps.get(_key(self, _domain(self), *_app_name(self)))
        if app is None or app["Status"] == "Deleted":
            raise ResourceNotFound(f"App {self._get_param('AppName')} is not found.")
        _pass(app, "Deleting", "Deleted")
    return EmptyResult()


@add(SageMakerResponse, "describe_app")
def describe_app(self):
    with _lock:
        app = _apps.get(_key(self, _domain(self), *_app_name(self)))
        if app is None:
            raise ResourceNotFound(f"App {self._get_param('AppName')} is not found.")
        return ActionResult(_seen(app))


@add(SageMakerResponse, "list_apps")
def list_apps(self):
    wanted = {"UserProfileName": self._get_param("UserProfileNameEquals"), "SpaceName": self._get_param("SpaceNameEquals")}
    with _lock:
        found = [
            _seen(app)
            for app in _listed(self, _apps)
            if all(value is None or app.get(key) == value for key, value in wanted.items())
        ]
    return ActionResult({"Apps": found})


def _pass(app, status, then):
    app["Status"], app["then"], app["polls"], app["turn"] = status, then, config.PENDING_POLLS, (turn := object())
    if config.PENDING_POLLS <= 0:
        _end(app, turn)
    else:
        clock.after(config.NOTEBOOK_SECONDS, _end, app, turn)


def _end(app, turn):
    with _lock:
        if app["turn"] is turn and app["then"]:
            app["Status"], app["then"] = app["then"], None


def _seen(app):
    view = {key: value for key, value in app.items() if key not in ("then", "polls", "turn")}
    if app["then"]:
        app["polls"] -= 1
        if app["polls"] < 0:
            _end(app, app["turn"])
            view["Status"] = app["Status"]
    return view


# --- records -------------------------------------------------------------------------------------------------------------


def _plain(value):
    if isinstance(value, dict):
        return {key[0].lower() + key[1:]: _plain(inner) for key, inner in value.items()}
    return [_plain(inner) for inner in value] if isinstance(value, list) else value


def _recorded(method, name):
    @replace(SageMakerResponse, method)
    def call(original, self):
        parameters = _plain(self._get_params())
        try:
            result = original(self)
        except ServiceException as error:
            cloudtrail.record(self, "sagemaker", name, parameters, None, error)
            raise
        elements = _plain(dict(getattr(result, "result", None) or {})) or None
        cloudtrail.record(self, "sagemaker", name, parameters, elements)
        return result


for _method, _name in (
    ("create_domain", "CreateDomain"),
    ("update_domain", "UpdateDomain"),
    ("delete_domain", "DeleteDomain"),
    ("create_user_profile", "CreateUserProfile"),
    ("update_user_profile", "UpdateUserProfile"),
    ("delete_user_profile", "DeleteUserProfile"),
    ("create_space", "CreateSpace"),
    ("create_app", "CreateApp"),
    ("delete_app", "DeleteApp"),
):
    _recorded(_method, _name)


# --- what the calls need -------------------------------------------------------------------------------------------------


def _credentials(call):
    # https://docs.aws.amazon.com/redshift/latest/mgmt/generating-iam-credentials-role-permissions.html
    cluster, user, database = call.get("ClusterIdentifier"), call.get("DbUser"), call.get("DbName")
    keys = {"redshift:DbUser": user, "redshift:DbName": database or None}
    own = call.arn(f"dbuser:{cluster}/{user}")
    demands = call.on(own, *([call.arn(f"dbname:{cluster}/{database}")] if database else []), keys=keys)
    if str(call.get("AutoCreate")).lower() == "true":
        demands.append(call.also("CreateClusterUser", own, keys))
    groups = call.listed("DbGroups")
    return demands + [call.also("JoinGroup", call.arn(f"dbgroup:{cluster}/{one}"), keys) for one in groups]


def _cluster_tags(call):
    keys = call.tag_keys(call.listed("Tags") or [{"Key": one} for one in call.listed("TagKeys")])
    return call.on(call.get("ResourceName"), keys=keys)


def _domain_tags(account, region, thing):
    regions = dict.get(sagemaker_backends, account)
    backend = dict.get(regions, region) if regions is not None else None
    domain = backend.domains.get(thing.removeprefix("domain/")) if backend and thing.startswith("domain/") else None
    return {tag["Key"]: tag["Value"] for tag in domain.tags or []} if domain else {}


def _warehouse_tags(account, region, thing):
    regions = dict.get(redshift_backends, account)
    backend = dict.get(regions, region) if regions is not None else None
    cluster = backend.clusters.get(thing.removeprefix("cluster:")) if backend and thing.startswith("cluster:") else None
    return {tag["Key"]: tag["Value"] for tag in cluster.tags} if cluster else {}


# Of a cluster's users, databases and groups IAM knows no tags.
# https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazonredshift.html
demands.TAGS |= {"sagemaker": _domain_tags, "redshift": _warehouse_tags}
demands.CALLS |= {
    "redshift:CreateTags": _cluster_tags,
    "redshift:DeleteTags": _cluster_tags,
    "redshift:GetClusterCredentials": _credentials,
    "sagemaker:DescribeUserProfile": lambda call: call.on(
        call.arn(f"user-profile/{call.get('DomainId')}/{call.get('UserProfileName')}")
    ),
    "sagemaker:UpdateDomain": lambda call: call.on(call.arn(f"domain/{call.get('DomainId')}")),
}
demands.ON_EVERYTHING |= {"sagemaker:ListApps", "sagemaker:ListUserProfiles"}
demands.KEYS |= {"redshift:dbname", "redshift:dbuser", "redshift-data:statement-owner-iam-userid"}
