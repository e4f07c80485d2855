"""Drawbridge's local AWS: a moto server with the gaps closed that Drawbridge meets. Importing it changes moto in place."""

from . import (  # noqa: F401 - each import applies its corrections
    caller,
    cloudtrail,
    events,
    patching,
    peering,
    stepfunctions,
)

patching.install_reset()
