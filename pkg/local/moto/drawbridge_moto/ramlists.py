"""What RAM shows of resource shares: to who shares, and to those with whom something is shared.

Gaps closed, by the RAM API reference (https://docs.aws.amazon.com/ram/latest/APIReference/):
  - GetResourceShares knows no shares of OTHER-ACCOUNTS, and associations that ended are not shown
  - ListResources and ListPrincipals are not there
"""

import json

from moto.core.utils import unix_time
from moto.ram import urls
from moto.ram.responses import ResourceAccessManagerResponse

from . import config, ram
from .patching import add, replace


@replace(ResourceAccessManagerResponse, "get_resource_shares")
def get_shares(_original, self):
    # https://docs.aws.amazon.com/ram/latest/APIReference/API_GetResourceShares.html
    owner, account = self._get_param("resourceOwner"), self.current_account
    if owner not in ("SELF", "OTHER-ACCOUNTS"):
        raise ram.Refused("InvalidParameterException", f"{owner} is not a valid resource owner.")
    wanted, name, status = self._get_param("resourceShareArns") or [], self._get_param("name"), self._get_param("resourceShareStatus")
    found = [
        one.view()
        for one in list(ram.shares.values())
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
        raise ram.Refused("InvalidParameterException", f"{kind} is not a valid association type.")
    found = []
    for share in list(ram.shares.values()):
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


# What RAM calls the kinds of resources: https://docs.aws.amazon.com/ram/latest/userguide/shareable.html
_TYPES = {"transit-gateway": "ec2:TransitGateway", "subnet": "ec2:Subnet", "prefix-list": "ec2:PrefixList", "cluster": "rds:Cluster"}


def _given(self):
    """The shares that ListResources and ListPrincipals are about, by the parameters that both have."""
    owner, account = self._get_param("resourceOwner"), self.current_account
    if owner not in ("SELF", "OTHER-ACCOUNTS"):
        raise ram.Refused("InvalidParameterException", f"{owner} is not a valid resource owner.")
    wanted = self._get_param("resourceShareArns") or []
    return [
        share
        for share in list(ram.shares.values())
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
            "type": _TYPES.get(ram.kind(arn), ""),
            "creationTime": unix_time(share.made),
            "lastUpdatedTime": unix_time(share.changed),
        }
        for share in _given(self)
        for arn, status in share.resources.items()
        if status == "ASSOCIATED"
        and (not kind or _TYPES.get(ram.kind(arn)) == kind)
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


for _path in ("listprincipals", "listresources"):
    urls.url_paths[f"{{0}}/{_path}$"] = ResourceAccessManagerResponse.dispatch
