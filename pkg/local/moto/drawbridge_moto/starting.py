"""What moto does when it starts, and nobody here needs, is left out or done once. Imported before moto's services are.

Gaps:
  - the Regions of a service are listed by a new session each time, which reads the service's whole model and all endpoints again
  - apigateway, which CloudFormation imports, imports a validator of OpenAPI documents and all that it is made of
  - the types of machines that each Region offers are read from a hundred files
  - Flask's routes compile what writes an address of each, which moto never asks for

None of them is Drawbridge's own: each is ready to be offered to moto.
"""

import functools
import importlib.util
import sys
import types

import botocore.session
from moto.utilities import utils
from werkzeug.routing import rules

from .patching import MotoChanged, replace, require

require(botocore.session.Session, "get_available_regions")
require(utils, "load_resource")


@replace(botocore.session.Session, "get_available_regions")
def regions(original, self, service_name, partition_name="aws", allow_non_regional=False):
    return list(_regions(original, service_name, partition_name, allow_non_regional))


@functools.cache
def _regions(original, *of):
    return tuple(original(_asked(), *of))


@functools.cache
def _asked():
    return botocore.session.Session()


@replace(utils, "load_resource")
def load_resource(original, path):
    return [] if "instance_type_offerings" in str(path) else original(path)


@replace(rules.Rule, "_compile_builder")
def compile_builder(original, self, append_unknown=True):
    def build(rule, **values):
        return original(rule, append_unknown).__get__(rule, None)(**values)

    return build


def _no_openapi():
    """Stands in for the validator: no document of OpenAPI is imported here."""

    class OpenAPIValidationError(Exception):
        pass

    def validate(*_args, **_kwargs):
        raise NotImplementedError("importing an API from a document")

    top, validation, exceptions = (types.ModuleType(f"openapi_spec_validator{of}") for of in ("", ".validation", ".validation.exceptions"))
    top.validate, exceptions.OpenAPIValidationError = validate, OpenAPIValidationError
    top.validation, validation.exceptions = validation, exceptions
    for module in (top, validation, exceptions):
        sys.modules[module.__name__] = module


if importlib.util.find_spec("openapi_spec_validator") is None:
    raise MotoChanged(f"moto does without openapi_spec_validator; see {__name__}")
_no_openapi()
