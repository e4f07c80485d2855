"""Drawbridge's local AWS: a moto server with the gaps closed that Drawbridge meets. Importing it changes moto in place."""

from . import (  # noqa: F401 - each import applies its corrections
    caller,
    changes,
    cloudformation,
    cloudtrail,
    dataapi,
    databases,
    distributedmap,
    ec2,
    endpoints,
    events,
    organizations,
    parameters,
    patching,
    peering,
    privilege,
    ram,
    sagemaker,
    stepfunctions,
    stepquotas,
    sts,
    studio,
    transitgateway,
)

patching.install_reset()
