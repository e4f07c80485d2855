"""Stacks as the CDK app synthesizes them, deployed locally.

Gaps closed:
  - a function's code must be in a bucket: here assets are not uploaded, the engine runs its own binaries
  - AWS::Events::EventBus drops its Policy, AWS::Events::EventBusPolicy is unknown (see eventbuses.py)
  - AWS::StepFunctions::StateMachine drops logging, tracing and DefinitionSubstitutions
  - resource types moto does not know vanish without a word
  - a managed policy outlives its stack
  - AWS::NoValue in a list leaves null there, where AWS leaves the element out
https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/
"""

import json
import os
import re
import sys

from moto.awslambda import models as lambda_models
from moto.cloudformation import parsing
from moto.cloudformation.models import Stack
from moto.events.models import EventBus
from moto.iam.models import ManagedPolicy, iam_backends
from moto.stepfunctions.models import StateMachine
from moto.utilities.utils import get_partition

from .patching import add, replace, require

require(lambda_models, "do_validate_s3")
os.environ["VALIDATE_LAMBDA_S3"] = "false"

# Types that have nothing to do here: they are accepted and left out.
UNSUPPORTED = {
    "AWS::CDK::Metadata": "only counts constructs",
    "AWS::CloudFormation::StackSet": "the engine deploys the member template itself",
    "AWS::CloudWatch::Alarm": "nothing is measured",
    "AWS::CloudWatch::Dashboard": "nothing is measured",
    "AWS::SNS::TopicPolicy": "topics are open",
}

_told = set()


@replace(Stack, "parse_template")
def parse_template(original, template):
    # JSON is YAML, too, but takes that parser a third of a second for each account that becomes a member.
    try:
        return json.loads(template)
    except ValueError:
        return original(template)


@replace(parsing, "resource_class_from_type")
def resource_class_from_type(original, resource_type):
    known = resource_type in parsing.get_model_map() or resource_type in parsing.NULL_MODELS
    if known or resource_type.startswith("Custom::"):
        return original(resource_type)
    if resource_type not in _told:
        _told.add(resource_type)
        reason = UNSUPPORTED.get(resource_type, "moto does not know this type")
        print(f"drawbridge_moto: {resource_type} is left out: {reason}", file=sys.stderr, flush=True)
    return None


@replace(parsing, "clean_json")
def clean_json(original, resource_json, resources_map):
    # https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/pseudo-parameter-reference.html#cfn-pseudo-param-novalue
    cleaned = original(resource_json, resources_map)
    if not isinstance(resource_json, list):
        return cleaned
    return [after for before, after in zip(resource_json, cleaned, strict=True) if after is not None or before is None]


@classmethod
def _policy_goes(cls, resource_name, cloudformation_json, account_id, region_name):
    iam_backends[account_id][get_partition(region_name)].delete_policy(resource_name)


# Not by replace: what is marked abstract, moto does not call.
require(ManagedPolicy, "delete_from_cloudformation_json")
ManagedPolicy.delete_from_cloudformation_json = _policy_goes


# Ref of a bus is its name; without this moto hands the object itself to whoever refers to it.
add(EventBus, "physical_resource_id")(property(lambda self: self.name))


@replace(EventBus, "create_from_cloudformation_json")
def event_bus(original, cls, resource_name, cloudformation_json, account_id, region_name, **kwargs):
    # https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-events-eventbus.html
    bus = original(cls, resource_name, cloudformation_json, account_id, region_name, **kwargs)
    given = cloudformation_json["Properties"]
    bus.description = given.get("Description")
    if policy := given.get("Policy"):
        statements = policy["Statement"] if isinstance(policy["Statement"], list) else [policy["Statement"]]
        for number, statement in enumerate(statements):
            bus.add_policy({"Statement": [{"Sid": f"statement{number}", "Resource": bus.arn, **statement}]})
    return bus


def _substituted(properties):
    # https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-stepfunctions-statemachine.html
    values = properties.get("DefinitionSubstitutions") or {}
    text = properties.get("DefinitionString", "")
    return re.sub(r"\$\{(\w+)\}", lambda found: str(values.get(found.group(1), found.group(0))), text) if values else text


@replace(StateMachine, "create_from_cloudformation_json")
def state_machine(original, cls, resource_name, cloudformation_json, account_id, region_name, **kwargs):
    given = cloudformation_json["Properties"]
    given["DefinitionString"] = _substituted(given)
    machine = original(cls, resource_name, cloudformation_json, account_id, region_name, **kwargs)
    machine.type = given.get("StateMachineType") or "STANDARD"
    machine.loggingConfiguration = _lower(given.get("LoggingConfiguration")) or machine.loggingConfiguration
    machine.tracingConfiguration = _lower(given.get("TracingConfiguration")) or machine.tracingConfiguration
    return machine


def _lower(value):
    if isinstance(value, dict):
        return {key[0].lower() + key[1:]: _lower(inner) for key, inner in value.items()}
    return [_lower(inner) for inner in value] if isinstance(value, list) else value


@replace(lambda_models.LambdaFunction, "vpc_config")
def vpc_config(original, self):
    # moto answers "vpc-123abc"
    config = original(self)
    if config and config.get("SubnetIds"):
        from moto.ec2.models import ec2_backends

        subnets = ec2_backends[self.account_id][self.region].describe_subnets(filters={"subnet-id": config["SubnetIds"]})
        config["VpcId"] = subnets[0].vpc_id if subnets else ""
    return config
