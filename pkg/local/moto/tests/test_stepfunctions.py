import json
import threading
import time

from .engine import HUB, REGION, Case, functions, reports


def ok(payload):
    return 200, {}, json.dumps(payload).encode()


def failed(kind, message="no"):
    body = json.dumps({"errorType": kind, "errorMessage": message}).encode()
    return 200, {"X-Amz-Function-Error": "Unhandled"}, body


def task(name, **more):
    return {
        "Type": "Task",
        "Resource": "arn:aws:states:::lambda:invoke",
        "Parameters": {
            "FunctionName": f"arn:aws:lambda:{REGION}:{HUB}:function:{name}",
            "Payload": {"execution.$": "$$.Execution.Name", "input.$": "$"},
        },
        "End": True,
        **more,
    }


def then(following, name, **more):
    """A task that is not the last."""
    one = task(name, Next=following, **more)
    del one["End"]
    return one


class Running(Case):
    """Runs machines."""

    def machine(self, states, start=None, name="m", **more):
        definition = {"StartAt": start or next(iter(states)), "States": states, **more}
        return self.client("stepfunctions", HUB).create_state_machine(
            name=name, roleArn=f"arn:aws:iam::{HUB}:role/r", definition=json.dumps(definition)
        )["stateMachineArn"]

    def run_machine(self, states, given=None, **more):
        """Runs a machine to its end and returns what DescribeExecution says then."""
        states_client = self.client("stepfunctions", HUB)
        arn = states_client.start_execution(stateMachineArn=self.machine(states, **more), input=json.dumps(given or {}))[
            "executionArn"
        ]
        return self.ended(arn)

    def ended(self, arn):
        states = self.client("stepfunctions", HUB)

        def look():
            found = states.describe_execution(executionArn=arn)
            return found if found["status"] != "RUNNING" else None

        found = self.eventually(look)
        found["output"] = json.loads(found.get("output") or "null")
        return found


