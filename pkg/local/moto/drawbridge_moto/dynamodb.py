"""DynamoDB as the ledger needs it: one call at a time, transactions that happen whole or not at all, once for each token.

Gaps closed:
  - a transaction copies the whole table and, if it is cancelled, puts the copy in the table's place: writes of others in
    between are lost, and whoever holds the table holds the old one
    https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/transaction-apis.html
  - ClientRequestToken is not read: a transaction that is sent again, as the SDK does when the answer was lost, is made again
    https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_TransactWriteItems.html
  - the items of a transaction may be of any size together
  - a Query of a table goes through all of it, sorted, where it needs one partition: with some thousand items that is most of its time
  - CloudFormation: point-in-time recovery and the attribute of expiry are dropped
    https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-dynamodb-table.html
"""

import copy
import inspect
import json
import threading
import time

from moto.core.responses import ActionResult
from moto.dynamodb import models
from moto.dynamodb.comparisons import get_filter_expression
from moto.dynamodb.exceptions import (
    ConditionalCheckFailed,
    MockValidationException,
    MultipleTransactionsException,
    TooManyTransactionsException,
    TransactionCanceledException,
    TransactWriteSingleOpException,
)
from moto.dynamodb.models import DynamoDBBackend, Table
from moto.dynamodb.models.dynamo_type import Item
from moto.dynamodb.responses import DynamoHandler

from .checks import Refused
from .patching import on_reset, replace, require

require(DynamoDBBackend, "get_table", "get_keys_value", "get_item", "put_item", "update_item", "delete_item", "update_time_to_live")
require(DynamoDBBackend, "update_continuous_backups")
require(Table, "get_item", "delete_item", "query", "all_items")
require(Item, "size")
require(models, "dynamodb_backends")

# https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Constraints.html#limits-dynamodb-transactions
ACTIONS, BYTES, TOKEN_SECONDS = 100, 4 * 1024 * 1024, 600

_one_at_a_time = threading.RLock()
_queried = threading.local()  # .key is the partition of the query under way, if it is one of the table itself
_tokens = {}  # (account, Region, token) → when it was used, and the request


@on_reset
def _forget():
    _tokens.clear()


@replace(DynamoHandler, "call_action")
def call_action(original, self):
    # moto looks, decides and writes without a lock, and its server has many threads.
    with _one_at_a_time:
        return original(self)


@replace(DynamoHandler, "transact_write_items")
def transact_write_items(original, self):
    token = self.body.get("ClientRequestToken")
    if not token:
        return original(self)
    now, request = time.monotonic(), json.dumps(self.body, sort_keys=True, default=str)
    while _tokens and now - next(iter(_tokens.values()))[0] > TOKEN_SECONDS:  # the oldest are first
        del _tokens[next(iter(_tokens))]
    key = self.current_account, self.region, token
    if key in _tokens:
        if _tokens[key][1] != request:
            raise Refused(
                "IdempotentParameterMismatchException",
                "DynamoDB rejected the request because you retried a request with a different payload but with an "
                "idempotent token that was already used.",
            )
        return ActionResult({"ConsumedCapacity": [], "ItemCollectionMetrics": {}})
    answer = original(self)
    _tokens[key] = now, request  # one that was cancelled may be tried again
    return answer


@replace(DynamoDBBackend, "transact_write_items")
def write(_original, self, transact_items):
    if len(transact_items) > ACTIONS:
        raise TooManyTransactionsException()
    before, reasons = {}, []
    try:
        for action in transact_items:
            if len(action) != 1:
                raise TransactWriteSingleOpException
            ((kind, given),) = action.items()
            table = self.get_table(given["TableName"])
            hash_key, range_key = self.get_keys_value(table, given["Item"] if kind == "Put" else given["Key"])
            row = table.name, hash_key, range_key
            if row in before:
                raise MultipleTransactionsException()
            held = table.get_item(hash_key, range_key)
            before[row] = copy.deepcopy(held)
            reasons.append(_act(self, kind, given, held))
        if all(code is None for code, _, _ in reasons):
            after = (self.get_table(name).get_item(hash_key, range_key) for name, hash_key, range_key in before)
            if sum(one.size() for one in after if one is not None) > BYTES:
                raise MockValidationException("Transaction request exceeds the aggregate size limit of 4 MB")
            return
    except BaseException:
        _undo(self, before)
        raise
    _undo(self, before)
    raise TransactionCanceledException(reasons)


def _act(backend, kind, given, held):
    """Makes one action of a transaction; returns why it cannot be made, as (code, message, item), or Nones."""
    try:
        condition = get_filter_expression(
            given.get("ConditionExpression"), given.get("ExpressionAttributeNames"), given.get("ExpressionAttributeValues")
        )
        if not condition.expr(held):
            shown = given.get("ReturnValuesOnConditionCheckFailure") == "ALL_OLD" and held is not None
            return "ConditionalCheckFailed", ConditionalCheckFailed().message, held.to_json()["Attributes"] if shown else None
        if kind == "Put":
            backend.put_item(given["TableName"], given["Item"])
        elif kind == "Delete":
            backend.delete_item(given["TableName"], given["Key"])
        elif kind == "Update":
            backend.update_item(
                given["TableName"],
                given["Key"],
                update_expression=given["UpdateExpression"],
                expression_attribute_names=given.get("ExpressionAttributeNames"),
                expression_attribute_values=given.get("ExpressionAttributeValues"),
            )
        elif kind != "ConditionCheck":
            raise MockValidationException(f"unknown action {kind}")
    except MultipleTransactionsException:
        raise
    except MockValidationException as error:
        # What does not fit the item that is there: another type than the expression expects, more than 400 KB.
        return "ValidationError", error.message, None
    return None, None, None


def _undo(backend, before):
    for (name, hash_key, range_key), held in before.items():
        table = backend.get_table(name)
        table.delete_item(hash_key, range_key)
        if held is not None:
            if range_key:
                table.items[hash_key][range_key] = held
            else:
                table.items[hash_key] = held


_query = inspect.signature(Table.query)


@replace(Table, "query")
def query(original, *args, **kwargs):
    given = _query.bind(*args, **kwargs).arguments
    _queried.key = None if given.get("index_name") else given["hash_key"]
    try:
        return original(*args, **kwargs)
    finally:
        _queried.key = None


@replace(Table, "all_items")
def all_items(original, self):
    key = getattr(_queried, "key", None)
    if key is None:
        return original(self)
    found = self.items.get(key)
    if found is None:
        return []
    return sorted(found.values(), key=lambda item: item.range_key) if self.range_key_attr else [found]


@replace(Table, "create_from_cloudformation_json")
def from_cloudformation(original, cls, resource_name, cloudformation_json, account_id, region_name, **kwargs):
    table = original(cls, resource_name, cloudformation_json, account_id, region_name, **kwargs)
    given, backend = cloudformation_json["Properties"], models.dynamodb_backends[account_id][region_name]
    if expiry := given.get("TimeToLiveSpecification"):
        backend.update_time_to_live(table.name, {"Enabled": _true(expiry["Enabled"]), "AttributeName": expiry["AttributeName"]})
    if recovery := given.get("PointInTimeRecoverySpecification"):
        asked = {**recovery, "PointInTimeRecoveryEnabled": _true(recovery["PointInTimeRecoveryEnabled"])}
        backend.update_continuous_backups(table.name, asked)
    return table


def _true(value):
    return str(value).lower() == "true"
