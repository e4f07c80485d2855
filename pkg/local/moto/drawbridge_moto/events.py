"""EventBridge: buses that let other accounts in by policy, rules that deliver, and what is left over in a dead-letter queue.

Gaps closed (https://docs.aws.amazon.com/eventbridge/latest/userguide/):
  - rules do not deliver to state machines, Lambda functions or topics
  - forwarding to another bus gives the event a new id, time, account and Region, and forwards on without end
  - a disabled rule delivers; PutEvents to the bus of another account lands on the caller's own
  - the policy of a bus is not checked
  - DeadLetterConfig is ignored
aws.* sources are accepted from clients, which AWS refuses, so that a story can be played by hand.
"""

import json
import uuid
from datetime import datetime, timezone

from botocore.exceptions import EndpointConnectionError
from moto.core.exceptions import ServiceException
from moto.events.models import EventsBackend, Rule, events_backends
from moto.events.responses import EventsHandler
from moto.utilities.arns import parse_arn

from . import background, config, eventbuses, notify, policy, stepfunctions, transform  # noqa: F401 - eventbuses makes buses first
from .caller import identity
from .patching import on_reset, replace

_arrivals = background.Queue("events")


@on_reset
def _forget():
    _arrivals.clear()


class Undelivered(Exception):
    """Why a target did not get an event; code is one that AWS writes into a dead-letter message."""

    def __init__(self, code, message):
        super().__init__(message)
        self.code = code


def emit(account, region, source, detail_type, detail, resources=()):
    """Puts an event of an AWS service on the default bus of an account; returns at once."""
    event = envelope(account, region, source, detail_type, detail, list(resources))
    arrive(account, region, "default", event)
    return event


