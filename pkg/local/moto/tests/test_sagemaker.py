import base64

from .engine import CONSUMER, REGION, Case


def script(text):
    return [{"Content": base64.b64encode(text.encode()).decode()}]


class Notebooks(Case):
    def setUp(self):
        super().setUp()
        self.sagemaker = self.client("sagemaker", CONSUMER)

    def notebook(self, name="Analysis", **more):
        self.sagemaker.create_notebook_instance(
            NotebookInstanceName=name,
            InstanceType="ml.t3.medium",
            RoleArn=f"arn:aws:iam::{CONSUMER}:role/r",
            **more,
        )
        return name

    def look(self, name="Analysis"):
        return self.sagemaker.describe_notebook_instance(NotebookInstanceName=name)

    def status(self, name="Analysis"):
        return self.look(name)["NotebookInstanceStatus"]

    def until(self, status, name="Analysis"):
        self.eventually(lambda: self.status(name) == status)

    def told(self):
        """The states that SageMaker told of; CloudTrail's records of calls are events, too."""
        told = [event for event in self.events() if event["detail-type"] == "SageMaker Notebook Instance State Change"]
        return [event["detail"]["NotebookInstanceStatus"] for event in told]

    def test_states_are_seen_once_each(self):
        self.notebook()
        self.assertEqual(["Pending", "InService"], [self.status(), self.status()])
        self.sagemaker.stop_notebook_instance(NotebookInstanceName="Analysis")
        self.assertEqual(["Stopping", "Stopped"], [self.status(), self.status()])
        self.sagemaker.update_notebook_instance(NotebookInstanceName="Analysis", InstanceType="ml.m6i.large")
        self.assertEqual(["Updating", "Stopped"], [self.status(), self.status()])
        self.assertEqual("ml.m6i.large", self.look()["InstanceType"])
        self.sagemaker.start_notebook_instance(NotebookInstanceName="Analysis")
        self.assertEqual(["Pending", "InService"], [self.status(), self.status()])
        self.sagemaker.stop_notebook_instance(NotebookInstanceName="Analysis")
        self.until("Stopped")
        self.sagemaker.delete_notebook_instance(NotebookInstanceName="Analysis")
        self.assertEqual("Deleting", self.status())
        self.fails("ValidationException", self.look)
        self.assertEqual(
            ["Pending", "InService", "Stopping", "Stopped", "Updating", "Stopped", "Pending", "InService"]
            + ["Stopping", "Stopped", "Deleting"],
            self.told(),
        )

    def test_states_pass_when_nobody_asks(self):
        self.notebook()
        self.eventually(lambda: self.told() == ["Pending", "InService"])

    def test_a_flush_waits_for_what_passes_by_itself(self):
        self.notebook()
        self.engine.flush()
        self.assertEqual(["Pending", "InService"], self.told())

    def test_only_from_the_right_state(self):
        self.notebook()
        name = {"NotebookInstanceName": "Analysis"}
        for call in ("start_notebook_instance", "update_notebook_instance", "delete_notebook_instance"):
            error = self.fails("ValidationException", getattr(self.sagemaker, call), **name)
            self.assertIn("Status (Pending) not in ([Stopped, Failed])", str(error))
        self.until("InService")
        self.sagemaker.stop_notebook_instance(**name)
        self.fails("ValidationException", self.sagemaker.stop_notebook_instance, **name)

    def test_the_event_looks_like_a_captured_one(self):
        vpc = self.vpc(CONSUMER, "10.1.0.0/16")
        ec2 = self.client("ec2", CONSUMER)
        subnet = ec2.create_subnet(VpcId=vpc, CidrBlock="10.1.0.0/24")["Subnet"]["SubnetId"]
        group = ec2.create_security_group(GroupName="g", Description="d", VpcId=vpc)["GroupId"]
        self.notebook(SubnetId=subnet, SecurityGroupIds=[group], Tags=[{"Key": "team", "Value": "a"}])
        (event,) = self.events(NotebookInstanceStatus="Pending")
        self.assertEqual(
            ("aws.sagemaker", "SageMaker Notebook Instance State Change", CONSUMER, REGION),
            tuple(event[key] for key in ("source", "detail-type", "account", "region")),
        )
        self.assertEqual([f"arn:aws:sagemaker:{REGION}:{CONSUMER}:notebook-instance/analysis"], event["resources"])
        detail = event["detail"]
        self.assertEqual("Analysis", detail["NotebookInstanceName"])
        self.assertEqual({"team": "a"}, detail["Tags"])
        self.assertGreater(detail["LastModifiedTime"], 10**12)
        self.assertEqual(
            (subnet, [group], "Enabled"),
            tuple(detail[key] for key in ("SubnetId", "SecurityGroups", "DirectInternetAccess")),
        )
        interface = self.look()["NetworkInterfaceId"]
        self.assertEqual(interface, detail["NetworkInterfaceId"])
        (found,) = ec2.describe_network_interfaces(NetworkInterfaceIds=[interface])["NetworkInterfaces"]
        self.assertEqual((subnet, [group]), (found["SubnetId"], [one["GroupId"] for one in found["Groups"]]))

    def test_lifecycle_configurations(self):
        name = {"NotebookInstanceLifecycleConfigName": "routes"}
        arn = self.sagemaker.create_notebook_instance_lifecycle_config(
            **name, OnStart=script("#!/bin/bash\n"), OnCreate=script("echo"), Tags=[{"Key": "a", "Value": "b"}]
        )["NotebookInstanceLifecycleConfigArn"]
        self.fails(
            "ValidationException", self.sagemaker.create_notebook_instance_lifecycle_config, **name, OnStart=script("x")
        )
        before = self.sagemaker.describe_notebook_instance_lifecycle_config(**name)
        self.assertEqual(script("#!/bin/bash\n"), before["OnStart"])
        self.sagemaker.update_notebook_instance_lifecycle_config(**name, OnStart=script("#!/bin/sh\n"))
        after = self.sagemaker.describe_notebook_instance_lifecycle_config(**name)
        self.assertEqual((script("#!/bin/sh\n"), []), (after["OnStart"], after["OnCreate"]))
        self.assertGreater(after["LastModifiedTime"], before["LastModifiedTime"])
        self.assertEqual(before["CreationTime"], after["CreationTime"])
        self.sagemaker.add_tags(ResourceArn=arn, Tags=[{"Key": "a", "Value": "c"}])
        self.assertEqual([{"Key": "a", "Value": "c"}], self.sagemaker.list_tags(ResourceArn=arn)["Tags"])
        self.assertEqual(
            ["routes"],
            [
                one["NotebookInstanceLifecycleConfigName"]
                for one in self.sagemaker.list_notebook_instance_lifecycle_configs()["NotebookInstanceLifecycleConfigs"]
            ],
        )
        self.sagemaker.delete_notebook_instance_lifecycle_config(**name)
        self.fails("ValidationException", self.sagemaker.describe_notebook_instance_lifecycle_config, **name)
        self.fails("ValidationException", self.sagemaker.update_notebook_instance_lifecycle_config, **name)

    def test_the_limit_counts_the_encoded_script(self):
        name = {"NotebookInstanceLifecycleConfigName": "long"}
        create = self.sagemaker.create_notebook_instance_lifecycle_config
        error = self.fails("ValidationException", create, **name, OnStart=script("x" * 12289))
        self.assertIn("less than or equal to 16384", str(error))
        create(**name, OnStart=script("x" * 12288))
        update = self.sagemaker.update_notebook_instance_lifecycle_config
        self.fails("ValidationException", update, **name, OnCreate=script("x" * 12289))
        self.fails("ValidationException", update, **name, OnStart=[{"Content": "#!/bin/bash not encoded"}])

    def test_a_configuration_is_attached_while_stopped(self):
        self.fails("ValidationException", self.notebook, LifecycleConfigName="missing")
        self.sagemaker.create_notebook_instance_lifecycle_config(
            NotebookInstanceLifecycleConfigName="routes", OnStart=script("#!/bin/bash\n")
        )
        self.notebook()
        self.until("InService")
        self.sagemaker.stop_notebook_instance(NotebookInstanceName="Analysis")
        self.until("Stopped")
        update = self.sagemaker.update_notebook_instance
        self.fails("ValidationException", update, NotebookInstanceName="Analysis", LifecycleConfigName="missing")
        update(NotebookInstanceName="Analysis", LifecycleConfigName="routes")
        self.until("Stopped")
        self.assertEqual("routes", self.look()["NotebookInstanceLifecycleConfigName"])
        update(NotebookInstanceName="Analysis", DisassociateLifecycleConfig=True)
        self.until("Stopped")
        self.assertNotIn("NotebookInstanceLifecycleConfigName", self.look())

    def test_tags_and_lists(self):
        self.sagemaker.create_notebook_instance_lifecycle_config(
            NotebookInstanceLifecycleConfigName="routes", OnStart=script("#!/bin/bash\n")
        )
        self.notebook("one", LifecycleConfigName="routes", DirectInternetAccess="Disabled")
        self.notebook("two")
        self.assertEqual("Disabled", self.look("one")["DirectInternetAccess"])
        arn = self.look("two")["NotebookInstanceArn"]
        self.assertEqual([], self.sagemaker.list_tags(ResourceArn=arn)["Tags"])
        self.sagemaker.add_tags(ResourceArn=arn, Tags=[{"Key": "a", "Value": "1"}, {"Key": "b", "Value": "1"}])
        self.sagemaker.add_tags(ResourceArn=arn, Tags=[{"Key": "a", "Value": "2"}])
        self.sagemaker.delete_tags(ResourceArn=arn, TagKeys=["b"])
        self.assertEqual([{"Key": "a", "Value": "2"}], self.sagemaker.list_tags(ResourceArn=arn)["Tags"])
        self.until("InService", "one")
        for query, names in (
            ({}, ["one", "two"]),
            ({"NameContains": "tw"}, ["two"]),
            ({"StatusEquals": "Stopped"}, []),
            ({"NotebookInstanceLifecycleConfigNameContains": "rout"}, ["one"]),
        ):
            listed = self.sagemaker.list_notebook_instances(**query)["NotebookInstances"]
            self.assertEqual(names, [one["NotebookInstanceName"] for one in listed], query)

    def test_studio_domains_say_where_they_are(self):
        self.sagemaker.create_domain(
            DomainName="studio",
            AuthMode="IAM",
            VpcId="vpc-1",
            SubnetIds=["subnet-1"],
            AppNetworkAccessType="VpcOnly",
            DefaultUserSettings={"ExecutionRole": f"arn:aws:iam::{CONSUMER}:role/r", "SecurityGroups": ["sg-1"]},
        )
        (listed,) = self.sagemaker.list_domains()["Domains"]
        found = self.sagemaker.describe_domain(DomainId=listed["DomainId"])
        self.assertEqual(
            ("vpc-1", ["subnet-1"], ["sg-1"], "VpcOnly"),
            (
                found["VpcId"],
                found["SubnetIds"],
                found["DefaultUserSettings"]["SecurityGroups"],
                found["AppNetworkAccessType"],
            ),
        )
