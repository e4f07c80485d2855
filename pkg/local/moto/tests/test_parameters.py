from .engine import HUB, Case


class Parameters(Case):
    def test_parameter_store_says_what_became_of_a_parameter(self):
        ssm, name = self.client("ssm", HUB), "/drawbridge/policy"
        ssm.put_parameter(Name=name, Value="permit", Type="String")
        ssm.put_parameter(Name=name, Value="forbid", Type="String", Overwrite=True)
        ssm.delete_parameter(Name=name)
        said = [event for event in self.events(account=HUB) if event["detail-type"] == "Parameter Store Change"]
        self.assertEqual(["Create", "Update", "Delete"], [event["detail"]["operation"] for event in said])
        for event in said:
            self.assertEqual(("aws.ssm", name, "String"), (event["source"], event["detail"]["name"], event["detail"]["type"]))
            self.assertTrue(event["resources"][0].endswith(":parameter/drawbridge/policy"), event["resources"])

    def test_what_fails_is_not_said(self):
        ssm = self.client("ssm", HUB)
        ssm.put_parameter(Name="one", Value="1", Type="String")
        self.fails("ParameterAlreadyExists", ssm.put_parameter, Name="one", Value="2", Type="String")
        self.fails("ParameterNotFound", ssm.delete_parameter, Name="other")
        said = [event for event in self.events(account=HUB) if event["detail-type"] == "Parameter Store Change"]
        self.assertEqual(1, len(said))
