"""What the local engine says to the questions that crosscheck puts to other judges: its patterns and its policies are
judged by their answers.

Standard input is {"buses", "cases"} as java/Ruler.java reads them, and the answer {"matches": [[rule] of each case]};
or {"policies": {name: [document]}, "requests": [{"policy", "action", "resource", "context"}]}, and the answer
{"allowed": [true or false of each request]}.
"""

import json
import sys

from drawbridge_moto import events, policy
from moto.events.models import EventPattern

assert events  # it makes moto's patterns reach into lists


def matches(question):
    buses = {
        bus: {name: EventPattern.load(json.dumps(pattern)) for name, pattern in rules.items()}
        for bus, rules in question["buses"].items()
    }
    return [
        sorted({name for bus in case["buses"] for name, rule in buses[bus].items() if rule.matches_event(case["event"])})
        for case in question["cases"]
    ]


def allowed(question):
    statements = {
        name: [statement for document in documents for statement in document["Statement"]]
        for name, documents in question["policies"].items()
    }
    return [
        policy.allows(
            statements[one["policy"]], one["action"], policy.Request(resource=one["resource"], keys=one["context"])
        )
        for one in question["requests"]
    ]


if __name__ == "__main__":
    asked = json.load(sys.stdin)
    json.dump({"matches": matches(asked)} if "cases" in asked else {"allowed": allowed(asked)}, sys.stdout)
