"""Service-linked roles: an account has one after it was made, by a call or by a service for a caller who may make it.

Gaps closed:
  - moto gives the role of a service a name of its own making; here AWS's, for the services that the engine plays
  - a second role of a service is an EntityAlreadyExists; AWS says InvalidInput, that the name has been taken
    https://docs.aws.amazon.com/IAM/latest/APIReference/API_CreateServiceLinkedRole.html
  - no service needs its role, and none makes it
"""

from moto.iam.exceptions import IAMException
from moto.iam.models import IAMBackend, iam_backends

from . import config, demands, privilege
from .patching import replace, require

require(IAMBackend, "create_role")

# https://docs.aws.amazon.com/vpc/latest/tgw/service-linked-roles.html
TRANSIT_GATEWAY = "transitgateway.amazonaws.com"

NAMES = {TRANSIT_GATEWAY: "AWSServiceRoleForVPCTransitGateway"}


@replace(IAMBackend, "create_service_linked_role")
def create_service_linked_role(original, self, service_name, description, suffix):
    given = NAMES.get(service_name)
    if given is None or suffix:
        return original(self, service_name, description, suffix)
    if exists(self.account_id, service_name):
        text = f"Service role name {given} has been taken in this account, please try a different suffix."
        raise IAMException("InvalidInput", text)
    made = original(self, service_name, description, suffix)
    made.name = given
    return made


def exists(account, service):
    """Whether the account has the role of the service."""
    return any(one.name == NAMES[service] for one in list(iam_backends[account][config.PARTITION].roles.values()))


def ensure(response, service):
    """A service makes its role for the caller of another call, if that caller may make it; whether it is there then."""
    account = response.current_account
    if not exists(account, service) and privilege.permitted(response, _demand(account, service)):
        iam_backends[account][config.PARTITION].create_service_linked_role(service, "", "")
    return exists(account, service)


def _demand(account, service):
    role = NAMES.get(service, f"AWSServiceRoleFor{service.split('.')[0]}")
    arn = f"arn:{config.PARTITION}:iam::{account}:role/aws-service-role/{service}/{role}"
    # https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles_create-service-linked-role.html#service-linked-role-permissions
    return demands.Demand("iam:CreateServiceLinkedRole", arn, {"iam:AWSServiceName": service})


demands.CALLS["iam:CreateServiceLinkedRole"] = lambda call: [_demand(call.account, call.get("AWSServiceName"))]
demands.KEYS.add("iam:awsservicename")
