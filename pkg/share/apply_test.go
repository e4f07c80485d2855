package share_test

import (
	"context"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge"
	"github.com/aws/aws-sdk-go-v2/service/ram"
	ramtypes "github.com/aws/aws-sdk-go-v2/service/ram/types"
	"github.com/aws/smithy-go"

	"github.com/drawbridge-cloud/drawbridge/pkg/event"
	"github.com/drawbridge-cloud/drawbridge/pkg/ledger"
	"github.com/drawbridge-cloud/drawbridge/pkg/ledger/ledgertest"
	"github.com/drawbridge-cloud/drawbridge/pkg/look"
	"github.com/drawbridge-cloud/drawbridge/pkg/policy"
	"github.com/drawbridge-cloud/drawbridge/pkg/share"
	"github.com/drawbridge-cloud/drawbridge/pkg/workflow"
)

// world has the gateway core of alpha, shared with beta. Each account has one VPC, vpc-<its first digit>.
type world struct {
	gone       bool              // the share is deleted and forgotten
	principals map[string]string // of the share
	seen       []string          // accounts that see the gateway, besides its owner
	invitation string            // the status of beta's
	attach     map[string]string // account → its VPC's tag drawbridge:attach
	attached   []string          // accounts whose VPC is attached
	strangers  []string          // accounts outside the organization
	shares     int               // shares of the account, if no event names one; 1 if 0
	did        []string
	looks      []string
	ledger     *ledgertest.Memory // what Drawbridge accepted; empty if nil
}

// book returns the ledger of the world.
func (w *world) book() ledger.Ledger {
	l, m := ledgertest.New()
	if w.ledger == nil {
		w.ledger = m
	}
	l.Store = w.ledger
	return l
}

type account struct {
	*world
	id string
}

func (a account) GetResourceShares(_ context.Context, in *ram.GetResourceSharesInput, _ ...func(*ram.Options)) (*ram.GetResourceSharesOutput, error) {
	a.did = append(a.did, "GetResourceShares "+a.id[:3])
	if a.gone && len(in.ResourceShareArns) > 0 {
		return nil, &smithy.GenericAPIError{Code: "UnknownResourceException"}
	}
	if (in.ResourceOwner == ramtypes.ResourceOwnerSelf) != (a.id == alpha) {
		return &ram.GetResourceSharesOutput{}, nil
	}
	out := &ram.GetResourceSharesOutput{ResourceShares: []ramtypes.ResourceShare{{ResourceShareArn: aws.String(arn), Name: aws.String("core"), Status: ramtypes.ResourceShareStatusActive}}}
	for n := 1; n < a.shares && len(in.ResourceShareArns) == 0; n++ {
		out.ResourceShares = append(out.ResourceShares, ramtypes.ResourceShare{ResourceShareArn: aws.String(strings.Replace(arn, "0f1e", fmt.Sprintf("%04d", n), 1))})
	}
	return out, nil
}

func (a account) GetResourceShareAssociations(_ context.Context, in *ram.GetResourceShareAssociationsInput, _ ...func(*ram.Options)) (*ram.GetResourceShareAssociationsOutput, error) {
	if a.id != alpha {
		return nil, fmt.Errorf("%s asks for what is not its own", a.id)
	}
	out := &ram.GetResourceShareAssociationsOutput{}
	add := func(entity, status string) {
		out.ResourceShareAssociations = append(out.ResourceShareAssociations, ramtypes.ResourceShareAssociation{
			ResourceShareArn: aws.String(arn), AssociatedEntity: aws.String(entity), Status: ramtypes.ResourceShareAssociationStatus(status)})
	}
	if in.AssociationType == ramtypes.ResourceShareAssociationTypeResource {
		add("arn:aws:ec2:us-east-1:111111111111:transit-gateway/"+gateway, "ASSOCIATED")
		return out, nil
	}
	for principal, status := range a.principals {
		add(principal, status)
	}
	return out, nil
}

func (a account) GetResourceShareInvitations(context.Context, *ram.GetResourceShareInvitationsInput, ...func(*ram.Options)) (*ram.GetResourceShareInvitationsOutput, error) {
	a.did = append(a.did, "GetResourceShareInvitations "+a.id[:3])
	out := &ram.GetResourceShareInvitationsOutput{}
	if a.invitation != "" && a.id == beta {
		out.ResourceShareInvitations = []ramtypes.ResourceShareInvitation{{ResourceShareInvitationArn: aws.String("invitation"), ResourceShareArn: aws.String(arn),
			ReceiverAccountId: aws.String(beta), Status: ramtypes.ResourceShareInvitationStatus(a.invitation)}}
	}
	return out, nil
}

