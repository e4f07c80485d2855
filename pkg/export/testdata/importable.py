"""Holds lists of resources to import to the schemas of CloudFormation's types, as cfn-lint has them."""

import json
import sys

from cfnlint.schema.manager import PROVIDER_SCHEMA_MANAGER

wrong = []
count = 0
for path in sys.argv[1:]:
    with open(path, encoding="utf-8") as file:
        resources = json.load(file)
    for resource in resources:
        count += 1
        schema = PROVIDER_SCHEMA_MANAGER.get_resource_schema("us-east-1", resource["ResourceType"]).schema
        identifier = [name.removeprefix("/properties/") for name in schema["primaryIdentifier"]]
        if sorted(identifier) != sorted(resource["ResourceIdentifier"]):
            wrong.append(f"{resource['ResourceType']} is identified by {identifier}, not by {list(resource['ResourceIdentifier'])}")
        if "read" not in schema.get("handlers", {}):
            wrong.append(f"{resource['ResourceType']} cannot be imported: nothing reads it")
if not count:
    wrong.append("there is nothing to import")
sys.exit("\n".join(wrong) or 0)
