"""The HTTP side: moto's application behind a threaded server on loopback that keeps connections open and says little.

Gaps:
  - the development server moto runs on closes every connection after one answer and logs every request
  - Flask is asked to debug, and to let pages of other origins in (MOTO_DISABLE_GLOBAL_CORS forbids that one): both take their time
  - the headers of a request are read by the parser of mails
  - for each request moto lists the folder of its own modules, one request at a time; they do not change, so it is listed once
"""

import gc
import http.client
import io
import json
import os
import re
import select
import sys
import threading
import time
import traceback
import urllib.parse
from xml.sax.saxutils import escape

from botocore.model import OperationNotFoundError
from moto import backends
from moto.moto_server.werkzeug_app import DomainDispatcherApplication, MotoRequestHandler, create_backend_app
from werkzeug.serving import DechunkedInput, ThreadedWSGIServer

from . import checkpoint, databases, events, notify, organizations, peering, ram, transitgateway
from .background import clock
from .patching import replace, require

require(MotoRequestHandler, "run_wsgi", "make_environ")

_MODULES = tuple(backends.list_of_moto_modules())

# The services a run of Drawbridge touches; made ready before the first call.
_PRELOADED = (
    "ec2", "sts", "iam", "cloudformation", "events", "stepfunctions", "lambda", "ssm", "sqs", "sns", "logs",
    "sagemaker", "rds", "redshift", "rdsdata", "secretsmanager", "kms", "organizations", "dynamodb", "moto_api",
)  # fmt: skip


@replace(backends, "list_of_moto_modules")
def list_of_moto_modules(_original):
    return _MODULES


_parse_mail = http.client.parse_headers
_LINE, _LINES = 1 << 16, 100  # as http.client has them
_HEADER = re.compile(rb"[\x21-\x39\x3b-\x7e]+:")


def parse_headers(file, _class=http.client.HTTPMessage):
    """The headers of a request, one a line. A line that goes on from the one before it, or is none, is for the parser of mails."""
    lines = []
    while (line := file.readline(_LINE + 1)) not in (b"\r\n", b"\n", b""):
        lines.append(line)
        if len(line) > _LINE or len(lines) > _LINES:
            break
    message = _class()
    for line in lines:
        if not _HEADER.match(line) or len(line) > _LINE or len(lines) > _LINES:
            return _parse_mail(io.BytesIO(b"".join(lines)), _class)
        name, _, value = line.decode("iso-8859-1").partition(":")
        message._headers.append((name, value.lstrip(" \t").rstrip("\r\n")))
    return message


http.client.parse_headers = parse_headers


