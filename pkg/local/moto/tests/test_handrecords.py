"""What AWS records when somebody takes away, or changes, what another added: the resource, who, and by what."""

import boto3
from botocore.config import Config

from .engine import CONSUMER, REGION, Case

TERRAFORM = "APN/1.0 HashiCorp/1.0 Terraform/1.11.4 (+https://www.terraform.io) terraform-provider-aws/5.100.0"
RULE = {"IpProtocol": "tcp", "FromPort": 3306, "ToPort": 3306, "IpRanges": [{"CidrIp": "10.9.0.0/16"}]}


class Hands(Case):
    def said(self, name):
        (event,) = self.events(eventName=name)
        return event["detail"]

    def test_rules_of_a_group(self):
        ec2 = self.client("ec2", CONSUMER)
        vpc = ec2.create_vpc(CidrBlock="10.1.0.0/16")["Vpc"]["VpcId"]
        group = ec2.create_security_group(GroupName="db", Description="db", VpcId=vpc)["GroupId"]
        made = ec2.authorize_security_group_ingress(GroupId=group, IpPermissions=[RULE])["SecurityGroupRules"][0]["SecurityGroupRuleId"]
        (rule,) = self.said("AuthorizeSecurityGroupIngress")["responseElements"]["securityGroupRuleSet"]["items"]
        want = {"securityGroupRuleId": made, "groupId": group, "isEgress": False, "ipProtocol": "tcp", "fromPort": 3306, "toPort": 3306}
        self.assertLessEqual((want | {"cidrIpv4": "10.9.0.0/16"}).items(), rule.items())
        ec2.revoke_security_group_ingress(GroupId=group, IpPermissions=[RULE])
        request = self.said("RevokeSecurityGroupIngress")["requestParameters"]
        self.assertEqual(group, request["groupId"])
        (permission,) = request["ipPermissions"]["items"]
        self.assertEqual((3306, {"items": [{"cidrIp": "10.9.0.0/16"}]}), (permission["fromPort"], permission["ipRanges"]))
        made = ec2.authorize_security_group_egress(GroupId=group, IpPermissions=[RULE])["SecurityGroupRules"][0]["SecurityGroupRuleId"]
        change = {"IpProtocol": "tcp", "FromPort": 3306, "ToPort": 3307, "CidrIpv4": "10.9.0.0/16"}
        ec2.modify_security_group_rules(GroupId=group, SecurityGroupRules=[{"SecurityGroupRuleId": made, "SecurityGroupRule": change}])
        request = self.said("ModifySecurityGroupRules")["requestParameters"]["ModifySecurityGroupRulesRequest"]
        self.assertEqual((group, 1), (request["GroupId"], request["SecurityGroupRule"]["tag"]))
        ec2.revoke_security_group_egress(GroupId=group, SecurityGroupRuleIds=[made])
        request = self.said("RevokeSecurityGroupEgress")["requestParameters"]
        self.assertEqual({"items": [{"securityGroupRuleId": made}]}, request["securityGroupRuleIds"])
        ec2.delete_security_group(GroupId=group)
        self.assertEqual({"groupId": group}, self.said("DeleteSecurityGroup")["requestParameters"])

    def test_a_lifecycle_configuration(self):
        sagemaker = self.client("sagemaker", CONSUMER)
        name = {"NotebookInstanceLifecycleConfigName": "start"}
        sagemaker.create_notebook_instance_lifecycle_config(**name, OnStart=[{"Content": "IyEvYmluL3No"}])
        sagemaker.update_notebook_instance_lifecycle_config(**name, OnStart=[{"Content": "IyEvYmluL3No"}])
        sagemaker.delete_notebook_instance_lifecycle_config(**name)
        for call in ("UpdateNotebookInstanceLifecycleConfig", "DeleteNotebookInstanceLifecycleConfig"):
            self.assertEqual("start", self.said(call)["requestParameters"]["notebookInstanceLifecycleConfigName"])

    def test_what_a_role_may_do_is_recorded_in_iams_region(self):
        iam = self.client("iam", CONSUMER, "eu-west-1")
        iam.create_role(RoleName="readers", AssumeRolePolicyDocument="{}")
        document = '{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"s3:GetObject","Resource":"*"}]}'
        trust = '{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"sts:AssumeRole","Principal":{"AWS":"*"}}]}'
        iam.put_role_policy(RoleName="readers", PolicyName="one", PolicyDocument=document)
        iam.update_assume_role_policy(RoleName="readers", PolicyDocument=trust)
        iam.delete_role_policy(RoleName="readers", PolicyName="one")
        bound = iam.create_policy(PolicyName="bound", PolicyDocument=document)["Policy"]["Arn"]
        iam.attach_role_policy(RoleName="readers", PolicyArn=bound)
        iam.put_role_permissions_boundary(RoleName="readers", PermissionsBoundary=bound)
        iam.delete_role_permissions_boundary(RoleName="readers")
        for call in ("PutRolePolicy", "AttachRolePolicy", "UpdateAssumeRolePolicy", "DeleteRolePolicy", "PutRolePermissionsBoundary", "DeleteRolePermissionsBoundary"):
            (event,) = self.events(eventName=call)
            self.assertEqual((REGION, "readers"), (event["region"], event["detail"]["requestParameters"]["roleName"]))

    def test_a_grant_that_is_revoked(self):
        kms = self.client("kms", CONSUMER)
        key = kms.create_key()["KeyMetadata"]["KeyId"]
        grant = kms.create_grant(KeyId=key, GranteePrincipal="arn:aws:iam::111111111111:user/carla", Operations=["Decrypt"])["GrantId"]
        kms.revoke_grant(KeyId=key, GrantId=grant)
        self.assertEqual([], kms.list_grants(KeyId=key)["Grants"])
        self.assertEqual({"keyId": key, "grantId": grant}, self.said("RevokeGrant")["requestParameters"])

    def test_a_grant_that_is_retired_names_its_key_beside_the_request(self):
        kms = self.client("kms", CONSUMER)
        key = kms.create_key()["KeyMetadata"]
        grant = kms.create_grant(KeyId=key["KeyId"], GranteePrincipal="arn:aws:iam::111111111111:user/carla", Operations=["Decrypt"])["GrantId"]
        kms.retire_grant(KeyId=key["Arn"], GrantId=grant)
        said = self.said("RetireGrant")
        self.assertEqual((None, grant, [key["Arn"]]), (said["requestParameters"], said["additionalEventData"]["grantId"], [one["ARN"] for one in said["resources"]]))

    def test_who_and_by_what(self):
        for agent, invoked in ((TERRAFORM, None), ("cloudformation.amazonaws.com", "cloudformation.amazonaws.com")):
            ec2 = self.client("ec2", CONSUMER)
            vpc = ec2.create_vpc(CidrBlock="10.1.0.0/16")["Vpc"]["VpcId"]
            gateway = ec2.create_internet_gateway()["InternetGateway"]["InternetGatewayId"]
            ec2.attach_internet_gateway(InternetGatewayId=gateway, VpcId=vpc)
            table = ec2.create_route_table(VpcId=vpc)["RouteTable"]["RouteTableId"]
            ec2.create_route(RouteTableId=table, DestinationCidrBlock="0.0.0.0/0", GatewayId=gateway)
            hand = boto3.client(
                "ec2", REGION, endpoint_url=ec2.meta.endpoint_url, aws_access_key_id=CONSUMER, aws_secret_access_key="any", config=Config(user_agent=agent)
            )
            hand.delete_route(RouteTableId=table, DestinationCidrBlock="0.0.0.0/0")
            detail = self.events(eventName="DeleteRoute")[-1]["detail"]
            self.assertEqual((agent, invoked), (detail["userAgent"].split(" Botocore")[0], detail["userIdentity"].get("invokedBy")))
            self.assertEqual("arn:aws:iam::111111111111:root", detail["userIdentity"]["arn"])
            self.assertEqual(invoked is not None, detail["sourceIPAddress"] == "cloudformation.amazonaws.com")
