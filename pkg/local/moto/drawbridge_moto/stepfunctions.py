"""The Step Functions interpreter: fast waits, cached clients, named executions, and every step reported as it happens.

Gaps closed (https://docs.aws.amazon.com/step-functions/latest/dg/):
  - CloudFormation puts machines where the interpreter does not look
  - an execution without a name is called "None"; two calls at the same moment can both start under one name
  - a Wait of less than a second never ends; Wait and Retry cannot be shortened
  - a Lambda that cannot be reached fails as States.Runtime, which no Retry names
  - nobody hears of it when an execution starts or ends
The interpreter always calls as the hub account and ignores Credentials of a Task: roles are assumed in the functions.
"""

import http.client
import importlib
import json
import re
import threading
import time
import types
import urllib.parse

import boto3
import moto.stepfunctions.models as models
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError, EndpointConnectionError
from moto.core.config import default_user_config
from moto.core.exceptions import JsonRESTError
from moto.moto_api._internal import mock_random
from moto.settings import moto_server_port
from moto.stepfunctions.parser import models as parser_models
from moto.stepfunctions.parser.api import HistoryEventType, TaskFailedEventDetails
from moto.stepfunctions.parser.asl.component.common.error_name.custom_error_name import CustomErrorName
from moto.stepfunctions.parser.asl.component.common.error_name.failure_event import FailureEvent
from moto.stepfunctions.parser.asl.component.common.retry import retrier_decl
from moto.stepfunctions.parser.asl.component.state.exec.state_task import lambda_eval_utils
from moto.stepfunctions.parser.asl.component.state.exec.state_task.service.state_task_service_lambda import (
    StateTaskServiceLambda,
)
from moto.stepfunctions.parser.asl.component.state.wait.wait_function.wait_function import WaitFunction
from moto.stepfunctions.parser.asl.eval.environment import Environment
from moto.stepfunctions.parser.asl.eval.event.event_detail import EventDetails
from moto.stepfunctions.parser.asl.eval.event.event_manager import EventManager
from moto.stepfunctions.parser.asl.parse.asl_parser import AmazonStateLanguageParser
from moto.stepfunctions.parser.asl.utils import boto_client
from moto.stepfunctions.parser.backend import execution

from . import config, notify
from .patching import on_reset, replace, require

require(models, "stepfunctions_backends")
require(retrier_decl, "time")

default_user_config["stepfunctions"] = {"execute_state_machine": True}

# CloudFormation looks its backend up under this name.
models.stepfunctions_backends = parser_models.stepfunctions_parser_backends


# --- starting ------------------------------------------------------------------------------------------------------------

_starting = threading.Lock()
_NAME = re.compile(r"[^\x00-\x20\x7f-\x9f?*<>{}\[\]:;,\\|^~$#%&`\"/]{1,80}")


@replace(parser_models.StepFunctionsParserBackend, "start_execution")
def start_execution(original, self, state_machine_arn, name=None, execution_input=None, trace_header=None):
    # Same name and input while it runs: the same execution; otherwise ExecutionAlreadyExists.
    # https://docs.aws.amazon.com/step-functions/latest/apireference/API_StartExecution.html
    if name is None:
        name = str(mock_random.uuid4())
    elif not _NAME.fullmatch(name):
        raise JsonRESTError("InvalidName", f"Invalid Name: '{name}'")
    with _starting:
        return original(self, state_machine_arn, name, execution_input, trace_header)


_parsed = {}


@replace(AmazonStateLanguageParser, "parse")
def parse(original, definition):
    # A parsed definition keeps no state of its own (that is in the environment), and parsing takes 50 ms.
    if definition not in _parsed:
        if len(_parsed) >= 64:
            _parsed.clear()
        _parsed[definition] = original(definition)
    return _parsed[definition]


# --- waiting -------------------------------------------------------------------------------------------------------------


@replace(WaitFunction, "_wait_interval")
def wait_interval(_original, self, env, wait_seconds):
    until = time.monotonic() + wait_seconds * config.WAIT_SCALE
    while env.is_running() and (left := until - time.monotonic()) > 0:
        env.program_state_event.wait(left)


retrier_decl.time = types.SimpleNamespace(sleep=lambda seconds: time.sleep(seconds * config.WAIT_SCALE))


# --- calling -------------------------------------------------------------------------------------------------------------

_clients = {}
_making = threading.Lock()


@on_reset
def _forget():
    from moto.stepfunctions.parser import utils

    utils.TMP_THREADS[:] = [thread for thread in utils.TMP_THREADS if thread.is_alive()]


def client_for(region, service, state_credentials=None):
    """One client for each service and Region, with connections that are kept; making one takes 50 ms."""
    with _making:
        if (region, service) not in _clients:
            _clients[region, service] = boto3.session.Session().client(
                service,
                region_name=region,
                endpoint_url=f"http://127.0.0.1:{moto_server_port()}",
                aws_access_key_id=config.HUB_ACCOUNT,
                aws_secret_access_key="drawbridge",
                config=Config(
                    parameter_validation=False,
                    retries={"max_attempts": 0, "total_max_attempts": 1},
                    connect_timeout=10,
                    read_timeout=900,
                    max_pool_connections=64,
                ),
            )
        return _clients[region, service]


_idle_connections = []


def _connection():
    try:
        return _idle_connections.pop(), True
    except IndexError:
        return http.client.HTTPConnection("127.0.0.1", int(moto_server_port()), timeout=900), False


