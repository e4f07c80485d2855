package main

import (
	"cmp"
	"strings"

	"github.com/aws/aws-cdk-go/awscdk/v2/awsevents"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsssm"
	sfn "github.com/aws/aws-cdk-go/awscdk/v2/awsstepfunctions"
	"github.com/aws/constructs-go/constructs/v10"
	"github.com/aws/jsii-runtime-go"

	"github.com/drawbridge-cloud/drawbridge/pkg/event"
	"github.com/drawbridge-cloud/drawbridge/pkg/tag"
	"github.com/drawbridge-cloud/drawbridge/pkg/workflow"
)

// privateNotebooksMachine is about the private notebooks of one account.
var privateNotebooksMachine = machine{
	name: "private-notebooks", define: (*hub).privateNotebooks, starts: privatePatterns, forwards: privateKinds,
	steps: all(privateSteps, endpointSteps), more: (*hub).privateAccess,
}

// callersParameter lists the ranges outside the VPCs from which people call: on premises, of a VPN.
const callersParameter = "/drawbridge/private-access-cidrs"

// endpointCalls may change what an account's private notebooks need.
var endpointCalls = []string{"CreateVpcEndpoint", "DeleteVpcEndpoints"}

// privateNotebooks returns the definition of the machine drawbridge-private-notebooks:
//
//	ReceiveEvent → InspectPrivateNotebooks ─ arrange → PlaceEachEndpoints → GrantNotebookAccess ─ done ─→ RemoveEachEndpoints
//	                        ↑              ├ refuse ──→ Refused                   │ again                        │
//	                        │              └ nothing ─→ Nothing                   ↓                              ↓
//	                        └──────────────────────────────────────────── WaitForAccount        VerifyPrivateNotebooks
//	                                                                                              → Private, Incomplete, Contested, Removed or Released
//
// One execution looks at one account in all Regions, because the account has one policy for all its VPCs.
func (h *hub) privateNotebooks(scope constructs.Construct) sfn.IChainable {
	of := h.about(scope, "InspectPrivateNotebooks", data{})
	// every does a step for VPCs, by the numbers of the ledger's rows, until their endpoints are as they shall be. What a step finds and does stands there, too.
	every := func(id, items, state, name string) sfn.Map {
		want := data{"want": data{"of": at("$.of"), "row": at("$$.Map.Item.Value")}}
		return each(scope, id, mapped{items: items, answers: "-", item: want}, h.untilReady(scope, state, name))
	}
	place := every("PlaceEachEndpoints", "$.wants", placeEndpoints, "placed")
	remove := every("RemoveEachEndpoints", "$.leaving", removeEndpoints, "removed")
	grant := h.task(scope, "GrantNotebookAccess", pick("of", "account", "region"), result{path: "$.granted", selector: data{"answer": at("$.Payload.answer")}})
	wait := of.wait("WaitForAccount", seconds(60), "The account's tagged VPCs changed meanwhile, so all is looked at again.")
	verify := of.last("VerifyPrivateNotebooks", pick("of", "result", "reason", "account", "region"),
		end{workflow.Private, "Notebooks are reached through the endpoints; the output says by which paths, and who is not restricted."},
		end{workflow.Removed, "No VPC of the account is tagged any more; what was added is gone."},
		end{workflow.Released, releasedEnd},
		end{workflow.Incomplete, incompleteEnd},
		end{workflow.Contested, contestedEnd})
	place.Next(grant).Next(choose(scope, "ChooseGranted", "$.granted.answer", []answer{{workflow.AnswerDone, remove}, {workflow.AnswerAgain, wait}}))
	remove.Next(verify)
	return of.answered(
		answer{workflow.AnswerArrange, place},
		answer{workflow.AnswerRefuse, of.ends(workflow.RefusedByPolicy, "The policy does not allow it; the output says which.")})
}

