"""The policies of EventBridge's buses, as CloudFormation writes them. events.py asks them.

Gaps closed:
  - AWS::Events::EventBusPolicy and Policy of AWS::Events::EventBus are dropped
  - the principal "*" becomes an account of that name
"""

import json

from moto.core.common_models import CloudFormationModel
from moto.events.models import EventBus, EventsBackend, events_backends

from .patching import replace, require

require(EventsBackend, "describe_event_bus", "_normalize_event_bus_arn")
require(EventBus, "has_permissions")


@replace(EventsBackend, "_put_permission_from_params")
def put_permission(original, self, event_bus, action, principal, statement_id, condition):
    original(self, event_bus, action, principal, statement_id, condition)
    if principal == "*":  # moto writes arn:aws…:iam::*:root
        event_bus._statements[statement_id].principal = "*"


@replace(EventBus, "create_from_cloudformation_json")
def create_bus(original, cls, resource_name, cloudformation_json, account_id, region_name, **kwargs):
    # https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/aws-resource-events-eventbus.html
    bus = original(cls, resource_name, cloudformation_json, account_id, region_name, **kwargs)
    if given := cloudformation_json["Properties"].get("Policy"):
        bus.add_policy(json.loads(given) if isinstance(given, str) else given)
    return bus


class EventBusPolicy(CloudFormationModel):
    """AWS::Events::EventBusPolicy: one statement of a bus's policy.

    https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-events-eventbuspolicy.html
    """

    def __init__(self, account, region, bus, statement_id):
        self.account, self.region, self.bus, self.statement_id = account, region, bus, statement_id
        self.physical_resource_id = f"{bus}|{statement_id}"

    @staticmethod
    def cloudformation_name_type():
        return ""

    @staticmethod
    def cloudformation_type():
        return "AWS::Events::EventBusPolicy"

    @classmethod
    def create_from_cloudformation_json(cls, resource_name, cloudformation_json, account_id, region_name, **kwargs):
        given = cloudformation_json["Properties"]
        backend = events_backends[account_id][region_name]
        name = backend._normalize_event_bus_arn(given.get("EventBusName"))
        bus, statement_id = backend.describe_event_bus(name), given["StatementId"]
        if statement := given.get("Statement"):
            statement = json.loads(statement) if isinstance(statement, str) else statement
            bus.add_policy({"Statement": [{"Resource": bus.arn, **statement, "Sid": statement_id}]})
        else:
            condition = given.get("Condition")
            principal, action = str(given.get("Principal")), given.get("Action", "events:PutEvents")
            backend.put_permission(name, action, principal, statement_id, condition, None)
        return cls(account_id, region_name, name, statement_id)

    @classmethod
    def update_from_cloudformation_json(
        cls, original_resource, new_resource_name, cloudformation_json, account_id, region_name
    ):
        original_resource.delete(account_id, region_name)
        return cls.create_from_cloudformation_json(new_resource_name, cloudformation_json, account_id, region_name)

    def delete(self, account_id, region_name):
        bus = events_backends[account_id][region_name].event_buses.get(self.bus)
        if bus is not None:
            bus.remove_statement(self.statement_id)

    @classmethod
    def delete_from_cloudformation_json(cls, resource_name, cloudformation_json, account_id, region_name):
        bus, _, statement_id = resource_name.partition("|")
        cls(account_id, region_name, bus, statement_id).delete(account_id, region_name)
