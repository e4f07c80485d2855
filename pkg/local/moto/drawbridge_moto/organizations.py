"""One organization that every account belongs to, unless it is named in DRAWBRIDGE_OUTSIDE.

Gap: moto's organizations start empty and give accounts random ids. Here any 12-digit id is a member, its units come from
DRAWBRIDGE_OUS, and only the hub may ask about accounts.
https://docs.aws.amazon.com/organizations/latest/APIReference/API_DescribeAccount.html
"""

import json
from datetime import datetime, timezone

from moto.ec2.models import ec2_backends
from moto.events.models import events_backends
from moto.iam.models import iam_backends
from moto.organizations.exceptions import AccountNotFoundException, OrganizationsClientError
from moto.organizations.responses import OrganizationsResponse

from . import config
from .patching import replace

# Accounts that are not active for now, and their state.
_states = {}

_SINCE = datetime(2026, 1, 1, tzinfo=timezone.utc).timestamp()
_ROOT = "r-dbr0"


def _arn(kind, name):
    return f"arn:{config.PARTITION}:organizations::{config.HUB_ACCOUNT}:{kind}/{config.ORGANIZATION}/{name}"


def _account(account):
    name = "hub" if account == config.HUB_ACCOUNT else f"account-{account}"
    return {
        "Id": account,
        "Arn": _arn("account", account),
        "Email": f"{name}@example.com",
        "Name": name,
        "Status": "SUSPENDED" if account in _states else "ACTIVE",
        "State": _states.get(account, "ACTIVE"),
        "Paths": [f"{config.unit_path(account)}{account}/"],
        "JoinedMethod": "CREATED",
        "JoinedTimestamp": _SINCE,
    }


def enter(account, state):
    """Lets an account be in a state that is not ACTIVE, as a closed one is for 90 days; with an empty state, ACTIVE again."""
    if state:
        _states[account] = state
    else:
        _states.pop(account, None)
    return True


def move(account, unit):
    """Moves an account into an organizational unit, "data/warehouses"; with an empty one, under the root."""
    config.UNITS[account] = unit
    return True


def active(account):
    """True if the account is active, so that its roles can be assumed."""
    return account not in _states


def _known():
    """The members anybody has used or configured so far, the hub first."""
    seen = {config.HUB_ACCOUNT, *(account for account in config.UNITS if not account.endswith("*"))}
    for backends in (iam_backends, ec2_backends, events_backends):
        seen |= set(backends.keys())
    return sorted(filter(config.member, seen), key=lambda account: (account != config.HUB_ACCOUNT, account))


def _parent(account):
    units = [part for part in config.unit_path(account).split("/") if part][2:]
    return units[-1] if units else _ROOT


def _units():
    """Every organizational unit: id → (name, parent id)."""
    units = {}
    for full in config.UNITS.values():
        names = [name for name in full.split("/") if name]
        for depth, name in enumerate(names):
            parent = config.unit_id("/".join(names[:depth])) if depth else _ROOT
            units[config.unit_id("/".join(names[: depth + 1]))] = (name, parent)
    return units


def _unit(name):
    units = _units()
    if name not in units:
        raise OrganizationsClientError("OrganizationalUnitNotFoundException", "You specified an OU that doesn't exist.")
    path, at = [name], name
    while (at := units[at][1]) != _ROOT:
        path.insert(0, at)
    return {
        "Id": name,
        "Arn": _arn("ou", name),
        "Name": units[name][0],
        "Path": f"{config.ORGANIZATION}/{_ROOT}/{'/'.join(path)}/",
    }


def _only_hub(response):
    _only_members(response)
    if response.current_account != config.HUB_ACCOUNT:
        raise OrganizationsClientError("AccessDeniedException", "You don't have permissions to access this resource.")


def _only_members(response):
    if not config.member(response.current_account):
        raise OrganizationsClientError(
            "AWSOrganizationsNotInUseException", "Your account is not a member of an organization."
        )


def _answers(name, who=_only_hub):
    """Replaces one call; the function gets the response and returns the JSON object to answer."""

    def decorate(function):
        @replace(OrganizationsResponse, name)
        def call(_original, self):
            who(self)
            return json.dumps(function(self))

        return function

    return decorate


def _page(self, key, items):
    """One page of a list; the token is the place to go on."""
    start, size = int(self._get_param("NextToken") or 0), int(self._get_param("MaxResults") or 20)
    page = {key: items[start : start + size]}
    return page | ({"NextToken": str(start + size)} if start + size < len(items) else {})


@_answers("describe_account")
def describe_account(self):
    account = self._get_param("AccountId") or ""
    if not config.member(account):
        raise AccountNotFoundException()
    return {"Account": _account(account)}


@_answers("list_accounts")
def list_accounts(self):
    return _page(self, "Accounts", [_account(account) for account in _known()])


@_answers("list_accounts_for_parent")
def list_accounts_for_parent(self):
    parent = self._get_param("ParentId")
    return _page(self, "Accounts", [_account(account) for account in _known() if _parent(account) == parent])


@_answers("list_parents")
def list_parents(self):
    child = self._get_param("ChildId") or ""
    if child in _units():
        parent = _units()[child][1]
    elif config.member(child):
        parent = _parent(child)
    else:
        raise OrganizationsClientError("ChildNotFoundException", "You specified a child that doesn't exist.")
    return {"Parents": [{"Id": parent, "Type": "ROOT" if parent == _ROOT else "ORGANIZATIONAL_UNIT"}]}


@_answers("list_roots")
def list_roots(self):
    root = {"Id": _ROOT, "Arn": _arn("root", _ROOT), "Name": "Root", "PolicyTypes": []}
    return {"Roots": [root]}


@_answers("list_organizational_units_for_parent")
def list_units(self):
    parent = self._get_param("ParentId")
    found = [_unit(name) for name, (_, above) in sorted(_units().items()) if above == parent]
    return _page(self, "OrganizationalUnits", found)


@_answers("describe_organizational_unit")
def describe_unit(self):
    return {"OrganizationalUnit": _unit(self._get_param("OrganizationalUnitId"))}


@_answers("describe_organization", _only_members)
def describe_organization(self):
    return {
        "Organization": {
            "Id": config.ORGANIZATION,
            "Arn": f"arn:{config.PARTITION}:organizations::{config.HUB_ACCOUNT}:organization/{config.ORGANIZATION}",
            "FeatureSet": "ALL",
            "MasterAccountArn": _arn("account", config.HUB_ACCOUNT),
            "MasterAccountId": config.HUB_ACCOUNT,
            "MasterAccountEmail": "hub@example.com",
            "AvailablePolicyTypes": [],
        }
    }
