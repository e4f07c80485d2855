#!/bin/sh
# Deploys this release of Drawbridge. It needs the AWS CLI, and nothing else: neither Go nor Python, Node.js or the CDK.
#
#   ./deploy.sh hub BUCKET OrganizationId=o-… Regions=us-east-1,eu-west-1 [NAME=VALUE …]
#       in the hub's account
#   ./deploy.sh organization BUCKET HubAccount=… OrganizationId=o-… TargetOrganizationalUnits=ou-… Regions=us-east-1,eu-west-1 [NAME=VALUE …]
#       in the account that owns the StackSet, mostly the hub's; the first Region is the home Region
#   ./deploy.sh member BUCKET HubAccount=… HubBusArn=… OrganizationId=o-… HomeRegion=us-east-1
#       in an account that no StackSet reaches; in the home Region first, then in each other
#
# BUCKET is a bucket of that account in the Region of the AWS CLI (AWS_REGION, or your profile's); it is made if it is not there. A value that you do
# not give stays as it was at the last deployment, or is the template's default. docs/reference.md lists the parameters.
set -eu
cd "$(dirname "$0")"
version=VERSION_OF_THIS_RELEASE
prefix=drawbridge/$version

usage() { sed -n '4,9s/^# *//p' "$0" >&2; exit 2; }
[ $# -ge 2 ] || usage
what=$1 bucket=$2
shift 2
case $what in hub | organization | member) ;; *) usage ;; esac

if command -v sha256sum >/dev/null; then sha256sum --quiet -c SHA256SUMS; else shasum -a 256 -c SHA256SUMS >/dev/null; fi ||
	{ echo "a file is not the one that was released: get the release anew" >&2; exit 1; }
aws s3api head-bucket --bucket "$bucket" >/dev/null 2>&1 || aws s3 mb "s3://$bucket"

case $what in
hub)
	aws s3 cp --recursive --only-show-errors functions "s3://$bucket/$prefix/functions"
	set -- "CodeBucket=$bucket" "CodePrefix=$prefix/" "$@" ;;
organization)
	aws s3 cp --only-show-errors drawbridge-member.template.json "s3://$bucket/$prefix/drawbridge-member.template.json"
	set -- "CodeBucket=$bucket" "CodePrefix=$prefix/" "$@" ;;
esac
aws cloudformation deploy --stack-name "drawbridge-$what" --template-file "drawbridge-$what.template.json" \
	--s3-bucket "$bucket" --s3-prefix "$prefix" --capabilities CAPABILITY_NAMED_IAM --no-fail-on-empty-changeset --parameter-overrides "$@"
