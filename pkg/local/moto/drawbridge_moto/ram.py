"""Resource shares between accounts: who has what, by invitation or within the organization, and the events about it.

Gaps closed, by the RAM guide (https://docs.aws.amazon.com/ram/latest/userguide/) and the RAM API reference:
  - principals and resources cannot be associated or disassociated later; OTHER-ACCOUNTS and ListPrincipals are not known
  - what belongs to another account, or does not exist, can be shared
  - there are no invitations: an account outside the organization, or any account while sharing within the organization
    is off, has nothing until it accepts, within seven days for transit gateways and twelve hours for most other things
  - no events: "Resource Sharing State Change" reaches owner and principals, CloudTrail's records the caller
Sharing within the organization is on, until organizations:DisableAWSServiceAccess of ram.amazonaws.com.
"""

import json
import re
import threading
import uuid
from datetime import timedelta

from moto.core.exceptions import JsonRESTError
from moto.core.utils import unix_time, utcnow
from moto.ec2.models import ec2_backends
from moto.organizations.responses import OrganizationsResponse
from moto.ram import urls
from moto.ram.responses import ResourceAccessManagerResponse

from . import checkpoint, cloudtrail, config, events, organizations, privilege
from .patching import add, on_reset, replace

_shares = {}  # by ARN, oldest first
_within = {"on": True}
_lock = threading.RLock()

# https://docs.aws.amazon.com/ram/latest/userguide/working-with-shared-invitations.html
_WEEK = {"transit-gateway", "subnet", "prefix-list", "cluster"}


@on_reset
def _forget():
    _shares.clear()
    _within["on"] = True


class Share:
    def __init__(self, account, region, name, external):
        self.account, self.region, self.name, self.external = account, region, name, external
        self.arn = f"arn:{config.PARTITION}:ram:{region}:{account}:resource-share/{uuid.uuid4()}"
        self.status, self.made, self.changed = "ACTIVE", utcnow(), utcnow()
        # By ARN or principal, the status of the association. Those that ended stay, as DISASSOCIATED.
        self.resources, self.principals = {}, {}
        self.invitations = []

    def view(self):
        return {
            "resourceShareArn": self.arn,
            "name": self.name,
            "owningAccountId": self.account,
            "allowExternalPrincipals": self.external,
            "status": self.status,
            "creationTime": unix_time(self.made),
            "lastUpdatedTime": unix_time(self.changed),
            "featureSet": "STANDARD",
        }

    def reaches(self, account):
        """Whether an account has what is shared, now."""
        return self.status == "ACTIVE" and any(
            status == "ASSOCIATED" and _means(principal, account) for principal, status in self.principals.items()
        )

    def granted(self):
        """The accounts that have what is shared, now, besides the owner. Of an organization, those known so far."""
        known = {*organizations._known(), *filter(str.isdigit, self.principals)}
        return sorted(one for one in known if one != self.account and self.reaches(one))

    def concerns(self):
        """The accounts of the owner and of the principals that are accounts."""
        return {self.account, *filter(str.isdigit, self.principals)}


checkpoint.holds(_shares, Share.concerns)


class Invitation:
    def __init__(self, share, account):
        self.share, self.account, self.status, self.sent = share, account, "PENDING", utcnow()
        self.arn = f"arn:{config.PARTITION}:ram:{share.region}:{share.account}:resource-share-invitation/{uuid.uuid4()}"

    def age(self):
        kinds = {_kind(arn) for arn in self.share.resources}
        lasts = timedelta(days=7) if kinds & _WEEK else timedelta(hours=12)
        if self.status == "PENDING" and utcnow() - self.sent > lasts:
            self.status = "EXPIRED"
            self.share.principals[self.account] = "DISASSOCIATED"
        return self.status

    def view(self):
        return {
            "resourceShareInvitationArn": self.arn,
            "resourceShareName": self.share.name,
            "resourceShareArn": self.share.arn,
            "senderAccountId": self.share.account,
            "receiverAccountId": self.account,
            "invitationTimestamp": unix_time(self.sent),
            "status": self.age(),
        }


def _kind(arn):
    """The kind of resource that an ARN is of: transit-gateway, cluster, …"""
    return re.split("[:/]", arn.split(":", 5)[5])[0]


