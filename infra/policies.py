"""Holds the IAM policies of CloudFormation templates to parliament: python policies.py TEMPLATE…

Prints what parliament finds and no entry of ANSWERED answers, and ends with 1 if there is anything, or nothing to look at.
https://github.com/duo-labs/parliament
"""

import json
import re
import sys
import warnings

warnings.filterwarnings("ignore", message="pkg_resources is deprecated")

from parliament import analyze_policy_string  # noqa: E402

# What parliament finds and we leave, by finding, action and resource, each with its reason. An entry that answers nothing
# is itself a finding.
ANSWERED = {
    ("CREDENTIALS_EXPOSURE", r"sts:assumerole", r"arn:aws:iam::\*:role/drawbridge-member-[a-z-]+"): (
        "assuming one role, by its name, in accounts of the organization is how a function gets into a member account"
    ),
    ("RESOURCE_MISMATCH", r"ec2:(Create|Modify)TransitGatewayVpcAttachment", r"arn:aws:ec2:\*:\d+:subnet/\*"): (
        "AWS asks for the attachment and for what it attaches; only the attachment knows tags, so it has a statement of its own"
    ),
    (
        "RESOURCE_MISMATCH",
        r"ec2:(AssociateTransitGatewayRouteTable|EnableTransitGatewayRouteTablePropagation|DisassociateTransitGatewayRouteTable|DisableTransitGatewayRouteTablePropagation)",
        r"arn:aws:ec2:\*:\d+:transit-gateway-(attachment|route-table)/\*",
    ): "AWS asks for the attachment and for the table; only the table has the tag by which its owner chose it, so it has a statement of its own",
    ("PERMISSIONS_MANAGEMENT_ACTIONS", r"ram:acceptresourceshareinvitation", r"arn:aws:ram:\*:\*:resource-share-invitation/\*"): (
        "accepting an invitation is what the step does, and the invitation belongs to the account that shares"
    ),
    ("PERMISSIONS_MANAGEMENT_ACTIONS", r"logs:PutResourcePolicy", r"\*"): (
        "Step Functions must have it to log: https://docs.aws.amazon.com/step-functions/latest/dg/cw-logs.html"
    ),
    (
        "PERMISSIONS_MANAGEMENT_ACTIONS",
        r"(iam:(CreateRole|DeleteRole|(Put|Delete)RolePolicy|UpdateAssumeRolePolicy)|kms:CreateGrant)",
        r"arn:aws:(iam::\d+:role/drawbridge/drawbridge-data-api-\*|kms:\*:\d+:key/\*)",
    ): (
        "letting other accounts' people use a secret through a role is what the Data API machine is for: the roles are its own, "
        "within a boundary; a key is granted to such a role alone, for one secret, and only if its owner tagged it for that"
    ),
    ("RESOURCE_MISMATCH", r"states:DescribeExecution", r"arn:aws:states:us-east-1:\d+:execution:drawbridge-(\*|sweep|rebuild|peering|transit|attachment|data-api|data-api-endpoint|private-notebooks|studio|notebook):\*"): (
        "AWS knows executions and express executions as resources of it; Drawbridge has no express machines"
    ),
    ("RESOURCE_MISMATCH", r"ec2:AuthorizeSecurityGroup(Ingress|Egress)", r"arn:aws:ec2:\*:\d+:security-group-rule/\*"): (
        "AWS asks for the group and for the rule; only the rule knows the tags of the request, so it has a statement of its own"
    ),
    ("PERMISSIONS_MANAGEMENT_ACTIONS", r"iam:(CreateRole|DeleteRole|PutRolePolicy|DeleteRolePolicy|UpdateAssumeRolePolicy)", r"arn:aws:iam::\d+:role/drawbridge/drawbridge-[a-z-]+-\*"): (
        "roles that Drawbridge makes itself, under its own path; policies are put on them only with the permissions boundary"
    ),
    ("PERMISSIONS_MANAGEMENT_ACTIONS", r"iam:(PutRolePolicy|DeleteRolePolicy|UpdateAssumeRolePolicy)", r"arn:aws:iam::\d+:role/\*"): (
        "only roles that their owner opened by a tag, or that carry Drawbridge's mark: the conditions say so"
    ),
    ("PERMISSIONS_MANAGEMENT_ACTIONS", r"iam:(CreatePolicy|CreatePolicyVersion|DeletePolicy|DeletePolicyVersion|AttachRolePolicy|DetachRolePolicy)", r"arn:aws:iam::\d+:(policy/drawbridge/drawbridge-private-notebooks|role/\*)"): (
        "one policy under Drawbridge's own path; only that one is attached, and only to roles that their owner opened by a tag"
    ),
    ("PRIVILEGE_ESCALATION", r"iam:CreatePolicyVersion", r"arn:aws:iam::\d+:policy/drawbridge/drawbridge-private-notebooks"): (
        "Drawbridge writes that one policy; its own role does not have it, nor the tag without which it cannot get it"
    ),
    ("RESOURCE_MISMATCH", r"ec2:(Create|Modify)VpcEndpoint|ec2:CreateSecurityGroup", r"arn:aws:ec2:\*:\d+:(vpc|subnet|security-group|vpc-endpoint)/\*"): (
        "AWS asks for each of them; they have different tags, so each has a statement of its own"
    ),
    ("PERMISSIONS_MANAGEMENT_ACTIONS", r"iam:createservicelinkedrole", r"arn:aws:iam::\d+:role/aws-service-role/transitgateway\.amazonaws\.com/AWSServiceRoleForVPCTransitGateway"): (
        "one role, whose policy is AWS's and which only AWS assumes; without it no VPC of an account can be attached"
    ),
    ("CREDENTIALS_EXPOSURE", r"redshift:getclustercredentials", r".*"): (
        "it is what the readers of a warehouse are for; this is the most that their own policies can allow"
    ),
    ("PERMISSIONS_MANAGEMENT_ACTIONS", r"redshift:(GetClusterCredentials|CreateClusterUser|JoinGroup)", r".*"): (
        "a reader becomes the database user of their own name, and joins the groups that the cluster's owner names"
    ),
}

