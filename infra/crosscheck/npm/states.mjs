// Asks asl-validator and AWS's amazon-states-language-service about machines. Standard input is {"judge", "machines":
// [{"text", "arns"}]}, where arns says that the resources are ARNs rather than names; the answer is
// [[complaint] of each machine].
import { text } from "node:stream/consumers";
import aslValidator from "asl-validator";
import languageService from "amazon-states-language-service";
import { TextDocument } from "vscode-languageserver-textdocument";

const judges = {
  "asl-validator": async (machine) => {
    const { isValid, errors } = aslValidator(JSON.parse(machine.text), { checkPaths: true, checkArn: machine.arns });
    return isValid ? [] : errors.map((error) => `${error["Error code"]}: ${error.Message}`);
  },
  "amazon-states-language-service": async (machine) => {
    const service = languageService.getLanguageService({});
    const document = TextDocument.create("file:///machine.asl", "asl", 1, machine.text);
    const found = await service.doValidation(document, service.parseJSONDocument(document));
    return found.map((one) => `line ${one.range.start.line + 1}: ${one.message}`);
  },
};

const question = JSON.parse(await text(process.stdin));
const answer = [];
for (const machine of question.machines) {
  answer.push(await judges[question.judge](machine));
}
process.stdout.write(JSON.stringify(answer));
