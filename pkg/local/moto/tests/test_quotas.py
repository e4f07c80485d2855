"""What AWS has no room for: tags, rules, routes, policies, messages, parameters."""

import json

from drawbridge_moto import config, tags

from .engine import CONSUMER, HUB, REGION, ROUTES_PER_TABLE, RULES_PER_BUS, Case

ALLOWED_EVERYWHERE = "aZ 9_.:/=+-@é漢"


def tag(key, value=""):
    return {"Key": key, "Value": value}


class Tags(Case):
    def holders(self):
        """For each service: what a tag is put on, and the code of what is refused for its form and for its number."""
        vpc = self.vpc(CONSUMER, "10.1.0.0/16")
        ec2, iam = self.client("ec2", CONSUMER), self.client("iam", CONSUMER)
        trust = {"Version": "2012-10-17", "Statement": []}
        iam.create_role(RoleName="r", AssumeRolePolicyDocument=json.dumps(trust))
        sagemaker = self.client("sagemaker", CONSUMER)
        notebook = sagemaker.create_notebook_instance(
            NotebookInstanceName="n", InstanceType="ml.t3.medium", RoleArn=f"arn:aws:iam::{CONSUMER}:role/r"
        )["NotebookInstanceArn"]
        rds, redshift = self.client("rds", CONSUMER), self.client("redshift", CONSUMER)
        database = rds.create_db_instance(
            DBInstanceIdentifier="d", DBInstanceClass="db.t3.micro", Engine="postgres", MasterUsername="u",
            MasterUserPassword="password", AllocatedStorage=20,
        )["DBInstance"]["DBInstanceArn"]  # fmt: skip
        redshift.create_cluster(
            ClusterIdentifier="c", NodeType="ra3.large", MasterUsername="u", MasterUserPassword="Password1"
        )
        cluster = f"arn:aws:redshift:{REGION}:{CONSUMER}:cluster:c"
        return {
            "ec2": (lambda given: ec2.create_tags(Resources=[vpc], Tags=given), "InvalidParameterValue", "TagLimitExceeded"),
            "iam": (lambda given: iam.tag_role(RoleName="r", Tags=given), "ValidationError", "LimitExceeded"),
            "sagemaker": (
                lambda given: sagemaker.add_tags(ResourceArn=notebook, Tags=given),
                "ValidationException",
                "ResourceLimitExceeded",
            ),
            "rds": (
                lambda given: rds.add_tags_to_resource(ResourceName=database, Tags=given),
                "InvalidParameterValue",
                "InvalidParameterValue",
            ),
            "redshift": (
                lambda given: redshift.create_tags(ResourceName=cluster, Tags=given),
                "InvalidTagFault",
                "TagLimitExceededFault",
            ),
        }

    def test_form_and_number(self):
        for service, (put, form, number) in self.holders().items():
            with self.subTest(service=service):
                put([tag("k" * 128, "v" * 256), tag("é", "é" * 256), tag("all", ALLOWED_EVERYWHERE)])
                self.fails(form, put, [tag("k" * 129)])
                self.fails(form, put, [tag("k", "v" * 257)])
                self.fails("InvalidInput" if service == "iam" else form, put, [tag("aws:mine", "x")])
                for character in "•→|*'\n(":
                    if service == "ec2":
                        put([tag("any", f"a{character}b")])
                        continue
                    self.fails(form, put, [tag("any", f"a{character}b")])
                put([tag(f"k{i}") for i in range(46)])
                self.fails(number, put, [tag(f"more{i}") for i in range(2)])
                put([tag("k1", "again")])

    def test_tags_at_creation(self):
        ec2, iam = self.client("ec2", CONSUMER), self.client("iam", CONSUMER)
        spec = [{"ResourceType": "vpc", "Tags": [tag("k", "v" * 257)]}]
        self.fails("InvalidParameterValue", ec2.create_vpc, CidrBlock="10.1.0.0/16", TagSpecifications=spec)
        spec[0]["Tags"] = [tag("k"), tag("k")]
        self.fails("InvalidParameterValue", ec2.create_vpc, CidrBlock="10.1.0.0/16", TagSpecifications=spec)
        self.fails(
            "ValidationError",
            iam.create_role,
            RoleName="r",
            AssumeRolePolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": []}),
            Tags=[tag("k", "a|b")],
        )

    def test_the_characters_all_services_take(self):
        self.assertTrue(tags.lawful(ALLOWED_EVERYWHERE))
        self.assertFalse(any(tags.lawful(one) for one in "•→|*'\n\t(){}[],;#\"\\!$&%?<>"))


