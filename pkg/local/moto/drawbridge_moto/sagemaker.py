"""Notebook instances that take time, have a network interface and tell EventBridge where they stand.

Gaps closed (https://docs.aws.amazon.com/sagemaker/latest/APIReference/):
  - notebooks jump to their final status; Pending, Stopping, Updating and Deleting are never seen, nor checked for
  - UpdateNotebookInstance and UpdateNotebookInstanceLifecycleConfig are missing
  - no NetworkInterfaceId, no limit on a lifecycle configuration, no filter by lifecycle configuration, tags that pile up
  - new instance types are refused
  - no "SageMaker Notebook Instance State Change" events
A passing status ends after PENDING_POLLS Describe answers or by itself after NOTEBOOK_SECONDS, whichever comes first.
"""

import base64
import binascii
import re

from moto.core.responses import ActionResult, EmptyResult
from moto.core.utils import utcnow
from moto.ec2.models import ec2_backends
from moto.moto_api._internal import mock_random
from moto.sagemaker.exceptions import ValidationError
from moto.sagemaker.models import (
    FakeSageMakerNotebookInstanceLifecycleConfig as LifecycleConfig,
)
from moto.sagemaker.models import (
    FakeSagemakerNotebookInstance as Notebook,
)
from moto.sagemaker.models import SageMakerModelBackend
from moto.sagemaker.responses import SageMakerResponse

from . import config, events
from .background import clock
from .patching import add, on_reset, replace, require

require(Notebook, "url", "is_deletable")
require(SageMakerModelBackend, "get_notebook_instance", "describe_notebook_instance_lifecycle_config")

# https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_NotebookInstanceLifecycleHook.html: the limit is on the
# encoded content.
_LIMIT = 16384


@on_reset
def _forget():
    clock.clear()


# --- status --------------------------------------------------------------------------------------------------------------


def enter(notebook, status, then=None):
    """Puts a notebook into a status and tells EventBridge; then is called when a passing status ends."""
    notebook.status = status
    notebook.last_modified_time = utcnow()
    notebook.turn = turn = object()
    notebook.polls, notebook.then = config.PENDING_POLLS, then
    _tell(notebook)
    if then is not None:
        if config.PENDING_POLLS <= 0:
            _leave(notebook, turn)
        else:
            # Who hears of a deletion still finds the notebook, as on AWS, where it takes minutes.
            clock.after(max(config.NOTEBOOK_SECONDS, 5 if status == "Deleting" else 0), _leave, notebook, turn)


def _leave(notebook, turn):
    if notebook.turn is turn and notebook.then is not None:
        then, notebook.then = notebook.then, None
        then()


def _tell(notebook):
    """The event of a captured real one: Tags as an object, times in milliseconds, the resource's ARN in lower case."""
    arn = notebook.arn.split(":")
    events.emit(
        arn[4],
        arn[3],
        "aws.sagemaker",
        "SageMaker Notebook Instance State Change",
        {
            "NotebookInstanceArn": notebook.arn,
            "NotebookInstanceName": notebook.notebook_instance_name,
            "NotebookInstanceStatus": notebook.status,
            "InstanceType": notebook.instance_type,
            "SubnetId": notebook.subnet_id,
            "SecurityGroups": notebook.security_group_ids or [],
            "NetworkInterfaceId": notebook.network_interface_id,
            "DirectInternetAccess": notebook.direct_internet_access,
            "KmsKeyId": notebook.kms_key_id,
            "RoleArn": notebook.role_arn,
            "NotebookInstanceLifecycleConfigName": notebook.lifecycle_config_name,
            "CreationTime": int(notebook.creation_time.timestamp() * 1000),
            "LastModifiedTime": int(notebook.last_modified_time.timestamp() * 1000),
            "Tags": {tag["Key"]: tag["Value"] for tag in notebook.tags},
        },
        [notebook.arn.lower()],
    )


