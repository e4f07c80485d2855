"""What moto does in a long way is done in a short one: answers stay the same, only sooner.

Gaps:
  - each member of an answer is looked for by an object that is made for it, with the whole path to the member
  - a value of DynamoDB, which is JSON as it stands, is taken apart and put together again by its shape: ten questions a value
  - a role is found by its ARN by making the ARNs of all roles of the account

None of them is Drawbridge's own: each is ready to be offered to moto.
"""

from moto.core import serialize
from moto.core.utils import MISSING, get_value
from moto.iam.models import IAMBackend

from .patching import replace, require

require(serialize, "DEFAULT_ALIAS_PROVIDERS")


@replace(serialize.ResponseSerializer, "get_value")
def member_of(original, self, value, key, shape):
    """The member of an object; the path to it is needed only where a member is transformed by its path."""
    picker = self._value_picker
    if type(picker) is serialize.XFormedAttributePicker and not picker.response_transformers:
        # As remembered.py keeps them, once they were asked for.
        names = getattr(shape, "_possible_keys", {}).get((type(value), key, tuple(picker.alias_providers)))
        if names is not None:
            for name in names:
                found = get_value(value, name, MISSING)
                if found is not MISSING:
                    return found
            return None
    return original(self, value, key, shape)


def _as_it_stands(value):
    """A value of DynamoDB as its JSON has it, or None where it must be made: of bytes, and of whatever is no such value.

    https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_AttributeValue.html
    """
    if type(value) is not dict or len(value) != 1:
        return None
    ((kind, inner),) = value.items()
    if kind in ("S", "N"):
        return value if type(inner) is str else None
    if kind in ("BOOL", "NULL"):
        return value if type(inner) is bool else None
    if kind in ("SS", "NS"):
        return value if type(inner) is list and all(type(one) is str for one in inner) else None
    if kind == "L" and type(inner) is list:
        made = [_as_it_stands(one) for one in inner]
        return None if None in made else {kind: made}
    if kind == "M" and type(inner) is dict:
        made = {name: _as_it_stands(one) for name, one in inner.items()}
        return None if None in made.values() else {kind: made}
    return None


@replace(serialize.BaseJSONSerializer, "_serialize_type_structure")
def structure(original, self, serialized, value, shape, key):
    if shape.name == "AttributeValue" and key and (made := _as_it_stands(value)) is not None:
        return self._default_serialize(serialized, made, shape, key)
    return original(self, serialized, value, shape, key)


@replace(IAMBackend, "get_role_by_arn")
def role_by_arn(original, self, arn):
    return role_among(self.roles.values(), arn) or original(self, arn)


def role_among(roles, arn):
    """The role with this ARN, or None."""
    name = arn.rsplit("/", 1)[-1]
    return next((role for role in list(roles) if role.name == name and role.arn == arn), None)
