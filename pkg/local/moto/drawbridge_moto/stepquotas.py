"""What Step Functions does not carry: payloads of more than 256 KiB, histories of more than 25,000 events.

Gaps closed (https://docs.aws.amazon.com/step-functions/latest/dg/service-quotas.html):
  - sizes are measured with blanks that JSON does not need and with every letter beyond ASCII written as six
  - what a state hands to its task after Parameters, what a Map or a Parallel state brings together, and the input of
    StartExecution are not measured
  - Retry and Catch of States.ALL match States.DataLimitExceeded and States.Runtime, which AWS lets neither retry nor catch
  - an error of AWS's own that comes out of an iteration or a branch becomes States.Runtime
  - an execution may have any number of events in its history, and be redriven whatever their number
"""

import json
import threading

from moto.core.exceptions import JsonRESTError
from moto.stepfunctions.parser import quotas
from moto.stepfunctions.parser.api import ExecutionFailedEventDetails, HistoryEventType, TaskFailedEventDetails
from moto.stepfunctions.parser.asl.component.common.error_name.custom_error_name import CustomErrorName
from moto.stepfunctions.parser.asl.component.common.error_name.error_equals_decl import ErrorEqualsDecl
from moto.stepfunctions.parser.asl.component.common.error_name.failure_event import FailureEvent, FailureEventException
from moto.stepfunctions.parser.asl.component.common.error_name.states_error_name import StatesErrorName
from moto.stepfunctions.parser.asl.component.common.error_name.states_error_name_type import StatesErrorNameType
from moto.stepfunctions.parser.asl.component.common.parargs import Parargs
from moto.stepfunctions.parser.asl.component.state import state
from moto.stepfunctions.parser.asl.component.state.exec.state_map.iteration import iteration_worker
from moto.stepfunctions.parser.asl.component.state.exec.state_map.state_map import StateMap
from moto.stepfunctions.parser.asl.component.state.exec.state_parallel import branches_decl
from moto.stepfunctions.parser.asl.component.state.exec.state_parallel.state_parallel import StateParallel
from moto.stepfunctions.parser.asl.component.state.exec.state_task import state_task_lambda
from moto.stepfunctions.parser.asl.component.state.exec.state_task.service import state_task_service
from moto.stepfunctions.parser.asl.eval.environment import Environment
from moto.stepfunctions.parser.asl.eval.event.event_detail import EventDetails
from moto.stepfunctions.parser.asl.eval.event.event_manager import EventManager
from moto.stepfunctions.parser.asl.utils.encoding import _DateTimeEncoder
from moto.stepfunctions.parser.models import StepFunctionsParserBackend

from . import config
from .patching import replace, require

# "256 KiB of data as a UTF-8 encoded string", of the input or result of a task, a state or an execution.
PAYLOAD = 262_144


# --- sizes ---------------------------------------------------------------------------------------------------------------


def size(value):
    """The bytes of a payload as AWS counts them: JSON without blanks, in UTF-8."""
    text = value if isinstance(value, str) else json.dumps(value, cls=_DateTimeEncoder, separators=(",", ":"), ensure_ascii=False)
    return len(text.encode("utf-8", "surrogatepass"))


def fits(value):
    return size(value) <= PAYLOAD


require(quotas, "is_within_size_quota")
for _module in (quotas, state, state_task_lambda, state_task_service):
    require(_module, "is_within_size_quota")
    _module.is_within_size_quota = fits


def _must_fit(env, value, what):
    if fits(value):
        return
    kind = StatesErrorNameType.StatesStatesDataLimitExceeded
    cause = f"The state/task '{what}' returned a result with a size exceeding the maximum number of bytes service limit."
    details = TaskFailedEventDetails(error=kind.to_name(), cause=cause)
    raise FailureEventException(
        FailureEvent(
            env=env,
            error_name=StatesErrorName(typ=kind),
            event_type=HistoryEventType.TaskFailed,
            event_details=EventDetails(taskFailedEventDetails=details),
        )
    )


@replace(Parargs, "_eval_body")
def parameters(original, self, env):
    # "when, after Parameters processing, the input of a state is larger than the payload size quota"
    # https://docs.aws.amazon.com/step-functions/latest/dg/concepts-error-handling.html
    original(self, env)
    _must_fit(env, env.stack[-1], env.next_state_name)


def _brought_together(owner):
    @replace(owner, "_eval_execution")
    def run(original, self, env):
        original(self, env)
        if env.stack:
            _must_fit(env, env.stack[-1], self.name)


