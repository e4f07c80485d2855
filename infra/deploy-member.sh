#!/bin/sh
# Deploys drawbridge-member as a plain stack into the account whose credentials are set, for accounts that no StackSet
# reaches: infra/deploy-member.sh HOME_REGION [REGION…], from the root of the repository, after make synth.
#
# The template is larger than the 51,200 bytes that CloudFormation takes inline, so each Region gets a bucket for as long
# as the deployment takes; the account needs no bootstrap.
# https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/cloudformation-limits.html
set -eu
cd "$(dirname "$0")/.."
stack=drawbridge-member
template=cdk.out/$stack.template.json

[ $# -gt 0 ] || { echo "name the Regions, the home Region first: infra/deploy-member.sh us-east-1 eu-west-1" >&2; exit 2; }
[ -f "$template" ] || { echo "$template is missing: run make synth" >&2; exit 1; }
# An update would keep the values that the stack has; those of cdk.json shall count.
# shellcheck disable=SC2016 # it is JavaScript
values=$(node_modules/node/bin/node -e '
	for (const [name, p] of Object.entries(JSON.parse(require("fs").readFileSync(process.argv[1])).Parameters)) {
		if (!p.Default) { console.error(`${name} has no value: fill in cdk.json, then make synth`); process.exit(1) }
		console.log(`${name}=${p.Default}`)
	}' "$template")
account=$(aws sts get-caller-identity --query Account --output text)

for region; do
	bucket=$stack-$account-$region
	trap 'aws s3 rb --force --region "$region" "s3://$bucket" >/dev/null' EXIT
	aws s3api head-bucket --region "$region" --bucket "$bucket" >/dev/null 2>&1 || aws s3 mb --region "$region" "s3://$bucket"
	# shellcheck disable=SC2086 # no value has a space
	aws cloudformation deploy --region "$region" --stack-name $stack --template-file "$template" --s3-bucket "$bucket" \
		--capabilities CAPABILITY_NAMED_IAM --parameter-overrides $values
	trap - EXIT
	aws s3 rb --force --region "$region" "s3://$bucket" >/dev/null
done
