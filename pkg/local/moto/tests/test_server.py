import http.client
import io
import pathlib
import subprocess
import sys
import time
import unittest

from drawbridge_moto import server

from .engine import CONSUMER, HUB, Case

FOLDER = pathlib.Path(__file__).parent.parent
SIGNED = {
    "Content-Type": "application/x-www-form-urlencoded",
    "Authorization": f"AWS4-HMAC-SHA256 Credential={CONSUMER}/20260101/us-east-1/ec2/aws4_request, SignedHeaders=h, Signature=s",
}


class Serving(Case):
    def connection(self):
        host, port = self.engine.url.removeprefix("http://").split(":")
        connection = http.client.HTTPConnection(host, int(port))
        self.addCleanup(connection.close)
        return connection

    def test_one_connection_serves_many_calls_quickly(self):
        connection = self.connection()
        body = "Action=DescribeVpcPeeringConnections&Version=2016-11-15"

        def call():
            connection.request("POST", "/", body, SIGNED)
            answer = connection.getresponse()
            self.assertEqual(200, answer.status, answer.read())
            answer.read()

        call()
        held, took = connection.sock, []
        for _ in range(50):
            began = time.monotonic()
            call()
            took.append(time.monotonic() - began)
        self.assertIs(held, connection.sock)
        self.assertLess(min(took), 0.05)  # 2 ms on an idle machine

    def test_it_listens_on_loopback_only(self):
        self.assertTrue(self.engine.url.startswith("http://127.0.0.1:"))

    def test_reset_leaves_it_usable(self):
        name, _, _ = self.peering()
        self.client("sts", CONSUMER).get_caller_identity()
        self.engine.post("/moto-api/reset")
        self.assertEqual([], self.client("ec2", CONSUMER).describe_vpc_peering_connections()["VpcPeeringConnections"])
        self.fails(
            "InvalidVpcPeeringConnectionID.NotFound",
            self.client("ec2", CONSUMER).describe_vpc_peering_connections,
            VpcPeeringConnectionIds=[name],
        )
        machine = self.client("stepfunctions", HUB).create_state_machine(
            name="m", roleArn="arn:aws:iam::123456789012:role/r", definition='{"StartAt":"E","States":{"E":{"Type":"Succeed"}}}'
        )["stateMachineArn"]
        run = self.client("stepfunctions", HUB).start_execution(stateMachineArn=machine)["executionArn"]
        self.eventually(
            lambda: self.client("stepfunctions", HUB).describe_execution(executionArn=run)["status"] == "SUCCEEDED"
        )
        self.peering()
        self.assertEqual(1, len(self.events(eventName="CreateVpcPeeringConnection")) - 1)

    def test_an_unknown_action_is_answered(self):
        connection = self.connection()
        connection.request("POST", "/", "Action=DescribeNothing&Version=2016-11-15", SIGNED)
        answer = connection.getresponse()
        text = answer.read().decode()
        self.assertEqual(400, answer.status)
        self.assertIn("<Code>InvalidAction</Code>", text)


class Headers(unittest.TestCase):
    def test_headers_are_those_that_a_parser_of_mails_finds(self):
        for text in (
            b"Host: here\r\nX-Amz-Target: A.B\r\nX: a:b\r\n\r\n",
            b"host:here\nHost: there  \n\nthe body: 1\n",
            b"A: 1\r\n goes on\r\nB: 2\r\n\r\n",
            b"A: \xe9\xff\r\nB:\r\n\r\n",
            b"none\r\nA: 1\r\n\r\n",
            b"two words: 1\r\nA: 1\r\n\r\n",
            b"From here\r\nA: 1\r\n\r\n",
            b": 1\r\n\r\n",
            b"\r\n",
            b"",
        ):
            want = server._parse_mail(io.BytesIO(text))
            got = server.parse_headers(io.BytesIO(text))
            self.assertEqual(want.items(), got.items(), text)
            self.assertEqual((want["host"], want.get_all("a"), want.get("none")), (got["host"], got.get_all("a"), got.get("none")))
        for text, error in ((b"A: 1\r\n" * 101, http.client.HTTPException), (b"A: " + b"1" * 70000, http.client.LineTooLong)):
            self.assertRaises(error, server.parse_headers, io.BytesIO(text))


class Leaving(unittest.TestCase):
    def start(self, **more):
        process = subprocess.Popen(
            [sys.executable, "-m", "drawbridge_moto", "-p", "0"], cwd=FOLDER, stdout=subprocess.PIPE, text=True, **more
        )
        self.assertTrue(process.stdout.readline().startswith("ready "))
        self.addCleanup(process.stdout.close)
        return process

    def test_it_ends_when_standard_input_closes(self):
        process = self.start(stdin=subprocess.PIPE)
        process.stdin.close()
        self.assertEqual(0, process.wait(60))

    def test_it_ends_when_told_to(self):
        process = self.start(stdin=subprocess.DEVNULL)
        process.terminate()
        self.assertEqual(0, process.wait(60))

    def test_it_ends_with_its_parent(self):
        script = (
            "import subprocess, sys\n"
            "p = subprocess.Popen([sys.executable, '-m', 'drawbridge_moto', '-p', '0'], stdin=subprocess.DEVNULL,"
            " stdout=subprocess.PIPE, text=True)\n"
            "print(p.pid, p.stdout.readline().split()[1], flush=True)\n"
        )
        said = subprocess.run([sys.executable, "-c", script], cwd=FOLDER, capture_output=True, text=True, timeout=60).stdout
        port = int(said.split()[1].rsplit(":", 1)[1])
        until = time.monotonic() + 60
        while time.monotonic() < until:
            try:
                connection = http.client.HTTPConnection("127.0.0.1", port, timeout=1)
                connection.connect()
                connection.close()
            except OSError:
                return
            time.sleep(0.1)
        self.fail("the server outlived its parent")


class Patching(unittest.TestCase):
    def test_a_name_that_moto_lost_stops_the_engine(self):
        script = "import moto.ec2.models.route_tables as r; del r.RouteBackend.create_route; import drawbridge_moto"
        done = subprocess.run([sys.executable, "-c", script], cwd=FOLDER, capture_output=True, text=True, timeout=60)
        self.assertNotEqual(0, done.returncode)
        self.assertIn("RouteBackend has no create_route any more", done.stderr)

    def test_a_gap_that_moto_closed_stops_the_engine(self):
        script = (
            "from moto.sagemaker.responses import SageMakerResponse as R; R.update_notebook_instance = print;"
            "import drawbridge_moto"
        )
        done = subprocess.run([sys.executable, "-c", script], cwd=FOLDER, capture_output=True, text=True, timeout=60)
        self.assertIn("SageMakerResponse has its own update_notebook_instance now", done.stderr)