// privateAccess makes the parameter with the ranges from which people call.
func (h *hub) privateAccess(sfn.StateMachine) {
	awsssm.NewCfnParameter(h.stack, jsii.String("PrivateAccess"), &awsssm.CfnParameterProps{
		Name:        jsii.String(callersParameter),
		Description: jsii.String("From where people call the endpoints of private notebooks, beside the VPCs themselves."),
		Type:        jsii.String("String"),
		Value: parameter(h.stack, "PrivateAccessCidrs", cmp.Or(strings.Join(h.config.PrivateAccessCIDRs, ","), "none"), `^(none|[0-9./]+(, ?[0-9./]+)*)$`,
			"The ranges on premises or of a VPN from which private notebooks are reached, with commas, or none.").ValueAsString(),
	})
}

// privatePatterns are what starts the machine: endpoints that come and go. Tags, and a VPC that gets another subnet or other addresses, are
// asked about by drawbridge-change.
func privatePatterns() map[string]*awsevents.EventPattern {
	return map[string]*awsevents.EventPattern{
		"inspect-private-notebooks": internal(event.PrivateNotebooksToInspect),
		"private-endpoint":          callsOf(endpointCalls),
	}
}

// privateKinds are what members forward for it.
var privateKinds = []kind{
	{
		name:    "endpoint",
		about:   "Somebody made or deleted a VPC endpoint.",
		pattern: callPattern(ec2, map[string]any{"eventName": endpointCalls}),
	},
}

// privatePolicy is the one policy that Drawbridge writes in an account. In IAM, only it can be written, only it can be attached, and only to a role whose
// owner opted in. It can be detached from any role: a role that has lost the tag must lose the policy too.
// https://docs.aws.amazon.com/service-authorization/latest/reference/list_awsidentityandaccessmanagementiam.html
const privatePolicy = "arn:${AWS::Partition}:iam::${AWS::AccountId}:policy/drawbridge/drawbridge-private-notebooks"

// privateSteps are what its own states may do.
var privateSteps = map[string]step{
	"InspectPrivateNotebooks": {
		leases:       "private-notebooks",
		brakes:       true,
		announces:    true,
		readsParam:   true,
		readsCallers: true,
		knowsRegions: true,
		asksOrg:      true,
		keepsLedger:  true,
		member: []grant{
			{actions: []string{"ec2:DescribeVpcs"}},
		},
	},
	"GrantNotebookAccess": {
		brakes:       true,
		knowsRegions: true,
		keepsLedger:  true,
		member: []grant{
			{actions: []string{"ec2:DescribeVpcEndpoints", "ec2:DescribeVpcs", "iam:GetAccountAuthorizationDetails"}},
			{actions: []string{"iam:CreatePolicyVersion", "iam:DeletePolicy", "iam:DeletePolicyVersion"}, resources: []string{privatePolicy}},
			{actions: []string{"iam:CreatePolicy", "iam:TagPolicy"}, resources: []string{privatePolicy}, when: only("drawbridge:connection")},
			{actions: []string{"iam:AttachRolePolicy"}, resources: []string{anyRole},
				when: optedIn(map[string]map[string]any{"ArnEquals": {"iam:PolicyARN": sub(privatePolicy)}}, tag.PrivateNotebooks)},
			{actions: []string{"iam:DetachRolePolicy"}, resources: []string{anyRole},
				when: map[string]map[string]any{"ArnEquals": {"iam:PolicyARN": sub(privatePolicy)}}},
		},
	},
	"VerifyPrivateNotebooks": {
		announces:   true,
		keepsLedger: true,
		member: []grant{
			{actions: []string{
				"ec2:DescribeClientVpnEndpoints", "ec2:DescribeSubnets", "iam:GetAccountAuthorizationDetails",
				"route53resolver:ListResolverEndpoints", "sagemaker:ListNotebookInstances",
			}},
			{actions: []string{"sagemaker:DescribeNotebookInstance"}, resources: []string{notebooks}},
			// Those that AWS manages have no account.
			{actions: []string{"iam:GetPolicy", "iam:GetPolicyVersion"}, resources: []string{"arn:${AWS::Partition}:iam::aws:policy/*"}},
		},
	},
}
