"""What AWS says, and does, when a network or a database changes; beside what cloudtrail.py has.

Gaps closed:
  - nothing is recorded of CreateSubnet, nor of Redshift's ModifyCluster and DeleteCluster
  - RDS says nothing when an instance or a cluster is gone, or an instance restarted
    https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/USER_Events.Messages.html
  - ModifyDBInstance forgets another port
    https://docs.aws.amazon.com/AmazonRDS/latest/APIReference/API_ModifyDBInstance.html
The port is in force at once here; in AWS the instance restarts for it, minutes later, and only then says so.
"""

from moto.ec2.responses.subnets import Subnets
from moto.rds.responses import RDSResponse
from moto.redshift.responses import RedshiftResponse

from . import events
from .cloudtrail import _database_call, now, recorded, seconds
from .patching import replace


def _subnet_request(parameters):
    return {key[0].lower() + key[1:]: value for key, value in parameters.items() if isinstance(value, str)}


def _subnet_elements(result):
    subnet = result["Subnet"]
    return {"requestId": "", "subnet": {"subnetId": subnet.id, "vpcId": subnet.vpc_id, "cidrBlock": subnet.cidr_block}}


recorded(Subnets, "create_subnet", "CreateSubnet", _subnet_request, _subnet_elements)


for _method, _name in (("modify_cluster", "ModifyCluster"), ("delete_cluster", "DeleteCluster")):
    _database_call(RedshiftResponse, "redshift", _method, _name)


def _say(response, kind, arn, name, number, category, message):
    detail = {
        "EventCategories": [category],
        "SourceType": f"DB_{kind.upper()}",
        "SourceArn": arn,
        "SourceIdentifier": name,
        "Date": seconds(now()),
        "Message": message,
        "EventID": f"RDS-EVENT-{number}",
    }
    events.emit(response.current_account, response.region, "aws.rds", f"RDS DB {kind} Event", detail, [arn])


@replace(RDSResponse, "delete_db_instance")
def delete_db_instance(original, self):
    result = original(self)
    gone = result.result["DBInstance"]
    _say(self, "Instance", gone.arn, gone.db_instance_identifier, "0003", "deletion", "DB instance deleted")
    return result


@replace(RDSResponse, "delete_db_cluster")
def delete_db_cluster(original, self):
    result = original(self)
    gone = result.result["DBCluster"]
    _say(self, "Cluster", gone.arn, gone.db_cluster_identifier, "0171", "deletion", "DB cluster deleted")
    return result


@replace(RDSResponse, "modify_db_instance")
def modify_db_instance(original, self):
    port = self.params.get("DBPortNumber")
    result = original(self)
    if port is not None:
        database = result.result["DBInstance"]
        database.port = int(port)
        _say(self, "Instance", database.arn, database.db_instance_identifier, "0006", "availability", "DB instance restarted")
    return result
