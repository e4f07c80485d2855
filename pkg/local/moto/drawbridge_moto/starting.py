"""What moto does when it starts, and nobody here needs, is left out or done once. Imported before moto's services are.

Gaps:
  - the Regions of a service are listed by a new session each time, which reads all endpoints again
  - whatever needs a service's model reads it anew, looks through the folders of all services first, and keeps an order that dict has too
  - apigateway, which CloudFormation imports, imports a validator of OpenAPI documents and all that it is made of
  - what is made is looked through for circles of garbage after each 700 things, of which importing makes a million; most of what comes later is JSON
  - the types of machines that each Region offers are read from a hundred files
  - Flask's routes compile what writes an address of each, which moto never asks for

None of them is Drawbridge's own: each is ready to be offered to moto.
"""

import functools
import gc
import importlib.util
import json
import os
import sys
import threading
import types

import botocore.session
from botocore.loaders import JSONFileLoader, Loader
from moto.utilities import utils
from werkzeug.routing import rules

from .patching import MotoChanged, replace, require

gc.set_threshold(100_000, 20, 50)

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


_models = threading.RLock()  # who comes while a model is read waits for it
_read = {}


def _once(original, loader, *of):
    key = original, tuple(loader.search_paths), *of
    with _models:
        if key not in _read:
            _read[key] = original(loader, *of)
        return _read[key]


@replace(Loader, "load_service_model")
def load_service_model(original, self, service_name, type_name, api_version=None):
    return _once(original, self, service_name, type_name, api_version)


@replace(Loader, "list_available_services")
def list_available_services(original, self, type_name):
    return _once(original, self, type_name)


@replace(JSONFileLoader, "_load_file")
def load_file(_original, self, full_path, open_method):
    if not os.path.isfile(full_path):
        return None
    with open_method(full_path, "rb") as file:
        return json.loads(file.read())


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
