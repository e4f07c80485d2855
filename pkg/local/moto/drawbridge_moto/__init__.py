"""Drawbridge's local AWS: a moto server with the gaps closed that Drawbridge meets. Importing it changes moto in place."""

from . import (  # noqa: F401 - each import applies its corrections
    caller,
    changes,
    checks,
    cloudformation,
    cloudtrail,
    dataapi,
    databases,
    distributedmap,
    ec2,
    ec2quotas,
    endpoints,
    events,
    messagequotas,
    organizations,
    parameters,
    patching,
    peering,
    policyquotas,
    privilege,
    ram,
    sagemaker,
    stepfunctions,
    stepquotas,
    sts,
    studio,
    tags,
    transitgateway,
)

patching.install_reset()
