"""The RDS Data API: statements that pass the policies of the role, the secret and the key.

Gaps closed:
  - RDS EnableHttpEndpoint and DisableHttpEndpoint; Aurora clusters that say whether their HTTP endpoint is on
    https://docs.aws.amazon.com/AmazonRDS/latest/APIReference/API_EnableHttpEndpoint.html
  - rds-data ExecuteStatement asks nobody and answers nothing. Here it asks for what AWS asks for, and runs the statement
    https://docs.aws.amazon.com/rdsdataservice/latest/APIReference/API_ExecuteStatement.html

SIMULATED: the database. Each cluster has one SQLite database in memory instead of Aurora, with one user: its master user.
"""

import base64
import json
import sqlite3
import threading

from moto.core.responses import ActionResult
from moto.rds.models import DBCluster, rds_backends
from moto.rds.responses import RDSResponse
from moto.rdsdata.responses import RDSDataServiceResponse

from . import caller, demands, resourcepolicy, secretsmanager
from .patching import add, on_reset, replace, require

require(DBCluster, "http_endpoint_enabled", "enable_http_endpoint", "master_user_password")


# --- the HTTP endpoint of a cluster --------------------------------------------------------------------------------------


def find_cluster(arn):
    backend = resourcepolicy.find(rds_backends, arn, "", "")
    clusters = backend.clusters.values() if backend else []
    return next((one for one in clusters if one.db_cluster_arn == arn), None)


def _endpoint(response, on):
    arn = response.params.get("ResourceArn") or ""
    cluster = find_cluster(arn)
    if cluster is None or arn.split(":")[4] != response.current_account:
        raise resourcepolicy.Refused("DBClusterNotFoundFault", f"DBCluster {arn} not found.", 404)
    if cluster.status != "available":
        raise resourcepolicy.Refused("InvalidResourceStateFault", f"{arn} is {cluster.status}.")
    if not cluster.engine.startswith("aurora") or cluster.engine_mode == "serverless":
        raise resourcepolicy.Refused("InvalidParameterValue", "The HTTP endpoint of this cluster cannot be changed by this operation.")
    cluster._enable_http_endpoint = on
    return ActionResult({"ResourceArn": arn, "HttpEndpointEnabled": on})


add(RDSResponse, "enable_http_endpoint")(lambda self: _endpoint(self, True))
add(RDSResponse, "disable_http_endpoint")(lambda self: _endpoint(self, False))


@replace(DBCluster, "__init__")
def cluster(original, self, *args, **kwargs):
    # CreateDBCluster can turn it on, for provisioned and Serverless v2 clusters too.
    original(self, *args, **kwargs)
    if self.engine.startswith("aurora") and kwargs.get("enable_http_endpoint"):
        self._enable_http_endpoint = True


# --- the simulated database ----------------------------------------------------------------------------------------------

_databases = {}
_lock = threading.Lock()


@on_reset
def _forget():
    with _lock:
        _databases.clear()


def _database(arn):
    """The cluster's SQLite database in memory, made when first asked. It reaches no file."""
    if arn not in _databases:
        _databases[arn] = sqlite3.connect(":memory:", check_same_thread=False, isolation_level=None)
        closed = (sqlite3.SQLITE_ATTACH, sqlite3.SQLITE_DETACH, sqlite3.SQLITE_PRAGMA)
        _databases[arn].set_authorizer(lambda action, *_: sqlite3.SQLITE_DENY if action in closed else sqlite3.SQLITE_OK)
    return _databases[arn]


@replace(RDSDataServiceResponse, "execute_statement")
def execute_statement(_original, self):
    who, arn = caller.identity(self), self._get_param("resourceArn") or ""
    resourcepolicy.check(who, "rds-data:ExecuteStatement", arn, None)
    found = find_cluster(arn)
    # The cluster must be in the caller's own account.
    # https://docs.aws.amazon.com/AmazonRDS/latest/AuroraUserGuide/data-api.html
    if found is None or found.db_cluster_arn.split(":")[4] != who.account or arn.split(":")[3] != self.region:
        raise resourcepolicy.Refused("DatabaseNotFoundException", f"DBCluster {arn} is not found in {self.region} of {who.account}.", 404)
    if not found.http_endpoint_enabled:
        raise resourcepolicy.Refused("HttpEndpointNotEnabledException", f"HttpEndpoint is not enabled for cluster {found.db_cluster_identifier}.")
    try:
        _, version = secretsmanager.read_secret(who, self._get_param("secretArn") or "", self.region)
    except resourcepolicy.Refused as error:
        if error.code == "ResourceNotFoundException":
            raise resourcepolicy.Refused("SecretsErrorException", error.message) from None
        raise
    try:
        user = json.loads(version.get("secret_string") or "")
        given = (user["username"], user["password"])
    except (ValueError, KeyError, TypeError):
        raise resourcepolicy.Refused("InvalidSecretException", "The secret must have a user name and a password.") from None
    if given != (found.master_username, found._master_user_password):
        raise resourcepolicy.Refused("DatabaseErrorException", f'FATAL: password authentication failed for user "{given[0]}"')
    with _lock:
        return json.dumps(_run(_database(arn), self._get_param("sql"), self._get_param("parameters") or []))


def _run(database, sql, parameters):
    values = {one["name"]: None if (one.get("value") or {}).get("isNull") else next(iter(one["value"].values())) for one in parameters}
    try:
        cursor = database.execute(sql, values)
        rows = cursor.fetchall()
    except sqlite3.Error as error:
        raise resourcepolicy.Refused("DatabaseErrorException", f"ERROR (simulated by SQLite): {error}") from None
    changed = max(cursor.rowcount, 0) if not cursor.description else 0
    columns = [{"name": one[0], "label": one[0]} for one in cursor.description or []]
    return {"numberOfRecordsUpdated": changed, "records": [[_field(one) for one in row] for row in rows], "columnMetadata": columns}


def _field(value):
    # https://docs.aws.amazon.com/rdsdataservice/latest/APIReference/API_Field.html
    if value is None:
        return {"isNull": True}
    if isinstance(value, int):
        return {"longValue": value}
    if isinstance(value, float):
        return {"doubleValue": value}
    if isinstance(value, bytes):
        return {"blobValue": base64.b64encode(value).decode()}
    return {"stringValue": str(value)}


# --- what the calls of Drawbridge's own roles need (demands.py) ----------------------------------------------------------


def _cluster(call):
    found = find_cluster(call.get("ResourceArn"))
    tags = {f"aws:ResourceTag/{one['Key']}": one["Value"] for one in (found.tags if found else [])}
    return call.on(call.get("ResourceArn"), keys=tags)


def _cluster_tags(call):
    tags = call.listed("Tags") or [{"Key": one} for one in call.listed("TagKeys")]
    return call.on(call.get("ResourceName"), keys=call.tag_keys(tags))


demands.CALLS |= {
    "rds:AddTagsToResource": _cluster_tags,
    "rds:RemoveTagsFromResource": _cluster_tags,
    "rds:EnableHttpEndpoint": _cluster,
    "rds:DisableHttpEndpoint": _cluster,
    "rds-data:ExecuteStatement": lambda call: call.on(call.get("resourceArn")),
}
