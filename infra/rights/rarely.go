package rights

import "slices"

// Bundles are actions that are granted together, since the calls of one package need them: who uses one may have the others. What a
// step does in the ledger depends on what it finds there.
var Bundles = [][]string{
	{"dynamodb:BatchGetItem", "dynamodb:Query"},
	{"dynamodb:DeleteItem", "dynamodb:PutItem"},
}

// Right is an action that a role allows.
type Right struct{ Role, Action string }

// Rarely are rights that no story uses, each with the name of the test of the code that does, or of the plan that asks for it. What a step does in the ledger beside its bundle is
// not listed.
var Rarely = map[Right]string{
	{"drawbridge-attach-routes", "events:PutEvents"}:                                    "TestAsManyAtOnceAsThereMayBe",
	{"drawbridge-inspect-notebooks", "states:DescribeExecution"}:                        "TestWhoEndedHasNoDebt",
	{"drawbridge-disassociate-attachment", "events:PutEvents"}:                          "TestDisassociate",
	{"drawbridge-inspect-attachment", "states:DescribeExecution"}:                       "TestAHolderThatEndedHasNoLease",
	{"drawbridge-inspect-peering", "states:DescribeExecution"}:                          "TestAHolderThatEndedHasNoLease",
	{"drawbridge-inspect-share", "dynamodb:DeleteItem"}:                                 "TestWhatWasAcceptedIsForgottenWhenItEnds",
	{"drawbridge-inspect-share", "dynamodb:PutItem"}:                                    "TestWhatWasAcceptedIsForgottenWhenItEnds",
	{"drawbridge-inspect-transit", "states:DescribeExecution"}:                          "TestAHolderThatEndedHasNoLease",
	{"drawbridge-member-answer-tags", "redshift-serverless:GetWorkgroup"}:               "TestEveryKindIsAnsweredOnceAndCleared",
	{"drawbridge-member-conclude-removal", "ec2:CreateTags"}:                            "TestTheWorldAfterwardsIsTheWorldBefore",
	{"drawbridge-member-inspect-attachment", "rds:DescribeDBClusters"}:                  "TestADatabaseIsInTheSubnetsOfItsGroup",
	{"drawbridge-member-inspect-attachment", "rds:DescribeDBProxyEndpoints"}:            "TestEndpointsOfProxies",
	{"drawbridge-member-inspect-attachment", "rds:DescribeOptionGroups"}:                "TestEveryPortOfAnInstance",
	{"drawbridge-member-inspect-attachment", "rds:DescribeDBProxies"}:                   "TestProxies",
	{"drawbridge-member-inspect-attachment", "rds:DescribeDBSubnetGroups"}:              "TestADatabaseIsInTheSubnetsOfItsGroup",
	{"drawbridge-member-inspect-attachment", "rds:ListTagsForResource"}:                 "TestProxies",
	{"drawbridge-member-inspect-attachment", "redshift-serverless:ListTagsForResource"}: "TestWorkgroups",
	{"drawbridge-member-inspect-attachment", "redshift-serverless:ListWorkgroups"}:      "TestWorkgroups",
	{"drawbridge-member-inspect-attachment", "redshift:DescribeClusterSubnetGroups"}:    "TestADatabaseIsInTheSubnetsOfItsGroup",
	{"drawbridge-member-inspect-attachment", "redshift:DescribeEndpointAccess"}:         "TestManagedEndpointsOfRedshift",
	{"drawbridge-member-inspect-transit", "rds:DescribeDBProxyEndpoints"}:               "TestEndpointsOfProxies",
	{"drawbridge-member-inspect-transit", "rds:DescribeOptionGroups"}:                   "TestEveryPortOfAnInstance",
	{"drawbridge-member-inspect-transit", "rds:DescribeDBProxies"}:                      "TestProxies",
	{"drawbridge-member-inspect-transit", "rds:ListTagsForResource"}:                    "TestProxies",
	{"drawbridge-member-inspect-transit", "redshift-serverless:ListTagsForResource"}:    "TestWorkgroups",
	{"drawbridge-member-inspect-transit", "redshift-serverless:ListWorkgroups"}:         "TestWorkgroups",
	{"drawbridge-member-inspect-transit", "redshift:DescribeClusterSubnetGroups"}:       "TestADatabaseIsInTheSubnetsOfItsGroup",
	{"drawbridge-member-inspect-transit", "redshift:DescribeEndpointAccess"}:            "TestManagedEndpointsOfRedshift",
	{"drawbridge-member-inspect-transit", "sagemaker:ListTags"}:                         "TestANotebookWithoutAScriptMayStillSaySomething",
	{"drawbridge-member-open-firewall", "ec2:DescribeSecurityGroupRules"}:               "TestARuleOfAnAnswerThatWasLostIsFound",
	{"drawbridge-member-refuse-transit", "ec2:CreateTags"}:                              "TestARefusedPairIsNotCounted",
	{"drawbridge-member-refuse-transit", "ec2:DeleteTags"}:                              "TestARefusedPairIsNotCounted",
	{"drawbridge-member-remove-endpoints", "ec2:DescribeSecurityGroups"}:                "TestAnInterruptedPlacementIsFinishedAndTakenBack",
	{"drawbridge-member-remove-routes", "ec2:CreateRoute"}:                              "TestPlanRemoval",
	{"drawbridge-member-retract-data-api", "kms:ListGrants"}:                            "TestAGrantWhoseIDWasLostIsFound",
	{"drawbridge-refuse-transit", "dynamodb:BatchGetItem"}:                              "TestARefusedPairIsNotCounted",
	{"drawbridge-refuse-transit", "sts:AssumeRole"}:                                     "TestARefusedPairIsNotCounted",
	{"drawbridge-refuse-transit", "dynamodb:Query"}:                                     "TestARefusedPairIsNotCounted",
	{"drawbridge-sweep-account", "dynamodb:DeleteItem"}:                                 "TestAVisitThatHasNoRoomIsARow",
	{"drawbridge-sweep-account", "dynamodb:PutItem"}:                                    "TestAVisitThatHasNoRoomIsARow",
	{"drawbridge-tally-rebuild", "dynamodb:BatchGetItem"}:                               "TestAVisitThatHasNoRoomIsARow",
	{"drawbridge-tally-rebuild", "dynamodb:Query"}:                                      "TestAVisitThatHasNoRoomIsARow",
	{"drawbridge-tally-sweep", "dynamodb:BatchGetItem"}:                                 "TestTheLimitIsWhicheverIsMore",
	{"drawbridge-tally-sweep", "dynamodb:DeleteItem"}:                                   "TestTheLimitIsWhicheverIsMore",
	{"drawbridge-tally-sweep", "dynamodb:PutItem"}:                                      "TestTheLimitIsWhicheverIsMore",
	{"drawbridge-tally-sweep", "dynamodb:Query"}:                                        "TestTheLimitIsWhicheverIsMore",
}

// Bundled reports whether uses holds for another action of a bundle of action's.
func Bundled(action string, uses func(action string) bool) bool {
	return slices.ContainsFunc(Bundles, func(bundle []string) bool {
		return slices.Contains(bundle, action) && slices.ContainsFunc(bundle, uses)
	})
}
