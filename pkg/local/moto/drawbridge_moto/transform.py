"""What a rule's target gets of an event."""

import json
import re

from jsonpath_ng.ext import parse


def payload(target, event):
    """What a target gets: the event, a part of it, or a text of its own.

    https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-transform-target-input.html
    """
    if target.get("Input"):
        return target["Input"]
    if target.get("InputPath"):
        found = parse(target["InputPath"]).find(event)
        return json.dumps(found[0].value if found else None)
    if target.get("InputTransformer"):
        transformer = target["InputTransformer"]
        return _transformed(transformer["InputTemplate"], transformer.get("InputPathsMap", {}), event)
    return json.dumps(event)


def _transformed(template, paths, event):
    """A template with the values of its variables: as JSON, or as the text that they are where they stand within quotes.

    moto's own writes a text without quotes, wherever it stands.
    https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_InputTransformer.html
    """
    values = {"aws.events.event.ingestion-time": event["time"], "aws.events.event.json": event}
    for name, path in paths.items():
        found = parse(path).find(event)
        values[name] = found[0].value if found else ""
    out, quoted = "", False
    for token in re.split(r'(\\.|"|<[^<>"]+>)', template):
        quoted ^= token == '"'
        if token[:1] == "<" and token[1:-1] in values:
            value = values[token[1:-1]]
            token = json.dumps(value)
            if quoted:
                token = token[1:-1] if isinstance(value, str) else json.dumps(token)[1:-1]
        out += token
    return json.dumps(json.loads(out))
