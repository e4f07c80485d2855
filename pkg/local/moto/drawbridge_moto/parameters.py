"""Parameter Store says that a parameter was made, changed or deleted.

Gap: moto says nothing. What CloudFormation makes is not told here.
https://docs.aws.amazon.com/systems-manager/latest/userguide/sysman-paramstore-cwe.html
"""

from moto.ssm.responses import SimpleSystemManagerResponse

from . import config, events
from .patching import replace


@replace(SimpleSystemManagerResponse, "put_parameter")
def put_parameter(original, self):
    name = self._get_param("Name")
    was = name in self.ssm_backend._parameters
    answer = original(self)
    _say(self, name, "Update" if was else "Create")
    return answer


@replace(SimpleSystemManagerResponse, "delete_parameter")
def delete_parameter(original, self):
    answer = original(self)
    _say(self, self._get_param("Name"), "Delete")
    return answer


def _say(response, name, operation):
    held = response.ssm_backend._parameters.get(name)
    detail = {"operation": operation, "name": name, "type": held[-1].parameter_type if held else "String"}
    arn = f"arn:{config.PARTITION}:ssm:{response.region}:{response.current_account}:parameter/{name.lstrip('/')}"
    events.emit(response.current_account, response.region, "aws.ssm", "Parameter Store Change", detail, [arn])