class Machines(Running):
    def test_starts_and_ends_are_told_to_the_default_bus(self):
        functions["breaks"] = lambda payload: failed("Conflict", "in the way")
        self.run_machine({"Fine": {"Type": "Succeed"}}, name="fine")
        self.run_machine({"Breaks": task("breaks")}, name="breaking")
        self.eventually(lambda: len(self.events(bus="default", account=HUB)) == 4)
        told = [(e["detail"]["stateMachineArn"].split(":")[-1], e["detail"]["status"]) for e in self.events(bus="default")]
        self.assertEqual([("fine", "RUNNING"), ("fine", "SUCCEEDED"), ("breaking", "RUNNING"), ("breaking", "FAILED")], told)
        last = self.events(bus="default")[-1]
        self.assertEqual(("aws.states", "Step Functions Execution Status Change"), (last["source"], last["detail-type"]))
        self.assertEqual("Conflict", last["detail"]["error"])
        self.assertEqual([last["detail"]["executionArn"]], last["resources"])

    def test_one_that_is_stopped_or_takes_too_long_is_told_and_can_be_redriven(self):
        states = self.client("stepfunctions", HUB)
        slow = {"Wait": {"Type": "Wait", "Seconds": 600, "Next": "Fine"}, "Fine": {"Type": "Succeed"}}
        arn = states.start_execution(stateMachineArn=self.machine(slow, name="stopped"))["executionArn"]
        self.eventually(lambda: states.get_execution_history(executionArn=arn)["events"][1:])
        states.stop_execution(executionArn=arn, error="Meant", cause="by hand")
        found = self.ended(arn)
        self.assertEqual(("ABORTED", "Meant", "by hand"), (found["status"], found["error"], found["cause"]))
        found = self.run_machine(slow, name="late", TimeoutSeconds=1)
        self.assertEqual("TIMED_OUT", found["status"])
        read = lambda **more: [e["id"] for e in states.get_execution_history(executionArn=arn, **more)["events"]]
        self.assertEqual(read(), read(reverseOrder=True)[::-1])
        self.assertGreater(read(reverseOrder=True)[0], 1)
        told = lambda: [(e["detail"]["name"], e["detail"]["status"]) for e in self.events(bus="default", account=HUB)]
        ended = [arn.split(":")[-1], found["executionArn"].split(":")[-1]]
        self.eventually(lambda: {(ended[0], "ABORTED"), (ended[1], "TIMED_OUT")} <= set(told()))
        states.redrive_execution(executionArn=arn)
        self.assertEqual("RUNNING", states.describe_execution(executionArn=arn)["status"])
        states.stop_execution(executionArn=arn)
        self.ended(arn)

    def test_an_execution_without_a_name_gets_one(self):
        states = self.client("stepfunctions", HUB)
        arn = self.machine({"End": {"Type": "Succeed"}})
        names = {states.start_execution(stateMachineArn=arn)["executionArn"].split(":")[-1] for _ in range(3)}
        self.assertEqual(3, len(names))
        self.assertNotIn("None", names)

    def test_a_name_is_used_once(self):
        states, gate = self.client("stepfunctions", HUB), threading.Event()
        functions["hold"] = lambda payload: gate.wait(60) and ok({})
        arn = self.machine({"Hold": task("hold")})
        first = states.start_execution(stateMachineArn=arn, name="n", input='{"a": 1}')["executionArn"]
        again = states.start_execution(stateMachineArn=arn, name="n", input='{"a": 1}')["executionArn"]
        self.assertEqual(first, again)
        self.fails("ExecutionAlreadyExists", states.start_execution, stateMachineArn=arn, name="n", input='{"a": 2}')
        gate.set()
        self.ended(first)
        self.fails("ExecutionAlreadyExists", states.start_execution, stateMachineArn=arn, name="n", input='{"a": 1}')
        self.fails("InvalidName", states.start_execution, stateMachineArn=arn, name="a b")

    def test_wait_is_scaled(self):
        began = time.monotonic()
        self.run_machine({"Hold": {"Type": "Wait", "Seconds": 100, "End": True}})
        took = time.monotonic() - began
        self.assertGreaterEqual(took, 1)
        self.assertLess(took, 100)

    def test_retry_by_error_name(self):
        calls = []

        def flaky(payload):
            calls.append(payload)
            return failed("NotYet") if len(calls) < 3 else ok({"done": True})

        functions["flaky"] = flaky
        retry = [
            {"ErrorEquals": ["Transient"], "IntervalSeconds": 2, "MaxAttempts": 6, "BackoffRate": 2},
            {
                "ErrorEquals": ["NotYet"],
                "IntervalSeconds": 5,
                "MaxAttempts": 8,
                "BackoffRate": 1.5,
                "MaxDelaySeconds": 60,
                "JitterStrategy": "FULL",
            },
        ]
        found = self.run_machine({"Do": task("flaky", Retry=retry, OutputPath="$.Payload")})
        self.assertEqual(({"done": True}, 3), (found["output"], len(calls)))

    def test_an_error_nobody_retries_fails_the_task_with_its_name(self):
        functions["conflict"] = lambda payload: failed("Conflict", "a live route goes elsewhere")
        found = self.run_machine({"Do": task("conflict", Retry=[{"ErrorEquals": ["Transient"]}])})
        self.assertEqual(("FAILED", "Conflict"), (found["status"], found["error"]))
        self.assertEqual("a live route goes elsewhere", json.loads(found["cause"])["errorMessage"])

    def test_retries_end(self):
        calls = []
        functions["never"] = lambda payload: calls.append(payload) or failed("Transient")
        found = self.run_machine({"Do": task("never", Retry=[{"ErrorEquals": ["Transient"], "MaxAttempts": 2}])})
        self.assertEqual(("FAILED", "Transient", 3), (found["status"], found["error"], len(calls)))

    def test_a_refused_call_has_the_service_s_name(self):
        calls = []

        def throttled(payload):
            calls.append(payload)
            if len(calls) < 2:
                return 429, {"x-amzn-ErrorType": "TooManyRequestsException"}, b'{"message": "slow down"}'
            return ok({})

        functions["busy"] = throttled
        found = self.run_machine({"Do": task("busy", Retry=[{"ErrorEquals": ["Lambda.TooManyRequestsException"]}])})
        self.assertEqual(("SUCCEEDED", 2), (found["status"], len(calls)), found)

    def test_states_work_together(self):
        functions["side"] = lambda payload: ok({"name": payload["input"]["side"]["name"], "execution": payload["execution"]})
        found = self.run_machine(
            {
                "Receive": {"Type": "Pass", "Parameters": {"event.$": "$", "known": {}}, "Next": "Choose"},
                "Choose": {
                    "Type": "Choice",
                    "Choices": [{"Variable": "$.event.answer", "StringEquals": "connect", "Next": "Sides"}],
                    "Default": "Nothing",
                },
                "Nothing": {"Type": "Succeed"},
                "Sides": {
                    "Type": "Map",
                    "ItemsPath": "$.event.sides",
                    "ItemSelector": {
                        "side.$": "$$.Map.Item.Value",
                        "index.$": "$$.Map.Item.Index",
                        "given.$": "$$.Execution.Input.answer",
                    },
                    "MaxConcurrency": 2,
                    "ItemProcessor": {
                        "ProcessorConfig": {"Mode": "INLINE"},
                        "StartAt": "Do",
                        "States": {"Do": task("side", OutputPath="$.Payload")},
                    },
                    "ResultPath": "$.done",
                    "Next": "Connected",
                },
                "Connected": {"Type": "Succeed", "OutputPath": "$.done"},
            },
            {"answer": "connect", "sides": [{"name": "requester"}, {"name": "accepter"}]},
            TimeoutSeconds=3600,
        )
        self.assertEqual(["requester", "accepter"], [one["name"] for one in found["output"]])
        self.assertEqual({found["name"]}, {one["execution"] for one in found["output"]})

    def test_result_selector_and_paths(self):
        functions["dns"] = lambda payload: ok({"hops": ["a"], "noise": 1})
        found = self.run_machine(
            {"Do": task("dns", ResultSelector={"hops.$": "$.Payload.hops"}, ResultPath="$.dns")}, {"kept": True}
        )
        self.assertEqual({"kept": True, "dns": {"hops": ["a"]}}, found["output"])
        found = self.run_machine({"Do": task("dns", ResultPath=None)}, {"kept": True}, name="dropped")
        self.assertEqual({"kept": True}, found["output"])

    def test_many_executions_at_once(self):
        functions["echo"] = lambda payload: ok(payload["input"])
        states = self.client("stepfunctions", HUB)
        arn = self.machine({"Do": task("echo", OutputPath="$.Payload")})
        started = []

        def start(n):
            started.append((n, states.start_execution(stateMachineArn=arn, name=f"n{n}", input=json.dumps({"n": n}))))

        threads = [threading.Thread(target=start, args=(n,)) for n in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self.assertEqual(8, len(started))
        for n, answer in started:
            self.assertEqual({"n": n}, self.ended(answer["executionArn"])["output"])

    def test_every_step_is_reported(self):
        functions["flaky"] = lambda payload: ok({})
        found = self.run_machine({"Do": task("flaky")})
        self.engine.flush()
        seen = [one["event"]["type"] for one in reports if one["kind"] == "history"]
        self.assertEqual(
            [
                "ExecutionStarted",
                "TaskStateEntered",
                "TaskScheduled",
                "TaskStarted",
                "TaskSucceeded",
                "TaskStateExited",
                "ExecutionSucceeded",
            ],
            seen,
        )
        one = next(one for one in reports if one["kind"] == "history" and one["event"]["type"] == "TaskStateEntered")
        self.assertEqual((found["executionArn"], "m"), (one["executionArn"], one["stateMachine"]))
        self.assertEqual("Do", one["event"]["stateEnteredEventDetails"]["name"])
        for key in ("id", "previousEventId", "timestamp"):
            self.assertIn(key, one["event"])

    def redriven(self, arn):
        """Redrives an execution and returns what DescribeExecution says when it has ended again."""
        self.client("stepfunctions", HUB).redrive_execution(executionArn=arn)
        return self.ended(arn)

    def test_a_redrive_goes_on_at_the_state_that_failed(self):
        calls = []

        def step(name, fails):
            def play(payload):
                calls.append((name, payload))
                return failed("Conflict", "in the way") if calls.count((name, payload)) <= fails else ok({"by": name})

            return play

        functions["first"], functions["second"] = step("first", 0), step("second", 2)
        found = self.run_machine(
            {
                "First": then("Second", "first", ResultPath="$.first", ResultSelector={"by.$": "$.Payload.by"}),
                "Second": task("second", OutputPath="$.Payload"),
            },
            {"given": 1},
        )
        self.assertEqual(("FAILED", "Conflict"), (found["status"], found["error"]))
        again = self.redriven(found["executionArn"])
        self.assertEqual(("FAILED", "Conflict", 1), (again["status"], again["error"], again["redriveCount"]))
        again = self.redriven(found["executionArn"])
        self.assertEqual(("SUCCEEDED", {"by": "second"}, 2), (again["status"], again["output"], again["redriveCount"]))
        self.assertNotIn("error", again)
        self.assertEqual(found["startDate"], again["startDate"])
        self.assertEqual(["first", "second", "second", "second"], [name for name, _ in calls])
        self.assertEqual({"given": 1, "first": {"by": "first"}}, calls[-1][1]["input"])
        history = self.client("stepfunctions", HUB).get_execution_history(executionArn=found["executionArn"])["events"]
        kinds = [one["type"] for one in history]
        self.assertEqual((1, 2, 2, 1), tuple(kinds.count("Execution" + k) for k in ("Started", "Redriven", "Failed", "Succeeded")))
        told = [e["detail"]["status"] for e in self.events(bus="default", account=HUB)]
        self.assertEqual(["RUNNING", "FAILED", "RUNNING", "FAILED", "RUNNING", "SUCCEEDED"], told)

    def test_a_redrive_retries_anew(self):
        calls = []
        functions["weak"] = lambda payload: calls.append(payload) or (failed("Transient") if len(calls) <= 5 else ok({}))
        found = self.run_machine({"Do": task("weak", Retry=[{"ErrorEquals": ["Transient"], "MaxAttempts": 2}])})
        self.assertEqual(("FAILED", 3), (found["status"], len(calls)))
        self.assertEqual(("SUCCEEDED", 6), (self.redriven(found["executionArn"])["status"], len(calls)))

    def test_a_redrive_runs_only_the_iterations_of_a_map_that_failed(self):
        calls, broken = [], {"b"}

        def late(payload):
            item = payload["input"]["item"]
            calls.append(("late", item))
            return failed("Refused") if item in broken else ok({"did": item})

        functions["early"] = lambda payload: calls.append(("early", payload["input"]["item"])) or ok({})
        functions["late"] = late
        found = self.run_machine(
            {
                "Each": {
                    "Type": "Map",
                    "ItemsPath": "$.items",
                    "ItemSelector": {"item.$": "$$.Map.Item.Value"},
                    "MaxConcurrency": 1,
                    "ItemProcessor": {
                        "ProcessorConfig": {"Mode": "INLINE"},
                        "StartAt": "Early",
                        "States": {
                            "Early": then("Late", "early", ResultPath=None),
                            "Late": task("late", OutputPath="$.Payload"),
                        },
                    },
                    "ResultPath": "$.done",
                    "End": True,
                }
            },
            {"items": ["a", "b", "c"]},
        )
        self.assertEqual(("FAILED", "Refused"), (found["status"], found["error"]))
        self.assertEqual([("early", "a"), ("late", "a"), ("early", "b"), ("late", "b")], calls)
        broken.clear()
        calls.clear()
        again = self.redriven(found["executionArn"])
        self.assertEqual([{"did": "a"}, {"did": "b"}, {"did": "c"}], again["output"]["done"])
        self.assertEqual([("late", "b"), ("early", "c"), ("late", "c")], calls)

    def test_a_map_that_is_entered_again_after_a_redrive_runs_whole(self):
        calls = []

        def step(payload):
            calls.append(payload["input"])
            return failed("Conflict") if len(calls) == 2 else ok({})

        functions["step"] = step
        functions["count"] = lambda payload: ok({"round": payload["input"]["round"] + 1, "items": [1, 2]})
        each = {
            "Type": "Map",
            "ItemsPath": "$.items",
            "MaxConcurrency": 1,
            "ItemProcessor": {"ProcessorConfig": {"Mode": "INLINE"}, "StartAt": "Do", "States": {"Do": task("step")}},
            "ResultPath": None,
            "Next": "Count",
        }
        count = then("Again", "count", OutputPath="$.Payload")
        again = {"Type": "Choice", "Choices": [{"Variable": "$.round", "NumericLessThan": 2, "Next": "Each"}], "Default": "Done"}
        states = {"Each": each, "Count": count, "Again": again, "Done": {"Type": "Succeed"}}
        found = self.run_machine(states, {"round": 0, "items": [1, 2]})
        self.assertEqual("FAILED", found["status"])
        self.assertEqual("SUCCEEDED", self.redriven(found["executionArn"])["status"])
        self.assertEqual([1, 2, 2, 1, 2], calls)

    def test_what_did_not_fail_is_not_redriven(self):
        states = self.client("stepfunctions", HUB)
        found = self.run_machine({"Fine": {"Type": "Succeed"}})
        self.fails("ExecutionNotRedrivable", states.redrive_execution, executionArn=found["executionArn"])
        self.fails("ExecutionDoesNotExist", states.redrive_execution, executionArn=found["executionArn"] + "x")

    def test_a_caught_error_keeps_the_input(self):
        functions["over"] = lambda payload: failed("Over")
        caught = [{"ErrorEquals": ["Over"], "ResultPath": None, "Next": "Look"}]
        do = then("Look", "over", Catch=caught)
        found = self.run_machine({"Do": do, "Look": {"Type": "Succeed"}}, {"event": 1})
        self.assertEqual(("SUCCEEDED", {"event": 1}), (found["status"], found["output"]))

    def test_an_iteration_that_was_under_way_when_another_failed_begins_anew(self):
        calls, gate = [], threading.Event()

        def step(payload):
            item = payload["input"]["n"]
            calls.append(item)
            if item == 2 and calls.count(2) == 1:
                self.eventually(lambda: 1 in calls)
                return failed("Refused")
            if item == 1 and calls.count(1) == 1:
                gate.wait(5)
            return ok({"did": item})

        functions["step"] = step
        each = {
            "Type": "Map",
            "ItemsPath": "$.items",
            "ItemProcessor": {
                "ProcessorConfig": {"Mode": "INLINE"},
                "StartAt": "Do",
                "States": {"Do": task("step", OutputPath="$.Payload")},
            },
            "ResultPath": "$.done",
            "End": True,
        }
        found = self.run_machine({"Each": each}, {"items": [{"n": 1}, {"n": 2}]})
        gate.set()
        self.assertEqual("FAILED", found["status"])
        again = self.redriven(found["executionArn"])
        self.assertEqual([{"did": 1}, {"did": 2}], again["output"]["done"])
        self.assertEqual([1, 1, 2, 2], sorted(calls))
