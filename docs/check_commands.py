"""Holds commands of the AWS CLI against the AWS CLI itself, without calling AWS.

Reads a JSON list of commands, each a list of words, and prints a JSON list: for each command what is wrong with it, or
null. The CLI runs as always, up to the request: it reads the words, checks them against the model of the service, and takes
a sample of the answer that the model describes, through which --query goes.
"""

import contextlib
import io
import json
import os
import sys
from types import SimpleNamespace

os.environ.update(AWS_ACCESS_KEY_ID="none", AWS_SECRET_ACCESS_KEY="none", AWS_DEFAULT_REGION="us-east-1")

import jmespath  # noqa: E402
from awscli.clidriver import create_clidriver  # noqa: E402  (it reads the environment)
from botocore import xform_name  # noqa: E402
from botocore.utils import ArgumentGenerator  # noqa: E402


def wrong(words):
    driver, out, err, asked = create_clidriver(), io.StringIO(), io.StringIO(), []

    def answer(model, **_):
        asked.append(model)
        return SimpleNamespace(status_code=200), ArgumentGenerator(use_member_names=True).generate_skeleton(model.output_shape) if model.output_shape else {}

    driver.session.register("before-call", answer)
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        try:
            code = driver.main(words[1:] + ["--no-paginate"])
        except SystemExit as e:
            code = e.code
    if code:
        return err.getvalue().strip() or f"exit code {code}"
    if not asked:
        return "no operation was called"
    if "--query" in words and out.getvalue().strip() in ("", "null", "None", "[]"):
        return "--query finds nothing in a sample of the answer"
    return misspelt(asked[0], words) or unknown(asked[0], words)


def unknown(model, words):
    """A filter that names a field that no answer has lets everything or nothing through."""
    if "--query" not in words:
        return None
    fields, names = set(), set()

    def read(node):
        if node["type"] == "field":
            fields.add(node["value"])
        for child in node["children"]:
            read(child)

    def gather(shape):
        for name, member in getattr(shape, "members", {}).items():
            if name not in names:
                names.add(name)
                gather(member)
        if shape.type_name == "list":
            gather(shape.member)

    read(jmespath.compile(words[words.index("--query") + 1]).parsed)
    gather(model.output_shape)
    return f"--query names {sorted(fields - names)}, which no answer has" if fields - names else None


def misspelt(model, words):
    """The CLI leaves the values of enumerations to AWS."""
    members = model.input_shape.members if model.input_shape else {}
    for option, value in zip(words[3:], words[4:]):
        for name, shape in members.items():
            if option == "--" + xform_name(name, "-") and getattr(shape, "enum", None) and value not in shape.enum:
                return f"{option} is {value}, not one of {shape.enum}"
    return None


print(json.dumps([wrong(words) for words in json.load(sys.stdin)]))