def _must_be(notebook, allowed, wish):
    if notebook.status not in allowed:
        raise ValidationError(
            message=f"Status ({notebook.status}) not in ([{', '.join(allowed)}]). "
            f"Unable to transition to ({wish}) for Notebook Instance ({notebook.arn})."
        )


# --- notebook instances --------------------------------------------------------------------------------------------------


@replace(Notebook, "validate_instance_type")
def validate_instance_type(original, self, instance_type):
    if not re.fullmatch(r"ml\.[a-z][a-z0-9-]*\.(?:\d*x?large|medium|small|metal)", instance_type or ""):
        original(self, instance_type)


@replace(Notebook, "start")
def start(_original, self):
    # Called by moto at the end of creation and by StartNotebookInstance.
    if not hasattr(self, "turn"):
        self.network_interface_id = None
        return
    _must_be(self, ("Stopped", "Failed"), "Pending")
    enter(self, "Pending", lambda: enter(self, "InService"))


@replace(Notebook, "stop")
def stop(_original, self):
    _must_be(self, ("InService",), "Stopping")
    enter(self, "Stopping", lambda: enter(self, "Stopped"))


@replace(SageMakerModelBackend, "create_notebook_instance")
def create(original, self, *args, **kwargs):
    # https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_CreateNotebookInstance.html
    if name := kwargs.get("lifecycle_config_name"):
        _must_have_config(self, name)
    kwargs["tags"] = list(kwargs.get("tags") or [])
    notebook = original(self, *args, **kwargs)
    if notebook.subnet_id:
        notebook.network_interface_id = _interface(self, notebook)
    notebook.platform_identifier = "notebook-al2023-v1"
    enter(notebook, "Pending", lambda: enter(notebook, "InService"))
    return notebook


@replace(SageMakerResponse, "create_notebook_instance")
def create_call(original, self):
    result = original(self)
    if platform := self._get_param("PlatformIdentifier"):
        notebook = self.sagemaker_backend.get_notebook_instance(self._get_param("NotebookInstanceName"))
        notebook.platform_identifier = platform
    return result


def _interface(backend, notebook):
    """The network interface a notebook has in its subnet; only an id where nobody made that subnet."""
    ec2 = ec2_backends[backend.account_id][backend.region_name]
    if notebook.subnet_id in {subnet.id for subnet in ec2.describe_subnets()}:
        interface = ec2.create_network_interface(
            ec2.get_subnet(notebook.subnet_id),
            None,
            group_ids=notebook.security_group_ids,
            description=f"[Do not delete] SageMaker Notebook Instance {notebook.notebook_instance_name}",
        )
        return interface.id
    return "eni-" + mock_random.get_random_hex(17)


@replace(Notebook, "to_dict")
def to_dict(original, self):
    return original(self) | {
        "NetworkInterfaceId": self.network_interface_id,
        "PlatformIdentifier": getattr(self, "platform_identifier", None),
        "RootAccess": self.root_access or "Enabled",
    }


@replace(SageMakerResponse, "describe_notebook_instance")
def describe(original, self):
    result = original(self)
    notebook = self.sagemaker_backend.get_notebook_instance(self._get_param("NotebookInstanceName"))
    if notebook.then is not None:
        notebook.polls -= 1
        if notebook.polls <= 0:
            _leave(notebook, notebook.turn)
    return result


@replace(SageMakerModelBackend, "delete_notebook_instance")
def delete(_original, self, notebook_instance_name):
    notebook = self.get_notebook_instance(notebook_instance_name)
    _must_be(notebook, ("Stopped", "Failed"), "Deleting")
    enter(notebook, "Deleting", lambda: _gone(self, notebook))


def _gone(backend, notebook):
    backend.notebook_instances.pop(notebook.notebook_instance_name, None)
    ec2 = ec2_backends[backend.account_id][backend.region_name]
    if notebook.network_interface_id in ec2.enis:
        ec2.delete_network_interface(notebook.network_interface_id)


