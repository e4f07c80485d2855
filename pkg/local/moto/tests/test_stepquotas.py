import json

from drawbridge_moto import config

from .engine import HISTORY_EVENTS, HUB, functions
from .test_stepfunctions import Running, ok, task, then

LIMIT = 262_144


def sized(payload_bytes):
    """A JSON object of exactly so many bytes."""
    return {"x": "a" * (payload_bytes - len('{"x":""}'))}


class Payloads(Running):
    def failed_for_its_size(self, found):
        self.assertEqual("FAILED", found["status"])
        self.assertEqual("States.DataLimitExceeded", found.get("error"))
        self.assertIn("maximum number of bytes", found["cause"])

    def test_the_input_of_an_execution_is_measured_in_bytes_of_utf8(self):
        states, arn = self.client("stepfunctions", HUB), self.machine({"End": {"Type": "Succeed"}})
        for given, fits in (
            (json.dumps(sized(LIMIT), separators=(",", ":")), True),
            (json.dumps(sized(LIMIT + 1), separators=(",", ":")), False),
            (json.dumps({"x": "é" * (LIMIT // 2)}, ensure_ascii=False), False),
        ):
            if fits:
                self.assertEqual("SUCCEEDED", self.ended(states.start_execution(stateMachineArn=arn, input=given)["executionArn"])["status"])
            else:
                error = self.fails("ValidationException", states.start_execution, stateMachineArn=arn, input=given)
                self.assertIn("less than or equal to 262144", str(error))

    def test_the_result_of_a_task(self):
        # The answer of lambda:invoke is the Payload and what says so.
        around = len(json.dumps({"StatusCode": 200, "ExecutedVersion": "$LATEST", "Payload": ""}, separators=(",", ":"))) - 2
        functions["speaks"] = lambda payload: ok(sized(LIMIT - around))
        self.assertEqual("SUCCEEDED", self.run_machine({"Speaks": task("speaks", OutputPath="$.StatusCode")}, name="fits")["status"])
        functions["speaks"] = lambda payload: ok(sized(LIMIT - around + 1))
        self.failed_for_its_size(self.run_machine({"Speaks": task("speaks", OutputPath="$.StatusCode")}, name="exceeds"))

    def test_blanks_and_escapes_do_not_count(self):
        many = [["é", 1]] * 20_000  # 8 bytes each and a comma; with blanks and \\u00e9 it would be 15
        functions["speaks"] = lambda payload: ok(many)
        self.assertEqual("SUCCEEDED", self.run_machine({"Speaks": task("speaks", OutputPath="$.StatusCode")})["status"])

    def test_no_catch_and_no_retry_of_everything_sees_it(self):
        calls = []
        functions["speaks"] = lambda payload: calls.append(1) or ok(sized(LIMIT))
        everything = {"ErrorEquals": ["States.ALL"]}
        for name in ("States.ALL", "States.TaskFailed"):
            calls.clear()
            everything = {"ErrorEquals": [name]}
            more = {"Retry": [{**everything, "IntervalSeconds": 1}], "Catch": [{**everything, "Next": "Caught"}]}
            states = {"Speaks": then("End", "speaks", **more), "End": {"Type": "Succeed"}, "Caught": {"Type": "Succeed"}}
            self.failed_for_its_size(self.run_machine(states, name=name.replace(".", "-")))
            self.assertEqual(1, len(calls))

    def test_other_errors_are_still_caught(self):
        functions["breaks"] = lambda payload: (200, {"X-Amz-Function-Error": "Unhandled"}, b'{"errorType": "Conflict"}')
        catch = [{"ErrorEquals": ["States.ALL"], "ResultPath": "$.error", "Next": "Caught"}]
        states = {"Breaks": then("End", "breaks", Catch=catch), "End": {"Type": "Succeed"}, "Caught": {"Type": "Succeed"}}
        found = self.run_machine(states)
        self.assertEqual(("SUCCEEDED", "Conflict"), (found["status"], found["output"]["error"]["Error"]))

    def test_no_catch_of_everything_sees_an_error_of_the_machine_itself(self):
        wrong = {"Type": "Pass", "Parameters": {"a.$": "$.nothing"}, "End": True}
        inside = {"ItemProcessor": {"StartAt": "Wrong", "States": {"Wrong": wrong}}, "ItemsPath": "$.items"}
        catch = [{"ErrorEquals": ["States.ALL"], "Next": "Caught"}]
        found = self.run_machine(
            {"All": {"Type": "Map", **inside, "Catch": catch, "End": True}, "Caught": {"Type": "Succeed"}}, {"items": [1]}
        )
        self.assertEqual(("FAILED", "States.Runtime"), (found["status"], found["error"]))

    def test_the_output_of_a_state(self):
        half = LIMIT * 6 // 10
        functions["speaks"] = lambda payload: ok(sized(half))
        one = then("Two", "speaks", ResultPath="$.one")
        self.failed_for_its_size(self.run_machine({"One": one, "Two": task("speaks", ResultPath="$.two")}))

    def test_what_parameters_make(self):
        calls = []
        functions["hears"] = lambda payload: calls.append(1) or ok({})
        twice = {"a.$": "$.x", "b.$": "$.x"}
        hears = task("hears")
        hears["Parameters"]["Payload"] = twice
        given = sized(LIMIT * 6 // 10)
        self.failed_for_its_size(self.run_machine({"Hears": hears}, given))
        self.assertEqual([], calls, "the function was invoked")
        shrinks = {"Type": "Pass", "Parameters": twice, "ResultPath": None, "End": True}
        self.failed_for_its_size(self.run_machine({"Shrinks": shrinks}, given, name="pass"))

    def test_what_a_map_and_a_parallel_state_bring_together(self):
        functions["speaks"] = lambda payload: ok("a" * (LIMIT // 3))
        one = {"StartAt": "Speaks", "States": {"Speaks": task("speaks", OutputPath="$.Payload")}}
        both = {"Type": "Parallel", "Branches": [one] * 3, "ResultSelector": {"few.$": "$[0]"}, "End": True}
        self.failed_for_its_size(self.run_machine({"Both": both}, name="parallel"))
        each = {"Type": "Map", "ItemsPath": "$.items", "ItemProcessor": one, "ResultPath": None, "End": True}
        self.failed_for_its_size(self.run_machine({"Each": each}, {"items": [1, 2, 3]}, name="map"))
        self.assertEqual("SUCCEEDED", self.run_machine({"Each": each}, {"items": [1, 2]}, name="fits")["status"])


class History(Running):
    LOOP = {"Again": {"Type": "Pass", "Next": "Look"}, "Look": {"Type": "Choice", "Choices": [
        {"Variable": "$.never", "IsPresent": True, "Next": "End"}], "Default": "Again"}, "End": {"Type": "Succeed"}}  # fmt: skip

    def history(self, arn):
        pages = self.client("stepfunctions", HUB).get_paginator("get_execution_history").paginate(executionArn=arn)
        return [event for page in pages for event in page["events"]]

    def full(self, found):
        self.assertEqual("FAILED", found["status"])
        self.assertIn("maximum number of history events", found["cause"])
        events = self.history(found["executionArn"])
        self.assertEqual(HISTORY_EVENTS, len(events))
        self.assertEqual("ExecutionFailed", events[-1]["type"])
        self.fails(
            "ExecutionNotRedrivable", self.client("stepfunctions", HUB).redrive_execution, executionArn=found["executionArn"]
        )

    def test_aws_takes_25000(self):
        self.assertEqual(25_000, config.HISTORY_EVENTS)

    def test_a_loop_without_end(self):
        self.full(self.run_machine(self.LOOP))

    def test_a_loop_within_a_map(self):
        each = {"Type": "Map", "ItemsPath": "$.items", "ItemProcessor": {"StartAt": "Again", "States": self.LOOP}, "End": True,
                "Catch": [{"ErrorEquals": ["States.ALL"], "Next": "Caught"}]}  # fmt: skip
        self.full(self.run_machine({"Each": each, "Caught": {"Type": "Succeed"}}, {"items": [{}, {}, {}]}))

    def test_the_last_place_is_for_the_end(self):
        # Started, entered and exited for each Pass, entered and exited for Succeed, and the end.
        passes = (HISTORY_EVENTS - 4) // 2
        self.assertEqual(0, HISTORY_EVENTS % 2)

        def machine(number):
            states = {f"P{i}": {"Type": "Pass", "Next": f"P{i + 1}"} for i in range(number)}
            return {**states, f"P{number}": {"Type": "Succeed"}}

        found = self.run_machine(machine(passes), name="fits")
        self.assertEqual("SUCCEEDED", found["status"])
        self.assertEqual(HISTORY_EVENTS, len(self.history(found["executionArn"])))
        self.full(self.run_machine(machine(passes + 1), name="exceeds"))

    def test_children_of_a_map_run_have_histories_of_their_own(self):
        passes = {f"P{i}": {"Type": "Pass", "Next": f"P{i + 1}"} for i in range(20)} | {"P20": {"Type": "Pass", "End": True}}
        processor = {"ProcessorConfig": {"Mode": "DISTRIBUTED", "ExecutionType": "STANDARD"}, "StartAt": "P0", "States": passes}
        each = {"Type": "Map", "ItemsPath": "$.items", "ItemProcessor": processor, "ResultPath": None, "End": True}
        items = list(range(HISTORY_EVENTS // 20))
        self.assertEqual("SUCCEEDED", self.run_machine({"Each": each}, {"items": items})["status"])
