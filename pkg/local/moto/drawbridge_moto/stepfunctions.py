"""The Step Functions interpreter: fast waits, cached clients, named executions, and every step reported as it happens.

Gaps closed (https://docs.aws.amazon.com/step-functions/latest/dg/):
  - CloudFormation puts machines where the interpreter does not look
  - an execution without a name is called "None"; two calls at the same moment can both start under one name
  - a Wait of less than a second never ends; Wait and Retry cannot be shortened
  - a Lambda that cannot be reached fails as States.Runtime, which no Retry names
  - RedriveExecution is missing
The interpreter always calls as the hub account and ignores Credentials of a Task: roles are assumed in the functions.
"""

import copy
import datetime
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
from moto.core.exceptions import AWSError, JsonRESTError
from moto.core.responses import ActionResult
from moto.moto_api._internal import mock_random
from moto.settings import moto_server_port
from moto.stepfunctions.parser import models as parser_models
from moto.stepfunctions.parser.api import ExecutionStatus, HistoryEventType, StateMachineType, TaskFailedEventDetails
from moto.stepfunctions.parser.asl.component.common.error_name.custom_error_name import CustomErrorName
from moto.stepfunctions.parser.asl.component.common.error_name.failure_event import FailureEvent
from moto.stepfunctions.parser.asl.component.common.flow.start_at import StartAt
from moto.stepfunctions.parser.asl.component.common.retry import retrier_decl
from moto.stepfunctions.parser.asl.component.state.exec.state_task import lambda_eval_utils
from moto.stepfunctions.parser.asl.component.state.exec.state_task.service.state_task_service_lambda import (
    StateTaskServiceLambda,
)
from moto.stepfunctions.parser.asl.component.state.exec.state_map.iteration.iteration_worker import IterationWorker
from moto.stepfunctions.parser.asl.component.state.exec.state_map.state_map import StateMap
from moto.stepfunctions.parser.asl.component.state.state import CommonStateField
from moto.stepfunctions.parser.asl.component.state.wait.wait_function.wait_function import WaitFunction
from moto.stepfunctions.parser.asl.eval.environment import Environment
from moto.stepfunctions.parser.asl.eval.event.event_detail import EventDetails
from moto.stepfunctions.parser.asl.eval.event.event_manager import EventManager
from moto.stepfunctions.parser.asl.parse.asl_parser import AmazonStateLanguageParser
from moto.stepfunctions.parser.asl.utils import boto_client
from moto.stepfunctions.parser.backend.execution_worker import ExecutionWorker
from moto.stepfunctions.responses import StepFunctionResponse

from . import config, machines, notify, stepquotas
from .patching import add, on_reset, replace, require

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
    # A parsed definition keeps no state of its own (that is in the environment), and parsing takes 50 ms and more.
    if definition not in _parsed:
        if len(_parsed) >= 64:
            _parsed.clear()
        _parsed[definition] = machines.parsed(definition, original)
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


def invoke(function, payload, account=config.HUB_ACCOUNT, region=config.REGION, kind="RequestResponse"):
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


# --- redriving -----------------------------------------------------------------------------------------------------------
# https://docs.aws.amazon.com/step-functions/latest/dg/redrive-executions.html


class ExecutionNotRedrivable(AWSError):
    TYPE = "ExecutionNotRedrivable"
    STATUS = 400


@replace(CommonStateField, "_eval_body")
def enter_state(original, self, env):
    env.stands = self.name, env.states.get_input()  # where a redrive goes on
    original(self, env)


def _starting_at(program, name):
    one = copy.copy(program)
    one.start_at = StartAt(start_at_name=name)
    return one


class _Resumed:
    """The program of a Map's iteration that goes on at the state that failed, with the input of that state."""

    def __init__(self, program, stood):
        self._stood, self._program = stood, _starting_at(program, stood[0])

    def eval(self, env):
        env.states.reset(input_value=self._stood[1])
        self._program.eval(env)


@replace(StateMap, "_eval_execution")
def run_map(original, self, env):
    # What became of each iteration of the Map that runs now is kept with the execution's history, which its frames share.
    resumed, env.event_manager.resumed = getattr(env.event_manager, "resumed", None), None
    if resumed != self.name or env.event_manager.map_name != self.name:
        env.event_manager.map_name, env.event_manager.iterations = self.name, {}
    original(self, env)