# Where policies are in a template: the properties that hold them, by type.
PLACES = {
    "AWS::IAM::Role": ("Policies", "AssumeRolePolicyDocument"),
    "AWS::IAM::Policy": ("PolicyDocument",),
    "AWS::IAM::ManagedPolicy": ("PolicyDocument",),
    "AWS::SQS::QueuePolicy": ("PolicyDocument",),
    "AWS::SNS::TopicPolicy": ("PolicyDocument",),
    "AWS::Events::EventBusPolicy": ("Statement",),
}

# What stands for values that only a deployment knows.
PSEUDO = {"AWS::Partition": "aws", "AWS::Region": "us-east-1", "AWS::AccountId": "111111111111", "AWS::URLSuffix": "amazonaws.com"}
PARAMETERS = {
    "HubAccount": "123456789012",
    "HubBusArn": "arn:aws:events:us-east-1:123456789012:event-bus/drawbridge",
    "OrganizationId": "o-drawbridge0",
}
ARNS = {
    "AWS::Events::EventBus": "arn:aws:events:us-east-1:123456789012:event-bus/name",
    "AWS::IAM::Role": "arn:aws:iam::123456789012:role/name",
    "AWS::Lambda::Function": "arn:aws:lambda:us-east-1:123456789012:function:name",
    "AWS::SNS::Topic": "arn:aws:sns:us-east-1:123456789012:name",
    "AWS::SQS::Queue": "arn:aws:sqs:us-east-1:123456789012:name",
    "AWS::StepFunctions::StateMachine": "arn:aws:states:us-east-1:123456789012:stateMachine:name",
    "AWS::Logs::LogGroup": "arn:aws:logs:us-east-1:123456789012:log-group:name:*",
    "AWS::Events::Rule": "arn:aws:events:us-east-1:123456789012:rule/name",
    "AWS::CloudWatch::Alarm": "arn:aws:cloudwatch:us-east-1:123456789012:alarm:name",
}


