"""Module: shortcuts. The short way leads to where moto's own does."""

import copy
import unittest
from types import SimpleNamespace
from unittest import mock

import drawbridge_moto  # noqa: F401 - applies the corrections
from drawbridge_moto import shortcuts
from moto.core import serialize
from moto.core.utils import get_service_model
from moto.iam.models import IAMBackend

VALUES = [
    {"S": "text"}, {"S": ""}, {"N": "12"}, {"BOOL": False}, {"BOOL": True}, {"NULL": True}, {"SS": ["a", "b"]}, {"NS": ["1"]},
    {"B": b"\x00\xff"}, {"BS": [b"a", b"b"]}, {"L": []}, {"M": {}}, {"N": 12},
    {"L": [{"S": "a"}, {"M": {"b": {"L": [{"N": "1"}]}}}]}, {"M": {"text": {"S": "a"}, "bytes": {"B": b"b"}}},
]  # fmt: skip


class Shortcuts(unittest.TestCase):
    def body(self, service, operation, result):
        model = get_service_model(service)
        kind = serialize.SERIALIZERS["json" if service == "dynamodb" else "query"]
        picker = serialize.XFormedAttributePicker()
        return kind(operation_model=model.operation_model(operation), value_picker=picker).serialize(result)["body"]

    def as_moto_does(self, owner, name):
        return mock.patch.object(owner, name, getattr(owner, name).__wrapped__)

    def test_values_of_dynamodb(self):
        for value in VALUES:
            result = {"Items": [{"one": value, "other": {"S": "x"}}], "Count": 1}
            with self.as_moto_does(serialize.BaseJSONSerializer, "_serialize_type_structure"):
                want = self.body("dynamodb", "Query", copy.deepcopy(result))
            self.assertEqual(want, self.body("dynamodb", "Query", result))
        self.assertIsNotNone(shortcuts._as_it_stands(VALUES[0]))
        self.assertIsNone(shortcuts._as_it_stands({"B": b"bytes"}))

    def test_members_of_objects(self):
        found = [SimpleNamespace(db_instance_identifier="one", port=None), {"DBInstanceIdentifier": "two", "multi_az": False}]
        for _ in range(2):  # the second time by the names that are kept
            with self.as_moto_does(serialize.ResponseSerializer, "get_value"):
                want = self.body("rds", "DescribeDBInstances", {"DBInstances": found})
            self.assertEqual(want, self.body("rds", "DescribeDBInstances", {"DBInstances": found}))
        self.assertIn("<DBInstanceIdentifier>two</DBInstanceIdentifier>", want)

    def test_a_role_by_its_arn(self):
        backend = IAMBackend("aws", "777777777777")
        for path in ("/", "/drawbridge/"):
            backend.roles[path] = SimpleNamespace(name="same", arn=f"arn:aws:iam::777777777777:role{path}same")
        self.assertEqual("arn:aws:iam::777777777777:role/drawbridge/same", backend.get_role_by_arn("arn:aws:iam::777777777777:role/drawbridge/same").arn)
        with self.assertRaises(Exception):
            backend.get_role_by_arn("arn:aws:iam::777777777777:role/other/same")


if __name__ == "__main__":
    unittest.main()