def _means(principal, account):
    """Whether a principal is an account, or an organization or unit that the account is in."""
    if principal == account:
        return True
    if not config.member(account):
        return False
    kind, _, name = principal.split(":")[-1].partition("/")
    if kind == "organization":
        return name == config.ORGANIZATION
    return kind == "ou" and f"/{name.split('/')[-1]}/" in config.unit_path(account)


def shared(arn, account):
    """Whether RAM gives an account a resource of another one."""
    return any(one.resources.get(arn) == "ASSOCIATED" and one.reaches(account) for one in list(_shares.values()))


def age(arn, days):
    """Lets days pass for a share's invitations: as if they had been sent that much earlier. RAM tells that one expired."""
    share = _shares.get(arn)
    if share is None:
        return False
    for one in share.invitations:
        was, one.sent = one.status, one.sent - timedelta(days=days)
        if was == "PENDING" and one.age() == "EXPIRED":
            _tell(share, "Resource Share Association", "disassociated", [one.account])
    return True


# --- what is told --------------------------------------------------------------------------------------------------------


def _tell(share, event, status, accounts):
    """https://docs.aws.amazon.com/ram/latest/userguide/using-eventbridge.html: the owner, and the principals that it is about."""
    for account in [share.account, *accounts]:
        detail = {"event": event, "status": status}
        events.emit(account, share.region, "aws.ram", "Resource Sharing State Change", detail, [share.arn])


# --- calls ---------------------------------------------------------------------------------------------------------------


class Refused(JsonRESTError):
    def __init__(self, code, message):
        super().__init__(code, message)


def _unknown(arn):
    return Refused("UnknownResourceException", f"ResourceShare {arn} could not be found.")


def _own(self):
    share = _shares.get(self._get_param("resourceShareArn"))
    if share is None or share.account != self.current_account or share.status == "DELETED":
        raise _unknown(self._get_param("resourceShareArn"))
    return share


def _associate(share, resources, principals):
    """Associates all or, with an error, nothing."""
    new = [one for one in dict.fromkeys(principals) if share.principals.get(one) not in ("ASSOCIATING", "ASSOCIATED")]
    invited = [one for one in new if _by_invitation(share, one)]
    for arn in resources:
        _shareable(share, arn)
    subnets = [arn for arn in [*share.resources, *resources] if _kind(arn) == "subnet"]
    if subnets and any(one.isdigit() and not config.member(one) for one in [*share.principals, *principals]):
        # https://docs.aws.amazon.com/vpc/latest/userguide/vpc-share-prerequisites.html
        raise Refused("OperationNotPermittedException", f"{subnets[0]} can be shared within the organization only.")
    changed = [arn for arn in dict.fromkeys(resources) if share.resources.get(arn) != "ASSOCIATED"]
    share.resources |= dict.fromkeys(changed, "ASSOCIATED")
    share.principals |= {one: "ASSOCIATING" if one in invited else "ASSOCIATED" for one in new}
    share.invitations += [Invitation(share, one) for one in invited]
    share.changed = utcnow()
    if invited:
        _tell(share, "Resource Share Invitation", "pending", invited)
    if changed or len(new) > len(invited):
        _tell(share, "Resource Share Association", "associated", share.granted())


def _by_invitation(share, principal):
    """Whether a principal has to accept first; refuses those that cannot be one."""
    if not principal.isdigit():
        if not _within["on"]:
            raise Refused("OperationNotPermittedException", "Resource sharing within the organization is not enabled.")
        return False
    outside = not (config.member(principal) and config.member(share.account))
    if outside and not share.external:
        raise Refused("OperationNotPermittedException", "The resource share does not allow principals outside the organization.")
    return outside or not _within["on"]


def _shareable(share, arn):
    """Refuses what is not the sharing account's own, and a transit gateway or a subnet that does not exist."""
    parts = arn.split(":", 5)
    if len(parts) != 6:
        raise Refused("MalformedArnException", f"The specified resource ARN {arn} is not valid.")
    known = parts[4] == share.account and parts[3] == share.region
    if known and _kind(arn) == "transit-gateway":
        known = parts[5].split("/")[-1] in ec2_backends[share.account][share.region].transit_gateways
    if known and _kind(arn) == "subnet":
        known = any(parts[5].split("/")[-1] in zone for zone in ec2_backends[share.account][share.region].subnets.values())
    if not known:
        raise Refused("UnknownResourceException", f"Resource {arn} could not be found.")