def invoke(function, payload, account=config.HUB_ACCOUNT, region="us-east-1", kind="RequestResponse"):
    """Invokes a function over a connection that is kept: the answer's status, headers and body."""
    path = f"/2015-03-31/functions/{urllib.parse.quote(function, safe='')}/invocations"
    headers = {
        "Authorization": f"AWS4-HMAC-SHA256 Credential={account}/20260101/{region}/lambda/aws4_request, "
        "SignedHeaders=host, Signature=0",
        "Content-Type": "application/json",
        "X-Amz-Invocation-Type": kind,
        "x-moto-account-id": account,
    }
    while True:
        connection, used = _connection()
        try:
            connection.request("POST", path, payload, headers)
            answer = connection.getresponse()
        except (http.client.HTTPException, OSError) as error:
            connection.close()
            # An idle connection may have been closed meanwhile; then nothing was invoked. Any other failure is one.
            if used and isinstance(error, (http.client.RemoteDisconnected, BrokenPipeError, ConnectionResetError)):
                continue
            raise EndpointConnectionError(endpoint_url=f"http://127.0.0.1:{moto_server_port()}", error=error) from error
        body = answer.read()
        if answer.will_close:
            connection.close()
        else:
            _idle_connections.append(connection)
        return answer.status, answer.headers, body


@replace(lambda_eval_utils, "_invoke_lambda_function")
def invoke_for_task(_original, parameters, region, state_credentials):
    # https://docs.aws.amazon.com/lambda/latest/api/API_Invoke.html
    kind = parameters.get("InvocationType") or "RequestResponse"
    status, headers, body = invoke(parameters["FunctionName"], parameters.get("Payload") or b"{}", region=region, kind=kind)
    text = body.decode()
    if status >= 300:
        try:
            answer = json.loads(text)
        except ValueError:
            answer = {}
        code = (headers.get("x-amzn-ErrorType") or answer.get("__type") or answer.get("Type") or "Unknown").split(":")[0]
        code = code.split("#")[-1]
        message = answer.get("message") or answer.get("Message") or text
        metadata = {"HTTPStatusCode": status, "RequestId": headers.get("x-amzn-RequestId", "")}
        raise ClientError({"Error": {"Code": code, "Message": message}, "ResponseMetadata": metadata}, "Invoke")
    try:
        payload = json.loads(text) if text else None
    except ValueError:
        payload = text
    response = {"StatusCode": status, "ExecutedVersion": headers.get("X-Amz-Executed-Version", "$LATEST"), "Payload": payload}
    if failed := headers.get("X-Amz-Function-Error"):
        response["FunctionError"] = failed
    return response


_PARSER = "moto.stepfunctions.parser.asl.component.state.exec"
for _module in (
    boto_client,
    lambda_eval_utils,
    *(
        importlib.import_module(f"{_PARSER}.state_task.service.state_task_service_{name}")
        for name in ("aws_sdk", "batch", "dynamodb", "ecs", "events", "glue", "sfn", "sns", "sqs", "unsupported")
    ),
):
    require(_module, "boto_client_for")
    _module.boto_client_for = client_for


@replace(StateTaskServiceLambda, "_from_error")
def from_error(original, self, env, ex):
    if not isinstance(ex, BotoCoreError):
        return original(self, env, ex)
    # https://docs.aws.amazon.com/step-functions/latest/dg/concepts-error-handling.html names this for a failed call
    error = "Lambda.SdkClientException"
    return FailureEvent(
        env=env,
        error_name=CustomErrorName(error),
        event_type=HistoryEventType.TaskFailed,
        event_details=EventDetails(
            taskFailedEventDetails=TaskFailedEventDetails(
                error=error, cause=str(ex), resource=self._get_sfn_resource(), resourceType=self._get_sfn_resource_type()
            )
        ),
    )


# --- events --------------------------------------------------------------------------------------------------------------

require(execution, "Execution", "BaseExecutionWorkerCommunication")


@replace(execution.Execution, "start")
def start(original, self):
    _changed(self, "RUNNING")
    original(self)


@replace(execution.BaseExecutionWorkerCommunication, "terminated")
def terminated(original, self):
    original(self)
    _changed(self.execution, self.execution.exec_status.value)


def _changed(of, status):
    # https://docs.aws.amazon.com/step-functions/latest/dg/eventbridge-integration.html
    from . import events

    machine = getattr(of.state_machine, "source_arn", None) or of.state_machine.arn
    detail = {
        "executionArn": of.exec_arn,
        "stateMachineArn": machine,
        "name": of.name,
        "status": status,
        "startDate": _milliseconds(of.start_date),
        "stopDate": _milliseconds(of.stop_date),
        "input": of.execution_input,
        "output": json.dumps(of.output) if status == "SUCCEEDED" else None,
        "inputDetails": {"included": True},
        "outputDetails": {"included": True} if status == "SUCCEEDED" else None,
        "error": of.error,
        "cause": of.cause,
    }
    kind = "Step Functions Execution Status Change"
    events.emit(of.account_id, of.region_name, "aws.states", kind, detail, [of.exec_arn])


def _milliseconds(moment):
    return int(moment.timestamp() * 1000) if moment else None


# --- telling -------------------------------------------------------------------------------------------------------------


@replace(Environment, "__init__")
def environment(original, self, *args, **kwargs):
    original(self, *args, **kwargs)
    context = kwargs.get("context") or args[2]
    self.event_manager.execution = (context["Execution"]["Id"], context["StateMachine"]["Name"])


@replace(EventManager, "_publish_history_event")
def publish_history_event(original, self, *args, **kwargs):
    original(self, *args, **kwargs)
    arn, machine = getattr(self, "execution", ("", ""))
    notify.send("history", executionArn=arn, stateMachine=machine, event=self._history_event_list[-1])
