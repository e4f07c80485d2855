import inspect
import json
import pathlib
import re
import tempfile
import unittest
from unittest import mock

import drawbridge_moto  # noqa: F401 - changes moto
from drawbridge_moto import machines
from moto.stepfunctions.parser.asl.parse.asl_parser import AmazonStateLanguageParser, ASLParserException

ONE = json.dumps({"StartAt": "A", "States": {"A": {"Type": "Pass", "Result": {"n": 1}, "ResultPath": "$.a", "Next": "B"}, "B": {"Type": "Succeed"}}})
OTHER = ONE.replace('"n": 1', '"n": 2')


class KeptMachines(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name) / "machines"
        for target, name, value in ((machines, "FOLDER", self.folder), (machines.sys, "dont_write_bytecode", False)):
            patch = mock.patch.object(target, name, value)
            patch.start()
            self.addCleanup(patch.stop)
        self.asked = []

    def parse(self, definition):
        self.asked.append(definition)
        return inspect.unwrap(AmazonStateLanguageParser.parse)(definition)  # moto's own, which keeps nothing

    def test_a_definition_is_parsed_once(self):
        first, tree = machines.parsed(ONE, self.parse)
        again, none = machines.parsed(ONE, self.parse)
        self.assertEqual([ONE], self.asked)
        self.assertIsNotNone(tree)
        self.assertIsNone(none)
        self.assertEqual(re.sub(" at 0x[0-9a-f]+", "", str(first)), re.sub(" at 0x[0-9a-f]+", "", str(again)))
        self.assertIsNot(first, again)

    def test_another_definition_or_another_world_is_parsed(self):
        machines.parsed(ONE, self.parse)
        machines.parsed(OTHER, self.parse)
        self.assertEqual([ONE, OTHER], self.asked)
        with mock.patch.object(machines, "_surroundings", lambda: b"another moto"):
            machines.parsed(ONE, self.parse)
        self.assertEqual([ONE, OTHER, ONE], self.asked)

    def test_half_a_file_is_parsed_anew(self):
        machines.parsed(ONE, self.parse)
        (file,) = self.folder.iterdir()
        file.write_bytes(file.read_bytes()[:20])
        machines.parsed(ONE, self.parse)
        self.assertEqual([ONE, ONE], self.asked)
        self.assertIsNone(machines.parsed(ONE, self.parse)[1])

    def test_what_is_wrong_is_not_kept(self):
        for _ in range(2):
            self.assertRaises(ASLParserException, machines.parsed, "{", self.parse)
        self.assertEqual(["{", "{"], self.asked)

    def test_no_more_than_most_are_kept(self):
        with mock.patch.object(machines, "MOST", 2):
            for n in range(4):
                machines.parsed(ONE.replace("1", str(n)), self.parse)
        self.assertEqual(2, len(list(self.folder.iterdir())))

    def test_a_folder_that_cannot_be_written_keeps_nothing(self):
        self.folder.parent.joinpath("machines").write_text("a file")
        for _ in range(2):
            machines.parsed(ONE, self.parse)
        self.assertEqual([ONE, ONE], self.asked)
