import json
import tempfile
from pathlib import Path
from types import SimpleNamespace
from unittest import TestCase, mock

from drawbridge_moto import authorizations, config, policy

ALLOWED = [{"Effect": "Allow", "Action": "ec2:DescribeVpcs", "Resource": "*"}]


class Authorizations(TestCase):
    def recorded(self, *roles, file="authorizations.jsonl", context=None):
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder, file) if file else ""
            with mock.patch.object(config, "AUTHORIZATIONS", str(path)), mock.patch.object(authorizations, "_known", set()):
                for role in roles:
                    request = policy.Request("111111111111", "arn", resource="*", keys=context or {})
                    authorizations.record(role, "ec2:DescribeVpcs", request, ALLOWED, None)
            return [json.loads(line) for line in path.read_text().splitlines()] if path and path.exists() else []

    def test_each_request_once_with_the_keys_of_its_context(self):
        role = SimpleNamespace(arn="arn:aws:iam::111111111111:role/drawbridge-member-x", path="/")
        (line,) = self.recorded(role, role, context={"aws:TagKeys": ["a", "b"], "ec2:Vpc": None})
        self.assertEqual((role.arn, "ec2:DescribeVpcs", "*"), (line["role"], line["action"], line["resource"]))
        self.assertEqual(["a", "b"], line["context"]["aws:tagkeys"])
        self.assertNotIn("ec2:vpc", line["context"])
        self.assertNotIn("policies", line)

    def test_a_role_that_drawbridge_made_brings_its_policies(self):
        made = SimpleNamespace(arn="arn:aws:iam::111111111111:role/drawbridge/drawbridge-data-api-sales", path="/drawbridge/")
        (line,) = self.recorded(made)
        self.assertEqual((ALLOWED, None), (line["policies"], line["boundary"]))

    def test_nothing_is_written_where_nobody_asks_for_it(self):
        role = SimpleNamespace(arn="arn", path="/")
        self.assertEqual([], self.recorded(role, file=""))
        self.assertEqual([], self.recorded(None))
