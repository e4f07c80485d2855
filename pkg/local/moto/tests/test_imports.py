import ast
import graphlib
import pathlib
import unittest

HERE = pathlib.Path(__file__).parent.parent / "drawbridge_moto"


def imported(path):
    """The modules of the package that a module imports, wherever it does."""
    names = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.ImportFrom) and node.level == 1:
            names |= {node.module} if node.module else {name.name for name in node.names}
    return names


# They know nothing of Drawbridge; see README.md.
GENERIC = ("cloudformation", "distributedmap", "dynamodb", "eventbuses", "eventpatterns", "peeringfilters", "policyquotas", "tags")


class Imports(unittest.TestCase):
    def test_go_down_only(self):
        modules = {path.stem: imported(path) for path in HERE.glob("*.py") if path.stem != "__init__"}
        self.assertGreater(sum(len(names) for names in modules.values()), 50)
        try:
            list(graphlib.TopologicalSorter(modules).static_order())
        except graphlib.CycleError as circle:
            self.fail(f"a circle of imports: {' -> '.join(reversed(circle.args[1]))}")

    def test_what_could_go_upstream_knows_nothing_of_ours(self):
        for name in GENERIC:
            self.assertLessEqual(imported(HERE / f"{name}.py"), {"patching", "checks"}, name)

    def test_functions_are_short(self):
        functions = [(path.name, one) for path in HERE.glob("*.py") for one in ast.walk(ast.parse(path.read_text())) if isinstance(one, ast.FunctionDef)]
        self.assertGreater(len(functions), 500)
        self.assertEqual([], [f"{name}: {one.name}" for name, one in functions if one.end_lineno - one.lineno >= 80])

    def test_every_module_is_applied(self):
        applied = imported(HERE / "__init__.py")
        reached, rest = set(), set(applied)
        while rest:
            name = rest.pop()
            if name not in reached and (HERE / f"{name}.py").exists():
                reached.add(name)
                rest |= imported(HERE / f"{name}.py")
        modules = {path.stem for path in HERE.glob("*.py")} - {"__init__", "__main__", "server"}
        self.assertEqual(modules, reached, "a module that nobody imports changes nothing")