class SecurityGroups(Case):
    def setUp(self):
        super().setUp()
        self.ec2 = self.client("ec2", CONSUMER)
        self.group = self.ec2.create_security_group(
            GroupName="g", Description="g", VpcId=self.vpc(CONSUMER, "10.1.0.0/16")
        )["GroupId"]

    def allow(self, *permissions, egress=False):
        call = self.ec2.authorize_security_group_egress if egress else self.ec2.authorize_security_group_ingress
        return call(GroupId=self.group, IpPermissions=permissions)

    def v4(self, *numbers, **more):
        blocks = [{"CidrIp": f"10.9.{i}.0/24", **more} for i in numbers]
        return {"IpProtocol": "tcp", "FromPort": 5432, "ToPort": 5432, "IpRanges": blocks}

    def v6(self, *numbers):
        blocks = [{"CidrIpv6": f"2001:db8:{i:x}::/64"} for i in numbers]
        return {"IpProtocol": "tcp", "FromPort": 5432, "ToPort": 5432, "Ipv6Ranges": blocks}

    def test_descriptions(self):
        self.allow(self.v4(1, Description="aZ9. _-:/()#,@[]+=&;{}!$*"), self.v4(2, Description="d" * 255))
        for text in ("d" * 256, "a'b", "a→b", "é", 'a"b', "a|b", "a\nb", "a<b"):
            self.fails("InvalidParameterValue", self.allow, self.v4(3, Description=text))
            self.fails("InvalidParameterValue", self.allow, self.v4(3, Description=text), egress=True)
        self.fails(
            "InvalidParameterValue",
            self.ec2.update_security_group_rule_descriptions_ingress,
            GroupId=self.group,
            IpPermissions=[self.v4(1, Description="a'b")],
        )
        self.fails("InvalidParameterValue", self.ec2.create_security_group, GroupName="h", Description="it's")

    def test_sixty_rules_of_each_family_and_direction(self):
        self.allow(self.v4(*range(60)))
        self.allow(self.v6(*range(60)))
        self.fails("RulesPerSecurityGroupLimitExceeded", self.allow, self.v4(60))
        self.fails("RulesPerSecurityGroupLimitExceeded", self.allow, self.v6(60))
        self.allow(self.v4(*range(59)), egress=True)  # a group comes with one rule out
        self.fails("RulesPerSecurityGroupLimitExceeded", self.allow, self.v4(59, 60), egress=True)
        rules = self.ec2.describe_security_group_rules(Filters=[{"Name": "group-id", "Values": [self.group]}])
        self.assertEqual(180, len(rules["SecurityGroupRules"]))

    def test_a_group_counts_in_both_families(self):
        self.allow(self.v4(*range(60)))
        other = {"IpProtocol": "tcp", "FromPort": 1, "ToPort": 1, "UserIdGroupPairs": [{"GroupId": self.group}]}
        self.fails("RulesPerSecurityGroupLimitExceeded", self.allow, other)

    def test_a_prefix_list_counts_as_its_maximum(self):
        listed = self.ec2.create_managed_prefix_list(PrefixListName="l", MaxEntries=40, AddressFamily="IPv4")
        one = {"IpProtocol": "tcp", "FromPort": 1, "ToPort": 1,
               "PrefixListIds": [{"PrefixListId": listed["PrefixList"]["PrefixListId"]}]}  # fmt: skip
        self.allow(one)
        self.allow(self.v4(*range(20)))
        self.allow(self.v6(*range(60)))
        self.fails("RulesPerSecurityGroupLimitExceeded", self.allow, self.v4(20))

    def test_five_groups_an_interface(self):
        vpc = self.vpc(CONSUMER, "10.2.0.0/16")
        subnet = self.ec2.create_subnet(VpcId=vpc, CidrBlock="10.2.0.0/24")["Subnet"]["SubnetId"]
        groups = [
            self.ec2.create_security_group(GroupName=f"i{i}", Description="i", VpcId=vpc)["GroupId"] for i in range(6)
        ]
        code = "SecurityGroupsPerInterfaceLimitExceeded"
        self.fails(code, self.ec2.create_network_interface, SubnetId=subnet, Groups=groups)
        made = self.ec2.create_network_interface(SubnetId=subnet, Groups=groups[:5])["NetworkInterface"]["NetworkInterfaceId"]
        self.fails(code, self.ec2.modify_network_interface_attribute, NetworkInterfaceId=made, Groups=groups)


