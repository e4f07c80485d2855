"""A small evaluator of the policies the engine enforces: who may assume a role, who may put events on a bus, and what the
roles of Drawbridge may do.

https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic.html
"""

import fnmatch
import re
from dataclasses import dataclass, field

from . import config


@dataclass
class Request:
    """What a policy is asked about: the caller, the thing, and the keys of the request."""

    account: str = ""
    principal_arn: str = ""
    session_arn: str = ""
    service: str = ""
    resource: str = ""
    keys: dict = field(default_factory=dict)

    def context(self):
        """The condition keys, lower case, as the lists of values they carry."""
        context = {"aws:principalaccount": self.account, "aws:principalarn": self.principal_arn}
        if self.service:
            context = {"aws:sourceaccount": self.account}
        elif config.member(self.account):
            context["aws:principalorgid"] = config.ORGANIZATION
            context["aws:principalorgpaths"] = [config.unit_path(self.account)]
        for key, value in self.keys.items():
            if value is not None:
                context[key.lower()] = value
        return {key: value if isinstance(value, list) else [value] for key, value in context.items()}


def allows(statements, action, request):
    """True if a statement allows the action for the request and none denies it."""
    return effect(statements, action, request) == "Allow"


def effect(statements, action, request):
    """What the statements say to the action: "Deny" if one denies it, else "Allow" if one allows it, else nothing."""
    found = None
    for statement in _list(statements):
        if not _applies(statement, action, request):
            continue
        found = statement.get("Effect", "Allow")
        if found == "Deny":
            break
    return found


def concerns(statement, action):
    """True if the statement is about the action, on whatever resource and condition."""
    if "Action" in statement and not any(_like(action.lower(), one.lower()) for one in _list(statement["Action"])):
        return False
    return "NotAction" not in statement or not any(_like(action.lower(), one.lower()) for one in _list(statement["NotAction"]))


def _applies(statement, action, request):
    if not concerns(statement, action):
        return False
    context = request.context()
    if "Resource" in statement and not any(_like(request.resource, _filled(one, context)) for one in _list(statement["Resource"])):
        return False
    if "Principal" in statement and not _is_principal(statement["Principal"], request):
        return False
    if "NotPrincipal" in statement and _is_principal(statement["NotPrincipal"], request):
        return False
    return _conditions_hold(statement.get("Condition") or {}, context)


def _filled(text, context):
    """A resource or a condition's value with its policy variables filled in. What is not known matches nothing.

    https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_variables.html
    """
    return _VARIABLE.sub(lambda match: str((context.get(match[1].lower()) or ["\x00"])[0]), str(text))


_VARIABLE = re.compile(r"\$\{([a-zA-Z0-9:_/-]+)\}")


def _is_principal(principal, request):
    # https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_principal.html
    if principal == "*":
        return True
    if request.service:
        return request.service in _list(principal.get("Service", []))
    for one in _list(principal.get("AWS", [])):
        one = str(one)
        if one in ("*", request.account, request.principal_arn, request.session_arn):
            return True
        if one in (f"arn:{config.PARTITION}:iam::{request.account}:root", f"arn:{config.PARTITION}:iam::*:root"):
            return True
    return False


def _conditions_hold(conditions, context):
    return all(
        _holds(operator, context.get(key.lower()), [_filled(one, context) for one in _list(wanted)])
        for operator, block in conditions.items()
        for key, wanted in block.items()
    )


def _holds(operator, have, wanted):
    # https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_condition_operators.html
    name = operator
    quantifier, _, rest = name.partition(":")
    if rest:
        name = rest
    if name == "Null":
        return (have is None) == (wanted[0].lower() == "true")
    optional = name.endswith("IfExists")
    name = name.removesuffix("IfExists")
    negative = name.removeprefix("String").removeprefix("Arn").startswith("Not")
    if have is None:
        return optional or negative or quantifier == "ForAllValues"
    test = _TESTS.get(name)
    if test is None:
        raise NotImplementedError(f"the engine does not evaluate the condition operator {operator}")
    found = [any(test(str(value), one) for one in wanted) for value in have]
    if quantifier == "ForAllValues":
        return not any(found) if negative else all(found)
    return not any(found) if negative else any(found)


def _like(value, pattern):
    return fnmatch.fnmatchcase(value, pattern.replace("[", "[[]"))


def _arn_like(value, pattern):
    have, want = value.split(":", 5), pattern.split(":", 5)
    return len(have) == len(want) == 6 and all(_like(one, other) for one, other in zip(have, want))


def _equal(value, wanted):
    return value == wanted


def _equal_ignoring_case(value, wanted):
    return value.lower() == wanted.lower()


_TESTS = {
    "StringEquals": _equal,
    "StringNotEquals": _equal,
    "StringEqualsIgnoreCase": _equal_ignoring_case,
    "StringNotEqualsIgnoreCase": _equal_ignoring_case,
    "StringLike": _like,
    "StringNotLike": _like,
    "ArnEquals": _arn_like,  # both ARN operators take wildcards
    "ArnNotEquals": _arn_like,
    "ArnLike": _arn_like,
    "ArnNotLike": _arn_like,
    "Bool": _equal_ignoring_case,
}


def _list(value):
    return value if isinstance(value, list) else [value]