def resolved(value, template):
    """The value with CloudFormation's functions worked out."""
    if isinstance(value, list):
        return [resolved(one, template) for one in value]
    if not isinstance(value, dict):
        return value
    if len(value) == 1:
        ((name, argument),) = value.items()
        if name == "Ref":
            return named(argument, template)
        if name == "Fn::GetAtt":
            return named(argument[0] if isinstance(argument, list) else argument.split(".")[0], template)
        if name == "Fn::Sub":
            return re.sub(r"\$\{([^}.]+)[^}]*\}", lambda match: named(match[1], template), argument)
        if name == "Fn::Join":
            return argument[0].join(resolved(argument[1], template))
        if name == "Fn::If":
            return resolved(argument[1], template)
        if name.startswith("Fn::"):
            raise SystemExit(f"{name} in a policy: teach infra/policies.py to work it out")
    return {key: resolved(one, template) for key, one in value.items()}


def named(name, template):
    if name in PSEUDO:
        return PSEUDO[name]
    if name in template.get("Parameters", {}):
        return PARAMETERS.get(name, template["Parameters"][name].get("Default", "value"))
    return ARNS[template["Resources"][name]["Type"]]


def policies(template):
    """Each policy of the template, and where it is from."""
    for logical, resource in template["Resources"].items():
        for place in PLACES.get(resource["Type"], ()):
            found = resolved(resource.get("Properties", {}).get(place), template)
            if place == "Policies":
                yield from ((f"{logical} {one['PolicyName']}", one["PolicyDocument"]) for one in found or [])
            elif place == "Statement" and found:
                yield logical, {"Version": "2012-10-17", "Statement": [found]}
            elif place == "AssumeRolePolicyDocument":
                # The resource of a trust policy is its role; parliament wants to read it.
                trust = [{"Resource": ARNS[resource["Type"]], **one} for one in listed(found["Statement"])]
                yield f"{logical} {place}", {**found, "Statement": trust}
            elif found:
                yield f"{logical} {place}", found


def about(finding, document):
    """The action and resource pairs that a finding is about."""
    actions = {str(one).lower() for one in (finding.location or {}).get("actions", [])}
    if isinstance(finding.detail, list):
        actions |= {one["action"].lower() for one in finding.detail if isinstance(one, dict) and "action" in one}
    pairs = []
    for statement in listed(document["Statement"]):
        for action in listed(statement.get("Action", [])):
            if action.lower() in actions:
                pairs += [(action, one) for one in listed(statement.get("Resource", []))]
    return pairs


def answered(finding, document):
    """The entry of ANSWERED that answers a finding, or None."""
    pairs = about(finding, document)
    for entry in ANSWERED:
        issue, action, resource = entry
        fits = [pair for pair in pairs if re.fullmatch(action, pair[0], re.IGNORECASE) and re.fullmatch(resource, pair[1])]
        # Of a mismatch the other statement of the same action is not meant.
        if finding.issue == issue and fits and (issue == "RESOURCE_MISMATCH" or len(fits) == len(pairs)):
            return entry
    return None


def known(document):
    """The document for parliament, which does not know that the policies that AWS manages have an account called aws."""
    return json.dumps(document).replace(":iam::aws:policy/", ":iam::111111111111:policy/")


def listed(value):
    return value if isinstance(value, list) else [value]


def main(paths):
    used, looked, found = set(), 0, 0
    for path in paths:
        with open(path, encoding="utf-8") as file:
            template = json.load(file)
        for where, document in policies(template):
            looked += 1
            # Whether it may be abused is a question to what an identity may do, not to whom a resource lets in.
            abuse = not any("Principal" in one for one in document["Statement"])
            for finding in analyze_policy_string(known(document), include_community_auditors=abuse).findings:
                entry = answered(finding, document)
                used.add(entry)
                if entry is None:
                    found += 1
                    print(f"{path}: {where}: {finding.issue}: {finding.detail} {finding.location}")
    for entry in ANSWERED:
        if entry not in used and looked > 1:
            found += 1
            print(f"nothing is found any more that infra/policies.py answers with: {ANSWERED[entry]}")
    if not looked:
        print("there is no policy to look at")
    return 1 if found or not looked else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
