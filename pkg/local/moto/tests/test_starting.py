import sys
import unittest

import drawbridge_moto  # noqa: F401 - changes moto
from botocore.session import Session
from moto.ec2.models.availability_zones_and_regions import RegionsAndZonesBackend
from moto.moto_server.werkzeug_app import create_backend_app
from werkzeug.routing import Map, Rule


class Starting(unittest.TestCase):
    def test_regions_are_those_of_a_new_session(self):
        for service, partition in (("ec2", "aws"), ("sagemaker", "aws-cn"), ("iam", "aws"), ("nobody-s", "aws")):
            named = Session.get_available_regions.__wrapped__(Session(), service, partition)
            self.assertEqual(named, Session().get_available_regions(service, partition))
        first = Session().get_available_regions("ec2")
        first.append("nowhere")
        self.assertNotIn("nowhere", Session().get_available_regions("ec2"))
        self.assertIn("us-east-1", [region.name for region in RegionsAndZonesBackend.regions])

    def test_no_validator_of_openapi_is_imported(self):
        self.assertIn("moto.apigateway.models", sys.modules)
        self.assertNotIn("pydantic", sys.modules)
        with self.assertRaises(NotImplementedError):
            sys.modules["moto.apigateway.models"].validate({})

    def test_a_route_writes_its_address_all_the_same(self):
        rule = Rule("/of/<int:n>/<what>", endpoint="one")
        Map([rule]).bind("here")
        self.assertEqual(("", "/of/3/it"), rule.build({"n": 3, "what": "it"}))
        self.assertEqual(("", "/of/3/it?more=1"), rule.build({"n": 3, "what": "it", "more": 1}))
        self.assertGreater(len(list(create_backend_app("sts").url_map.iter_rules())), 0)