def envelope(account, region, source, detail_type, detail, resources, time=None):
    # https://docs.aws.amazon.com/eventbridge/latest/ref/overiew-event-structure.html
    return {
        "version": "0",
        "id": str(uuid.uuid4()),
        "detail-type": detail_type,
        "source": source,
        "account": account,
        "time": time or datetime.now(timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "region": region,
        "resources": resources,
        "detail": detail,
    }


def arrive(account, region, bus, event, hops=()):
    """Queues an event that reached a bus. hops are the other accounts and Regions it came through."""
    _arrivals.put(_dispatch, account, region, bus, event, tuple(hops))


def wait_empty(timeout):
    return _arrivals.wait_empty(timeout)


def idle():
    return _arrivals.idle()


def _dispatch(account, region, bus_name, event, hops):
    bus = events_backends[account][region].event_buses.get(bus_name)
    if bus is None:
        return
    notify.send("event", account=account, region=region, bus=bus_name, event=event)
    for rule in list(bus.rules.values()):
        if rule.state == "DISABLED" or rule.scheduled_expression and not rule.event_pattern.get_pattern():
            continue
        if rule.event_pattern.matches_event(event):
            for target in list(rule.targets):
                _send(rule, target, event, hops)


def _send(rule, target, event, hops):
    report = {
        "account": rule.account_id,
        "region": rule.region_name,
        "bus": rule.event_bus_name,
        "rule": rule.name,
        "eventId": event["id"],
        "target": target["Arn"],
    }
    try:
        arn = parse_arn(target["Arn"])
        kind = "event-bus" if arn.service == "events" and arn.resource_type == "event-bus" else arn.service
        deliver = _DELIVERIES.get(kind)
        if deliver is None:
            _deliver_as_moto_does(rule, target, event)
        elif kind == "event-bus":
            # The receiving bus speaks next; the report of this hop goes first.
            deliver(rule, target, arn, event, hops, lambda: notify.send("rule", **report))
            return
        else:
            notify_after = deliver(rule, target, arn, event)
            notify.send("rule", **report)
            if notify_after:
                notify_after()
            return
        notify.send("rule", **report)
    except Undelivered as error:
        notify.send("rule", **report, error=f"{error.code}: {error}")
        _bury(rule, target, event, error)
    except Exception as error:  # noqa: BLE001 - whatever a target's backend raises is a failed delivery
        background.report(f"rule {rule.arn} to {target['Arn']}")
        notify.send("rule", **report, error=f"INTERNAL_ERROR: {error}")
        _bury(rule, target, event, Undelivered("INTERNAL_ERROR", str(error)))


def _to_machine(rule, target, arn, event):
    from moto.stepfunctions.responses import get_backend

    backend = get_backend(arn.account, arn.region)
    if not any(machine.arn == target["Arn"] for machine in backend.state_machines):
        raise Undelivered("NO_RESOURCE", f"State Machine Does Not Exist: '{target['Arn']}'")
    # AWS names such an execution after the event and a second id; the second is made from rule and target here, so a
    # delivery that is repeated names the same execution and two rules never do.
    name = f"{event['id']}_{uuid.uuid5(uuid.NAMESPACE_URL, rule.arn + '#' + target['Id'])}"
    payload = transform.payload(target, event)

    def start():
        try:
            backend.start_execution(target["Arn"], name=name, execution_input=payload)
        except ServiceException as error:
            code = "RESOURCE_ALREADY_EXISTS" if error.code == "ExecutionAlreadyExists" else "ERROR_FROM_TARGET"
            raise Undelivered(code, error.message) from error

    # Started after the delivery is reported, so that the history of the execution follows it.
    return start


def _to_function(rule, target, arn, event):
    """Asynchronous invocation through the front door, which hosts the functions."""
    from moto.awslambda.utils import get_backend

    name = target["Arn"].split(":function:")[-1].split(":")[0]
    try:
        get_backend(arn.account, arn.region).get_function(target["Arn"])
    except Exception as error:
        raise Undelivered("NO_RESOURCE", f"Function not found: {target['Arn']}") from error
    try:
        status, _, _ = stepfunctions.invoke(name, transform.payload(target, event), arn.account, arn.region, "Event")
    except EndpointConnectionError as error:
        raise Undelivered("CONNECTION_FAILURE", str(error)) from error
    if status >= 300:
        raise Undelivered("ERROR_FROM_TARGET", f"Invoke answered {status}")


def _to_queue(rule, target, arn, event):
    group = (target.get("SqsParameters") or {}).get("MessageGroupId")
    _put_in_queue(target["Arn"], transform.payload(target, event), group=group)


def _to_topic(rule, target, arn, event):
    from moto.sns.models import sns_backends

    backend = sns_backends[arn.account][arn.region]
    if target["Arn"] not in backend.topics:
        raise Undelivered("NO_RESOURCE", f"Topic does not exist: {target['Arn']}")
    backend.publish(transform.payload(target, event), arn=target["Arn"])


def _to_bus(rule, target, arn, event, hops, sent):
    # One hop only: an event that came from another account or Region is not sent on to a third.
    # https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-cross-account.html
    here, there = (rule.account_id, rule.region_name), (arn.account, arn.region)
    if here != there and hops:
        code = "THIRD_ACCOUNT_HOP_DETECTED" if arn.account != rule.account_id else "THIRD_REGION_HOP_DETECTED"
        raise Undelivered(code, f"Event {event['id']} has already been forwarded from {hops[-1][0]} in {hops[-1][1]}")
    bus = events_backends[arn.account][arn.region].event_buses.get(arn.resource_id)
    if bus is None:
        raise Undelivered("NO_RESOURCE", f"Event bus {target['Arn']} does not exist.")
    sender = rule.account_id
    if not _let_in(bus, sender, target.get("RoleArn") or f"arn:{config.PARTITION}:iam::{sender}:root"):
        raise Undelivered("NO_PERMISSIONS", f"{sender} is not authorized to perform events:PutEvents on {bus.arn}")
    sent()
    arrive(arn.account, arn.region, arn.resource_id, event, hops if here == there else (*hops, here))


def _deliver_as_moto_does(rule, target, event):
    """Log groups, archives and API destinations: moto's own delivery, for this one target."""
    single = Rule(
        rule.name, rule.account_id, rule.region_name, None, None, None, None, rule.event_bus_name, None, targets=[target]
    )
    moment = datetime.strptime(event["time"], "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=timezone.utc).timestamp()
    try:
        single.send_to_targets({**event, "time": moment, "ingestion-time": moment})
    except NotImplementedError as error:
        raise Undelivered("INVALID_PARAMETER", f"The engine does not deliver to {target['Arn']}") from error


_DELIVERIES = {
    "states": _to_machine,
    "lambda": _to_function,
    "sqs": _to_queue,
    "sns": _to_topic,
    "event-bus": _to_bus,
}


def _put_in_queue(queue_arn, body, attributes=None, group=None):
    from moto.sqs.models import sqs_backends

    arn = parse_arn(queue_arn)
    backend = sqs_backends[arn.account][arn.region]
    if arn.resource_id not in backend.queues:
        raise Undelivered("NO_RESOURCE", f"Queue does not exist: {queue_arn}")
    backend.send_message(
        queue_name=arn.resource_id, message_body=body, message_attributes=attributes, group_id=group
    )


def _bury(rule, target, event, error):
    """Keeps an event that could not be delivered in the target's dead-letter queue.

    https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-rule-dlq.html: a missing target or permission is not retried.
    """
    queue = (target.get("DeadLetterConfig") or {}).get("Arn")
    if not queue:
        return
    values = {
        "RULE_ARN": rule.arn,
        "TARGET_ARN": target["Arn"],
        "ERROR_CODE": error.code,
        "ERROR_MESSAGE": str(error) or error.code,
    }
    attributes = {key: {"DataType": "String", "StringValue": value} for key, value in values.items()}
    try:
        _put_in_queue(queue, json.dumps(event), attributes)
    except Undelivered:
        background.report(f"dead-letter queue {queue}")


def _let_in(bus, account, principal):
    """True if the policy of a bus lets an account put events; its own account needs none."""
    if account == bus.account_id:
        return True
    statements = json.loads(bus.policy)["Statement"] if bus.policy else []
    return policy.allows(
        statements, "events:PutEvents", policy.Request(account=account, principal_arn=principal, resource=bus.arn)
    )


# --- PutEvents -----------------------------------------------------------------------------------------------------------


@replace(EventsHandler, "put_events")
def put_events_call(_original, self):
    entries = self._get_param("Entries") or []
    who = identity(self)
    results = self.events_backend.put_events([{**entry, "_caller": who.principal_arn} for entry in entries])
    failed = sum("ErrorCode" in result for result in results)
    return json.dumps({"FailedEntryCount": failed, "Entries": results})


@replace(EventsBackend, "put_events")
def put_events(_original, self, events):
    # https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_PutEvents.html
    from moto.events.exceptions import ValidationException

    if not 1 <= len(events) <= 10:
        raise ValidationException(
            "1 validation error detected: Value '[PutEventsRequestEntry]' at 'entries' failed to satisfy constraint: "
            "Member must have length less than or equal to 10"
        )
    return [_put_event(self, entry) for entry in events]


def _put_event(backend, entry):
    for key in ("Source", "DetailType", "Detail"):
        if not entry.get(key):
            message = f"Parameter {key} is not valid. Reason: {key} is a required argument."
            return {"ErrorCode": "InvalidArgument", "ErrorMessage": message}
    try:
        detail = json.loads(entry["Detail"])
    except ValueError:
        detail = None
    if not isinstance(detail, dict):
        return {"ErrorCode": "MalformedDetail", "ErrorMessage": "Detail is malformed."}
    account, region, name = backend.account_id, backend.region_name, entry.get("EventBusName") or "default"
    if name.startswith("arn:"):
        arn = parse_arn(name)
        account, region, name = arn.account, arn.region, arn.resource_id
    bus = events_backends[account][region].event_buses.get(name)
    if bus is None:
        from moto.events.exceptions import ResourceNotFoundException

        raise ResourceNotFoundException(f"Event bus {name} does not exist.")
    if not _let_in(bus, backend.account_id, entry.get("_caller") or f"arn:{config.PARTITION}:iam::{backend.account_id}:root"):
        message = f"{backend.account_id} is not authorized to perform: events:PutEvents on resource: {bus.arn}"
        return {"ErrorCode": "AccessDeniedException", "ErrorMessage": message}
    event = envelope(
        backend.account_id,
        backend.region_name,
        entry["Source"],
        entry["DetailType"],
        detail,
        entry.get("Resources") or [],
        _time(entry.get("Time")),
    )
    here, there = (backend.account_id, backend.region_name), (account, region)
    arrive(account, region, name, event, () if here == there else (here,))
    return {"EventId": event["id"]}


def _time(given):
    if not given:
        return None
    try:
        return datetime.fromtimestamp(float(given), timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")
    except (TypeError, ValueError):
        return str(given)
