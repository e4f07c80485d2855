import json
import pathlib
import time

from .engine import CONSUMER, ELSEWHERE, HUB, PRODUCER, REGION, Case, reports

TEMPLATES = pathlib.Path(__file__).parents[4] / "infra" / "template"


ALLOW = {"Effect": "Allow", "Action": "ec2:DescribeVpcs", "Resource": "*"}


class Stacks(Case):
    def deploy(self, account, name, template, region=REGION, **parameters):
        cloudformation = self.client("cloudformation", account, region)
        began = time.monotonic()
        cloudformation.create_stack(
            StackName=name,
            TemplateBody=template if isinstance(template, str) else json.dumps(template),
            Capabilities=["CAPABILITY_NAMED_IAM"],
            Parameters=[{"ParameterKey": key, "ParameterValue": value} for key, value in parameters.items()],
        )
        took = time.monotonic() - began
        (stack,) = cloudformation.describe_stacks(StackName=name)["Stacks"]
        self.assertEqual("CREATE_COMPLETE", stack["StackStatus"])
        return took, stack

    def read(self, name):
        path = TEMPLATES / f"{name}.template.json"
        if not path.exists():
            self.skipTest(f"{path} has not been synthesized")
        return path.read_text()

    def test_a_member_that_lets_itself_be_observed_only(self):
        values = {"HubAccount": HUB, "HubBusArn": f"arn:aws:events:{REGION}:{HUB}:event-bus/drawbridge", "OrganizationId": "o-1", "HomeRegion": REGION}
        has = {}
        for account, observe in ((CONSUMER, "true"), (CONSUMER, "false")):  # the second in place of the first
            self.client("cloudformation", account).delete_stack(StackName="member")
            self.deploy(account, "member", self.read("member"), ObserveOnly=observe, ExternalId="secret", **values)
            roles = self.client("iam", account).get_account_authorization_details(Filter=["Role"])["RoleDetailList"]
            role = next(r for r in roles if r["RoleName"] == "drawbridge-member-add-routes")
            has[observe] = [p["PolicyName"] for p in role["RolePolicyList"]], role["AssumeRolePolicyDocument"]["Statement"][0]["Condition"]["StringEquals"]["sts:ExternalId"]
        self.assertEqual({"true": (["read"], "secret-observe"), "false": (["read", "change"], "secret")}, has)

    def test_every_resource_type_of_the_templates(self):
        bus = f"arn:aws:events:{REGION}:{HUB}:event-bus/drawbridge"
        _, stack = self.deploy(
            HUB,
            "all",
            {
                "Parameters": {
                    "BootstrapVersion": {"Type": "AWS::SSM::Parameter::Value<String>", "Default": "/cdk-bootstrap/version"},
                    "Alarms": {"Type": "String", "Default": "no"},
                },
                "Conditions": {"WithAlarms": {"Fn::Equals": [{"Ref": "Alarms"}, "yes"]}},
                "Resources": {
                    "Bus": {"Type": "AWS::Events::EventBus", "Properties": {"Name": "drawbridge"}},
                    "BusPolicy": {
                        "Type": "AWS::Events::EventBusPolicy",
                        "DependsOn": "Bus",
                        "Properties": {
                            "EventBusName": {"Ref": "Bus"},
                            "StatementId": "organization",
                            "Statement": {
                                "Effect": "Allow",
                                "Principal": "*",
                                "Action": "events:PutEvents",
                                "Resource": {"Fn::GetAtt": ["Bus", "Arn"]},
                                "Condition": {"StringEquals": {"aws:PrincipalOrgID": "o-drawbridge0"}},
                            },
                        },
                    },
                    "Role": {
                        "Type": "AWS::IAM::Role",
                        "Properties": {
                            "RoleName": "r",
                            "AssumeRolePolicyDocument": {"Version": "2012-10-17", "Statement": []},
                            "ManagedPolicyArns": [{"Ref": "Managed"}],
                        },
                    },
                    "Managed": {
                        "Type": "AWS::IAM::ManagedPolicy",
                        "Properties": {"PolicyDocument": {"Version": "2012-10-17", "Statement": [ALLOW]}},
                    },
                    "Inline": {
                        "Type": "AWS::IAM::Policy",
                        "Properties": {
                            "PolicyName": "p",
                            "Roles": [{"Ref": "Role"}],
                            "PolicyDocument": {"Version": "2012-10-17", "Statement": [ALLOW]},
                        },
                    },
                    "Function": {
                        "Type": "AWS::Lambda::Function",
                        "Properties": {
                            "FunctionName": "drawbridge-inspect-peering",
                            "Runtime": "provided.al2023",
                            "Handler": "bootstrap",
                            "Role": {"Fn::GetAtt": ["Role", "Arn"]},
                            "Code": {"S3Bucket": {"Fn::Sub": "cdk-assets-${AWS::AccountId}-${AWS::Region}"}, "S3Key": "x.zip"},
                            "Environment": {"Variables": {"TOPIC_ARN": {"Ref": "Topic"}}},
                        },
                    },
                    "Machine": {
                        "Type": "AWS::StepFunctions::StateMachine",
                        "Properties": {
                            "StateMachineName": "drawbridge-peering",
                            "RoleArn": {"Fn::GetAtt": ["Role", "Arn"]},
                            "DefinitionString": {
                                "Fn::Join": [
                                    "",
                                    ['{"StartAt":"End","Comment":"', {"Ref": "Topic"}, '","States":{"End":{"Type":"Succeed"}}}'],
                                ]
                            },
                            "TracingConfiguration": {"Enabled": True},
                        },
                    },
                    "Dead": {"Type": "AWS::SQS::Queue", "Properties": {"QueueName": "dead"}},
                    "DeadPolicy": {
                        "Type": "AWS::SQS::QueuePolicy",
                        "Properties": {"Queues": [{"Ref": "Dead"}], "PolicyDocument": {"Statement": []}},
                    },
                    "Topic": {"Type": "AWS::SNS::Topic", "Properties": {"TopicName": "news"}},
                    "Text": {
                        "Type": "AWS::SSM::Parameter",
                        "Properties": {"Name": "/p", "Type": "String", "Tier": "Intelligent-Tiering", "Value": "x" * 7000},
                    },
                    "Logs": {"Type": "AWS::Logs::LogGroup", "Properties": {"LogGroupName": "/l", "RetentionInDays": 30}},
                    "Alarm": {
                        "Type": "AWS::CloudWatch::Alarm",
                        "Properties": {"AlarmActions": [{"Ref": "Topic"}], "Threshold": 0},
                    },
                    "Maybe": {"Type": "AWS::SQS::Queue", "Condition": "WithAlarms"},
                    "Members": {"Type": "AWS::CloudFormation::StackSet", "Properties": {"StackSetName": "m"}},
                    "Rule": {
                        "Type": "AWS::Events::Rule",
                        "Properties": {
                            "Name": "start",
                            "EventBusName": {"Ref": "Bus"},
                            "EventPattern": {"source": ["test"]},
                            "Targets": [
                                {
                                    "Id": "T",
                                    "Arn": {"Ref": "Machine"},
                                    "DeadLetterConfig": {"Arn": {"Fn::GetAtt": ["Dead", "Arn"]}},
                                    "Input": {"Fn::If": ["WithAlarms", '{"a": 1}', {"Ref": "AWS::NoValue"}]},
                                }
                            ],
                        },
                    },
                },
                "Outputs": {"BusArn": {"Value": {"Fn::GetAtt": ["Bus", "Arn"]}}},
            }
            | self.bootstrapped(),
        )
        self.assertEqual(bus, stack["Outputs"][0]["OutputValue"])
        self.assertEqual(1, len(self.client("sqs", HUB).list_queues()["QueueUrls"]))
        function = self.client("lambda", HUB).get_function_configuration(FunctionName="drawbridge-inspect-peering")
        self.assertEqual({"TOPIC_ARN": f"arn:aws:sns:{REGION}:{HUB}:news"}, function["Environment"]["Variables"])
        self.assertEqual(7000, len(self.client("ssm", HUB).get_parameter(Name="/p")["Parameter"]["Value"]))
        policy = json.loads(self.client("events", HUB).describe_event_bus(Name="drawbridge")["Policy"])
        self.assertEqual("organization", policy["Statement"][0]["Sid"])
        answer = self.client("events", CONSUMER).put_events(
            Entries=[{"Source": "test", "DetailType": "t", "Detail": "{}", "EventBusName": bus}]
        )
        self.assertEqual(0, answer["FailedEntryCount"])
        machine = f"arn:aws:states:{REGION}:{HUB}:stateMachine:drawbridge-peering"
        self.eventually(lambda: self.client("stepfunctions", HUB).list_executions(stateMachineArn=machine)["executions"])

    def bootstrapped(self):
        self.client("ssm", HUB).put_parameter(Name="/cdk-bootstrap/version", Value="25", Type="String")
        return {}

    def test_a_policy_goes_with_its_stack(self):
        self.deploy(
            HUB,
            "bus",
            {
                "Resources": {
                    "Policy": {
                        "Type": "AWS::Events::EventBusPolicy",
                        "Properties": {
                            "StatementId": "one",
                            "Action": "events:PutEvents",
                            "Principal": "*",
                            "Condition": {"Type": "StringEquals", "Key": "aws:PrincipalOrgID", "Value": "o-drawbridge0"},
                        },
                    }
                }
            },
        )
        (statement,) = json.loads(self.client("events", HUB).describe_event_bus()["Policy"])["Statement"]
        self.assertEqual("*", statement["Principal"])
        self.assertEqual({"StringEquals": {"aws:PrincipalOrgID": "o-drawbridge0"}}, statement["Condition"])
        self.client("cloudformation", HUB).delete_stack(StackName="bus")
        self.assertNotIn("Policy", self.client("events", HUB).describe_event_bus())

    def test_the_synthesized_templates(self):
        self.deploy(HUB, "hub", self.read("hub"))
        self.vpc(CONSUMER, "10.9.0.0/16")  # the account exists before its stack
        took, _ = self.deploy(CONSUMER, "member", self.read("member"))
        self.assertLess(took, 15)  # 30 ms on an idle machine
        self.deploy(PRODUCER, "member", self.read("member"))
        self.deploy(PRODUCER, "member", self.read("member"), region=ELSEWHERE)
        roles = {role["RoleName"] for role in self.client("iam", PRODUCER).list_roles()["Roles"]}
        self.assertIn("drawbridge-member-accept-peering", roles)
        name, _, _ = self.peering(accepter_region=ELSEWHERE)
        started = self.eventually(
            lambda: [one for one in reports if one["kind"] == "history" and one["stateMachine"] == "drawbridge-peering"]
        )[0]
        given = json.loads(started["event"]["executionStartedEventDetails"]["input"])
        self.assertEqual((CONSUMER, REGION), (given["account"], given["region"]))
        self.assertEqual(name, given["detail"]["responseElements"]["vpcPeeringConnection"]["vpcPeeringConnectionId"])

    def test_tags_of_drawbridge_on_vpcs_and_approvals_are_forwarded(self):
        self.deploy(HUB, "hub", self.read("hub"))
        self.deploy(PRODUCER, "member", self.read("member"))
        name, _, vpc = self.peering()
        ec2 = self.client("ec2", PRODUCER)
        ec2.create_tags(Resources=[name], Tags=[{"Key": "drawbridge:status", "Value": "x"}])
        ec2.create_tags(Resources=[vpc], Tags=[{"Key": "b", "Value": "x"}])
        ec2.create_tags(Resources=[vpc], Tags=[{"Key": "drawbridge:accept", "Value": "auto"}])
        ec2.create_tags(
            Resources=[name], Tags=[{"Key": "a", "Value": "b"}, {"Key": "drawbridge:approval", "Value": "approved"}]
        )
        self.assertEqual(4, len(self.events(eventName="CreateTags", bus="default")))
        forwarded = self.events(eventName="CreateTags", bus="drawbridge")
        self.assertEqual(
            [["drawbridge:status"], ["drawbridge:accept"], ["a", "drawbridge:approval"]],
            [[tag["key"] for tag in one["detail"]["requestParameters"]["tagSet"]["items"]] for one in forwarded],
        )
