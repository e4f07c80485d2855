"""What AWS refuses of a request before it looks at anything: lengths, characters, counts.

A check is a function of the request that raises Refused; it runs once the caller is known to be allowed the call.
"""

from moto.core.exceptions import ServiceException
from moto.core.responses import ActionResult, BaseResponse

from .patching import replace, require

require(BaseResponse, "_get_action", "_get_params", "_transform_response", "_enrich_response")

_checks = {}


class Refused(ServiceException):
    """An error in the words of the service."""

    def __init__(self, code, message, status=400):
        super().__init__(message)
        self.code, self.message, self.http_status = code, message, status


def check(service, *actions):
    """Decorates a function of the parameters of these actions of a service, named as moto names it; none: of all."""

    def decorate(function):
        for action in actions or ("*",):
            _checks.setdefault((service, action), []).append(function)
        return function

    return decorate


def answer(response, error):
    """What moto's response object answers with an error of its own."""
    status, headers, body = response.serialized(ActionResult(error))
    headers["status"] = status
    status, headers, body = response._transform_response(response.response_headers, (body, headers))
    headers, body = response._enrich_response(headers, body)
    return status, headers, body


@replace(BaseResponse, "call_action")
def call_action(original, self):
    wanted = _checks.get((self.service_name, "*"), []) + _checks.get((self.service_name, self._get_action()), [])
    if wanted:
        given = plain(self.params if self.service_name == "rds" else self._get_params())
        try:
            for one in wanted:
                one(given)
        except Refused as error:
            return answer(self, error)
    return original(self)


def plain(value):
    # moto shows RDS's parameters in snake case, and keeps them as they came.
    value = value.original_dict() if hasattr(value, "original_dict") else value
    if hasattr(value, "items"):
        return {key: plain(inner) for key, inner in value.items()}
    return [plain(inner) for inner in value] if isinstance(value, list) else value