@replace(Notebook, "delete_from_cloudformation_json")
def delete_with_stack(_original, cls, resource_name, cloudformation_json, account_id, region_name):
    from moto.sagemaker.models import sagemaker_backends

    backend = sagemaker_backends[account_id][region_name]
    notebook = backend.notebook_instances.get(resource_name.split("/")[-1])
    if notebook is not None:
        notebook.then = None
        enter(notebook, "Deleting")
        _gone(backend, notebook)


@add(SageMakerResponse, "update_notebook_instance")
def update(self):
    # https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_UpdateNotebookInstance.html
    backend = self.sagemaker_backend
    notebook = backend.get_notebook_instance(self._get_param("NotebookInstanceName"))
    _must_be(notebook, ("Stopped", "Failed"), "Updating")
    name = self._get_param("LifecycleConfigName")
    if name and self._get_param("DisassociateLifecycleConfig"):
        raise ValidationError(message="LifecycleConfigName and DisassociateLifecycleConfig cannot both be given.")
    if name:
        _must_have_config(backend, name)
    if self._get_param("InstanceType"):
        notebook.validate_instance_type(self._get_param("InstanceType"))
    changes = {}
    for parameter, field in _UPDATABLE.items():
        if (value := self._get_param(parameter)) is not None:
            changes[field] = value
    for parameter, field in _REMOVABLE.items():
        if self._get_param(parameter):
            changes[field] = None

    def done():
        for field, value in changes.items():
            setattr(notebook, field, value)
        enter(notebook, "Stopped")

    enter(notebook, "Updating", done)
    return EmptyResult()


_UPDATABLE = {
    "InstanceType": "instance_type",
    "RoleArn": "role_arn",
    "LifecycleConfigName": "lifecycle_config_name",
    "VolumeSizeInGB": "volume_size_in_gb",
    "DefaultCodeRepository": "default_code_repository",
    "AdditionalCodeRepositories": "additional_code_repositories",
    "AcceleratorTypes": "accelerator_types",
    "RootAccess": "root_access",
    "PlatformIdentifier": "platform_identifier",
}
_REMOVABLE = {
    "DisassociateLifecycleConfig": "lifecycle_config_name",
    "DisassociateDefaultCodeRepository": "default_code_repository",
    "DisassociateAdditionalCodeRepositories": "additional_code_repositories",
    "DisassociateAcceleratorTypes": "accelerator_types",
}


@replace(SageMakerResponse, "list_notebook_instances")
def list_notebooks(original, self):
    result = original(self)
    if wanted := self._get_param("NotebookInstanceLifecycleConfigNameContains"):
        found = result.result["NotebookInstances"]
        result.result["NotebookInstances"] = [
            one for one in found if wanted in (one["NotebookInstanceLifecycleConfigName"] or "")
        ]
    return result


# --- lifecycle configurations --------------------------------------------------------------------------------------------


def _must_have_config(backend, name):
    if name not in backend.notebook_instance_lifecycle_configurations:
        arn = LifecycleConfig.arn_formatter(name, backend.account_id, backend.region_name)
        raise ValidationError(message=f"Notebook Instance Lifecycle Config '{arn}' does not exist.")


def _check_hooks(self):
    for hook, member in (("OnCreate", "onCreate"), ("OnStart", "onStart")):
        scripts = self._get_param(hook) or []
        if len(scripts) > 1:
            raise ValidationError(
                message=f"1 validation error detected: Value at '{member}' failed to satisfy constraint: "
                "Member must have length less than or equal to 1"
            )
        for script in scripts:
            content = script.get("Content") or ""
            if not 1 <= len(content) <= _LIMIT:
                raise ValidationError(
                    message=f"1 validation error detected: Value at '{member}.1.member.content' failed to satisfy "
                    f"constraint: Member must have length less than or equal to {_LIMIT}"
                    if content
                    else f"1 validation error detected: Value at '{member}.1.member.content' failed to satisfy "
                    "constraint: Member must have length greater than or equal to 1"
                )
            try:
                base64.b64decode(content, validate=True)
            except (binascii.Error, ValueError):
                raise ValidationError(message=f"The content of {hook} is not valid Base64.") from None


