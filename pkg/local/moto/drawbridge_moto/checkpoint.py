"""Keeps what stands in accounts, and puts it back: POST /_drawbridge/keep?account=… and POST /_drawbridge/restore?kept=….

A test that plays one act many times builds its world once. Kept is what moto's backends hold of the accounts, in every
Region, what this package holds of them beside moto (holds), and the hub's ledger, which says what is Drawbridge's in them; not
what the hub holds besides, nor sessions, logs and stacks.
Both are for an engine in which nothing is under way.
"""

import copy
import itertools
import threading

from moto.core.base_backend import BackendDict
from moto.core.model_instances import reset_model_data
from moto.stepfunctions.parser.api import ExecutionStatus
from moto.stepfunctions.parser.models import stepfunctions_parser_backends

from . import config
from .patching import on_reset, require

require(BackendDict, "_instances")

# What no act of a story changes in its accounts, or what must outlive it: a function that is warm has its session.
_LEFT = {"cloudformation", "logs", "sts"}

_kept = {}
_beside = []  # dictionaries that are not in moto's backends, each with the function that tells whose an entry is
_number = itertools.count(1)
_busy = threading.Lock()


@on_reset
def _forget():
    _kept.clear()


def holds(things, accounts):
    """Says that a dictionary belongs to what is kept; accounts(value) are those that an entry concerns."""
    _beside.append((things, accounts))


def _concerning(things, whose, accounts):
    return {key: value for key, value in things.items() if accounts & whose(value)}


def _backends(accounts):
    for service in list(BackendDict._instances):
        if service.service_name not in _LEFT:
            for account in set(accounts) | ({config.HUB_ACCOUNT} if service.service_name == "dynamodb" else set()):
                if account in service:
                    yield from service[account].values()


def _shared():
    """What a copy refers to instead of copying it: the backends themselves, and what all accounts have alike."""
    memo = {}
    for service in list(BackendDict._instances):
        memo[id(service)] = service
        for account in service.values():
            memo[id(account)] = account
            for backend in account.values():
                memo[id(backend)] = backend
                for alike in ("amis", "snapshots", "volumes"):  # hundreds in each account, and no act changes one
                    memo.update((id(one), one) for one in getattr(backend, alike, {}).values())
    return memo


def keep(accounts):
    """Keeps what stands in the accounts; returns the number under which it is kept."""
    with _busy:
        accounts, backends = set(accounts), list(_backends(accounts))
        number = str(next(_number))
        # One copy, so that what refers to each other still does.
        state = [vars(backend) for backend in backends], [_concerning(*one, accounts) for one in _beside]
        _kept[number] = accounts, backends, copy.deepcopy(state, _shared())
    return number


def restore(number):
    """Puts back what is kept under the number. It can be put back again. What executions have ended is forgotten."""
    with _busy:
        accounts, backends, kept = _kept[number]
        states, beside = copy.deepcopy(kept, _shared())
        for backend, state in zip(backends, states, strict=True):
            vars(backend).clear()
            vars(backend).update(state)
        for (things, whose), entries in zip(_beside, beside, strict=True):
            for key in _concerning(things, whose, accounts):
                del things[key]
            things.update(entries)
        reset_model_data()  # moto lists every object that ever was, for its dashboard, and so keeps each copy alive
        for region in stepfunctions_parser_backends[config.HUB_ACCOUNT].values():
            for machine in region.state_machines:
                machine.executions[:] = [one for one in machine.executions if one.exec_status == ExecutionStatus.RUNNING]