_brought_together(StateMap)
_brought_together(StateParallel)


@replace(StepFunctionsParserBackend, "start_execution")
def start_execution(original, self, state_machine_arn, name=None, execution_input=None, trace_header=None):
    # "Length Constraints: Maximum length of 262144", in bytes of UTF-8.
    # https://docs.aws.amazon.com/step-functions/latest/apireference/API_StartExecution.html
    if execution_input and size(execution_input) > PAYLOAD:
        raise JsonRESTError(
            "ValidationException",
            "1 validation error detected: Value at 'input' failed to satisfy constraint: "
            f"Member must have length less than or equal to {PAYLOAD}",
        )
    return original(self, state_machine_arn, name, execution_input, trace_header)


# --- what neither Retry nor Catch sees -----------------------------------------------------------------------------------

def _named(error_name):
    """The name of an error that comes out of an iteration or a branch; moto takes only errors that are not AWS's own."""
    if error_name and error_name.startswith("States."):
        return StatesErrorName.from_name(error_name)
    return CustomErrorName(error_name)


for _module in (iteration_worker, branches_decl):
    require(_module, "CustomErrorName")
    _module.CustomErrorName = _named


_TERMINAL = {
    StatesErrorNameType.StatesStatesDataLimitExceeded.to_name(),
    StatesErrorNameType.StatesRuntime.to_name(),
}


@replace(ErrorEqualsDecl, "_eval_body")
def error_equals(original, self, env):
    # States.ALL "can't catch the States.DataLimitExceeded terminal error type and runtime error types", nor does
    # States.TaskFailed; an error that comes out of a Map or a Parallel state is the same error.
    # https://docs.aws.amazon.com/step-functions/latest/dg/concepts-error-handling.html
    name = env.stack[-1]
    text = getattr(name, "error_name", None)
    original(self, env)
    if text in _TERMINAL and env.stack[-1] and all(one.error_name != text for one in self.error_names):
        env.stack[-1] = False


# --- the history ---------------------------------------------------------------------------------------------------------

_LAST = {
    HistoryEventType.ExecutionSucceeded,
    HistoryEventType.ExecutionFailed,
    HistoryEventType.ExecutionAborted,
    HistoryEventType.ExecutionTimedOut,
}


@replace(EventManager, "__init__")
def event_manager(original, self, *args, **kwargs):
    original(self, *args, **kwargs)
    self.room, self.overflown, self.end = threading.Lock(), False, None


@replace(EventManager, "add_event")
def add_event(original, self, context, event_type, event_details=None, timestamp=None, update_source_event_id=True):
    # "If the event number 25,000 isn't ExecutionSucceeded, … the state machine execution fails": the last place in the
    # history is kept for the end. The children of a Map Run have histories of their own.
    # https://docs.aws.amazon.com/step-functions/latest/dg/sfn-best-practices.html
    with self.room:
        full = len(self._history_event_list) >= config.HISTORY_EVENTS - 1
        if not full or event_type in _LAST or getattr(self, "of_map_run", False):
            return original(self, context, event_type, event_details, timestamp, update_source_event_id)
        told, self.overflown = self.overflown, True
    if told:
        return context.last_published_event_id  # what happens on the way to the end is not written any more
    raise _end(self.root)


def _end(env):
    """Ends an execution whose history is full; returns what to raise where it stood."""
    name = StatesErrorNameType.StatesRuntime
    cause = f"The execution reached the maximum number of history events ({config.HISTORY_EVENTS})."
    details = ExecutionFailedEventDetails(error=name.to_name(), cause=cause)
    event = FailureEvent(
        env=env,
        error_name=StatesErrorName(typ=name),
        event_type=HistoryEventType.ExecutionFailed,
        event_details=EventDetails(executionFailedEventDetails=details),
    )
    env.event_manager.end = details
    env.set_error(details)
    return FailureEventException(event)


@replace(Environment, "set_error")
def set_error(original, self, error):
    # The other iterations stop wherever they stand, each with an error of moto's own; the execution keeps why it ended.
    original(self, self.event_manager.end or error)


def redrivable(execution):
    """True if the history of an execution has room for a redrive: "less than 24,999" events.

    https://docs.aws.amazon.com/step-functions/latest/dg/redrive-executions.html
    """
    return len(execution.exec_worker.env.event_manager._history_event_list) < config.HISTORY_EVENTS - 1
