"""What a tag may be: 50 a resource, the length of key and value, characters, the reserved prefix.

Gap: moto counts the tags of EC2 and looks at keys of IAM; everything else it takes as it comes.
https://docs.aws.amazon.com/tag-editor/latest/userguide/best-practices-and-strats.html
EC2 takes any character, "other AWS services are more restrictive":
https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/Using_Tags.html#tag-restrictions
The rules are checked for the services whose resources carry tags of Drawbridge's, or tags that ask something of it.
"""

import unicodedata

from moto.iam.models import IAMBackend
from moto.rds.models import RDSBackend
from moto.redshift.models import RedshiftBackend
from moto.sagemaker.models import SageMakerModelBackend

from .checks import Refused, check
from .patching import replace

KEY, VALUE, COUNT = 128, 256, 50

# [\p{L}\p{Z}\p{N}_.:/=+\-@]*: letters, blanks and numbers of any script, and these.
# https://docs.aws.amazon.com/IAM/latest/APIReference/API_Tag.html
# https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_Tag.html
# https://docs.aws.amazon.com/AmazonRDS/latest/APIReference/API_Tag.html
_ALSO = set("_.:/=+-@")
_PATTERN = r"([\p{L}\p{Z}\p{N}_.:/=+\-@]*)"


def lawful(text):
    """True if all services take the characters of a tag's key or value."""
    return all(one in _ALSO or unicodedata.category(one)[0] in "LZN" for one in text)


def faults(tags, characters=True):
    """What is wrong with tags, as (part, text, constraint), one after the other."""
    for number, tag in enumerate(tags, 1):
        for part, limit, least in (("key", KEY, 1), ("value", VALUE, 0)):
            text = tag.get(part.capitalize()) or ""
            if len(text) < least:
                yield f"tags.{number}.member.{part}", text, f"Member must have length greater than or equal to {least}"
            if len(text) > limit:
                yield f"tags.{number}.member.{part}", text, f"Member must have length less than or equal to {limit}"
            if characters and not lawful(text):
                yield f"tags.{number}.member.{part}", text, f"Member must satisfy regular expression pattern: {_PATTERN}"


def _reserved(tags):
    return next((tag["Key"] for tag in tags if (tag.get("Key") or "").lower().startswith("aws:")), None)


def _repeated(tags):
    keys = [tag.get("Key") for tag in tags]
    return next((key for key in keys if keys.count(key) > 1), None)


@check("ec2")
def ec2(given):
    # TagLimitExceeded is moto's own. https://docs.aws.amazon.com/AWSEC2/latest/APIReference/errors-overview.html
    if "Resources" in given and "Tags" in given:
        tags = given["Tags"]
    else:
        tags = [tag for spec in given.get("TagSpecifications") or [] for tag in spec.get("Tags") or []]
    if not isinstance(tags, list):
        return
    for part, text, _ in faults(tags, characters=False):
        part, limit = ("key", KEY) if part.endswith("key") else ("value", VALUE)
        if not text:
            raise Refused("InvalidParameterValue", "Tag key cannot be empty.")
        raise Refused("InvalidParameterValue", f"Tag {part} exceeds the maximum length of {limit} characters")
    if _reserved(tags):
        raise Refused("InvalidParameterValue", "Tag keys starting with 'aws:' are reserved for internal use")
    for spec in given.get("TagSpecifications") or [{"Tags": tags}]:
        if (key := _repeated(spec.get("Tags") or [])) is not None:
            raise Refused("InvalidParameterValue", f"Duplicate tag key '{key}' specified.")


def _validated(service, code, reserved):
    @check(service)
    def tagged(given):
        tags = given.get("Tags")
        if not isinstance(tags, list):
            return
        for where, text, constraint in faults(tags):
            raise Refused(
                code, f"1 validation error detected: Value '{text}' at '{where}' failed to satisfy constraint: {constraint}"
            )
        if (key := _reserved(tags)) is not None:
            raise Refused(reserved, f"Tag keys that begin with 'aws:' are reserved for system use: {key}")
        if (key := _repeated(tags)) is not None:
            raise Refused(reserved, f"Duplicate tag keys found: {key}")


# https://docs.aws.amazon.com/IAM/latest/APIReference/API_TagRole.html
_validated("iam", "ValidationError", "InvalidInput")
# https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_AddTags.html
_validated("sagemaker", "ValidationException", "ValidationException")
# https://docs.aws.amazon.com/AmazonRDS/latest/APIReference/API_AddTagsToResource.html
_validated("rds", "InvalidParameterValue", "InvalidParameterValue")
# https://docs.aws.amazon.com/redshift/latest/APIReference/API_CreateTags.html
_validated("redshift", "InvalidTagFault", "InvalidTagFault")


# --- 50 a resource -------------------------------------------------------------------------------------------------------


def _must_have_room(held, tags, code, message):
    if len({tag["Key"] for tag in [*held, *tags]}) > COUNT:
        raise Refused(code, message)


@replace(IAMBackend, "tag_role")
def tag_role(original, self, role_name, tags):
    # https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html
    _must_have_room(self.get_role(role_name).tags, tags, "LimitExceeded", f"Cannot exceed quota for TagsPerRole: {COUNT}")
    return original(self, role_name, tags)


@replace(SageMakerModelBackend, "add_tags")
def sagemaker_tags(original, self, arn, tags):
    held = getattr(self._get_resource_from_arn(arn), "tags", None) or []
    _must_have_room(held, tags, "ResourceLimitExceeded", f"The maximum number of tags on {arn} is {COUNT}.")
    return original(self, arn, tags)


@replace(RDSBackend, "add_tags_to_resource")
def rds_tags(original, self, arn, tags):
    # The code is ours: the API names none. https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/USER_Tagging.html
    held = getattr(self._get_resource_for_tagging(arn), "tags", None) or []
    _must_have_room(held, tags, "InvalidParameterValue", f"The number of tags on {arn} exceeds {COUNT}.")
    return original(self, arn, tags)


@replace(RedshiftBackend, "create_tags")
def redshift_tags(original, self, resource_name, tags):
    # https://docs.aws.amazon.com/redshift/latest/APIReference/API_CreateTags.html
    held = self._get_resource_from_arn(resource_name).tags or []
    _must_have_room(held, tags, "TagLimitExceededFault", "You have exceeded the number of tags allowed.")
    return original(self, resource_name, tags)
