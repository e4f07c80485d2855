package doctor

import "github.com/drawbridge-cloud/drawbridge/pkg/arn"

// stackSetTrust is how Organizations knows StackSets that are deployed by its units.
var stackSetTrust = arn.ServicePrincipal("member.org.stacksets.cloudformation")

// Checks are all there are, in the order in which things have to be so.
var Checks = []Check{
	{Code: "features", Title: "The organization has all features", Where: Management, Before: true, look: features,
		Remedy: "the management account turns them on; each invited account agrees", Mends: []string{"aws organizations enable-all-features"}},
	{Code: "trusted-access", Title: "The organization trusts StackSets", Where: Management, Before: true, look: trustedAccess,
		Remedy: "by CloudFormation's own call, which makes its roles too", Mends: []string{"aws cloudformation activate-organizations-access"}},
	{Code: "delegated", Title: "The hub is a delegated administrator of StackSets, or may read the organization", Where: Management, Before: true, look: delegated,
		Remedy: "or give it the three reads by a delegation policy (docs/deploy.md, section 3)",
		Mends:  []string{"aws organizations register-delegated-administrator --service-principal " + stackSetTrust + " --account-id HUB_ACCOUNT"}},
	{Code: "sharing", Title: "RAM shares within the organization", Where: Management, Before: true, look: sharing,
		Remedy: "needed for transit gateways that are shared; trusted access alone does not make RAM's role", Mends: []string{"aws ram enable-sharing-with-aws-organization"}},
	{Code: "trail", Title: "An organization trail logs in every Region", Where: Management, Before: true, look: trail,
		Remedy: "without it everything deploys and nothing ever happens",
		Mends: []string{"aws cloudtrail create-trail --name TRAIL --s3-bucket-name BUCKET --is-organization-trail --is-multi-region-trail --include-global-service-events",
			"aws cloudtrail start-logging --name TRAIL"}},
	{Code: "write-events", Title: "It logs the calls that write, of every service that is listened to", Where: Management, Before: true, look: writeEvents,
		Remedy: "a selector of management events that write, without a list of services, is enough",
		Mends:  []string{`aws cloudtrail put-event-selectors --trail-name TRAIL --event-selectors '[{"ReadWriteType":"WriteOnly","IncludeManagementEvents":true}]'`}},
	{Code: "concurrency", Title: "Lambda has room for executions", Where: Hub, Before: true, look: concurrency,
		Remedy: "1,000 are wanted, and never under 100 (docs/quotas.md)", Mends: []string{"aws service-quotas request-service-quota-increase --region HUB_REGION --service-code lambda --quota-code L-B99A9384 --desired-value 1000"}},
	{Code: "stack", Title: "The hub's stack stands", Where: Hub, look: stack, Remedy: "deploy it, from the repository", Mends: []string{"make deploy STACKS=drawbridge-hub"}},
	{Code: "bus", Title: "The bus takes events from the organization", Where: Hub, look: bus, Remedy: "deploy the hub anew", Mends: []string{"make deploy STACKS=drawbridge-hub"}},
	{Code: "rules", Title: "All rules of the hub are on", Where: Hub, look: hubRules, Remedy: "turn on those that are off; if one is missing, deploy the hub anew",
		Mends: []string{"aws events enable-rule --region HUB_REGION --event-bus-name drawbridge --name RULE"}},
	{Code: "rules-room", Title: "The bus has room for rules", Where: Hub, look: rulesRoom, Remedy: "ask for more (docs/quotas.md)",
		Mends: []string{"aws service-quotas list-service-quotas --region HUB_REGION --service-code events"}},
	{Code: "roles", Title: "All roles of the hub are there", Where: Hub, look: hubRoles, Remedy: "deploy the hub anew", Mends: []string{"make deploy STACKS=drawbridge-hub"}},
	{Code: "machines", Title: "All machines are there", Where: Hub, look: machines, Remedy: "deploy the hub anew", Mends: []string{"make deploy STACKS=drawbridge-hub"}},
	{Code: "ledger", Title: "The ledger is protected, and every second of 35 days can be restored", Where: Hub, look: ledgerKept, Remedy: "a restored table has neither by itself (docs/runbook.md#the-ledger)",
		Mends: []string{"aws dynamodb update-continuous-backups --region HUB_REGION --table-name LEDGER --point-in-time-recovery-specification PointInTimeRecoveryEnabled=true",
			"aws dynamodb update-table --region HUB_REGION --table-name LEDGER --deletion-protection-enabled"}},
	{Code: "mode", Title: "Drawbridge is not paused", Where: Hub, look: running, Remedy: "if nobody wants the pause any more", Mends: []string{"drawbridge resume"}},
	{Code: "policy", Title: "The policy can be read", Where: Hub, look: policyRead, Remedy: "put one in force that can (docs/runbook.md#a-broken-policy)", Mends: []string{"drawbridge policy apply policy.cedar"}},
	{Code: "topic", Title: "Somebody hears the notifications", Where: Hub, look: topic, Remedy: "subscribe whoever decides, and confirm",
		Mends: []string{"aws sns subscribe --region HUB_REGION --topic-arn arn:PARTITION:sns:HUB_REGION:HUB_ACCOUNT:drawbridge-notifications --protocol email --notification-endpoint ADDRESS"}},
	{Code: "dead-letters", Title: "No dead letter waits", Where: Hub, look: deadLetters, Remedy: "see what they are, mend the cause, and play them again", Mends: []string{"drawbridge replay"}},
	{Code: "members", Title: "The StackSet's instances are current", Where: Management, look: instances, Remedy: "mend what the reason says, then have the StackSet deploy anew",
		Mends: []string{"make deploy STACKS=drawbridge-organization"}},
	{Code: "member-roles", Title: "The member has the roles", Where: Member, look: memberRoles, Remedy: "put the account into a target unit, or deploy the stack by hand (docs/deploy.md, section 8)",
		Mends: []string{"make deploy STACKS=drawbridge-organization"}},
	{Code: "member-rules", Title: "The member forwards events", Where: Member, look: memberRules, Remedy: "turn on those that are off; if one is missing, have the StackSet deploy anew",
		Mends: []string{"aws events enable-rule --region REGION --name RULE"}},
	{Code: "routes-room", Title: "Route tables have room", Where: Member, Before: true, look: routesRoom, Remedy: "ask for more (docs/quotas.md)",
		Mends: []string{"aws service-quotas request-service-quota-increase --region REGION --service-code vpc --quota-code L-93826ACB --desired-value 1000"}},
	{Code: "rules-of-groups-room", Title: "Security groups have room", Where: Member, Before: true, look: groupsRoom, Remedy: "ask for more (docs/quotas.md)",
		Mends: []string{"aws service-quotas request-service-quota-increase --region REGION --service-code vpc --quota-code L-0EA8095F --desired-value 120"}},
}