func (a account) DescribeTransitGateways(context.Context, *ec2.DescribeTransitGatewaysInput, ...func(*ec2.Options)) (*ec2.DescribeTransitGatewaysOutput, error) {
	out := &ec2.DescribeTransitGatewaysOutput{}
	if a.id == alpha || slices.Contains(a.seen, a.id) {
		one := types.TransitGateway{TransitGatewayId: aws.String(gateway), OwnerId: aws.String(alpha), TransitGatewayArn: aws.String("arn")}
		if a.id == alpha { // tags are the owner's own
			one.Tags = []types.Tag{{Key: aws.String("Name"), Value: aws.String("core")}}
		}
		out.TransitGateways = []types.TransitGateway{one}
	}
	return out, nil
}

func (a account) DescribeTransitGatewayAttachments(context.Context, *ec2.DescribeTransitGatewayAttachmentsInput, ...func(*ec2.Options)) (*ec2.DescribeTransitGatewayAttachmentsOutput, error) {
	out := &ec2.DescribeTransitGatewayAttachmentsOutput{}
	for _, of := range a.attached {
		out.TransitGatewayAttachments = append(out.TransitGatewayAttachments, types.TransitGatewayAttachment{
			TransitGatewayId: aws.String(gateway), ResourceId: aws.String("vpc-" + of[:1]), ResourceOwnerId: aws.String(of)})
	}
	return out, nil
}

func (a account) DescribeVpcs(context.Context, *ec2.DescribeVpcsInput, ...func(*ec2.Options)) (*ec2.DescribeVpcsOutput, error) {
	out := &ec2.DescribeVpcsOutput{}
	if value := a.attach[a.id]; value != "" {
		out.Vpcs = []types.Vpc{{VpcId: aws.String("vpc-" + a.id[:1]), Tags: []types.Tag{{Key: aws.String("drawbridge:attach"), Value: aws.String(value)}}}}
	}
	return out, nil
}

func (w *world) PutEvents(_ context.Context, in *eventbridge.PutEventsInput, _ ...func(*eventbridge.Options)) (*eventbridge.PutEventsOutput, error) {
	for _, e := range in.Entries {
		w.looks = append(w.looks, *e.DetailType+" "+*e.Detail)
	}
	return &eventbridge.PutEventsOutput{}, nil
}

