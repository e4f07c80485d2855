"""The records of RAM's calls, and what Drawbridge's roles need for them (demands.py).

Gap closed: nothing is recorded, in the caller's account or elsewhere.
"""

import json

from moto.core.exceptions import JsonRESTError
from moto.ram.responses import ResourceAccessManagerResponse

from . import cloudtrail, demands, ram  # noqa: F401 - its calls are recorded as they answer
from .patching import replace


def _recorded(method, name):
    @replace(ResourceAccessManagerResponse, method)
    def call(original, self):
        try:
            answer = original(self)
        except JsonRESTError as error:
            cloudtrail.record(self, "ram", name, self.request_params, None, error)
            raise
        cloudtrail.record(self, "ram", name, self.request_params, json.loads(answer))
        return answer


for _method, _name in (
    ("create_resource_share", "CreateResourceShare"),
    ("associate_resource_share", "AssociateResourceShare"),
    ("disassociate_resource_share", "DisassociateResourceShare"),
    ("delete_resource_share", "DeleteResourceShare"),
    ("update_resource_share", "UpdateResourceShare"),
    ("accept_resource_share_invitation", "AcceptResourceShareInvitation"),
    ("reject_resource_share_invitation", "RejectResourceShareInvitation"),
):
    _recorded(_method, _name)


# --- what the calls need -------------------------------------------------------------------------------------------------
# https://docs.aws.amazon.com/service-authorization/latest/reference/list_awsresourceaccessmanagerram.html


def _share(call):
    return call.on(call.get("resourceShareArn"))


def _invitation(call):
    return call.on(call.get("resourceShareInvitationArn"))


demands.CALLS |= {
    "ram:AcceptResourceShareInvitation": _invitation,
    "ram:AssociateResourceShare": _share,
    "ram:CreateResourceShare": lambda call: [demands.Demand("ram:CreateResourceShare")],
    "ram:DeleteResourceShare": _share,
    "ram:DisassociateResourceShare": _share,
    "ram:RejectResourceShareInvitation": _invitation,
    "ram:UpdateResourceShare": _share,
}
demands.ON_EVERYTHING |= {
    "ram:GetResourceShares",
    "ram:GetResourceShareAssociations",
    "ram:GetResourceShareInvitations",
    "ram:ListPrincipals",
    "ram:ListResources",
}
