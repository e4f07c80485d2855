"""The records of secrets and keys that are made, and of their tags.

Gap closed: nothing is recorded of them.
"""

import json

from moto.kms.responses import KmsResponse
from moto.secretsmanager.responses import SecretsManagerResponse

from . import cloudtrail, kms, secretsmanager  # noqa: F401 - their calls are recorded as they answer
from .patching import replace


def _recorded(owner, source, method, name, request, elements=lambda answer: None):
    @replace(owner, method)
    def call(original, self):
        answer = original(self)
        cloudtrail.record(self, source, name, request(self), elements(answer))
        return answer


def _given(*names):
    """The parameters of these names, as CloudTrail spells them."""

    def lower(value):
        if isinstance(value, dict):
            return {key[0].lower() + key[1:]: inner for key, inner in value.items()}
        return [lower(one) for one in value] if isinstance(value, list) else value

    return lambda self: {one[0].lower() + one[1:]: lower(self._get_param(one)) for one in names if self._get_param(one) is not None}


_recorded(SecretsManagerResponse, "secretsmanager", "tag_resource", "TagResource", _given("SecretId", "Tags"))
_recorded(SecretsManagerResponse, "secretsmanager", "untag_resource", "UntagResource", _given("SecretId", "TagKeys"))
_recorded(SecretsManagerResponse, "secretsmanager", "create_secret", "CreateSecret", _given("Name", "KmsKeyId", "Tags"))
_recorded(KmsResponse, "kms", "tag_resource", "TagResource", _given("KeyId", "Tags"))
_recorded(KmsResponse, "kms", "untag_resource", "UntagResource", _given("KeyId", "TagKeys"))
_recorded(
    KmsResponse, "kms", "create_key", "CreateKey", _given("Description", "Tags"),
    lambda answer: {"keyMetadata": {"keyId": json.loads(answer)["KeyMetadata"]["KeyId"]}},
)  # fmt: skip