@replace(ResourceAccessManagerResponse, "create_resource_share")
def create(_original, self):
    # https://docs.aws.amazon.com/ram/latest/APIReference/API_CreateResourceShare.html
    asked = self.request_params
    share = Share(self.current_account, self.region, asked["name"], asked.get("allowExternalPrincipals", True))
    with _lock:
        _associate(share, asked.get("resourceArns", []), asked.get("principals", []))
        _shares[share.arn] = share
    return json.dumps({"resourceShare": share.view()})


def _changes(self, share):
    asked = self.request_params
    status = {**share.resources, **share.principals}
    return [
        {
            "resourceShareArn": share.arn,
            "associatedEntity": entity,
            "associationType": "PRINCIPAL" if entity in asked.get("principals", []) else "RESOURCE",
            "status": status.get(entity, "DISASSOCIATED"),
        }
        for entity in asked.get("principals", []) + asked.get("resourceArns", [])
    ]


@add(ResourceAccessManagerResponse, "associate_resource_share")
def associate(self):
    share, asked = _own(self), self.request_params
    with _lock:
        _associate(share, asked.get("resourceArns", []), asked.get("principals", []))
    return json.dumps({"resourceShareAssociations": _changes(self, share)})


@add(ResourceAccessManagerResponse, "disassociate_resource_share")
def disassociate(self):
    share, asked = _own(self), self.request_params
    with _lock:
        _disassociate(share, asked.get("resourceArns", []), asked.get("principals", []))
    return json.dumps({"resourceShareAssociations": _changes(self, share)})


def _disassociate(share, resources, principals):
    before = set(share.granted())
    told = {one for one in principals if one.isdigit() and share.principals.get(one) == "ASSOCIATING"}
    for held, ending in ((share.resources, resources), (share.principals, principals)):
        held |= {one: "DISASSOCIATED" for one in ending if one in held}
    # An invitation that nobody answered ends with what it was for.
    share.invitations = [one for one in share.invitations if one.age() != "PENDING" or one.account not in principals]
    share.changed = utcnow()
    told |= before if resources else before - set(share.granted())
    _tell(share, "Resource Share Association", "disassociated", sorted(told))


@replace(ResourceAccessManagerResponse, "delete_resource_share")
def delete(_original, self):
    share = _own(self)
    with _lock:
        _disassociate(share, list(share.resources), list(share.principals))
        share.status = "DELETED"
    return json.dumps({"returnValue": True})


@replace(ResourceAccessManagerResponse, "update_resource_share")
def update(_original, self):
    # https://docs.aws.amazon.com/ram/latest/APIReference/API_UpdateResourceShare.html
    share, asked = _own(self), self.request_params
    share.name, share.external = asked.get("name", share.name), asked.get("allowExternalPrincipals", share.external)
    share.changed = utcnow()
    return json.dumps({"resourceShare": share.view()})


@replace(ResourceAccessManagerResponse, "get_resource_shares")
def get_shares(_original, self):
    # https://docs.aws.amazon.com/ram/latest/APIReference/API_GetResourceShares.html
    owner, account = self._get_param("resourceOwner"), self.current_account
    if owner not in ("SELF", "OTHER-ACCOUNTS"):
        raise Refused("InvalidParameterException", f"{owner} is not a valid resource owner.")
    wanted, name, status = self._get_param("resourceShareArns") or [], self._get_param("name"), self._get_param("resourceShareStatus")
    found = [
        one.view()
        for one in list(_shares.values())
        if one.region == self.region and (one.account == account if owner == "SELF" else one.account != account and one.reaches(account))
    ]
    return json.dumps(
        {
            "resourceShares": [
                one
                for one in found
                if (not wanted or one["resourceShareArn"] in wanted)
                and (not name or one["name"] == name)
                and (not status or one["status"] == status)
            ]
        }
    )


