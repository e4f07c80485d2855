package stories

import (
	"context"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/sfn"
	sfntypes "github.com/aws/aws-sdk-go-v2/service/sfn/types"

	"github.com/drawbridge-cloud/drawbridge/pkg/local"
	"github.com/drawbridge-cloud/drawbridge/pkg/local/awscall"
	"github.com/drawbridge-cloud/drawbridge/pkg/local/scenario"
)

// linkedRole is the service-linked role that AWS attaches a VPC with, in the VPC's account.
const linkedRole = "AWSServiceRoleForVPCTransitGateway"

// fresh are the stories of an account that lacks what AWS makes with the first use. Where the account's role may make it, AWS
// does so by itself: attach.md.
var fresh = []tale{
	{
		name:  "attach-denied",
		title: "A VPC is attached in an account that lets nobody create the role that AWS attaches with",
		about: `
As in attach.md, but a service control policy lets nobody in beta create the service-linked role of transit gateways. AWS
says nothing of that, and fails the attachment.`,
		prepare: func(ctx context.Context, t *testing.T, w *scenario.World) {
			gateway(true)(ctx, t, w)
			withdraw(ctx, t, w.Producer.Account, memberPrefix+"attach-vpc", "iam:CreateServiceLinkedRole")
		},
		fault: func(*scenario.World) local.Injector { // in the words of such a policy
			return func(c awscall.Call, when local.Moment) *local.Fault {
				if when != local.Before || c.Function == "" || c.Action != "CreateServiceLinkedRole" {
					return nil
				}
				return &local.Fault{Status: 403, Code: "AccessDenied", Message: "explicit deny in a service control policy"}
			}
		},
		acts: []act{
			{"The owner of alpha shares the gateway with beta.", shareGateway, []string{"Nothing", "Nothing", "Nothing"}},
			{"The owner of beta tags the VPC: drawbridge:attach=core.", attach("core"), []string{"Announced", "Nothing", "Refused"}},
			{"The owner of beta creates the role; the execution is redriven.", func(ctx context.Context, t *testing.T, w *scenario.World) {
				asIAM(ctx, t, w.Producer.Account, "CreateServiceLinkedRole", url.Values{"AWSServiceName": {"transitgateway.amazonaws.com"}})
				redrive(ctx, t, "drawbridge-attachment")
			}, []string{"Attached"}},
		},
		also: attachmentsOnceMore("available"),
	},
	{
		name:  "attach-role-lost",
		title: "The role that AWS attaches with is gone when the gateway's owner approves",
		about: `
As in attach-approval.md, but while the attachment waits, the owner of beta deletes the service-linked role of transit
gateways, which nothing used. AWS fails the attachment; Drawbridge creates the role and attaches once more, and the owner
of the gateway is asked once more.`,
		prepare: gateway(false),
		acts: []act{
			{"The owner of alpha shares the gateway with beta.", shareGateway, []string{"Nothing", "Nothing", "Nothing"}},
			{"The owner of beta tags the VPC: drawbridge:attach=core.", attach("core"), []string{"Announced", "AwaitingApproval"}},
			{"The owner of beta deletes the role; the owner of alpha tags the attachment: drawbridge:approval=approved.", func(ctx context.Context, t *testing.T, w *scenario.World) {
				_, err := iam.NewFromConfig(engine.Config(w.Producer.Account, w.Producer.Region)).DeleteServiceLinkedRole(ctx, &iam.DeleteServiceLinkedRoleInput{RoleName: aws.String(linkedRole)})
				succeeds(t, err)
				answer(true, "approved")(ctx, t, w)
			}, []string{"Announced", "AwaitingApproval", "Removed"}},
		},
		also: attachmentsOnceMore("pendingAcceptance"),
	},
}

// attachmentsOnceMore holds a story to an attachment that AWS failed, another in a state, and the role in beta alone.
func attachmentsOnceMore(state string) func(context.Context, *testing.T, *scenario.World, []awscall.Call) {
	return func(ctx context.Context, t *testing.T, w *scenario.World, _ []awscall.Call) {
		var states []string
		for _, a := range attached(ctx, t, w) {
			states = append(states, string(a.State))
		}
		slices.Sort(states)
		if want := slices.Sorted(slices.Values([]string{"failed", state})); !slices.Equal(states, want) {
			t.Errorf("got attachments that are %q, want %q", states, want)
		}
		hasLinkedRole(ctx, t, w)
	}
}

// hasLinkedRole checks that beta, whose VPC was attached, has the service-linked role, and alpha, whose was not, has it not.
func hasLinkedRole(ctx context.Context, t *testing.T, w *scenario.World) {
	t.Helper()
	for account, want := range map[string]bool{w.Producer.Account: true, w.Consumer.Account: false} {
		if has := strings.Contains(asIAM(ctx, t, account, "ListRoles", url.Values{"PathPrefix": {"/aws-service-role/transitgateway.amazonaws.com/"}}), linkedRole); has != want {
			t.Errorf("account %s has the role %s: %v, want %v", account, linkedRole, has, want)
		}
	}
}

// redrive redrives the execution of a machine that failed last.
func redrive(ctx context.Context, t *testing.T, machine string) {
	t.Helper()
	redriven(ctx, t, machine, sfntypes.ExecutionStatusFailed)
}

// redriven redrives the last execution of a machine that ended so.
func redriven(ctx context.Context, t *testing.T, machine string, status sfntypes.ExecutionStatus) {
	t.Helper()
	client := sfn.NewFromConfig(engine.Config(local.HubAccount, engine.Region()))
	got, err := client.ListExecutions(ctx, &sfn.ListExecutionsInput{StatusFilter: status,
		StateMachineArn: aws.String("arn:aws:states:" + engine.Region() + ":" + local.HubAccount + ":stateMachine:" + machine)})
	if err != nil || len(got.Executions) == 0 {
		t.Fatalf("no execution of %s is %s: %v", machine, status, err)
	}
	last := slices.MaxFunc(got.Executions, func(a, b sfntypes.ExecutionListItem) int { return a.StartDate.Compare(*b.StartDate) })
	must(t)(client.RedriveExecution(ctx, &sfn.RedriveExecutionInput{ExecutionArn: last.ExecutionArn}))
}
