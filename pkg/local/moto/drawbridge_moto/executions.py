"""Step Functions says that an execution started or ended, and who stops one says why.

Gaps: moto says nothing; StopExecution drops its error and cause; GetExecutionHistory knows one order.
https://docs.aws.amazon.com/step-functions/latest/dg/eventbridge-integration.html
"""

import json

from moto.core.responses import ActionResult
from moto.core.utils import utcnow
from moto.stepfunctions.parser.asl.eval.program_state import ProgramStopped
from moto.stepfunctions.parser.backend import execution
from moto.stepfunctions.responses import StepFunctionResponse

from . import events
from .patching import replace, require
from .stepfunctions import RedrivenWorker

require(execution, "Execution", "BaseExecutionWorkerCommunication")


@replace(execution.Execution, "start")
def start(original, self):
    _changed(self, "RUNNING")
    original(self)


@replace(RedrivenWorker, "start")
def start_again(original, self):
    _changed(self._execution_communication.execution, "RUNNING")
    original(self)


@replace(execution.BaseExecutionWorkerCommunication, "terminated")
def terminated(original, self):
    original(self)
    ended = self.execution.exec_worker.env.program_state()
    if isinstance(ended, ProgramStopped):
        self.execution.error, self.execution.cause = ended.error, ended.cause
    _changed(self.execution, self.execution.exec_status.value)


@replace(StepFunctionResponse, "get_execution_history")
def history(_original, self):
    # https://docs.aws.amazon.com/step-functions/latest/apireference/API_GetExecutionHistory.html
    found = self.stepfunction_backend.get_execution_history(self._get_param("executionArn"))
    if self._get_param("reverseOrder"):
        found["events"] = found["events"][::-1]
    return ActionResult(found)


@replace(StepFunctionResponse, "stop_execution")
def stop(_original, self):
    # https://docs.aws.amazon.com/step-functions/latest/apireference/API_StopExecution.html
    of = self.stepfunction_backend.describe_execution(self._get_param("executionArn"))
    now = utcnow()
    of.stop(stop_date=now, error=self._get_param("error"), cause=self._get_param("cause"))
    return ActionResult({"stopDate": of.stop_date or now})


def _changed(of, status):
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
