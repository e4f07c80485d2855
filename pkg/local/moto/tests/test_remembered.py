"""Module: remembered. What is remembered is what moto works out."""

import unittest

import drawbridge_moto  # noqa: F401 - applies the corrections
from moto.core import responses, serialize
from moto.core.utils import get_service_model, method_names_from_class
from moto.ec2.responses import EC2Response
from moto.events.models import EventPattern


class DBInstance:
    """Named like a shape, as moto's own models are: ClassPrefixAlias shortens keys by it."""


class DB(DBInstance):
    """Another class, by which other keys are shortened."""


class Remembered(unittest.TestCase):
    def test_a_member_is_looked_for_under_the_same_names(self):
        picker = serialize.XFormedAttributePicker()
        seen = 0
        for service, operation in (("rds", "DescribeDBInstances"), ("ec2", "DescribeVpcs"), ("dynamodb", "Query"), ("sagemaker", "DescribeDomain")):
            shape = get_service_model(service).operation_model(operation).output_shape
            for obj in (DBInstance(), {}):
                for key, member in self.members(shape):
                    context = serialize.AttributePickerContext(obj=obj, key=key, shape=member)
                    member.__dict__.pop("_possible_keys", None)
                    first = list(picker.get_possible_keys(context))
                    again = list(picker.get_possible_keys(context))
                    member.__dict__.pop("_possible_keys", None)
                    self.assertEqual(first, again)
                    self.assertEqual(first, list(dict.fromkeys(self.by_moto(picker, context))))
                    seen += 1
        self.assertGreater(seen, 100)

    @staticmethod
    def by_moto(picker, context):
        """XFormedAttributePicker.get_possible_keys, as moto has it."""
        for key in serialize.AttributePicker.get_possible_keys(picker, context):
            yield key
            yield serialize.xform_name(key)

    def members(self, shape, depth=4):
        for key, member in getattr(shape, "members", {}).items():
            member.parent = shape
            yield key, member
            if depth:
                yield from self.members(member if member.type_name == "structure" else getattr(member, "member", None), depth - 1)

    def test_an_object_of_another_class_has_other_names(self):
        shape = get_service_model("rds").operation_model("DescribeDBInstances").output_shape.members["DBInstances"].member
        member = shape.members["DBName"]
        member.parent = shape
        names = [list(serialize.XFormedAttributePicker().get_possible_keys(serialize.AttributePickerContext(obj=o, key="DBName", shape=member))) for o in ({}, DB(), {})]
        self.assertIn("Name", names[1])
        self.assertNotIn("Name", names[0])
        self.assertEqual(names[0], names[2])

    def test_the_methods_of_a_handler(self):
        self.assertEqual(responses.method_names_from_class(EC2Response), method_names_from_class(EC2Response))

    def test_an_event_is_read_once_for_all_rules_and_anew_for_the_next(self):
        one, two = EventPattern("", {"detail": {"n": [1]}}), EventPattern("", {"detail": {"n": [2]}})
        for n in (1, 2, 1):
            event = {"detail": {"n": n}}
            self.assertEqual((one.matches_event(event), two.matches_event(event)), (n == 1, n == 2))
        self.assertTrue(EventPattern("", {}).matches_event({"detail": {}}))


if __name__ == "__main__":
    unittest.main()
