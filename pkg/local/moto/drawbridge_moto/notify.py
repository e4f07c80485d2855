"""Reports of what the engine does, for whoever tells its story: a JSON object a line, in order, never blocking a call. What waits goes in one POST.

{"kind": "event",   "account", "region", "bus", "event": {…}}                               an event arrived on a bus
{"kind": "rule",    "account", "region", "bus", "rule", "eventId", "target", "error"?}      a rule sent it to a target
{"kind": "history", "executionArn", "stateMachine", "event": {"type", "timestamp", "id", …}} a step of an execution
"""

import http.client
import json
import sys
import threading
import urllib.parse

from . import background, config

_queue = background.Queue("notify")
_waiting = []
_lock = threading.Lock()
_connection = None
_complained = False


def send(kind, **fields):
    """Queues one report. The object is encoded now, so later changes to it do not show."""
    if config.NOTIFY_URL:
        line = json.dumps({"kind": kind, **fields}, default=str)
        with _lock:
            _waiting.append(line)
            if len(_waiting) == 1:
                _queue.put(_post_all)


def wait_empty(timeout):
    return _queue.wait_empty(timeout)


def idle():
    return _queue.idle()


def _post_all():
    with _lock:
        lines, _waiting[:] = _waiting[:], []
    _post("\n".join(lines).encode())


def _post(body):
    global _connection, _complained
    url = urllib.parse.urlsplit(config.NOTIFY_URL)
    for attempt in (1, 2):  # the second on a fresh connection, when the other side closed an idle one
        try:
            if _connection is None:
                _connection = http.client.HTTPConnection(url.hostname, url.port, timeout=5)
            _connection.request("POST", url.path or "/", body, {"Content-Type": "application/json"})
            _connection.getresponse().read()
            return
        except (OSError, http.client.HTTPException) as error:
            if _connection is not None:
                _connection.close()
            _connection = None
            if attempt == 2 and not _complained:
                _complained = True
                print(f"drawbridge_moto: reporting to {config.NOTIFY_URL}: {error}", file=sys.stderr, flush=True)
