"""Resource shares between accounts: who has what, by invitation or within the organization, and the events about it.

Gaps closed, by the RAM guide (https://docs.aws.amazon.com/ram/latest/userguide/) and the RAM API reference:
  - principals and resources cannot be associated or disassociated later; who asks for shares of OTHER-ACCOUNTS gets none (ramlists.py)
  - what belongs to another account, or does not exist, can be shared
  - there are no invitations: an account outside the organization, or any account while sharing within the organization
    is off, has nothing until it accepts, within seven days for transit gateways and twelve hours for most other things
  - no events: "Resource Sharing State Change" reaches owner and principals, CloudTrail's records the caller (ramrecords.py)
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

from . import checkpoint, config, events, organizations
from .patching import add, on_reset, replace

shares = {}  # by ARN, oldest first
_within = {"on": True}
_lock = threading.RLock()

# https://docs.aws.amazon.com/ram/latest/userguide/working-with-shared-invitations.html
_WEEK = {"transit-gateway", "subnet", "prefix-list", "cluster"}


@on_reset
def _forget():
    shares.clear()
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


checkpoint.holds(shares, Share.concerns)


class Invitation:
    def __init__(self, share, account):
        self.share, self.account, self.status, self.sent = share, account, "PENDING", utcnow()
        self.arn = f"arn:{config.PARTITION}:ram:{share.region}:{share.account}:resource-share-invitation/{uuid.uuid4()}"

    def age(self):
        kinds = {kind(arn) for arn in self.share.resources}
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


def kind(arn):
    """The kind of resource that an ARN is of: transit-gateway, cluster, …"""
    return re.split("[:/]", arn.split(":", 5)[5])[0]


def _means(principal, account):
    """Whether a principal is an account, or an organization or unit that the account is in."""
    if principal == account:
        return True
    if not config.member(account):
        return False
    scope, _, name = principal.split(":")[-1].partition("/")
    if scope == "organization":
        return name == config.ORGANIZATION
    return scope == "ou" and f"/{name.split('/')[-1]}/" in config.unit_path(account)


def shared(arn, account):
    """Whether RAM gives an account a resource of another one."""
    return any(one.resources.get(arn) == "ASSOCIATED" and one.reaches(account) for one in list(shares.values()))


def age(arn, days):
    """Lets days pass for a share's invitations: as if they had been sent that much earlier. RAM tells that one expired."""
    share = shares.get(arn)
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
    share = shares.get(self._get_param("resourceShareArn"))
    if share is None or share.account != self.current_account or share.status == "DELETED":
        raise _unknown(self._get_param("resourceShareArn"))
    return share


def _associate(share, resources, principals):
    """Associates all or, with an error, nothing."""
    new = [one for one in dict.fromkeys(principals) if share.principals.get(one) not in ("ASSOCIATING", "ASSOCIATED")]
    invited = [one for one in new if _by_invitation(share, one)]
    for arn in resources:
        _shareable(share, arn)
    subnets = [arn for arn in [*share.resources, *resources] if kind(arn) == "subnet"]
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
    if known and kind(arn) == "transit-gateway":
        known = parts[5].split("/")[-1] in ec2_backends[share.account][share.region].transit_gateways
    if known and kind(arn) == "subnet":
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
        shares[share.arn] = share
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


@add(ResourceAccessManagerResponse, "get_resource_share_invitations")
def get_invitations(self):
    # https://docs.aws.amazon.com/ram/latest/APIReference/API_GetResourceShareInvitations.html
    names, wanted = self._get_param("resourceShareInvitationArns") or [], self._get_param("resourceShareArns") or []
    found = [
        one.view()
        for share in list(shares.values())
        for one in share.invitations
        if share.region == self.region
        and one.account == self.current_account
        and (not names or one.arn in names)
        and (not wanted or share.arn in wanted)
    ]
    return json.dumps({"resourceShareInvitations": found})


_ANSWERED = {"ACCEPTED": "AlreadyAccepted", "REJECTED": "AlreadyRejected", "EXPIRED": "Expired"}


def _answer(self, status):
    name = self._get_param("resourceShareInvitationArn")
    for share in list(shares.values()):
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
):
    urls.url_paths[f"{{0}}/{_path}$"] = ResourceAccessManagerResponse.dispatch
