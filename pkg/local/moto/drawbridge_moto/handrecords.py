"""The records of calls by which somebody changes, or takes away, what Drawbridge may have added; beside what cloudtrail.py has.

Gap: nothing is recorded of security groups that go, or whose rules come or go, of endpoints that are modified, of notebooks and their lifecycle
configurations, of what roles may do, and of grants that are revoked or retired. Old calls of EC2 are flat, newer ones XML turned into JSON.
What makes something is recorded of people alone: Drawbridge's own calls, which its rules drop, would be in every story.
https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-event-reference-record-contents.html
"""

from moto.ec2.responses.security_groups import SecurityGroups
from moto.ec2.responses.vpcs import VPCs
from moto.iam.responses import IamResponse
from moto.kms.responses import KmsResponse
from moto.rds.responses import RDSResponse

from . import cloudtrail, ec2, endpoints, kms, sagemaker, studio, tagrecords  # noqa: F401 - ec2 and sagemaker add the calls recorded here
from .caller import identity


def _own(response):
    """Says whether Drawbridge itself calls."""
    caller = identity(response)
    return caller.kind == "AssumedRole" and caller.role_name.startswith("drawbridge-member-")


def _items(values):
    return {"items": values} if values else {}


def _permission(one):
    ranges = [{"cidrIp": r.get("CidrIp")} for r in one.get("IpRanges") or []]
    wide = [{"cidrIpv6": r.get("CidrIpv6")} for r in one.get("Ipv6Ranges") or []]
    groups = [{"groupId": g.get("GroupId")} for g in one.get("UserIdGroupPairs") or one.get("Groups") or []]
    lists = [{"prefixListId": p.get("PrefixListId")} for p in one.get("PrefixListIds") or []]
    ports = {name: int(one[key]) for key, name in (("FromPort", "fromPort"), ("ToPort", "toPort")) if one.get(key) is not None}
    return {
        "ipProtocol": one.get("IpProtocol"),
        **ports,
        "groups": _items(groups),
        "ipRanges": _items(ranges),
        "ipv6Ranges": _items(wide),
        "prefixListIds": _items(lists),
    }


def _revocation(parameters):
    request = cloudtrail._flat_request(parameters)
    request["ipPermissions"] = _items([_permission(one) for one in parameters.get("IpPermissions") or []])
    if rules := parameters.get("SecurityGroupRuleIds"):
        request["securityGroupRuleIds"] = _items([{"securityGroupRuleId": one} for one in rules])
    return request


def _authorized(rules):
    # https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_SecurityGroupRule.html
    made = []
    for rule in rules:
        one = {
            "groupOwnerId": rule.owner_id,
            "groupId": rule.group_id,
            "securityGroupRuleId": rule.id,
            "isEgress": rule.is_egress,
            "ipProtocol": rule.ip_protocol,
            "fromPort": -1 if rule.from_port is None else rule.from_port,
            "toPort": -1 if rule.to_port is None else rule.to_port,
            "cidrIpv4": rule.cidr_ipv4,
            "cidrIpv6": rule.cidr_ipv6,
        }
        if group := rule.referenced_group_info:
            one["referencedGroupInfo"] = {"groupId": group.get("GroupId")}
        made.append({name: value for name, value in one.items() if value is not None})
    return {"requestId": "", "_return": True, "securityGroupRuleSet": _items(made)}


def _authorization(direction):
    @cloudtrail.replace(SecurityGroups, f"authorize_security_group_{direction}")
    def call(original, self):
        request = _revocation(self._get_params())
        result = original(self)
        if not _own(self):
            name = f"AuthorizeSecurityGroup{direction.capitalize()}"
            cloudtrail.record(self, "ec2", name, request, _authorized(result.result["SecurityGroupRules"]))
        return result


def _modification(parameters):
    rules = tagrecords._xml(parameters.get("SecurityGroupRules") or [])
    return {"ModifySecurityGroupRulesRequest": {"GroupId": parameters.get("GroupId"), "SecurityGroupRule": rules}}


def _modified(_result):
    return {"ModifySecurityGroupRulesResponse": {"xmlns": "http://ec2.amazonaws.com/doc/2016-11-15/", "return": True}}


