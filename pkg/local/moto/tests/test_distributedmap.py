import itertools

from .engine import HUB, functions, reports
from .test_stepfunctions import Running, failed, ok, task


def distributed(inner, **more):
    processor = {"ProcessorConfig": {"Mode": "DISTRIBUTED", "ExecutionType": "STANDARD"}, "StartAt": "Visit", "States": inner}
    return {"Type": "Map", "ItemsPath": "$.items", "ItemProcessor": processor, "End": True, **more}


class DistributedMaps(Running):
    numbers = itertools.count()

    def visits(self):
        """A function that fails for the item 2."""

        def visit(payload):
            item = payload["input"]["item"]
            return failed("Refused", "not this one") if item == 2 else ok(item * 10)

        functions["visit"] = visit
        answer = {"OutputPath": "$.Payload"}
        return {"Visit": task("visit", **answer)}

    def sweep(self, given=None, **more):
        selector = {"ItemSelector": {"item.$": "$$.Map.Item.Value", "of.$": "$.of"}}
        given = given or {"items": [1, 2, 3], "of": "all"}
        name = f"sweep-{next(self.numbers)}"  # a name belongs to one definition
        return self.run_machine({"Each": distributed(self.visits(), **selector, **more)}, given, name=name)

    def test_a_tolerated_failure_leaves_the_others_alone(self):
        ended = self.sweep(ToleratedFailurePercentage=100, MaxConcurrency=2)
        self.assertEqual("SUCCEEDED", ended["status"], ended)
        self.assertEqual([10, None, 30], ended["output"])

    def test_a_failure_fails_the_map_unless_it_is_tolerated(self):
        ended = self.sweep()
        self.assertEqual(("FAILED", "States.ExceedToleratedFailureThreshold"), (ended["status"], ended.get("error")), ended)
        self.assertEqual("FAILED", self.sweep(ToleratedFailurePercentage=33)["status"])
        self.assertEqual("SUCCEEDED", self.sweep(ToleratedFailurePercentage=34)["status"])
        self.assertEqual("SUCCEEDED", self.sweep(ToleratedFailureCount=1)["status"])

    def test_nothing_to_do_is_done(self):
        ended = self.sweep({"items": [], "of": "none"})
        self.assertEqual(("SUCCEEDED", []), (ended["status"], ended["output"]))

    def test_a_child_may_catch_and_the_map_may_be_followed(self):
        inner = self.visits()
        inner["Visit"]["Catch"] = [{"ErrorEquals": ["States.ALL"], "Next": "Missed", "ResultPath": "$.error"}]
        inner["Missed"] = {"Type": "Pass", "Parameters": {"missed.$": "$.item", "error.$": "$.error.Error"}, "End": True}
        each = distributed(inner, ItemSelector={"item.$": "$$.Map.Item.Value"}, ResultPath="$.answers")
        each.pop("End")
        ended = self.run_machine({"Each": {**each, "Next": "Done"}, "Done": {"Type": "Succeed"}}, {"items": [1, 2]}, start="Each")
        self.assertEqual([10, {"missed": 2, "error": "Refused"}], ended["output"]["answers"])
        self.assertEqual(["Done"], self.entered(ended["executionArn"])[-1:])

    def test_the_steps_of_children_are_told_as_those_of_their_execution(self):
        self.sweep(ToleratedFailurePercentage=100)

        def entered():
            return [r for r in list(reports) if r.get("kind") == "history" and r["event"]["type"] == "TaskStateEntered"]

        self.eventually(lambda: len(entered()) == 3)  # reports come after the answer
        self.assertTrue(all(r["executionArn"] for r in entered()))

    def entered(self, arn):
        history = self.client("stepfunctions", HUB).get_execution_history(executionArn=arn)["events"]
        return [e["stateEnteredEventDetails"]["name"] for e in history if "stateEnteredEventDetails" in e]
