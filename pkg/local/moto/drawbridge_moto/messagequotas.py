"""How much a message holds, and how many rules and targets a bus.

Gaps closed:
  - PutEvents takes entries of any size, PutRule patterns of any length and any number of rules, PutTargets any number
  - the length of a message of SNS is counted in characters, its subject may be anything
What a message of SQS holds (1 MiB, https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/quotas-messages.html)
moto checks by itself.
"""

import re

from moto.events.exceptions import ValidationException
from moto.events.models import EventsBackend, Rule
from moto.sns.exceptions import InvalidParameterValue
from moto.sns.models import SNSBackend

from . import config
from .checks import Refused
from .patching import replace

PATTERN, TARGETS = 2048, 5
# "the sum of all events in the request must be less than 1MB" where AWS has raised it, "256KB" in other Regions.
# https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-putevents.html#eb-putevent-size
# https://docs.amazonaws.cn/eventbridge/latest/userguide/eb-putevent-size.html
ENTRIES = 262_144
# https://docs.aws.amazon.com/sns/latest/api/API_Publish.html: "at most 256KB in size (262,144 bytes, not 262,144 characters)"
MESSAGE = 262_144


class LimitExceeded(Refused):
    def __init__(self):
        # https://github.com/aws-cloudformation/cfn-lint/issues/306
        super().__init__("LimitExceededException", "The requested resource exceeds the maximum number allowed.")


def entry_size(entry):
    """The bytes of an entry as https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-putevents.html counts them."""
    texts = [entry.get("Source"), entry.get("DetailType"), entry.get("Detail"), *(entry.get("Resources") or [])]
    return (14 if entry.get("Time") else 0) + sum(len((text or "").encode()) for text in texts)


@replace(EventsBackend, "put_events")
def put_events(original, self, events):
    if sum(map(entry_size, events)) > ENTRIES:
        raise ValidationException("Total size of the entries in the request is over the limit.")
    return original(self, events)


@replace(EventsBackend, "put_rule")
def put_rule(original, self, name, **kwargs):
    # https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-quota.html; the code for a long pattern is ours.
    if len(kwargs.get("event_pattern") or "") > PATTERN:
        raise LimitExceeded()
    bus = self.describe_event_bus(self._normalize_event_bus_arn(kwargs.get("event_bus_arn")))
    if name not in bus.rules and len(bus.rules) >= config.RULES_PER_BUS:
        raise LimitExceeded()
    return original(self, name, **kwargs)


@replace(Rule, "put_targets")
def put_targets(original, self, targets):
    if len({target["Id"] for target in [*self.targets, *targets]}) > TARGETS:
        raise LimitExceeded()
    return original(self, targets)


@replace(SNSBackend, "publish")
def publish(original, self, message, arn=None, phone_number=None, subject=None, **kwargs):
    if len(message.encode()) > MESSAGE:
        raise InvalidParameterValue("Invalid parameter: Message too long")
    # "ASCII text that begins with a letter, number, or punctuation mark; must not include line breaks or control
    # characters; and must be less than 100 characters long"; 100 are taken.
    # https://docs.aws.amazon.com/sns/latest/api/API_Publish.html
    if subject is not None and not re.fullmatch(r"[!-~][ -~]{0,99}", subject):
        raise InvalidParameterValue("Invalid parameter: Subject")
    return original(self, message, arn, phone_number=phone_number, subject=subject, **kwargs)