class Handler(MotoRequestHandler):
    """Answers requests one after another on the same connection (HTTP/1.1)."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    wbufsize = -1

    def run_wsgi(self):
        if self.headers.get("Expect", "").lower() == "100-continue":
            self.wfile.write(b"HTTP/1.1 100 Continue\r\n\r\n")
            self.wfile.flush()
        environ = self.make_environ()
        # Take the whole body off the wire, so that the next request starts where this one ends.
        if "chunked" in self.headers.get("Transfer-Encoding", "").lower():
            body = DechunkedInput(self.rfile).read()
            environ.pop("HTTP_TRANSFER_ENCODING", None)
        else:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        environ["CONTENT_LENGTH"] = str(len(body))
        environ["wsgi.input"] = io.BytesIO(body)
        environ["wsgi.input_terminated"] = True
        status, headers, answer = self._answer(environ)
        code, _, reason = status.partition(" ")
        self.send_response(int(code), reason)
        for key, value in headers:
            if key.lower() not in ("content-length", "connection", "transfer-encoding", "date", "server"):
                self.send_header(key, value)
        if self.command == "HEAD":
            answer = b""
            self.send_header("Content-Length", dict(headers).get("Content-Length", "0"))
        elif int(code) >= 200 and int(code) not in (204, 304):
            self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)
        self.wfile.flush()

    def _answer(self, environ):
        given = []

        def start_response(status, headers, exc_info=None):
            given[:] = [status, headers]

        try:
            parts = self.server.app(environ, start_response)
            try:
                answer = b"".join(parts)
            finally:
                if hasattr(parts, "close"):
                    parts.close()
            return given[0], given[1], answer
        except (OperationNotFoundError, NotImplementedError) as error:
            return _failure(environ, 400, "InvalidAction", f"The engine does not know this action: {error}")
        except Exception as error:  # noqa: BLE001
            traceback.print_exc()
            return _failure(environ, 500, "InternalFailure", f"{type(error).__name__}: {error}")

    def log_request(self, *args, **kwargs):
        pass

    def log_error(self, *args, **kwargs):
        pass


def _failure(environ, status, code, text):
    """The answer where moto has none, in the protocol the client speaks."""
    kind, body = "application/json", json.dumps({"__type": code, "message": text})
    if environ.get("CONTENT_TYPE", "").startswith("application/x-www-form-urlencoded"):
        kind, inner = "text/xml", f"<Error><Code>{code}</Code><Message>{escape(text)}</Message></Error>"
        # EC2 looks for its own envelope, the other query services for theirs.
        ec2 = "/ec2/" in environ.get("HTTP_AUTHORIZATION", "")
        body = f"<Response><Errors>{inner}</Errors></Response>" if ec2 else f"<ErrorResponse>{inner}</ErrorResponse>"
    return f"{status} {code}", [("Content-Type", kind)], body.encode()


class Server(ThreadedWSGIServer):
    request_queue_size = 128
    daemon_threads = True


_AGING = {"share": ram.age, "peering": peering.age, "attachment": transitgateway.age}


_ENTERING = {"account": organizations.enter, "database": databases.answer, "moved": organizations.move}


class Application(DomainDispatcherApplication):
    """moto's application, and what the engine's own tools ask: flush, keep, restore, age, enter and ready, under /_drawbridge/."""

    def __call__(self, environ, start_response):
        path = environ.get("PATH_INFO", "")
        if path == "/_drawbridge/flush":
            done = flush(10)
            start_response("200 OK" if done else "504 Gateway Timeout", [("Content-Type", "application/json")])
            return [json.dumps({"flushed": done}).encode()]
        if path in ("/_drawbridge/keep", "/_drawbridge/restore") and environ["REQUEST_METHOD"] == "POST":
            given = urllib.parse.parse_qs(environ.get("QUERY_STRING", ""))
            if path.endswith("keep"):
                answer = {"kept": checkpoint.keep(given.get("account", []))}
            else:
                answer = {"restored": checkpoint.restore(given["kept"][0])}
            start_response("200 OK", [("Content-Type", "application/json")])
            return [json.dumps(answer).encode()]
        if path == "/_drawbridge/age" and environ["REQUEST_METHOD"] == "POST":
            given = urllib.parse.parse_qs(environ.get("QUERY_STRING", ""))
            days = float(given["days"][0])
            kind = next(kind for kind in _AGING if kind in given)
            aged = _AGING[kind](given[kind][0], days)
            start_response("200 OK" if aged else "404 Not Found", [("Content-Type", "application/json")])
            return [json.dumps({"aged": aged}).encode()]
        if path == "/_drawbridge/enter" and environ["REQUEST_METHOD"] == "POST":
            given = urllib.parse.parse_qs(environ.get("QUERY_STRING", ""), keep_blank_values=True)
            kind = next(kind for kind in _ENTERING if kind in given)
            entered = _ENTERING[kind](given[kind][0], given["state"][0])
            start_response("200 OK", [("Content-Type", "application/json")])
            return [json.dumps({"entered": entered}).encode()]
        if path == "/_drawbridge/ready":
            start_response("200 OK", [("Content-Type", "application/json")])
            return [b'{"ready": true}']
        return super().__call__(environ, start_response)


def flush(timeout):
    """Waits until nothing passes by itself any more, every event was handed to its targets and every report posted."""
    until = time.monotonic() + timeout
    while time.monotonic() < until:
        clock.wait_empty(until - time.monotonic())
        events.wait_empty(until - time.monotonic())
        notify.wait_empty(until - time.monotonic())
        if clock.idle() and events.idle() and notify.idle():
            return True
    return False


def application():
    app = Application(_create_backend_app)
    for service in _PRELOADED:
        app.app_instances[service] = _create_backend_app(service)
    return app


def _create_backend_app(service):
    app = create_backend_app(service)
    # Without what Flask does for who debugs a form; what went wrong comes to the handler above all the same.
    app.debug, app.config["PROPAGATE_EXCEPTIONS"] = False, True
    return app


def serve(host, port):
    server = Server(host, port, application(), handler=Handler)
    gc.freeze()  # what is there now stays
    _die_with_parent()
    return server


def _die_with_parent():
    """Ends the process when its parent is gone or closes our standard input."""
    parent = os.getppid()

    def watch():
        pipe = _is_pipe(sys.stdin)
        while os.getppid() == parent:
            if not pipe:
                time.sleep(0.5)
            elif select.select([sys.stdin], [], [], 0.5)[0] and not os.read(sys.stdin.fileno(), 4096):
                break
        os._exit(0)

    threading.Thread(target=watch, name="parent", daemon=True).start()


def _is_pipe(stream):
    import stat

    try:
        mode = os.fstat(stream.fileno()).st_mode
    except (OSError, ValueError, AttributeError):
        return False
    return stat.S_ISFIFO(mode) or stat.S_ISSOCK(mode)