@replace(ResourceAccessManagerResponse, "get_resource_share_associations")
def get_associations(_original, self):
    # https://docs.aws.amazon.com/ram/latest/APIReference/API_GetResourceShareAssociations.html
    kind, status = self._get_param("associationType"), self._get_param("associationStatus")
    wanted, arn, principal = self._get_param("resourceShareArns") or [], self._get_param("resourceArn"), self._get_param("principal")
    if kind not in ("PRINCIPAL", "RESOURCE"):
        raise Refused("InvalidParameterException", f"{kind} is not a valid association type.")
    found = []
    for share in list(_shares.values()):
        if share.account != self.current_account or share.region != self.region or (wanted and share.arn not in wanted):
            continue
        for invitation in share.invitations:
            invitation.age()
        for entity, held in (share.principals if kind == "PRINCIPAL" else share.resources).items():
            if (status and held != status) or (arn and entity != arn) or (principal and entity != principal):
                continue
            found.append(
                {
                    "resourceShareArn": share.arn,
                    "resourceShareName": share.name,
                    "associatedEntity": entity,
                    "associationType": kind,
                    "status": held,
                    "creationTime": unix_time(share.made),
                    "lastUpdatedTime": unix_time(share.changed),
                    "external": entity.isdigit() and not config.member(entity),
                }
            )
    return json.dumps({"resourceShareAssociations": found})


@add(ResourceAccessManagerResponse, "get_resource_share_invitations")
def get_invitations(self):
    # https://docs.aws.amazon.com/ram/latest/APIReference/API_GetResourceShareInvitations.html
    names, shares = self._get_param("resourceShareInvitationArns") or [], self._get_param("resourceShareArns") or []
    found = [
        one.view()
        for share in list(_shares.values())
        for one in share.invitations
        if share.region == self.region
        and one.account == self.current_account
        and (not names or one.arn in names)
        and (not shares or share.arn in shares)
    ]
    return json.dumps({"resourceShareInvitations": found})


_ANSWERED = {"ACCEPTED": "AlreadyAccepted", "REJECTED": "AlreadyRejected", "EXPIRED": "Expired"}


def _answer(self, status):
    name = self._get_param("resourceShareInvitationArn")
    for share in list(_shares.values()):
        for one in share.invitations:
            if one.arn == name and one.account == self.current_account:
                now = one.age()
                if now != "PENDING":
                    raise Refused(f"ResourceShareInvitation{_ANSWERED[now]}Exception", f"The invitation is {now}.")
                with _lock:
                    one.status = status
                    share.principals[one.account] = "ASSOCIATED" if status == "ACCEPTED" else "FAILED"
                _tell(share, "Resource Share Association", share.principals[one.account].lower(), [one.account])
                return json.dumps({"resourceShareInvitation": one.view()})
    raise Refused("ResourceShareInvitationArnNotFoundException", f"The invitation {name} could not be found.")


@add(ResourceAccessManagerResponse, "accept_resource_share_invitation")
def accept(self):
    return _answer(self, "ACCEPTED")


@add(ResourceAccessManagerResponse, "reject_resource_share_invitation")
def reject(self):
    return _answer(self, "REJECTED")


# What RAM calls the kinds of resources: https://docs.aws.amazon.com/ram/latest/userguide/shareable.html
_TYPES = {"transit-gateway": "ec2:TransitGateway", "subnet": "ec2:Subnet", "prefix-list": "ec2:PrefixList", "cluster": "rds:Cluster"}


def _given(self):
    """The shares that ListResources and ListPrincipals are about, by the parameters that both have."""
    owner, account = self._get_param("resourceOwner"), self.current_account
    if owner not in ("SELF", "OTHER-ACCOUNTS"):
        raise Refused("InvalidParameterException", f"{owner} is not a valid resource owner.")
    wanted = self._get_param("resourceShareArns") or []
    return [
        share
        for share in list(_shares.values())
        if share.region == self.region
        and (share.account == account if owner == "SELF" else share.account != account and share.reaches(account))
        and (not wanted or share.arn in wanted)
    ]


@add(ResourceAccessManagerResponse, "list_resources")
def list_resources(self):
    # https://docs.aws.amazon.com/ram/latest/APIReference/API_ListResources.html
    kind, arns, principal = self._get_param("resourceType"), self._get_param("resourceArns") or [], self._get_param("principal")
    found = [
        {
            "arn": arn,
            "resourceShareArn": share.arn,
            "status": "AVAILABLE",
            "type": _TYPES.get(_kind(arn), ""),
            "creationTime": unix_time(share.made),
            "lastUpdatedTime": unix_time(share.changed),
        }
        for share in _given(self)
        for arn, status in share.resources.items()
        if status == "ASSOCIATED"
        and (not kind or _TYPES.get(_kind(arn)) == kind)
        and (not arns or arn in arns)
        # To another account the principal is the account that shares.
        and (not principal or principal == share.account or share.principals.get(principal) == "ASSOCIATED")
    ]
    return json.dumps({"resources": found})