class Routes(Case):
    def test_aws_has_room_for_500(self):
        self.assertEqual(500, config.ROUTES_PER_TABLE)

    def test_routes_of_a_table(self):
        ec2, vpc = self.client("ec2", CONSUMER), self.vpc(CONSUMER, "10.1.0.0/16")
        gateway = ec2.create_internet_gateway()["InternetGateway"]["InternetGatewayId"]
        ec2.attach_internet_gateway(InternetGatewayId=gateway, VpcId=vpc)
        table = ec2.create_route_table(VpcId=vpc)["RouteTable"]["RouteTableId"]
        listed = ec2.create_managed_prefix_list(PrefixListName="l", MaxEntries=4, AddressFamily="IPv4")["PrefixList"]

        def add(**destination):
            return ec2.create_route(RouteTableId=table, GatewayId=gateway, **destination)

        add(DestinationPrefixListId=listed["PrefixListId"])
        for i in range(ROUTES_PER_TABLE - 5):  # the list takes four places, the local route one
            add(DestinationCidrBlock=f"10.9.{i}.0/24")
        self.fails("RouteLimitExceeded", add, DestinationCidrBlock="10.10.0.0/16")
        self.fails("RouteAlreadyExists", add, DestinationCidrBlock="10.9.0.0/24")
        add(DestinationIpv6CidrBlock="2001:db8::/64")  # counted apart
        routes = ec2.describe_route_tables(RouteTableIds=[table])["RouteTables"][0]["Routes"]
        self.assertEqual(ROUTES_PER_TABLE - 2, len(routes))


