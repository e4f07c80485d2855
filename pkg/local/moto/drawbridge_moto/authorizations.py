"""What Drawbridge's roles asked for and were allowed, in a file, so that other judges of IAM can be asked the same.

One JSON object a line, each once: {"role", "action", "resource", "context"}, where context has every condition key, lower
case, with its values. A role under a path of its own is no role of a template but made by Drawbridge in a story: what it
may do stands beside it, as {"policies", "boundary"}.
"""

import json
import threading

from . import config

_lock = threading.Lock()
_known = set()
_asked = set()  # the same before it is a line, which takes longer to make than to ask for


def record(role, action, request, statements, boundary):
    """Writes one permission that was asked for and given."""
    if not config.AUTHORIZATIONS or role is None:
        return
    context = request.context()
    own = role.path != "/"
    asked = role.arn, action, request.resource, repr(context), repr((statements, boundary)) if own else ""
    if asked in _asked:
        return
    given = {"role": role.arn, "action": action, "resource": request.resource, "context": context}
    if own:
        given |= {"policies": statements, "boundary": boundary}
    line = json.dumps(given, sort_keys=True)
    with _lock:
        _asked.add(asked)
        if line not in _known:
            _known.add(line)
            with open(config.AUTHORIZATIONS, "a", encoding="utf-8") as file:
                file.write(line + "\n")
