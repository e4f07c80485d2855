import gc
import sys
import threading
import unittest
from unittest import mock

import drawbridge_moto  # noqa: F401 - changes moto
from botocore.exceptions import UnknownServiceError
from botocore.loaders import JSONFileLoader, Loader, create_loader
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

    def test_a_model_is_what_botocore_reads(self):
        with mock.patch.object(JSONFileLoader, "_load_file", JSONFileLoader._load_file.__wrapped__):
            asis = Loader.load_service_model.__wrapped__(create_loader(), "sts", "service-2", None)
        self.assertEqual(asis, create_loader().load_service_model("sts", "service-2"))
        self.assertEqual(list(asis["operations"]), list(create_loader().load_service_model("sts", "service-2")["operations"]))
        with self.assertRaises(UnknownServiceError):
            create_loader().load_service_model("nobody-s", "service-2")

    def test_a_model_is_read_once(self):
        read, files = [], JSONFileLoader._load_file.__wrapped__

        def load(loader, path, opened):
            read.append(path)
            return files(loader, path, opened)

        def ask():
            create_loader().load_service_model("mediastore", "service-2")

        with mock.patch.object(JSONFileLoader, "_load_file", load):
            threads = [threading.Thread(target=ask) for _ in range(8)]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
        self.assertEqual(1, len([path for path in read if "mediastore/" in path and "service-2.json.gz" in path]))

    def test_garbage_is_looked_for_seldom(self):
        self.assertEqual(100_000, gc.get_threshold()[0])

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