for _direction in ("ingress", "egress"):
    _authorization(_direction)
    cloudtrail.recorded(
        SecurityGroups,
        f"revoke_security_group_{_direction}",
        f"RevokeSecurityGroup{_direction.capitalize()}",
        _revocation,
        cloudtrail._done,
    )
cloudtrail.recorded(SecurityGroups, "modify_security_group_rules", "ModifySecurityGroupRules", _modification, _modified)
cloudtrail.recorded(SecurityGroups, "delete_security_group", "DeleteSecurityGroup", cloudtrail._flat_request, cloudtrail._done)
endpoints._recorded(VPCs, "modify_vpc_endpoint", "ModifyVpcEndpoint", lambda _result: {"return": True})

for _method, _name in (
    ("update_notebook_instance", "UpdateNotebookInstance"),
    ("update_notebook_instance_lifecycle_config", "UpdateNotebookInstanceLifecycleConfig"),
    ("delete_notebook_instance_lifecycle_config", "DeleteNotebookInstanceLifecycleConfig"),
):
    studio._recorded(_method, _name)

for _method, _name in (
    ("put_role_policy", "PutRolePolicy"),
    ("delete_role_policy", "DeleteRolePolicy"),
    ("detach_role_policy", "DetachRolePolicy"),
    ("update_assume_role_policy", "UpdateAssumeRolePolicy"),
    ("put_role_permissions_boundary", "PutRolePermissionsBoundary"),
    ("delete_role_permissions_boundary", "DeleteRolePermissionsBoundary"),
):
    endpoints._role_call(_method, _name)


@cloudtrail.replace(IamResponse, "attach_role_policy")
def _attached(original, self):
    request = {"roleName": self._get_param("RoleName"), "policyArn": self._get_param("PolicyArn")}
    result = original(self)
    if not _own(self):
        cloudtrail.record(endpoints._InRegion(self), "iam", "AttachRolePolicy", request, None)
    return result


def _policy_call(method, name):
    @cloudtrail.replace(IamResponse, method)
    def call(original, self):
        request = {"policyArn": self._get_param("PolicyArn")}
        result = original(self)
        cloudtrail.record(endpoints._InRegion(self), "iam", name, request, None)
        return result


for _method, _name in (
    ("create_policy_version", "CreatePolicyVersion"),
    ("set_default_policy_version", "SetDefaultPolicyVersion"),
    ("delete_policy", "DeletePolicy"),
):
    _policy_call(_method, _name)


def _http_endpoint(method, name, on):
    @cloudtrail.replace(RDSResponse, method)
    def call(original, self):
        arn = self.params.get("ResourceArn") or ""
        result = original(self)
        if not (on and _own(self)):
            cloudtrail.record(self, "rds", name, {"resourceArn": arn}, {"resourceArn": arn, "httpEndpointEnabled": on})
        return result


_http_endpoint("enable_http_endpoint", "EnableHttpEndpoint", True)
_http_endpoint("disable_http_endpoint", "DisableHttpEndpoint", False)


@cloudtrail.replace(KmsResponse, "revoke_grant")
def _revoked(original, self):
    # The key is named as the caller named it: https://docs.aws.amazon.com/kms/latest/developerguide/ct-revoke-grant.html
    request = {"keyId": self._get_param("KeyId"), "grantId": self._get_param("GrantId")}
    result = original(self)
    cloudtrail.record(self, "kms", "RevokeGrant", request, None)
    return result


@cloudtrail.replace(KmsResponse, "retire_grant")
def _retired(original, self):
    # Its record has no parameters, and names the key beside them: https://docs.aws.amazon.com/kms/latest/developerguide/ct-retire-grant.html
    key, grant = kms.find_key(self._get_param("KeyId") or "", self.current_account, self.region), self._get_param("GrantId")
    result = original(self)
    about = {"accountId": self.current_account, "type": "AWS::KMS::Key", "ARN": key.arn}
    cloudtrail.record(self, "kms", "RetireGrant", None, None, beside={"additionalEventData": {"grantId": grant}, "resources": [about]})
    return result
