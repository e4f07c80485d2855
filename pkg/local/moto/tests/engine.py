"""One server for all tests, and a stand-in for the engine's front door: it takes the reports and plays the functions."""

import atexit
import http.server
import json
import os
import pathlib
import subprocess
import sys
import threading
import time
import unittest
import urllib.parse
import urllib.request

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError

HUB, CONSUMER, PRODUCER, OUTSIDE = "123456789012", "111111111111", "222222222222", "999999999999"
REGION, ELSEWHERE = "us-east-1", "eu-west-1"
# Quotas of the server under test, where AWS's would take long to fill.
HISTORY_EVENTS, ROUTES_PER_TABLE, RULES_PER_BUS = 400, 12, 70

_session = boto3.session.Session()
reports = []  # what the server told the front door, oldest first
functions = {}  # name → Python function of the payload that answers (status, headers, body)


class Server(http.server.ThreadingHTTPServer):
    def handle_error(self, request, client_address):
        pass  # the server under test went away


class FrontDoor(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    wbufsize = -1

    def do_POST(self):
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        status, headers, answer = 200, {}, b"{}"
        if self.path == "/_drawbridge/notify":
            reports.extend(json.loads(line) for line in body.splitlines())
        else:
            name = urllib.parse.unquote(self.path.split("/functions/")[1].split("/")[0]).split(":")[-1]
            play = functions.get(name, lambda payload: (404, {"x-amzn-ErrorType": "ResourceNotFoundException"}, b"{}"))
            status, headers, answer = play(json.loads(body or b"null"))
        self.send_response(status)
        for key, value in headers.items():
            self.send_header(key, value)
        self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)
        self.wfile.flush()

    def log_message(self, *args):
        pass


class Engine:
    def __init__(self, **environment):
        self.door = Server(("127.0.0.1", 0), FrontDoor)
        threading.Thread(target=self.door.serve_forever, daemon=True).start()
        began = time.monotonic()
        self.process = subprocess.Popen(
            [sys.executable, "-m", "drawbridge_moto", "-p", "0"],
            cwd=pathlib.Path(__file__).parent.parent,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env={
                **os.environ,
                "MOTO_PORT": str(self.door.server_port),
                "DRAWBRIDGE_NOTIFY_URL": f"http://127.0.0.1:{self.door.server_port}/_drawbridge/notify",
                "MOTO_EC2_LOAD_DEFAULT_AMIS": "false",
                "DRAWBRIDGE_OUTSIDE": OUTSIDE,
                "DRAWBRIDGE_WAIT_SCALE": "0.01",
                "DRAWBRIDGE_NOTEBOOK_SECONDS": "3",  # longer than any call takes, also on a busy machine
                "DRAWBRIDGE_HISTORY_EVENTS": str(HISTORY_EVENTS),
                "DRAWBRIDGE_ROUTES_PER_TABLE": str(ROUTES_PER_TABLE),
                "DRAWBRIDGE_RULES_PER_BUS": str(RULES_PER_BUS),
                "DRAWBRIDGE_OUS": f"{CONSUMER}=research,{PRODUCER}=data/production",
                **environment,
            },
        )
        atexit.register(self.stop)
        ready = self.process.stdout.readline().split()
        if not ready:
            raise SystemExit("the server did not start")
        self.url = ready[1]
        self.started_in = time.monotonic() - began
        self._clients = {}

    def client(self, service, account, region=REGION, keys=None):
        key = (service, account, region, keys and keys["AccessKeyId"])
        if key not in self._clients:
            self._clients[key] = _session.client(
                service,
                region_name=region,
                endpoint_url=self.url,
                aws_access_key_id=keys["AccessKeyId"] if keys else account,
                aws_secret_access_key=keys["SecretAccessKey"] if keys else "local",
                aws_session_token=keys["SessionToken"] if keys else None,
                config=Config(retries={"total_max_attempts": 1}),
            )
        return self._clients[key]

    def post(self, path):
        return urllib.request.urlopen(urllib.request.Request(self.url + path, method="POST")).read()

    def flush(self):
        return json.loads(urllib.request.urlopen(self.url + "/_drawbridge/flush").read())["flushed"]

    def stop(self):
        self.process.stdin.close()
        self.process.stdout.close()
        self.process.wait(60)


_engine = None


class Case(unittest.TestCase):
    """A test against a freshly reset server."""

    def setUp(self):
        global _engine
        if _engine is None:
            _engine = Engine()
        self.engine = _engine
        self.engine.flush()
        self.engine.post("/moto-api/reset")
        self.engine.flush()
        reports.clear()
        functions.clear()

    def client(self, *args, **kwargs):
        return self.engine.client(*args, **kwargs)

    def fails(self, code, call, *args, **kwargs):
        """The call fails with this AWS error code; returns the error."""
        with self.assertRaises(ClientError) as caught:
            call(*args, **kwargs)
        self.assertEqual(code, caught.exception.response["Error"]["Code"], caught.exception)
        return caught.exception

    def eventually(self, check, seconds=60):
        """Waits until check returns something true, and returns it."""
        until = time.monotonic() + seconds
        while not (found := check()):
            if time.monotonic() > until:
                self.fail(f"not within {seconds} s: {check}")
            time.sleep(0.005)
        return found

    def events(self, **wanted):
        """The events reported so far whose account, region, bus or detail fields are as wanted."""
        self.engine.flush()
        found = []
        for report in list(reports):
            if report["kind"] != "event":
                continue
            fields = {**report["event"]["detail"], **{key: report[key] for key in ("account", "region", "bus")}}
            if all(fields.get(key) == value for key, value in wanted.items()):
                found.append(report["event"])
        return found

    def vpc(self, account, cidr, region=REGION):
        return self.client("ec2", account, region).create_vpc(CidrBlock=cidr)["Vpc"]["VpcId"]

    def peering(self, requester_cidr="10.1.0.0/16", accepter_cidr="10.2.0.0/16", region=REGION, accepter_region=REGION):
        """A peering request from CONSUMER to PRODUCER; returns its id and both VPCs."""
        one, other = self.vpc(CONSUMER, requester_cidr, region), self.vpc(PRODUCER, accepter_cidr, accepter_region)
        answer = self.client("ec2", CONSUMER, region).create_vpc_peering_connection(
            VpcId=one, PeerVpcId=other, PeerOwnerId=PRODUCER, PeerRegion=accepter_region
        )
        return answer["VpcPeeringConnection"]["VpcPeeringConnectionId"], one, other

    def status(self, name, account=CONSUMER, region=REGION):
        return self.look(name, account, region)["Status"]["Code"]

    def look(self, name, account=CONSUMER, region=REGION):
        ec2 = self.client("ec2", account, region)
        return ec2.describe_vpc_peering_connections(VpcPeeringConnectionIds=[name])["VpcPeeringConnections"][0]

    def pass_days(self, kind, name, days):
        """Lets days pass for a peering or an attachment."""
        self.engine.post(f"/_drawbridge/age?{kind}={name}&days={days}")

    def activate(self, name, region=REGION):
        self.client("ec2", PRODUCER, region).accept_vpc_peering_connection(VpcPeeringConnectionId=name)
        self.eventually(lambda: self.status(name, PRODUCER, region) == "active")