class Policies(Case):
    def document(self, characters, blanks=0):
        """A policy of so many characters without white space."""
        text = '{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"ec2:DescribeVpcs","Resource":"*","Sid":""}]}'
        return text.replace('"Sid":""', '"Sid":"' + "a" * (characters - len(text)) + '"').replace(",", "," + " " * blanks)

    def trust(self, characters):
        text = self.document(characters - len('"Principal":"*",') + len('"Resource":"*",') - len("sts:AssumeRole") + len("ec2:DescribeVpcs"))
        return text.replace('"Resource":"*"', '"Principal":"*"').replace("ec2:DescribeVpcs", "sts:AssumeRole")

    def test_inline_policies_of_a_role_together(self):
        iam = self.client("iam", CONSUMER)
        iam.create_role(RoleName="r", AssumeRolePolicyDocument=self.trust(400))

        def put(name, characters):
            iam.put_role_policy(RoleName="r", PolicyName=name, PolicyDocument=self.document(characters, blanks=9))

        put("one", 6000)
        put("two", 4240)
        self.fails("LimitExceeded", put, "two", 4241)
        self.fails("LimitExceeded", put, "three", 200)
        put("one", 5000)
        put("three", 200)

    def test_trust_managed_policies_and_names(self):
        iam = self.client("iam", CONSUMER)
        self.assertEqual(2048, len(self.trust(2048)))
        iam.create_role(RoleName="r" * 64, AssumeRolePolicyDocument=self.trust(2048))
        self.fails("LimitExceeded", iam.create_role, RoleName="s", AssumeRolePolicyDocument=self.trust(2049))
        role = {"RoleName": "r" * 64}
        self.fails("LimitExceeded", iam.update_assume_role_policy, **role, PolicyDocument=self.trust(2049))
        self.fails("ValidationError", iam.create_role, RoleName="r" * 65, AssumeRolePolicyDocument=self.trust(400))
        self.fails("ValidationError", iam.create_role, RoleName="a/b", AssumeRolePolicyDocument=self.trust(400))
        arn = iam.create_policy(PolicyName="p", PolicyDocument=self.document(6144))["Policy"]["Arn"]
        self.fails("LimitExceeded", iam.create_policy, PolicyName="q", PolicyDocument=self.document(6145))
        self.fails("LimitExceeded", iam.create_policy_version, PolicyArn=arn, PolicyDocument=self.document(6145))
        for i in range(10):
            made = iam.create_policy(PolicyName=f"p{i}", PolicyDocument=self.document(200))["Policy"]["Arn"]
            iam.attach_role_policy(**role, PolicyArn=made)
        self.fails("LimitExceeded", iam.attach_role_policy, **role, PolicyArn=arn)

    def queue_policy(self, statements, conditions=1, filler=0):
        one = {"Effect": "Allow", "Principal": {"Service": "events.amazonaws.com"}, "Action": "sqs:SendMessage", "Resource": "*"}
        condition = {"ArnEquals": {"aws:SourceArn": "arn:" + "a" * filler}}
        return {"Statement": [{**one, **({"Condition": condition} if i < conditions else {})} for i in range(statements)]}

    def test_policies_of_queues(self):
        sqs = self.client("sqs", HUB)
        for policy, fits in (
            (self.queue_policy(20, 10), True),
            (self.queue_policy(21), False),
            (self.queue_policy(11, 11), False),
            (self.queue_policy(1, filler=8192), False),
        ):
            attributes = {"Policy": json.dumps(policy)}
            if fits:
                url = sqs.create_queue(QueueName="q", Attributes=attributes)["QueueUrl"]
                sqs.set_queue_attributes(QueueUrl=url, Attributes=attributes)
            else:
                self.fails("OverLimit", sqs.create_queue, QueueName="r", Attributes=attributes)
                self.fails("OverLimit", sqs.set_queue_attributes, QueueUrl=url, Attributes=attributes)

    def stack(self, name, **resources):
        return self.client("cloudformation", HUB).create_stack(
            StackName=name, TemplateBody=json.dumps({"Resources": resources}), Capabilities=["CAPABILITY_NAMED_IAM"]
        )

    def test_what_cloudformation_makes(self):
        queue = {"Type": "AWS::SQS::Queue", "Properties": {"QueueName": "q"}}

        def of(policy):
            return {"Type": "AWS::SQS::QueuePolicy", "Properties": {"Queues": [{"Ref": "Queue"}], "PolicyDocument": policy}}

        self.stack("fits", Queue=queue, Policy=of(self.queue_policy(20, 10)))
        held = self.client("sqs", HUB).get_queue_attributes(
            QueueUrl=self.client("sqs", HUB).get_queue_url(QueueName="q")["QueueUrl"], AttributeNames=["Policy"]
        )
        self.assertEqual(20, len(json.loads(held["Attributes"]["Policy"])["Statement"]))
        queue["Properties"]["QueueName"] = "r"
        self.fails("OverLimit", self.stack, "exceeds", Queue=queue, Policy=of(self.queue_policy(21)))

        def role(trust, *inline):
            policies = [{"PolicyName": f"p{i}", "PolicyDocument": json.loads(self.document(size))} for i, size in enumerate(inline)]
            trust = json.loads(self.trust(trust))
            return {"Type": "AWS::IAM::Role", "Properties": {"AssumeRolePolicyDocument": trust, "Policies": policies}}

        self.stack("role-fits", Role=role(2048, 6000, 4240))
        self.fails("LimitExceeded", self.stack, "inline", Role=role(400, 6000, 4241))
        self.fails("LimitExceeded", self.stack, "trust", Role=role(2049))
        managed = {"Type": "AWS::IAM::ManagedPolicy", "Properties": {"PolicyDocument": json.loads(self.document(6145))}}
        self.fails("LimitExceeded", self.stack, "managed", Managed=managed)
        parameter = {"Type": "AWS::SSM::Parameter", "Properties": {"Name": "p", "Type": "String", "Value": "a" * 4097}}
        self.fails("ValidationException", self.stack, "parameter", Parameter=parameter)

    def test_parameters(self):
        ssm = self.client("ssm", HUB)
        ssm.put_parameter(Name="p", Type="String", Value="a" * 4096)
        self.fails("ValidationException", ssm.put_parameter, Name="q", Type="String", Value="a" * 4097)
        ssm.put_parameter(Name="q", Type="String", Value="a" * 8192, Tier="Advanced")
        self.fails("ValidationException", ssm.put_parameter, Name="r", Type="String", Value="a" * 8193, Tier="Advanced")
        ssm.put_parameter(Name="q", Type="String", Value="b" * 8192, Overwrite=True)
        ssm.put_parameter(Name="q", Type="String", Value="c" * 5000, Overwrite=True)
        self.fails("ValidationException", ssm.put_parameter, Name="p", Type="String", Value="a" * 4097, Overwrite=True)


