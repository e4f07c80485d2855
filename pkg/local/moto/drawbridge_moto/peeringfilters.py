"""The filters of DescribeVpcPeeringConnections.

Gap closed: moto ignores them
https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_DescribeVpcPeeringConnections.html
"""

import fnmatch

from moto.ec2.exceptions import EC2ClientError


def matches(view, filters):
    """True if the peering that an answer shows has, for each filter, one of its values."""
    return all(
        any(_like(have, want) for have in _values(view, name) for want in wanted) for name, wanted in filters.items()
    )


def _like(have, want):
    return have is not None and fnmatch.fnmatchcase(have, want.replace("[", "[[]"))


def _values(view, name):
    """What a filter of DescribeVpcPeeringConnections compares with."""
    for prefix, side in (("requester-vpc-info.", "RequesterVpcInfo"), ("accepter-vpc-info.", "AccepterVpcInfo")):
        if name.startswith(prefix):
            info, field = view[side], name[len(prefix) :]
            if field == "cidr-block":
                return [block["CidrBlock"] for block in info.get("CidrBlockSet", [])]
            if field in ("owner-id", "vpc-id"):
                return [info["OwnerId" if field == "owner-id" else "VpcId"]]
    if name.startswith("tag:"):
        return [tag["Value"] for tag in view["Tags"] if tag["Key"] == name[4:]]
    known = {
        "status-code": lambda: [view["Status"]["Code"]],
        "status-message": lambda: [view["Status"]["Message"]],
        "vpc-peering-connection-id": lambda: [view["VpcPeeringConnectionId"]],
        "tag-key": lambda: [tag["Key"] for tag in view["Tags"]],
        "expiration-time": lambda: [view["ExpirationTime"].isoformat()] if "ExpirationTime" in view else [],
    }
    if name not in known:
        raise EC2ClientError("InvalidParameterValue", f"The filter '{name}' is invalid")
    return known[name]()
