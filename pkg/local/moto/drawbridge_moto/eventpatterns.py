"""Patterns of EventBridge's rules that reach into lists of objects.

Gap closed: of a list of objects moto compares nothing
https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-event-patterns-arrays.html
"""

from moto.events.models import UNDEFINED, EventPattern

from .patching import replace, require

require(EventPattern, "_does_item_match_filters")


@replace(EventPattern, "_does_event_match")
def does_event_match(_original, self, event_flat, pattern_node, prefix=""):
    return _matches(self, pattern_node, event_flat)


@replace(EventPattern, "_flatten_dict")
def leave_whole(_original, node, prefix="", result=None):
    return node


def _matches(leaves, pattern, node):
    # A pattern reaches into lists; all of it holds for one element of a list of objects.
    if isinstance(node, list):
        return any(_matches(leaves, pattern, one) for one in node) if node else _matches(leaves, pattern, None)
    node = node if isinstance(node, dict) else {}
    for key, wanted in pattern.items():
        if key == "$or":
            found = any(_matches(leaves, one, node) for one in wanted)
        elif isinstance(wanted, dict):
            found = _matches(leaves, wanted, node.get(key))
        else:
            found = leaves._does_item_match_filters(_flat(node.get(key, UNDEFINED)), wanted)
        if not found:
            return False
    return True


def _flat(value):
    if not isinstance(value, list):
        return value
    return [inner for one in value for inner in (_flat(one) if isinstance(one, list) else [one])]