func (w *world) inspect(t *testing.T, sample string, change ...string) workflow.InspectShareOutput {
	t.Helper()
	raw, err := os.ReadFile("../../events/" + sample + ".json")
	if err != nil {
		t.Fatal(err)
	}
	text := strings.NewReplacer(append(change, "eu-west-1", "us-east-1")...).Replace(string(raw))
	i := share.Inspector{
		Enter: func(_ string, p event.Place) share.Clients {
			if slices.Contains(w.strangers, p.Account) {
				t.Errorf("%s was entered, which is outside the organization", p.Account)
			}
			return share.Clients{RAM: account{w, p.Account}, EC2: account{w, p.Account}}
		},
		Account: func(_ context.Context, id string) (workflow.AccountFacts, error) {
			if slices.Contains(w.strangers, id) {
				return workflow.AccountFacts{ID: id}, nil
			}
			return workflow.AccountFacts{ID: id, Organization: "o-1", OUPath: "o-1/r-1/"}, nil
		},
		Policy: func(context.Context) (*policy.Set, error) {
			return policy.Default(), nil
		},
		Looks:  look.Asker{API: w, Bus: "drawbridge"},
		Ledger: w.book(),
	}
	out, err := i.Inspect(t.Context(), workflow.InspectShareInput{Execution: "run", Event: []byte(text)})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func TestInspect(t *testing.T) {
	const unit = "arn:aws:organizations::1:ou/o-1/ou-1"
	associated := map[string]string{beta: "ASSOCIATED"}
	for name, c := range map[string]struct {
		world  *world
		sample string
		change []string
		want   workflow.Answer
		result workflow.Result
		looks  string // VPCs
	}{
		"shared within the organization, asked for by name and by id": {&world{principals: associated, seen: []string{beta}, attach: map[string]string{alpha: gateway, beta: "core"}},
			"create-resource-share", nil, workflow.AnswerAnnounce, workflow.Announced, "vpc-1 vpc-2"},
		"the owner's own VPC is attached":                     {&world{principals: associated, seen: []string{beta}, attached: []string{alpha}, attach: map[string]string{alpha: gateway, beta: "core"}}, "create-resource-share", nil, workflow.AnswerAnnounce, workflow.Announced, "vpc-2"},
		"a VPC that asks for another":                         {&world{principals: associated, seen: []string{beta}, attach: map[string]string{beta: "edge"}}, "create-resource-share", nil, workflow.AnswerNothing, workflow.Nothing, ""},
		"a VPC that is attached and asks not":                 {&world{principals: associated, seen: []string{beta}, attached: []string{beta, gamma}}, "create-resource-share", nil, workflow.AnswerAnnounce, workflow.Announced, "vpc-2"},
		"both are one look":                                   {&world{principals: associated, seen: []string{beta}, attached: []string{beta}, attach: map[string]string{beta: "core"}}, "create-resource-share", nil, workflow.AnswerAnnounce, workflow.Announced, "vpc-2"},
		"an invitation, and a VPC asks by name":               {&world{principals: map[string]string{beta: "ASSOCIATING"}, invitation: "PENDING", attach: map[string]string{beta: "core"}}, "create-resource-share", nil, workflow.AnswerAccept, "", ""},
		"an invitation, and a VPC asks by id":                 {&world{principals: map[string]string{beta: "ASSOCIATING"}, invitation: "PENDING", attach: map[string]string{beta: gateway}}, "create-resource-share", nil, workflow.AnswerAccept, "", ""},
		"an invitation, and nobody asks":                      {&world{principals: map[string]string{beta: "ASSOCIATING"}, invitation: "PENDING"}, "create-resource-share", nil, workflow.AnswerNothing, workflow.Nothing, ""},
		"an invitation, and a VPC asks for another":           {&world{principals: map[string]string{beta: "ASSOCIATING"}, invitation: "PENDING", attach: map[string]string{beta: "edge", gamma: "core"}}, "create-resource-share", nil, workflow.AnswerNothing, workflow.Nothing, ""},
		"RAM's event in the invited account":                  {&world{principals: map[string]string{beta: "ASSOCIATING"}, invitation: "PENDING"}, "resource-sharing-state-change", nil, workflow.AnswerNothing, workflow.Nothing, ""},
		"RAM's event in an account of a unit that is invited": {&world{principals: map[string]string{unit: "ASSOCIATING"}, invitation: "PENDING", attach: map[string]string{beta: "core"}}, "resource-sharing-state-change", nil, workflow.AnswerAccept, "", ""},
		"RAM's event in the owner's account":                  {&world{principals: associated, seen: []string{beta}, attach: map[string]string{beta: "core"}}, "resource-sharing-state-change", []string{"222222222222", "111111111111"}, workflow.AnswerNothing, workflow.Nothing, ""},
		"RAM's event about an invitation that expired":        {&world{principals: map[string]string{beta: "DISASSOCIATED"}, invitation: "EXPIRED"}, "resource-sharing-state-change", nil, workflow.AnswerExpired, workflow.Expired, ""},
		"one that names no share":                             {&world{principals: map[string]string{unit: "ASSOCIATED"}, seen: []string{beta}, attach: map[string]string{beta: "core"}}, "resource-sharing-state-change", []string{":resource-share/", ":other/"}, workflow.AnswerAnnounce, workflow.Announced, "vpc-2"},
		"one that concerns several shares":                    {&world{shares: 3}, "resource-sharing-state-change", []string{":resource-share/", ":other/"}, workflow.AnswerAnnounce, workflow.Announced, ""},
		"accepted, on its way":                                {&world{principals: map[string]string{beta: "ASSOCIATING"}, invitation: "ACCEPTED"}, "accept-resource-share-invitation", nil, workflow.AnswerWait, "", ""},
		"an invitation that expired":                          {&world{principals: map[string]string{beta: "DISASSOCIATED"}, invitation: "EXPIRED"}, "create-resource-share", nil, workflow.AnswerExpired, workflow.Expired, ""},
		"an account of a unit":                                {&world{principals: map[string]string{unit: "ASSOCIATED"}, seen: []string{beta}, attach: map[string]string{beta: "core"}}, "resource-sharing-state-change", nil, workflow.AnswerAnnounce, workflow.Announced, "vpc-2"},
		"taken out of the share":                              {&world{principals: map[string]string{beta: "DISASSOCIATED"}, attached: []string{beta}}, "create-resource-share", nil, workflow.AnswerAnnounce, workflow.Announced, "vpc-2"},
		"a share that is no more":                             {&world{gone: true, attached: []string{alpha, beta, gamma}}, "create-resource-share", nil, workflow.AnswerAnnounce, workflow.Announced, "vpc-2 vpc-3"},
		"shared with a stranger":                              {&world{principals: map[string]string{beta: "ASSOCIATING"}, strangers: []string{beta}}, "create-resource-share", nil, workflow.AnswerNothing, workflow.Nothing, ""},
		"shared by a stranger":                                {&world{invitation: "PENDING", strangers: []string{alpha}}, "resource-sharing-state-change", nil, workflow.AnswerRefuse, workflow.RefusedByPolicy, ""},
		"an event that is for another machine":                {&world{}, "create-route", nil, workflow.AnswerNothing, workflow.Nothing, ""},
	} {
		t.Run(name, func(t *testing.T) {
			out := c.world.inspect(t, c.sample, c.change...)
			if out.Answer != c.want || out.Result != c.result {
				t.Errorf("got %+v, want %s %s", out, c.want, c.result)
			}
			var vpcs []string
			for _, l := range c.world.looks {
				if strings.HasPrefix(l, event.AttachmentToInspect) {
					if !strings.Contains(l, gateway) {
						t.Errorf("a look at %s", l)
					}
					vpcs = append(vpcs, l[strings.Index(l, "vpc-"):][:5])
				}
			}
			if got := strings.Join(vpcs, " "); got != c.looks {
				t.Errorf("looks at %q, want %q", got, c.looks)
			}
			if out.Announced != len(c.world.looks) {
				t.Errorf("says %d looks, asked for %d", out.Announced, len(c.world.looks))
			}
			if out.Answer == workflow.AnswerAccept && (out.Invitation != workflow.Invitation{ARN: "invitation", Share: arn, Account: beta, Region: "us-east-1"} || !out.Decision.Allowed) {
				t.Errorf("accepts %+v by %+v", out.Invitation, out.Decision)
			}
		})
	}
}

func TestSeveralSharesAreLookedAtOneByOne(t *testing.T) {
	w := &world{shares: 3}
	out := w.inspect(t, "resource-sharing-state-change", ":resource-share/", ":other/")
	if out.Announced != 3 || len(w.looks) != 3 || !strings.HasPrefix(w.looks[0], event.ShareToInspect) {
		t.Errorf("asked for %v", w.looks)
	}
}

// invitee answers an acceptance.
type invitee struct{ err error }

func (i invitee) AcceptResourceShareInvitation(_ context.Context, in *ram.AcceptResourceShareInvitationInput, _ ...func(*ram.Options)) (*ram.AcceptResourceShareInvitationOutput, error) {
	if i.err != nil {
		return nil, i.err
	}
	return &ram.AcceptResourceShareInvitationOutput{ResourceShareInvitation: &ramtypes.ResourceShareInvitation{ResourceShareInvitationArn: in.ResourceShareInvitationArn, Status: ramtypes.ResourceShareInvitationStatusAccepted}}, nil
}

// answering is the input of a step that accepts the invitation of an account.
func answering(account string) workflow.AcceptShareInput {
	return workflow.AcceptShareInput{Execution: "run", Decision: policy.Decision{Allowed: true, Policy: "accept-share"},
		Invitation: workflow.Invitation{ARN: "invitation", Share: arn, Account: account, Region: "us-east-1"}}
}

// entries are the shares that the ledger has as accepted: the account, the state of the item.
func entries(t *testing.T, l ledger.Ledger) string {
	t.Helper()
	all, err := l.Connections(t.Context(), alpha, "us-east-1")
	if err != nil {
		t.Fatal(err)
	}
	var out []string
	for _, c := range all {
		items, err := l.Items(t.Context(), c.ID)
		if err != nil || len(items) != 1 || items[0].Resource != arn || items[0].Left != "invitation" {
			t.Errorf("%s has %+v, %v", c.ID, items, err)
		}
		if c.Policy != "accept-share" || c.Status != "" && c.Status != share.Accepted {
			t.Errorf("%+v", c)
		}
		out = append(out, items[0].Key+" "+string(items[0].State)+" "+string(c.Status))
	}
	return strings.Join(out, ", ")
}

func TestAccept(t *testing.T) {
	code := func(c string) error { return &smithy.GenericAPIError{Code: c} }
	for name, c := range map[string]struct {
		err               error
		status, has, says string
	}{
		"accepted":                            {nil, "ACCEPTED", beta + " confirmed Accepted", ""},
		"accepted already":                    {code("ResourceShareInvitationAlreadyAcceptedException"), "ACCEPTED", beta + " confirmed Accepted", ""},
		"rejected meanwhile":                  {code("ResourceShareInvitationAlreadyRejectedException"), "changed meanwhile", "", ""},
		"expired meanwhile":                   {code("ResourceShareInvitationExpiredException"), "changed meanwhile", "", ""},
		"taken back meanwhile":                {code("ResourceShareInvitationArnNotFoundException"), "changed meanwhile", "", ""},
		"refused, and the answer may be lost": {code("OperationNotPermittedException"), "", beta + " intended ", "accepting invitation in " + beta},
	} {
		t.Run(name, func(t *testing.T) {
			l, _ := ledgertest.New()
			out, err := share.Accept(t.Context(), l, invitee{c.err}, answering(beta))
			if out.Status != c.status || (err == nil) != (c.says == "") || err != nil && !strings.Contains(err.Error(), c.says) {
				t.Errorf("%+v, %v", out, err)
			}
			if got := entries(t, l); got != c.has {
				t.Errorf("the ledger has %q, want %q", got, c.has)
			}
		})
	}
}

// TestAcceptSurvivesItsLedger loses each call to the ledger, once done and once not, and repeats the step as Step Functions does.
func TestAcceptSurvivesItsLedger(t *testing.T) {
	clean, m := ledgertest.New()
	if _, err := share.Accept(t.Context(), clean, invitee{}, answering(beta)); err != nil {
		t.Fatal(err)
	}
	calls := 0
	for _, n := range m.Calls {
		calls += n
	}
	if calls == 0 {
		t.Fatal("no call to lose")
	}
	for _, kind := range []ledgertest.Fault{ledgertest.Refused, ledgertest.Lost} {
		for lost := range calls {
			l, m := ledgertest.New()
			n := -1
			m.Fault = func(string) ledgertest.Fault {
				if n++; n == lost {
					return kind
				}
				return ledgertest.None
			}
			done := false
			for attempt := 0; attempt < 2 && !done; attempt++ {
				answer := invitee{}
				if attempt > 0 {
					answer.err = &smithy.GenericAPIError{Code: "ResourceShareInvitationAlreadyAcceptedException"}
				}
				_, err := share.Accept(t.Context(), l, answer, answering(beta))
				done = err == nil
			}
			if got := entries(t, l); !done || got != beta+" confirmed Accepted" {
				t.Errorf("call %d, fault %d: the ledger has %q", lost, kind, got)
			}
		}
	}
}

func TestWhatWasAcceptedIsForgottenWhenItEnds(t *testing.T) {
	associated := func(b, g string) map[string]string { return map[string]string{beta: b, gamma: g} }
	const both = beta + " confirmed Accepted, " + gamma + " confirmed Accepted"
	for name, c := range map[string]struct {
		world *world
		want  string
	}{
		"both stay":         {&world{principals: associated("ASSOCIATED", "ASSOCIATED"), seen: []string{beta, gamma}}, both},
		"one is taken out":  {&world{principals: associated("DISASSOCIATED", "ASSOCIATED"), seen: []string{gamma}}, gamma + " confirmed Accepted"},
		"the share is gone": {&world{gone: true}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			l := c.world.book()
			for _, id := range []string{beta, gamma} {
				if _, err := share.Accept(t.Context(), l, invitee{}, answering(id)); err != nil {
					t.Fatal(err)
				}
			}
			if got := entries(t, l); got != both {
				t.Fatalf("at first the ledger has %q", got)
			}
			c.world.inspect(t, "create-resource-share")
			if got := entries(t, l); got != c.want {
				t.Errorf("the ledger has %q, want %q", got, c.want)
			}
		})
	}
}

func TestWhoAcceptedLooksOn(t *testing.T) {
	for name, c := range map[string]struct {
		ours bool
		want workflow.Answer
	}{"Drawbridge": {true, workflow.AnswerNothing}, "somebody by hand": {false, workflow.AnswerAnnounce}} {
		w := &world{principals: map[string]string{beta: "ASSOCIATED"}, invitation: "ACCEPTED", seen: []string{beta}, attach: map[string]string{beta: "core"}}
		if c.ours {
			if _, err := share.Accept(t.Context(), w.book(), invitee{}, answering(beta)); err != nil {
				t.Fatal(err)
			}
		}
		if out := w.inspect(t, "accept-resource-share-invitation"); out.Answer != c.want || (len(w.looks) == 0) != c.ours {
			t.Errorf("accepted by %s: %s because %s, looks at %v", name, out.Answer, out.Reason, w.looks)
		}
	}
}
