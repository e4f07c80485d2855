"""What the engine is told through its environment. Read once, at start."""

import os
import re

from botocore.loaders import Loader


def _accounts(name):
    return frozenset(part.strip() for part in os.environ.get(name, "").split(",") if part.strip())


# The hub of the organization: the account of the state machines and of the organization's management calls.
HUB_ACCOUNT = "123456789012"

# The organization every account belongs to, except those in OUTSIDE.
ORGANIZATION = os.environ.get("DRAWBRIDGE_ORGANIZATION", "o-drawbridge0")
OUTSIDE = _accounts("DRAWBRIDGE_OUTSIDE")

# The Region of the hub, which says what partition all is in; one engine plays one partition.
REGION = os.environ.get("DRAWBRIDGE_REGION", "us-east-1")


def _partition():
    data = Loader().load_data("partitions")["partitions"]
    named = [one for one in data if REGION in one["regions"]] or [one for one in data if re.match(one["regionRegex"], REGION)]
    return (named or data)[0]


PARTITION, DNS_SUFFIX = _partition()["id"], _partition()["outputs"]["dnsSuffix"]

# IAM is one for all Regions of a partition, and CloudTrail records its calls in this one.
# https://docs.aws.amazon.com/IAM/latest/UserGuide/cloudtrail-integration.html
IAM_REGION = "cn-north-1" if PARTITION == "aws-cn" else _partition()["outputs"]["implicitGlobalRegion"]

# Organizational units by account, or by how it begins: "111111111111=research,2*=data/production".
UNITS = dict(part.split("=", 1) for part in _accounts("DRAWBRIDGE_OUS"))

# How many Describe answers show a passing state (initiating-request, provisioning, Pending, Stopping, …) before the next.
PENDING_POLLS = int(os.environ.get("DRAWBRIDGE_PENDING_POLLS", "1"))

# How long, in seconds, a passing state lasts when nobody asks: peerings wait for a poll, notebooks move by themselves.
PEERING_SECONDS = float(os.environ.get("DRAWBRIDGE_PEERING_SECONDS", "5"))
NOTEBOOK_SECONDS = float(os.environ.get("DRAWBRIDGE_NOTEBOOK_SECONDS", "0.2"))

# Wait states and Retry intervals of the state machines sleep this fraction of their time.
WAIT_SCALE = float(os.environ.get("DRAWBRIDGE_WAIT_SCALE", "1"))

# Quotas that a test lowers: filling them as AWS has them takes long.
HISTORY_EVENTS = int(os.environ.get("DRAWBRIDGE_HISTORY_EVENTS", "25000"))  # of one execution
ROUTES_PER_TABLE = int(os.environ.get("DRAWBRIDGE_ROUTES_PER_TABLE", "500"))  # IPv4 and IPv6 each
RULES_PER_BUS = int(os.environ.get("DRAWBRIDGE_RULES_PER_BUS", "300"))

# Where events, rule deliveries and execution history are reported; empty: nowhere.
NOTIFY_URL = os.environ.get("DRAWBRIDGE_NOTIFY_URL", "")

# A file for what roles of Drawbridge asked for and were allowed (authorizations.py); empty: none.
AUTHORIZATIONS = os.environ.get("DRAWBRIDGE_AUTHORIZATIONS", "")


def member(account):
    """True if the account belongs to the organization."""
    return len(account) == 12 and account.isdigit() and account not in OUTSIDE


def unit_path(account):
    """The account's path in the organization: o-…/r-…/ou-…/ (with the trailing slash, as aws:PrincipalOrgPaths has it)."""
    root = f"{ORGANIZATION}/r-dbr0/"
    begins = [unit for start, unit in UNITS.items() if start.endswith("*") and account.startswith(start[:-1])]
    names = [name for name in UNITS.get(account, begins[0] if begins else "").split("/") if name]
    return root + "".join(f"{unit_id('/'.join(names[: i + 1]))}/" for i in range(len(names)))


def unit_id(name):
    """The id of an organizational unit, made from its name so that it is the same in every run."""
    import hashlib

    readable = re.sub(r"[^a-z0-9]", "", name.lower())
    return "ou-dbr0-" + (readable + hashlib.sha256(name.encode()).hexdigest())[: max(8, min(len(readable), 32))]
