"""A client that knows nothing of Drawbridge: plain boto3 in two accounts. It requests a peering and watches what happens.

Usage: client.py CONSUMER PRODUCER PRODUCER_REGION; prints the status and the target of the route in each account.
"""

import sys
import time

import boto3

consumer, producer, region = sys.argv[1:4]


def ec2(account, region):
    return boto3.client("ec2", region_name=region, aws_access_key_id=account, aws_secret_access_key="x")


def vpc(client, cidr, tags=()):
    vpc = client.create_vpc(CidrBlock=cidr)["Vpc"]["VpcId"]
    client.create_tags(Resources=[vpc], Tags=[{"Key": "Name", "Value": cidr}, *tags])
    client.create_subnet(VpcId=vpc, CidrBlock=cidr.replace("/16", "/24"))
    return vpc


def route(client, vpc, destination):
    tables = client.describe_route_tables(Filters=[{"Name": "vpc-id", "Values": [vpc]}])["RouteTables"]
    for table in tables:
        for one in table["Routes"]:
            if one.get("DestinationCidrBlock") == destination:
                return one.get("VpcPeeringConnectionId")
    return None


def wait(what, seconds=20):
    until = time.monotonic() + seconds
    while not (found := what()) and time.monotonic() < until:
        time.sleep(0.1)
    return found


here, there = ec2(consumer, "us-east-1"), ec2(producer, region)
mine = vpc(here, "10.1.0.0/16")
theirs = vpc(there, "10.2.0.0/16", [{"Key": "drawbridge:accept", "Value": "auto"}])
asked = {"PeerRegion": region} if region != "us-east-1" else {}
connection = here.create_vpc_peering_connection(VpcId=mine, PeerVpcId=theirs, PeerOwnerId=producer, **asked)
connection = connection["VpcPeeringConnection"]["VpcPeeringConnectionId"]
seconds = 20 if len(sys.argv) < 5 else float(sys.argv[4])
print("there", wait(lambda: route(here, mine, "10.2.0.0/16"), seconds) == connection)
print("back", wait(lambda: route(there, theirs, "10.1.0.0/16"), seconds) == connection)