@replace(SageMakerResponse, "create_notebook_instance_lifecycle_config")
def create_config(original, self):
    _check_hooks(self)
    result = original(self)
    self.sagemaker_backend.notebook_instance_lifecycle_configurations[
        self._get_param("NotebookInstanceLifecycleConfigName")
    ].tags = list(self._get_param("Tags") or [])
    return result


@replace(SageMakerResponse, "describe_notebook_instance_lifecycle_config")
def describe_config(_original, self):
    name = self._get_param("NotebookInstanceLifecycleConfigName")
    self.sagemaker_backend.describe_notebook_instance_lifecycle_config(name)  # raises when there is none
    held = self.sagemaker_backend.notebook_instance_lifecycle_configurations[name]
    return ActionResult(
        {
            "NotebookInstanceLifecycleConfigArn": held.arn,
            "NotebookInstanceLifecycleConfigName": name,
            "OnCreate": held.on_create or [],
            "OnStart": held.on_start or [],
            "CreationTime": held.creation_time,
            "LastModifiedTime": held.last_modified_time,
        }
    )


@add(SageMakerResponse, "update_notebook_instance_lifecycle_config")
def update_config(self):
    # https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_UpdateNotebookInstanceLifecycleConfig.html
    # Both hooks are written: one that is not sent is gone afterwards.
    _check_hooks(self)
    name, backend = self._get_param("NotebookInstanceLifecycleConfigName"), self.sagemaker_backend
    held = backend.notebook_instance_lifecycle_configurations.get(name)
    if held is None:
        arn = LifecycleConfig.arn_formatter(name, backend.account_id, backend.region_name)
        raise ValidationError(
            message=f"Unable to update Notebook Instance Lifecycle Config '{arn}'. "
            "(Details: Notebook Instance Lifecycle Config does not exist.)"
        )
    held.on_create, held.on_start = self._get_param("OnCreate") or [], self._get_param("OnStart") or []
    held.last_modified_time = utcnow()
    return EmptyResult()


@add(SageMakerResponse, "list_notebook_instance_lifecycle_configs")
def list_configs(self):
    # https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_ListNotebookInstanceLifecycleConfigs.html
    wanted = self._get_param("NameContains") or ""
    return ActionResult(
        {
            "NotebookInstanceLifecycleConfigs": [
                {
                    "NotebookInstanceLifecycleConfigName": name,
                    "NotebookInstanceLifecycleConfigArn": held.arn,
                    "CreationTime": held.creation_time,
                    "LastModifiedTime": held.last_modified_time,
                }
                for name, held in sorted(self.sagemaker_backend.notebook_instance_lifecycle_configurations.items())
                if wanted in name
            ]
        }
    )


# --- tags ----------------------------------------------------------------------------------------------------------------


@replace(SageMakerModelBackend, "_get_resource_from_arn")
def resource_from_arn(original, self, arn):
    kind, _, name = arn.split(":")[-1].partition("/")
    if kind == "notebook-instance-lifecycle-config":
        found = self.notebook_instance_lifecycle_configurations.get(name)
        if found is not None and not hasattr(found, "tags"):
            found.tags = []
    else:
        found = original(self, arn)
    if found is None:
        raise ValidationError(message=f"Could not find {kind} with name {name}")
    if found.tags is None:
        found.tags = []
    return found


@replace(SageMakerModelBackend, "add_tags")
def add_tags(_original, self, arn, tags):
    resource = self._get_resource_from_arn(arn)
    merged = {tag["Key"]: tag["Value"] for tag in resource.tags} | {tag["Key"]: tag["Value"] for tag in tags}
    resource.tags = [{"Key": key, "Value": value} for key, value in merged.items()]
    return resource.tags
