"""A Distributed Map: each item a child execution of its own, of which some may fail.

Gaps closed (https://docs.aws.amazon.com/step-functions/latest/dg/state-map-distributed.html):
  - ToleratedFailureCount and ToleratedFailurePercentage are read and then forgotten: a Map Run never fails
  - a ToleratedFailurePercentage without a decimal point is a syntax error
  - what a child does is told to nobody, so that its steps cannot be followed or counted
Not as in AWS: a child is not an execution that can be described. Its context and its events are those of the execution
that the Map is in, as with an inline Map. An item whose child failed is null in the Map's output; AWS does not say what
it puts there, so nobody should count on it.
"""

import re

from moto.stepfunctions.parser.api import HistoryEventType, MapRunFailedEventDetails
from moto.stepfunctions.parser.asl.component.common.error_name.failure_event import FailureEvent, FailureEventException
from moto.stepfunctions.parser.asl.component.common.error_name.states_error_name import StatesErrorName
from moto.stepfunctions.parser.asl.component.common.error_name.states_error_name_type import StatesErrorNameType
from moto.stepfunctions.parser.asl.component.state.exec.state_map.iteration.distributed_iteration_component import (
    DistributedIterationComponent,
)
from moto.stepfunctions.parser.asl.component.state.exec.state_map.iteration.itemprocessor.distributed_item_processor import (
    DistributedItemProcessor,
)
from moto.stepfunctions.parser.asl.component.state.exec.state_map.iteration.itemprocessor.inline_item_processor_worker import (
    InlineItemProcessorWorker,
)
from moto.stepfunctions.parser.asl.component.state.exec.state_map.iteration.iteration_worker import IterationWorker
from moto.stepfunctions.parser.asl.eval.event.event_detail import EventDetails
from moto.stepfunctions.parser.asl.parse.asl_parser import AmazonStateLanguageParser

from .patching import replace, require

require(IterationWorker, "_eval_job")
require(InlineItemProcessorWorker, "_eval_input")

_EXCEEDED = StatesErrorNameType.StatesExceedToleratedFailureThreshold


_PERCENTAGE = re.compile(r'("ToleratedFailurePercentage"\s*:\s*\d+)(?=\s*[,}])')


@replace(AmazonStateLanguageParser, "parse")
def parse(original, definition):
    return original(_PERCENTAGE.sub(r"\1.0", definition))


class Child(InlineItemProcessorWorker):
    """Runs one child after the other; one that fails is counted and leaves the others alone."""

    def __init__(self, record, **rest):
        super().__init__(**rest)
        self._record = record

    def _eval_job(self, env, job):
        items = self._record.item_counter
        items.total.count()
        super()._eval_job(env, job)
        if isinstance(job.job_output, Exception):
            job.job_output = None
            items.failed.count()
        else:
            items.succeeded.count()


@replace(DistributedItemProcessor, "_create_worker")
def create_worker(_original, self, env, eval_input, job_pool):
    return Child(
        record=eval_input.map_run_record,
        work_name=eval_input.state_name,
        job_pool=job_pool,
        env=env,
        parameters=eval_input.parameters,
        item_selector=eval_input.item_selector,
    )


@replace(DistributedIterationComponent, "_map_run")
def map_run(original, self, env, eval_input):
    # The Map Run has an event manager of its own, since its children's events are not in the history of this execution.
    # They are told under its name all the same.
    context = env.states.context_object.context_object_data
    env.event_manager.execution = (context["Execution"]["Id"], context["StateMachine"]["Name"])
    env.event_manager.of_map_run = True  # its children's events count in histories of their own
    items = env.stack[-1]
    original(self, env, eval_input)
    failed = eval_input.map_run_record.item_counter.failed.get()
    few = failed <= eval_input.tolerated_failure_count
    tolerated = failed * 100 <= eval_input.tolerated_failure_percentage * len(items)
    if few or tolerated:
        return
    # https://docs.aws.amazon.com/step-functions/latest/dg/state-map-distributed.html#maprun-fail-threshold
    raise FailureEventException(
        FailureEvent(
            env=env,
            error_name=StatesErrorName(typ=_EXCEEDED),
            event_type=HistoryEventType.MapRunFailed,
            event_details=EventDetails(
                mapRunFailedEventDetails=MapRunFailedEventDetails(
                    error=_EXCEEDED.to_name(),
                    cause="The specified tolerated failure threshold was exceeded",
                )
            ),
        )
    )
