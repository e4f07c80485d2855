import json

from .engine import CONSUMER, ELSEWHERE, HUB, OUTSIDE, PRODUCER, REGION, Case, functions, reports

BUS = f"arn:aws:events:{REGION}:{HUB}:event-bus/drawbridge"
ORGANIZATION = {
    "Sid": "organization",
    "Effect": "Allow",
    "Principal": "*",
    "Action": "events:PutEvents",
    "Resource": BUS,
    "Condition": {"StringEquals": {"aws:PrincipalOrgID": "o-drawbridge0"}},
}


class Events(Case):
    def bus(self, policy=(ORGANIZATION,)):
        hub = self.client("events", HUB)
        hub.create_event_bus(Name="drawbridge")
        if policy:
            document = json.dumps({"Version": "2012-10-17", "Statement": list(policy)})
            hub.put_permission(EventBusName="drawbridge", Policy=document)

    def rule(self, account, target, region=REGION, bus="default", name="rule", pattern=None, **more):
        events = self.client("events", account, region)
        pattern = pattern or {"source": ["aws.ec2", "test"]}
        events.put_rule(Name=name, EventBusName=bus, EventPattern=json.dumps(pattern))
        events.put_targets(Rule=name, EventBusName=bus, Targets=[{"Id": "Target0", "Arn": target, **more}])
        return f"arn:aws:events:{region}:{account}:rule/{'' if bus == 'default' else bus + '/'}{name}"

    def queue(self, name, account=HUB, region=REGION):
        sqs = self.client("sqs", account, region)
        url = sqs.create_queue(QueueName=name)["QueueUrl"]
        return f"arn:aws:sqs:{region}:{account}:{name}", lambda: self.read(sqs, url)

    def read(self, sqs, url):
        self.engine.flush()
        return sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10, MessageAttributeNames=["All"]).get("Messages", [])

    def put(self, account=CONSUMER, region=REGION, bus="default", **entry):
        entry = {"Source": "test", "DetailType": "t", "Detail": "{}", "EventBusName": bus, **entry}
        return self.client("events", account, region).put_events(Entries=[entry])["Entries"][0]

    def machine(self, name="m"):
        definition = {"StartAt": "End", "States": {"End": {"Type": "Succeed"}}}
        return self.client("stepfunctions", HUB).create_state_machine(
            name=name, roleArn=f"arn:aws:iam::{HUB}:role/r", definition=json.dumps(definition)
        )["stateMachineArn"]

    def executions(self, machine):
        self.engine.flush()
        return self.client("stepfunctions", HUB).list_executions(stateMachineArn=machine)["executions"]

    def test_forwarding_keeps_id_time_account_region_and_resources(self):
        self.bus()
        queue, read = self.queue("all")
        self.rule(HUB, queue, bus="drawbridge")
        self.rule(CONSUMER, BUS, region=ELSEWHERE)
        sent = self.put(region=ELSEWHERE, Detail='{"a": 1}', Resources=["arn:aws:x:::y"], Time=1700000000)
        (message,) = read()
        event = json.loads(message["Body"])
        self.assertEqual(
            {
                "version": "0",
                "id": sent["EventId"],
                "detail-type": "t",
                "source": "test",
                "account": CONSUMER,
                "time": "2023-11-14T22:13:20Z",
                "region": ELSEWHERE,
                "resources": ["arn:aws:x:::y"],
                "detail": {"a": 1},
            },
            event,
        )

    def test_one_hop_only(self):
        self.bus()
        dead, read = self.queue("dead")
        self.rule(CONSUMER, BUS)
        third = f"arn:aws:events:{REGION}:{PRODUCER}:event-bus/default"
        arn = self.rule(HUB, third, bus="drawbridge", DeadLetterConfig={"Arn": dead})
        self.put()
        (message,) = read()
        attributes = {key: value["StringValue"] for key, value in message["MessageAttributes"].items()}
        self.assertEqual(
            ("THIRD_ACCOUNT_HOP_DETECTED", arn, third),
            tuple(attributes[key] for key in ("ERROR_CODE", "RULE_ARN", "TARGET_ARN")),
        )
        self.assertEqual([], self.events(account=PRODUCER))

    def test_the_policy_of_the_bus_decides(self):
        for name, policy, sender, arrives in (
            ("organization lets a member in", [ORGANIZATION], CONSUMER, True),
            ("organization keeps others out", [ORGANIZATION], OUTSIDE, False),
            ("no policy lets nobody in", [], CONSUMER, False),
            ("an account by its number", [{**ORGANIZATION, "Principal": {"AWS": OUTSIDE}, "Condition": {}}], OUTSIDE, True),
        ):
            with self.subTest(name):
                self.setUp()
                self.bus(policy)
                dead, read = self.queue("dead", sender)
                self.rule(sender, BUS, DeadLetterConfig={"Arn": dead})
                sent = self.put(sender)
                arrived = [event["id"] for event in self.events(bus="drawbridge")]
                self.assertEqual([sent["EventId"]] if arrives else [], arrived)
                buried = [one["MessageAttributes"]["ERROR_CODE"]["StringValue"] for one in read()]
                self.assertEqual([] if arrives else ["NO_PERMISSIONS"], buried)
                self.assertEqual("EventId" in self.put(sender, bus=BUS), arrives)

    def test_a_machine_starts_once_for_each_event_and_target(self):
        machine = self.machine()
        self.rule(HUB, machine, name="one")
        self.rule(HUB, machine, name="two")
        sent = self.put(HUB)["EventId"]
        names = [one["name"] for one in self.executions(machine)]
        self.assertEqual(2, len(set(names)))
        for name in names:
            self.assertTrue(name.startswith(sent + "_"))
            self.assertLessEqual(len(name), 80)

    def test_a_machine_gets_the_event_and_a_failing_execution_is_no_failed_delivery(self):
        dead, read = self.queue("dead")
        definition = {"StartAt": "Bad", "States": {"Bad": {"Type": "Fail", "Error": "Broken"}}}
        stepfunctions = self.client("stepfunctions", HUB)
        machine = stepfunctions.create_state_machine(
            name="bad", roleArn=f"arn:aws:iam::{HUB}:role/r", definition=json.dumps(definition)
        )["stateMachineArn"]
        self.rule(HUB, machine, DeadLetterConfig={"Arn": dead})
        sent = self.put(HUB)["EventId"]
        execution = self.eventually(lambda: [one for one in self.executions(machine) if one["status"] == "FAILED"])[0]
        given = stepfunctions.describe_execution(executionArn=execution["executionArn"])["input"]
        self.assertEqual(sent, json.loads(given)["id"])
        self.assertEqual([], read())

    def test_what_cannot_be_delivered_is_kept_whole(self):
        dead, read = self.queue("dead")
        target = f"arn:aws:states:{REGION}:{HUB}:stateMachine:none"
        arn = self.rule(HUB, target, DeadLetterConfig={"Arn": dead})
        sent = self.put(HUB, Detail='{"cidr": "10.0.0.0/8; rm -rf /"}')
        (message,) = read()
        body = json.loads(message["Body"])
        self.assertEqual((sent["EventId"], {"cidr": "10.0.0.0/8; rm -rf /"}), (body["id"], body["detail"]))
        attributes = {key: value["StringValue"] for key, value in message["MessageAttributes"].items()}
        self.assertEqual(("NO_RESOURCE", arn, target), tuple(attributes[k] for k in ("ERROR_CODE", "RULE_ARN", "TARGET_ARN")))
        (report,) = [one for one in reports if one["kind"] == "rule"]
        self.assertIn("NO_RESOURCE", report["error"])

    def test_functions_queues_and_topics_are_targets(self):
        got = []

        def handler(payload):
            got.append(payload)
            return 202, {}, b""

        functions["listener"] = handler
        self.client("lambda", HUB).create_function(
            FunctionName="listener",
            Runtime="provided.al2023",
            Role=self.client("iam", HUB).create_role(RoleName="r", AssumeRolePolicyDocument="{}")["Role"]["Arn"],
            Handler="bootstrap",
            Code={"ZipFile": b"PK\x05\x06" + bytes(18)},
        )
        self.rule(HUB, f"arn:aws:lambda:{REGION}:{HUB}:function:listener", name="to-function")
        sns = self.client("sns", HUB)
        topic = sns.create_topic(Name="news")["TopicArn"]
        queue, read = self.queue("subscriber")
        sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=queue)
        self.rule(HUB, topic, name="to-topic")
        sent = self.put(HUB)["EventId"]
        (message,) = read()
        self.assertEqual(sent, json.loads(json.loads(message["Body"])["Message"])["id"])
        self.assertEqual([sent], [event["id"] for event in got])

    def test_input_of_a_target(self):
        for name, more, body in (
            ("constant", {"Input": '{"fixed": true}'}, {"fixed": True}),
            ("path", {"InputPath": "$.detail.n"}, 7),
            (
                "transformed",
                {"InputTransformer": {"InputPathsMap": {"n": "$.detail.n"}, "InputTemplate": '{"number": <n>}'}},
                {"number": 7},
            ),
            (
                "words",
                {
                    "InputTransformer": {
                        "InputPathsMap": {"says": "$.detail.says", "n": "$.detail.n"},
                        "InputTemplate": '{"bare": <says>, "within": "it says <says>, <n> \\"times\\""}',
                    }
                },
                {"bare": 'so "it" is', "within": 'it says so "it" is, 7 "times"'},
            ),
        ):
            with self.subTest(name):
                queue, read = self.queue(name)
                self.rule(HUB, queue, name=name, **more)
                self.put(HUB, Detail='{"n": 7, "says": "so \\"it\\" is"}')
                self.assertEqual(body, json.loads(read()[0]["Body"]))

    def test_a_disabled_rule_is_still(self):
        queue, read = self.queue("q")
        self.rule(HUB, queue)
        self.client("events", HUB).disable_rule(Name="rule")
        self.put(HUB)
        self.assertEqual([], read())

    def test_the_forwarding_pattern_leaves_out_failures_and_own_calls(self):
        queue, read = self.queue("q")
        issuer = {"sessionContext": {"sessionIssuer": {"userName": [{"anything-but": {"prefix": "drawbridge-member-"}}]}}}
        absent = {"sessionContext": {"sessionIssuer": {"userName": [{"exists": False}]}}}
        pattern = {
            "source": ["aws.ec2"],
            "account": [HUB],
            "detail": {
                "eventName": ["CreateVpcPeeringConnection"],
                "errorCode": [{"exists": False}],
                "$or": [{"userIdentity": issuer}, {"userIdentity": absent}],
            },
        }
        self.rule(HUB, queue, pattern=pattern)
        for name, extra in (
            ("root", {"userIdentity": {"type": "Root"}}),
            ("somebody's role", {"userIdentity": {"sessionContext": {"sessionIssuer": {"userName": "admin"}}}}),
            ("our role", {"userIdentity": {"sessionContext": {"sessionIssuer": {"userName": "drawbridge-member-x"}}}}),
            ("failed", {"userIdentity": {"type": "Root"}, "errorCode": "Client.X"}),
        ):
            self.put(HUB, Source="aws.ec2", Detail=json.dumps({"eventName": "CreateVpcPeeringConnection", "n": name, **extra}))
        self.assertEqual(["root", "somebody's role"], [json.loads(one["Body"])["detail"]["n"] for one in read()])

    def test_reports_come_in_order(self):
        self.bus()
        machine = self.machine()
        self.rule(CONSUMER, BUS)
        self.rule(HUB, machine, bus="drawbridge", name="start")
        sent = self.put()["EventId"]
        self.eventually(lambda: any(one["kind"] == "history" and one["event"]["type"] == "ExecutionSucceeded" for one in reports))
        self.assertEqual(
            [
                ("event", "default", sent),
                ("rule", "rule", BUS),
                ("event", "drawbridge", sent),
                ("rule", "start", machine),
                ("history", "m", "ExecutionStarted"),
                ("history", "m", "SucceedStateEntered"),
                ("history", "m", "SucceedStateExited"),
                ("history", "m", "ExecutionSucceeded"),
            ],
            [
                {
                    "event": lambda one: ("event", one["bus"], one["event"]["id"]),
                    "rule": lambda one: ("rule", one["rule"], one["target"]),
                    "history": lambda one: ("history", one["stateMachine"], one["event"]["type"]),
                }[one["kind"]](one)
                for one in reports
                if one["kind"] != "event" or one["event"]["source"] != "aws.states"
            ],
        )

    def test_bad_entries_are_answered_one_by_one(self):
        entries = [
            {"Source": "test", "DetailType": "t", "Detail": "{"},
            {"Source": "test", "DetailType": "t", "Detail": "[]"},
            {"Source": "test", "DetailType": "t", "Detail": "{}"},
        ]
        answer = self.client("events", HUB).put_events(Entries=entries)
        self.assertEqual(2, answer["FailedEntryCount"])
        self.assertEqual(["MalformedDetail", "MalformedDetail", None], [one.get("ErrorCode") for one in answer["Entries"]])