@add(ResourceAccessManagerResponse, "list_principals")
def list_principals(self):
    # https://docs.aws.amazon.com/ram/latest/APIReference/API_ListPrincipals.html
    own, arn, wanted = self._get_param("resourceOwner") == "SELF", self._get_param("resourceArn"), self._get_param("principals") or []
    found = []
    for share in _given(self):
        principals = [one for one, status in share.principals.items() if status == "ASSOCIATED"] if own else [share.account]
        for one in principals:
            if (wanted and one not in wanted) or (arn and share.resources.get(arn) != "ASSOCIATED"):
                continue
            found.append(
                {
                    "id": one,
                    "resourceShareArn": share.arn,
                    "creationTime": unix_time(share.made),
                    "lastUpdatedTime": unix_time(share.changed),
                    "external": one.isdigit() and not config.member(one),
                }
            )
    return json.dumps({"principals": found})


@replace(ResourceAccessManagerResponse, "enable_sharing_with_aws_organization")
def enable(_original, self):
    if self.current_account != config.HUB_ACCOUNT:
        raise Refused("OperationNotPermittedException", "Only the organization's management account may do that.")
    _within["on"] = True
    return json.dumps({"returnValue": True})


@replace(OrganizationsResponse, "disable_aws_service_access")
def off(original, self):
    # https://docs.aws.amazon.com/organizations/latest/userguide/services-that-can-integrate-ram.html
    if self._get_param("ServicePrincipal") != "ram.amazonaws.com":
        return original(self)
    _within["on"] = False
    return "{}"


@replace(OrganizationsResponse, "enable_aws_service_access")
def on(original, self):
    if self._get_param("ServicePrincipal") != "ram.amazonaws.com":
        return original(self)
    _within["on"] = True
    return "{}"


for _path in (
    "associateresourceshare",
    "disassociateresourceshare",
    "getresourceshareinvitations",
    "acceptresourceshareinvitation",
    "rejectresourceshareinvitation",
    "listprincipals",
    "listresources",
):
    urls.url_paths[f"{{0}}/{_path}$"] = ResourceAccessManagerResponse.dispatch


# --- records -------------------------------------------------------------------------------------------------------------


def _recorded(method, name):
    @replace(ResourceAccessManagerResponse, method)
    def call(original, self):
        try:
            answer = original(self)
        except JsonRESTError as error:
            cloudtrail.record(self, "ram", name, self.request_params, None, error)
            raise
        cloudtrail.record(self, "ram", name, self.request_params, json.loads(answer))
        return answer


for _method, _name in (
    ("create_resource_share", "CreateResourceShare"),
    ("associate_resource_share", "AssociateResourceShare"),
    ("disassociate_resource_share", "DisassociateResourceShare"),
    ("delete_resource_share", "DeleteResourceShare"),
    ("update_resource_share", "UpdateResourceShare"),
    ("accept_resource_share_invitation", "AcceptResourceShareInvitation"),
    ("reject_resource_share_invitation", "RejectResourceShareInvitation"),
):
    _recorded(_method, _name)


# --- what the calls need -------------------------------------------------------------------------------------------------
# https://docs.aws.amazon.com/service-authorization/latest/reference/list_awsresourceaccessmanagerram.html


def _share(call):
    return call.on(call.get("resourceShareArn"))


def _invitation(call):
    return call.on(call.get("resourceShareInvitationArn"))


privilege.CALLS |= {
    "ram:AcceptResourceShareInvitation": _invitation,
    "ram:AssociateResourceShare": _share,
    "ram:CreateResourceShare": lambda call: [privilege.Demand("ram:CreateResourceShare")],
    "ram:DeleteResourceShare": _share,
    "ram:DisassociateResourceShare": _share,
    "ram:RejectResourceShareInvitation": _invitation,
    "ram:UpdateResourceShare": _share,
}
privilege.ON_EVERYTHING |= {
    "ram:GetResourceShares",
    "ram:GetResourceShareAssociations",
    "ram:GetResourceShareInvitations",
    "ram:ListPrincipals",
    "ram:ListResources",
}
