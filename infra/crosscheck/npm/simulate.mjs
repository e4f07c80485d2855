// Asks iam-simulate what IAM would answer. Standard input is {"policies": {name: [document]}, "resourcePolicies": {name:
// document}, "requests": [{"policy", "boundary"?, "resourcePolicy"?, "principal", "action", "resource", "account", "context"}]}; the answer is
// ["Allowed", "ImplicitlyDenied", "ExplicitlyDenied" or what is wrong with the request, of each].
import { text } from "node:stream/consumers";
import { runSimulation } from "@cloud-copilot/iam-simulate";

const question = JSON.parse(await text(process.stdin));
const named = (name) => question.policies[name].map((policy, i) => ({ name: `${name} ${i}`, policy }));
const answer = [];
for (const one of question.requests) {
  const said = await runSimulation(
    {
      request: {
        principal: one.principal,
        action: one.action,
        resource: { resource: one.resource, accountId: one.account },
        contextVariables: one.context,
      },
      identityPolicies: named(one.policy),
      permissionBoundaryPolicies: one.boundary ? named(one.boundary) : undefined,
      resourcePolicy: one.resourcePolicy ? question.resourcePolicies[one.resourcePolicy] : undefined,
      serviceControlPolicies: [],
      resourceControlPolicies: [],
    },
    {},
  );
  answer.push(said.resultType === "error" ? JSON.stringify(said.errors) : said.overallResult);
}
process.stdout.write(JSON.stringify(answer));