class Messages(Case):
    def test_events(self):
        events = self.client("events", CONSUMER)

        def put(total, count=1, **more):
            around = len("s") + len("d") + len('{"a":""}')
            size, left = divmod(total, count)
            entries = [
                {"Source": "s", "DetailType": "d", "Detail": json.dumps({"a": "x" * (size + (left if i == 0 else 0) - around)}, separators=(",", ":")), **more}
                for i in range(count)
            ]
            return events.put_events(Entries=entries)

        self.assertEqual(0, put(262_144)["FailedEntryCount"])
        self.assertEqual(0, put(262_144, 10)["FailedEntryCount"])
        for total, count, more in (
            (262_145, 1, {}),
            (262_145, 10, {}),
            (262_144 - 13, 1, {"Time": 1}),
            (262_144 - 3, 1, {"Resources": ["éé"]}),
        ):
            error = self.fails("ValidationException", put, total, count, **more)
            self.assertIn("over the limit", str(error))
        self.fails("ValidationException", put, 1000, 11)

    def test_rules_and_targets(self):
        self.assertEqual(300, config.RULES_PER_BUS)
        events = self.client("events", HUB)
        pattern = '{"source":["' + "s" * (2048 - len('{"source":[""]}')) + '"]}'
        self.assertEqual(2048, len(pattern))
        events.put_rule(Name="r0", EventPattern=pattern)
        longer = pattern.replace("ss", "sss", 1)
        self.fails("LimitExceededException", events.put_rule, Name="r1", EventPattern=longer)
        for i in range(1, RULES_PER_BUS):
            events.put_rule(Name=f"r{i}", EventPattern='{"source":["s"]}')
        self.fails("LimitExceededException", events.put_rule, Name="more", EventPattern='{"source":["s"]}')
        events.put_rule(Name="r0", EventPattern='{"source":["s"]}')
        targets = [{"Id": f"t{i}", "Arn": f"arn:aws:sqs:{REGION}:{HUB}:q{i}"} for i in range(6)]
        events.put_targets(Rule="r0", Targets=targets[:5])
        events.put_targets(Rule="r0", Targets=targets[:1])
        self.fails("LimitExceededException", events.put_targets, Rule="r0", Targets=targets[5:])

    def test_sns(self):
        sns = self.client("sns", HUB)
        topic = sns.create_topic(Name="t")["TopicArn"]
        sns.publish(TopicArn=topic, Message="a" * 262_144, Subject="S" * 100)
        self.fails("InvalidParameter", sns.publish, TopicArn=topic, Message="a" * 262_145)
        self.fails("InvalidParameter", sns.publish, TopicArn=topic, Message="é" * 131_073)
        for subject in ("S" * 101, "a\nb", "é", "", " a"):
            self.fails("InvalidParameter", sns.publish, TopicArn=topic, Message="m", Subject=subject)

    def test_sqs(self):
        sqs = self.client("sqs", HUB)
        url = sqs.create_queue(QueueName="q")["QueueUrl"]
        sqs.send_message(QueueUrl=url, MessageBody="a" * 1_048_576)
        self.fails("InvalidParameterValue", sqs.send_message, QueueUrl=url, MessageBody="a" * 1_048_577)
