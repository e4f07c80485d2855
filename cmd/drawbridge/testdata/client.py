"""A client that knows nothing of Drawbridge but its tags: plain boto3 in two accounts, with a notebook in one and a database in the other. It requests a
peering and watches what happens.

Usage: client.py CONSUMER PRODUCER PRODUCER_REGION; prints the status and the target of the route in each account.
"""

import ipaddress
import sys
import time

import boto3

consumer, producer, region = sys.argv[1:4]


def client_of(service, account, region):
    return boto3.client(service, region_name=region, aws_access_key_id=account, aws_secret_access_key="x")


def vpc(client, cidr, zones, tags=()):
    vpc = client.create_vpc(CidrBlock=cidr)["Vpc"]["VpcId"]
    client.create_tags(Resources=[vpc], Tags=[{"Key": "Name", "Value": cidr}, *tags])
    base = cidr.removesuffix(".0.0/16")
    made = [client.create_subnet(VpcId=vpc, CidrBlock=f"{base}.{n}.0/24", AvailabilityZone=zone) for n, zone in enumerate(zones)]
    group = client.create_security_group(GroupName="own", Description="own", VpcId=vpc)["GroupId"]
    return vpc, [one["Subnet"]["SubnetId"] for one in made], group


def route(client, vpc, destination):
    """Returns what carries to addresses of a network."""
    tables = client.describe_route_tables(Filters=[{"Name": "vpc-id", "Values": [vpc]}])["RouteTables"]
    for table in tables:
        for one in table["Routes"]:
            if ipaddress.ip_network(one.get("DestinationCidrBlock", "0.0.0.0/0")).subnet_of(ipaddress.ip_network(destination)):
                return one.get("VpcPeeringConnectionId")
    return None


def wait(what, seconds=20):
    until = time.monotonic() + seconds
    while not (found := what()) and time.monotonic() < until:
        time.sleep(0.1)
    return found


here, there = client_of("ec2", consumer, "us-east-1"), client_of("ec2", producer, region)
mine, (subnet,), group = vpc(here, "10.1.0.0/16", ["us-east-1a"])
theirs, subnets, database = vpc(there, "10.2.0.0/16", [region + "a", region + "b"], [{"Key": "drawbridge:accept", "Value": "auto"}])
client_of("sagemaker", consumer, "us-east-1").create_notebook_instance(
    NotebookInstanceName="lab", InstanceType="ml.t3.medium", RoleArn=f"arn:aws:iam::{consumer}:role/lab", SubnetId=subnet, SecurityGroupIds=[group]
)
rds = client_of("rds", producer, region)
rds.create_db_subnet_group(DBSubnetGroupName=f"own-{consumer}", DBSubnetGroupDescription="own", SubnetIds=subnets)
rds.create_db_instance(
    DBInstanceIdentifier=f"sales-{consumer}", DBInstanceClass="db.t3.micro", Engine="mysql", AllocatedStorage=20, DBSubnetGroupName=f"own-{consumer}",
    VpcSecurityGroupIds=[database], Tags=[{"Key": "drawbridge:share", "Value": "true"}],
)  # fmt: skip
asked = {"PeerRegion": region} if region != "us-east-1" else {}
connection = here.create_vpc_peering_connection(VpcId=mine, PeerVpcId=theirs, PeerOwnerId=producer, **asked)
connection = connection["VpcPeeringConnection"]["VpcPeeringConnectionId"]
seconds = 20 if len(sys.argv) < 5 else float(sys.argv[4])
print("there", wait(lambda: route(here, mine, "10.2.0.0/16"), seconds) == connection)
print("back", wait(lambda: route(there, theirs, "10.1.0.0/16"), seconds) == connection)