@replace(IterationWorker, "_eval_job")
def run_iteration(original, self, env, job):
    manager, index = env.event_manager, job.job_index
    if getattr(manager, "map_name", None) != self._work_name:
        return original(self, env, job)  # of a Map inside a Map
    done, what = manager.iterations.get(index, (None, None))
    if done:
        job.job_output = what
        return None
    program = job.job_program
    if done is False:
        job.job_program = _Resumed(program, what)
    original(self, env, job)
    job.job_program = program
    if not self._env.is_running():
        return None  # another iteration failed meanwhile, and this one was stopped wherever it was
    if not isinstance(job.job_output, Exception):
        manager.iterations[index] = True, job.job_output
    elif stood := getattr(env, "stands", None):
        manager.iterations[index] = False, stood
    return None


class RedrivenWorker(ExecutionWorker):
    """Goes on where another worker failed: same execution, same definition, same input of the state; retries anew."""

    def __init__(self, failed, count):
        super().__init__(
            evaluation_details=failed._evaluation_details,
            exec_comm=failed._execution_communication,
            cloud_watch_logging_session=failed._cloud_watch_logging_session,
            activity_store=failed._activity_store,
        )
        self._failed, self._count = failed.env, count

    def _execution_logic(self):
        name, given = self._failed.stands
        program = _starting_at(self._get_evaluation_entrypoint(), name)
        env = self._get_evaluation_environment()
        env.event_manager = self._failed.event_manager  # one history
        env.event_manager.root = env
        env.variable_store = self._failed.variable_store
        env.states.reset(input_value=given)
        env.event_manager.resumed = name
        self.env = env
        env.event_manager.add_event(
            context=env.event_history_context,
            event_type=HistoryEventType.ExecutionRedriven,
            event_details=EventDetails(executionRedrivenEventDetails={"redriveCount": self._count}),
            update_source_event_id=False,
        )
        program.eval(env)
        self._execution_communication.terminated()


@add(parser_models.StepFunctionsParserBackend, "redrive_execution")
def redrive(self, arn):
    # https://docs.aws.amazon.com/step-functions/latest/apireference/API_RedriveExecution.html
    of = self.describe_execution(arn)
    with _starting:
        if of.exec_status not in (ExecutionStatus.FAILED, ExecutionStatus.ABORTED, ExecutionStatus.TIMED_OUT):
            raise ExecutionNotRedrivable(f"Execution is {of.status} and cannot be redriven")
        if of.sm_type != StateMachineType.STANDARD:
            raise ExecutionNotRedrivable("Only executions of Standard workflows can be redriven")
        if not stepquotas.redrivable(of):
            raise ExecutionNotRedrivable("The execution has too many events in its history to be redriven")
        of.redrive_count = getattr(of, "redrive_count", 0) + 1
        of.redrive_date = datetime.datetime.now(tz=datetime.timezone.utc)
        of.error = of.cause = of.stop_date = None
        of.exec_status = ExecutionStatus.RUNNING
        of.exec_worker = RedrivenWorker(of.exec_worker, of.redrive_count)
    of.exec_worker.start()
    return of


@add(StepFunctionResponse, "redrive_execution")
def answer_redrive(self):
    return ActionResult({"redriveDate": self.stepfunction_backend.redrive_execution(self._get_param("executionArn")).redrive_date})


@replace(StepFunctionResponse, "describe_execution")
def describe_execution(original, self):
    answer = original(self)
    of = self.stepfunction_backend.describe_execution(self._get_param("executionArn"))
    answer.result["redriveCount"] = getattr(of, "redrive_count", 0)
    if getattr(of, "redrive_date", None):
        answer.result["redriveDate"] = of.redrive_date
    return answer


# --- telling -------------------------------------------------------------------------------------------------------------


@replace(Environment, "__init__")
def environment(original, self, *args, **kwargs):
    original(self, *args, **kwargs)
    context = kwargs.get("context") or args[2]
    self.event_manager.execution = (context["Execution"]["Id"], context["StateMachine"]["Name"])
    self.event_manager.root = self


@replace(EventManager, "_publish_history_event")
def publish_history_event(original, self, *args, **kwargs):
    original(self, *args, **kwargs)
    arn, machine = getattr(self, "execution", ("", ""))
    notify.send("history", executionArn=arn, stateMachine=machine, event=self._history_event_list[-1])
