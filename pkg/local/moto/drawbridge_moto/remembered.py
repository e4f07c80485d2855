"""What moto works out anew with every call, though it cannot change, is remembered: answers stay the same, only sooner.

Gaps:
  - the methods of a handler's class are listed by inspection for every request
  - the names under which a response's member may be found are worked out for every member of every object of every answer
  - a JSONPath is parsed each time that a state reads or writes by it
  - an event becomes JSON text and is read again for every rule of its bus

None of them is Drawbridge's own: each is ready to be offered to moto.
"""

import functools
import json

from jsonpath_ng import parse as parse_plain
from jsonpath_ng.ext import parse as parse_extended
from moto.core import responses, serialize
from moto.events import models as event_models
from moto.stepfunctions.parser.asl.component.common.path import result_path
from moto.stepfunctions.parser.asl.utils import json_path

from .patching import MotoChanged, replace, require

require(serialize.AttributePicker, "__call__")
require(event_models.EventPattern, "_flatten_dict", "_does_event_match")

for module, parse in ((result_path, parse_plain), (json_path, parse_extended)):
    if module.parse is not parse:
        raise MotoChanged(f"{module.__name__} parses its paths in another way; see {__name__}")
    # An expression that was parsed holds nothing of what it is applied to.
    module.parse = functools.lru_cache(maxsize=4096)(parse)

if responses.method_names_from_class.__module__ != "moto.core.utils":
    raise MotoChanged(f"moto's handlers list their methods in another way; see {__name__}")
responses.method_names_from_class = functools.cache(responses.method_names_from_class)


@replace(serialize.XFormedAttributePicker, "get_possible_keys")
def possible_keys(original, self, context):
    """By the member's shape, the key and the object's class, which is all that the alias providers read."""
    known = context.shape.__dict__.setdefault("_possible_keys", {})
    of = (type(context.obj), context.key, tuple(self.alias_providers))
    keys = known.get(of)
    if keys is None:
        # In order, each once: a name that was not found is not found when it is asked for again.
        keys = known[of] = tuple(dict.fromkeys(original(self, context)))
    return keys


@replace(event_models.EventPattern, "matches_event")
def matches_event(_original, self, event):
    return not self._pattern or self._does_event_match(_flat(event), self._pattern)


_last = (None, None)


def _flat(event):
    """The event as its rules see it. A bus asks for one event rule by rule, so the last one is enough."""
    global _last
    seen, flat = _last
    if seen is not event:
        flat = event_models.EventPattern._flatten_dict(json.loads(json.dumps(event)))
        _last = (event, flat)
    return flat
