package attachment_test

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge"
	"github.com/aws/aws-sdk-go-v2/service/sns"
	"github.com/aws/smithy-go"

	"github.com/drawbridge-cloud/drawbridge/pkg/attachment"
	"github.com/drawbridge-cloud/drawbridge/pkg/connection"
	"github.com/drawbridge-cloud/drawbridge/pkg/event"
	"github.com/drawbridge-cloud/drawbridge/pkg/fact"
	"github.com/drawbridge-cloud/drawbridge/pkg/fault"
	"github.com/drawbridge-cloud/drawbridge/pkg/ledger"
	"github.com/drawbridge-cloud/drawbridge/pkg/ledger/ledgertest"
	"github.com/drawbridge-cloud/drawbridge/pkg/look"
	"github.com/drawbridge-cloud/drawbridge/pkg/notice"
	"github.com/drawbridge-cloud/drawbridge/pkg/owner"
	"github.com/drawbridge-cloud/drawbridge/pkg/policy"
	"github.com/drawbridge-cloud/drawbridge/pkg/road"
	"github.com/drawbridge-cloud/drawbridge/pkg/workflow"
)

// cloud is EC2, the bus and the topic. Every change is noted with the account that made it.
type cloud struct {
	account   string
	did       *[]string
	tags      map[string]string // by account and key
	code      string            // of the error of every change; empty if there is none
	table     string            // that the attachment is associated with
	holder    string            // the attachment to which the VPC's addresses lead
	neighbour bool              // another VPC is attached
	crowd     int               // so many more VPCs are attached
	gone      bool              // the attachment is shown no more
	body      string            // of the notification
}

func (c *cloud) do(format string, args ...any) error {
	*c.did = append(*c.did, fmt.Sprintf(format, args...))
	if c.code != "" {
		return &smithy.GenericAPIError{Code: c.code, Message: "no"}
	}
	return nil
}

func (c *cloud) CreateTransitGatewayVpcAttachment(_ context.Context, in *ec2.CreateTransitGatewayVpcAttachmentInput, _ ...func(*ec2.Options)) (*ec2.CreateTransitGatewayVpcAttachmentOutput, error) {
	tag := in.TagSpecifications[0].Tags[0]
	return &ec2.CreateTransitGatewayVpcAttachmentOutput{TransitGatewayVpcAttachment: &types.TransitGatewayVpcAttachment{TransitGatewayAttachmentId: aws.String(ours), State: "pending"}}, c.do("create %s %s %v %s=%s", *in.VpcId, *in.TransitGatewayId, in.SubnetIds, *tag.Key, *tag.Value)
}

func (c *cloud) ModifyTransitGatewayVpcAttachment(_ context.Context, in *ec2.ModifyTransitGatewayVpcAttachmentInput, _ ...func(*ec2.Options)) (*ec2.ModifyTransitGatewayVpcAttachmentOutput, error) {
	return &ec2.ModifyTransitGatewayVpcAttachmentOutput{}, c.do("modify %s +%v -%v", *in.TransitGatewayAttachmentId, in.AddSubnetIds, in.RemoveSubnetIds)
}

func (c *cloud) AcceptTransitGatewayVpcAttachment(_ context.Context, in *ec2.AcceptTransitGatewayVpcAttachmentInput, _ ...func(*ec2.Options)) (*ec2.AcceptTransitGatewayVpcAttachmentOutput, error) {
	return &ec2.AcceptTransitGatewayVpcAttachmentOutput{}, c.do("accept %s", *in.TransitGatewayAttachmentId)
}

func (c *cloud) RejectTransitGatewayVpcAttachment(_ context.Context, in *ec2.RejectTransitGatewayVpcAttachmentInput, _ ...func(*ec2.Options)) (*ec2.RejectTransitGatewayVpcAttachmentOutput, error) {
	return &ec2.RejectTransitGatewayVpcAttachmentOutput{}, c.do("reject %s as %s", *in.TransitGatewayAttachmentId, c.account)
}

func (c *cloud) DeleteTransitGatewayVpcAttachment(_ context.Context, in *ec2.DeleteTransitGatewayVpcAttachmentInput, _ ...func(*ec2.Options)) (*ec2.DeleteTransitGatewayVpcAttachmentOutput, error) {
	return &ec2.DeleteTransitGatewayVpcAttachmentOutput{}, c.do("delete %s", *in.TransitGatewayAttachmentId)
}

func (c *cloud) AssociateTransitGatewayRouteTable(_ context.Context, in *ec2.AssociateTransitGatewayRouteTableInput, _ ...func(*ec2.Options)) (*ec2.AssociateTransitGatewayRouteTableOutput, error) {
	return &ec2.AssociateTransitGatewayRouteTableOutput{}, c.do("associate %s", *in.TransitGatewayRouteTableId)
}

func (c *cloud) EnableTransitGatewayRouteTablePropagation(_ context.Context, in *ec2.EnableTransitGatewayRouteTablePropagationInput, _ ...func(*ec2.Options)) (*ec2.EnableTransitGatewayRouteTablePropagationOutput, error) {
	return &ec2.EnableTransitGatewayRouteTablePropagationOutput{}, c.do("propagate %s", *in.TransitGatewayRouteTableId)
}

func (c *cloud) DisassociateTransitGatewayRouteTable(_ context.Context, in *ec2.DisassociateTransitGatewayRouteTableInput, _ ...func(*ec2.Options)) (*ec2.DisassociateTransitGatewayRouteTableOutput, error) {
	return &ec2.DisassociateTransitGatewayRouteTableOutput{}, c.do("disassociate %s", *in.TransitGatewayRouteTableId)
}

func (c *cloud) DisableTransitGatewayRouteTablePropagation(_ context.Context, in *ec2.DisableTransitGatewayRouteTablePropagationInput, _ ...func(*ec2.Options)) (*ec2.DisableTransitGatewayRouteTablePropagationOutput, error) {
	return &ec2.DisableTransitGatewayRouteTablePropagationOutput{}, c.do("unpropagate %s", *in.TransitGatewayRouteTableId)
}

// CreateTags takes no status that does not say since when it is so.
func (c *cloud) CreateTags(_ context.Context, in *ec2.CreateTagsInput, _ ...func(*ec2.Options)) (*ec2.CreateTagsOutput, error) {
	has := map[string]string{}
	for _, t := range in.Tags {
		has[*t.Key] = *t.Value
		c.tags[c.account+" "+in.Resources[0]+" "+*t.Key] = *t.Value
	}
	if at, err := time.Parse(time.RFC3339, has["drawbridge:since"]); has["drawbridge:status"] != "" && (err != nil || at.IsZero()) {
		return nil, fmt.Errorf("the status of %s is since %q", in.Resources[0], has["drawbridge:since"])
	}
	return &ec2.CreateTagsOutput{}, nil
}

func (c *cloud) DescribeTransitGatewayAttachments(_ context.Context, in *ec2.DescribeTransitGatewayAttachmentsInput, _ ...func(*ec2.Options)) (*ec2.DescribeTransitGatewayAttachmentsOutput, error) {
	if c.account != alpha {
		return nil, errors.New("only the owner sees all")
	}
	if c.gone {
		return &ec2.DescribeTransitGatewayAttachmentsOutput{}, nil
	}
	one := types.TransitGatewayAttachment{TransitGatewayAttachmentId: aws.String(ours), ResourceId: aws.String(vpc), ResourceOwnerId: aws.String(beta), State: "available"}
	if c.table != "" {
		one.Association = &types.TransitGatewayAttachmentAssociation{State: "associated", TransitGatewayRouteTableId: &c.table}
	}
	out := []types.TransitGatewayAttachment{one}
	if c.neighbour {
		for n, state := range []string{"available", "deleted"} {
			out = append(out, types.TransitGatewayAttachment{TransitGatewayAttachmentId: aws.String("tgw-attach-x"), ResourceId: aws.String(fmt.Sprintf("vpc-neighbour%d", n)),
				ResourceOwnerId: aws.String(alpha), State: types.TransitGatewayAttachmentState(state)})
		}
	}
	for n := range c.crowd {
		out = append(out, types.TransitGatewayAttachment{TransitGatewayAttachmentId: aws.String(fmt.Sprintf("tgw-attach-%d", n)), ResourceId: aws.String(fmt.Sprintf("vpc-crowd%d", n)),
			ResourceOwnerId: aws.String(fmt.Sprintf("5%011d", n)), State: "available"})
	}
	const page = 100
	from, _ := strconv.Atoi(aws.ToString(in.NextToken))
	answer := &ec2.DescribeTransitGatewayAttachmentsOutput{TransitGatewayAttachments: out[from:min(from+page, len(out))]}
	if from+page < len(out) {
		answer.NextToken = aws.String(strconv.Itoa(from + page))
	}
	return answer, nil
}

func (c *cloud) GetTransitGatewayAttachmentPropagations(context.Context, *ec2.GetTransitGatewayAttachmentPropagationsInput, ...func(*ec2.Options)) (*ec2.GetTransitGatewayAttachmentPropagationsOutput, error) {
	return &ec2.GetTransitGatewayAttachmentPropagationsOutput{TransitGatewayAttachmentPropagations: []types.TransitGatewayAttachmentPropagation{
		{State: "enabled", TransitGatewayRouteTableId: aws.String("tgw-rtb-1")}, {State: "disabled", TransitGatewayRouteTableId: aws.String("tgw-rtb-2")}}}, nil
}

func (c *cloud) SearchTransitGatewayRoutes(_ context.Context, in *ec2.SearchTransitGatewayRoutesInput, _ ...func(*ec2.Options)) (*ec2.SearchTransitGatewayRoutesOutput, error) {
	if *in.TransitGatewayRouteTableId != "tgw-rtb-1" || in.Filters[0].Values[0] != "10.1.0.0/16" {
		return nil, fmt.Errorf("searched %s for %v", *in.TransitGatewayRouteTableId, in.Filters[0].Values)
	}
	if c.holder == "" {
		return &ec2.SearchTransitGatewayRoutesOutput{}, nil
	}
	return &ec2.SearchTransitGatewayRoutesOutput{Routes: []types.TransitGatewayRoute{{State: "active", TransitGatewayAttachments: []types.TransitGatewayRouteAttachment{{TransitGatewayAttachmentId: &c.holder}}}}}, nil
}

func (c *cloud) DeleteTags(_ context.Context, in *ec2.DeleteTagsInput, _ ...func(*ec2.Options)) (*ec2.DeleteTagsOutput, error) {
	for _, t := range in.Tags {
		delete(c.tags, c.account+" "+in.Resources[0]+" "+*t.Key)
	}
	return &ec2.DeleteTagsOutput{}, nil
}

func (c *cloud) PutEvents(_ context.Context, in *eventbridge.PutEventsInput, _ ...func(*eventbridge.Options)) (*eventbridge.PutEventsOutput, error) {
	if len(in.Entries) > 10 {
		return nil, fmt.Errorf("%d events at once", len(in.Entries))
	}
	for _, e := range in.Entries {
		*c.did = append(*c.did, *e.DetailType+" "+*e.Detail)
	}
	return &eventbridge.PutEventsOutput{}, nil
}

func (c *cloud) Publish(_ context.Context, in *sns.PublishInput, _ ...func(*sns.Options)) (*sns.PublishOutput, error) {
	c.body = *in.Message
	*c.did = append(*c.did, "told "+*in.MessageAttributes["account"].StringValue)
	return &sns.PublishOutput{}, nil
}

func sky() *cloud {
	return &cloud{did: &[]string{}, tags: map[string]string{}, table: "tgw-rtb-1", holder: ours}
}

// in returns the cloud as an account sees it.
func (c *cloud) in(p event.Place) *cloud {
	there := *c
	there.account = p.Account
	return &there
}

func one(own bool) workflow.AttachmentInput {
	return workflow.AttachmentInput{Execution: "run", Reason: "because",
		Gateway:    workflow.Gateway{ID: gateway, Account: alpha, Region: "us-east-1", Name: "core", DNS: true},
		VPC:        workflow.VPC{Account: beta, Region: "us-east-1", ID: vpc, CIDRs: []netip.Prefix{netip.MustParsePrefix("10.1.0.0/16"), netip.MustParsePrefix("fd00::/8")}},
		Attachment: workflow.Attachment{ID: ours, State: "available", Own: own, DNS: true}}
}

// fresh is an empty ledger.
func fresh() ledger.Ledger {
	l, _ := ledgertest.New()
	return l
}

// paired writes pairs of the VPC with others of alpha on the gateway into the ledger.
func paired(l ledger.Ledger, others ...string) ledger.Ledger {
	for _, other := range others {
		if _, err := l.Begin(context.Background(), ledger.Connection{ID: gateway + ":" + vpc + ":" + other, Kind: road.Transit,
			Sides: []ledger.Side{{Account: beta, Region: "us-east-1", ID: vpc}, {Account: alpha, Region: "us-east-1", ID: other}}}); err != nil {
			panic(err)
		}
	}
	return l
}

// What Drawbridge made it knows by the ledger, however the answers of AWS get lost; what is over is forgotten.
func TestWhatIsMadeIsInTheLedger(t *testing.T) {
	l, memory := ledgertest.New()
	in := workflow.AttachVpcInput{Gateway: one(true).Gateway, VPC: one(true).VPC, Subnets: []string{"subnet-1"}}
	made := func() ledger.Item {
		t.Helper()
		items, err := l.Of(t.Context(), beta, "us-east-1", vpc)
		if err != nil || len(items) != 1 || items[0].Kind != ledger.Attachment || items[0].Key != gateway {
			t.Fatalf("%+v, %v", items, err)
		}
		return items[0]
	}
	s := sky()
	s.code = "UnauthorizedOperation"
	if _, err := attachment.Attach(t.Context(), l, s, nil, in); err == nil || made().State != ledger.Intended {
		t.Fatalf("%v, %+v", err, made())
	}
	s.code = ""
	if _, err := attachment.Attach(t.Context(), l, s, nil, in); err != nil || made().State != ledger.Confirmed || made().Left != ours {
		t.Fatalf("%v, %+v", err, made())
	}
	if _, err := l.Begin(t.Context(), ledger.Connection{ID: ours, Kind: road.Attachment}); err != nil {
		t.Fatal(err)
	}
	if _, err := attachment.Associate(t.Context(), l, s, workflow.AssociateAttachmentInput{Gateway: in.Gateway, Attachment: one(true).Attachment, Associate: "tgw-rtb-1", Propagate: []string{"tgw-rtb-1"}}); err != nil {
		t.Fatal(err)
	}
	if items, err := l.Items(t.Context(), ours); err != nil || len(items) != 2 {
		t.Fatalf("%+v, %v", items, err)
	}
	if _, err := conclude(l, s, workflow.Removed, "deleted"); err != nil || len(memory.Rows()) > 0 {
		t.Errorf("%v, left: %v", err, memory.Rows())
	}
}

func TestAttach(t *testing.T) {
	for name, c := range map[string]struct {
		attachment workflow.Attachment
		code       string
		did        string
		fails      fault.Kind
	}{
		"a VPC that is not attached":      {workflow.Attachment{}, "", "create " + vpc + " " + gateway + " [subnet-1] drawbridge:connection=" + gateway + ":" + vpc, ""},
		"one that was":                    {workflow.Attachment{ID: ours, State: "deleted"}, "", "create " + vpc, ""},
		"one that is":                     {workflow.Attachment{ID: ours, State: "available"}, "", "modify " + ours + " +[subnet-1] -[]", ""},
		"somebody else was faster":        {workflow.Attachment{}, "DuplicateTransitGatewayAttachment", "create", ""},
		"somebody else added that zone":   {workflow.Attachment{ID: ours, State: "available"}, "DuplicateSubnetsInSameZone", "modify", ""},
		"it is being modified":            {workflow.Attachment{ID: ours, State: "available"}, "IncorrectState", "modify", ""},
		"the gateway is not to be seen":   {workflow.Attachment{}, "InvalidTransitGatewayID.NotFound", "create", fault.NotYet},
		"the VPC has five gateways":       {workflow.Attachment{}, "TransitGatewayAttachmentLimitExceeded", "create", fault.Conflict},
		"an account that does not let us": {workflow.Attachment{}, "UnauthorizedOperation", "create", fault.Refused},
	} {
		t.Run(name, func(t *testing.T) {
			s := sky()
			s.code = c.code
			_, err := attachment.Attach(t.Context(), fresh(), s, nil, workflow.AttachVpcInput{Gateway: one(true).Gateway, VPC: one(true).VPC, Attachment: c.attachment, Subnets: []string{"subnet-1"}})
			if fault.Of(err) != c.fails || len(*s.did) != 1 || !strings.HasPrefix((*s.did)[0], c.did) {
				t.Errorf("did %q, %v", *s.did, err)
			}
		})
	}
}

func TestStepsThatSomebodyElseWasFasterWith(t *testing.T) {
	s := sky()
	s.code = "IncorrectState"
	if out, err := attachment.Accept(t.Context(), s, one(true)); err != nil || out.State != "changed meanwhile" {
		t.Errorf("%+v, %v", out, err)
	}
	if out, err := attachment.Detach(t.Context(), s, one(true)); err != nil || out.State != "changed meanwhile" {
		t.Errorf("%+v, %v", out, err)
	}
	in := workflow.AssociateAttachmentInput{Gateway: one(true).Gateway, Attachment: one(true).Attachment, Associate: "tgw-rtb-1", Propagate: []string{"tgw-rtb-1"}}
	s.code = "Resource.AlreadyAssociated"
	if _, err := attachment.Associate(t.Context(), fresh(), s, workflow.AssociateAttachmentInput{Gateway: one(true).Gateway, Attachment: one(true).Attachment, Associate: "tgw-rtb-1"}); err != nil {
		t.Error(err)
	}
	s.code = "TransitGatewayRouteTablePropagation.Duplicate"
	if _, err := attachment.Associate(t.Context(), fresh(), s, workflow.AssociateAttachmentInput{Gateway: one(true).Gateway, Attachment: one(true).Attachment, Propagate: []string{"tgw-rtb-1"}}); err != nil {
		t.Error(err)
	}
	s.code, *s.did = "", nil
	if _, err := attachment.Associate(t.Context(), fresh(), s, in); err != nil || fmt.Sprint(*s.did) != "[associate tgw-rtb-1 propagate tgw-rtb-1]" {
		t.Errorf("did %q, %v", *s.did, err)
	}
}

// What is in the route table already, though Drawbridge did not put it there, is not in the ledger, and is never taken out.
func TestWhatIsInTheTableAlreadyIsItsOwners(t *testing.T) {
	in := workflow.AssociateAttachmentInput{Execution: "run", Gateway: one(true).Gateway, Attachment: one(true).Attachment, Associate: "tgw-rtb-1", Propagate: []string{"tgw-rtb-1"}}
	for name, c := range map[string]struct {
		lost bool // an attempt before made the call, and never heard the answer
		want int
	}{"somebody was faster": {false, 0}, "an attempt of Drawbridge's was": {true, 2}} {
		l, s := fresh(), sky()
		if c.lost {
			s.code = "RequestTimeout"
			if _, err := attachment.Associate(t.Context(), l, s, in); err == nil {
				t.Fatal("the failure is hidden")
			}
		}
		for _, code := range []string{"Resource.AlreadyAssociated", "TransitGatewayRouteTablePropagation.Duplicate"} {
			one := in
			if s.code = code; code == "Resource.AlreadyAssociated" {
				one.Propagate = nil
			} else {
				one.Associate = ""
			}
			if _, err := attachment.Associate(t.Context(), l, s, one); err != nil {
				t.Fatal(name, err)
			}
		}
		items, err := l.Items(t.Context(), ours)
		if err != nil || len(items) != c.want {
			t.Errorf("%s: the ledger has %+v, %v", name, items, err)
		}
	}
}

func TestDisassociate(t *testing.T) {
	added := func(l ledger.Ledger, s *cloud) {
		t.Helper()
		if _, err := attachment.Associate(t.Context(), l, s, workflow.AssociateAttachmentInput{Execution: "run", Gateway: one(true).Gateway, Attachment: one(true).Attachment, Associate: "tgw-rtb-1", Propagate: []string{"tgw-rtb-1"}}); err != nil {
			t.Fatal(err)
		}
		*s.did = nil
	}
	for name, c := range map[string]struct {
		change func(*cloud)
		did    string
		left   int
		fails  fault.Kind
	}{
		"both are as they were left":             {func(*cloud) {}, "[disassociate tgw-rtb-1 unpropagate tgw-rtb-1]", 0, ""},
		"its owner took it out":                  {func(s *cloud) { s.table = "" }, "[unpropagate tgw-rtb-1]", 0, ""},
		"its owner put it into another table":    {func(s *cloud) { s.table = "tgw-rtb-9" }, "[unpropagate tgw-rtb-1]", 0, ""},
		"somebody was faster with the first":     {func(s *cloud) { s.code = "InvalidAssociation.NotFound" }, "[disassociate tgw-rtb-1 unpropagate tgw-rtb-1]", 1, fault.Conflict},
		"the owner offers the table no more":     {func(s *cloud) { s.code = "UnauthorizedOperation" }, "[disassociate tgw-rtb-1 unpropagate tgw-rtb-1 Transit To Inspect]", 2, fault.Refused},
		"AWS fails":                              {func(s *cloud) { s.code = "InternalError" }, "[disassociate tgw-rtb-1 unpropagate tgw-rtb-1]", 2, fault.Transient},
		"the attachment is shown no more at all": {func(s *cloud) { s.gone = true }, "[]", 0, ""},
	} {
		l, s := paired(fresh(), "vpc-peer"), sky()
		added(l, s)
		c.change(s)
		in := one(false)
		_, err := attachment.Disassociate(t.Context(), l, s.in(event.Place{Account: alpha}), look.Asker{API: s, Bus: "drawbridge"}, in)
		var did []string
		for _, d := range *s.did {
			did = append(did, strings.SplitN(d, " {", 2)[0])
		}
		items, reading := l.Items(t.Context(), ours)
		if fmt.Sprint(did) != c.did || len(items) != c.left || reading != nil || fault.Of(err) != c.fails {
			t.Errorf("%s: did %q, left %+v, %v", name, did, items, err)
		}
		if c.fails == fault.Refused && !strings.Contains(err.Error(), "drawbridge:association=default") {
			t.Errorf("no remedy in %v", err)
		}
		if *s.did, s.code = nil, ""; c.left > 0 { // the same again, once that is mended
			if _, err := attachment.Disassociate(t.Context(), l, s.in(event.Place{Account: alpha}), look.Asker{API: s, Bus: "drawbridge"}, in); err != nil {
				t.Error(name, err)
			}
			if items, err := l.Items(t.Context(), ours); err != nil || len(items) > 0 {
				t.Errorf("%s: left %+v, %v", name, items, err)
			}
		}
	}
}

// Nothing in the ledger, nothing is taken away, whatever stands there.
func TestOnlyWhatTheLedgerHasIsTakenOut(t *testing.T) {
	s := sky()
	if out, err := attachment.Disassociate(t.Context(), fresh(), s.in(event.Place{Account: alpha}), look.Asker{API: s, Bus: "drawbridge"}, one(true)); err != nil || len(out.Hops) > 0 || len(*s.did) > 0 {
		t.Errorf("%+v, %v, did %q", out, err, *s.did)
	}
}

func TestConcludeSaysWhatBecameOfOneThatStands(t *testing.T) {
	for name, c := range map[string]struct {
		result workflow.Result
		letGo  bool
	}{"taken back": {workflow.Removed, false}, "let go as it stands": {workflow.Released, true}, "undone": {workflow.Removed, true}} {
		l, s := paired(fresh(), "vpc-peer"), sky()
		s.neighbour = true
		if _, err := l.Begin(t.Context(), ledger.Connection{ID: ours, Kind: road.Attachment, Facts: map[string]string{"table": "tgw-rtb-1"}}); err != nil {
			t.Fatal(err)
		}
		out, err := conclude(l, s, c.result, "available", c.letGo)
		if err != nil || out.Result != c.result || out.Announced != 1 || !strings.Contains(fmt.Sprint(*s.did), "vpc-peer") {
			t.Errorf("%s: %+v, %v, asked for %q", name, out, err, *s.did)
		}
		says := [2]string{"ask alpha", "you said so"}
		if c.letGo {
			says = [2]string{}
		}
		if beta, alpha := s.tags[beta+" "+ours+" drawbridge:reason"], s.tags[alpha+" "+ours+" drawbridge:reason"]; beta != says[0] || alpha != says[1] {
			t.Errorf("%s: beta reads %q, alpha %q", name, beta, alpha)
		}
		entry, managed, err := l.Connection(t.Context(), ours)
		if err != nil || managed == c.letGo || managed && (entry.Status != ledger.Status(c.result) || attachment.Out(entry) != true || entry.Facts["table"] != "") {
			t.Errorf("%s: %+v, %v", name, entry, err)
		}
		news := attachment.Ended(workflow.ConcludeDetachmentInput{Result: c.result, Reason: "because", Gateway: one(true).Gateway, VPC: one(true).VPC, Attachment: one(true).Attachment})
		if news.Connection.ID != ours || news.Said != workflow.Alike("because") || news.Connection.Accepter.Account != alpha {
			t.Errorf("news %+v", news)
		}
	}
	over := workflow.ConcludeDetachmentInput{Result: workflow.Rejected, Reason: "rejected", Gateway: one(true).Gateway, VPC: one(true).VPC, Attachment: workflow.Attachment{ID: ours, State: "rejected"}}
	if news := attachment.Ended(over); news.Connection.ID != ours || news.Result != workflow.Rejected || len(owner.Messages(news)) != 2 {
		t.Errorf("news of one that is over: %+v", news)
	}
}

func TestWhatSomebodyElseMadeIsNeverDeleted(t *testing.T) {
	s := sky()
	if _, err := attachment.Detach(t.Context(), s, one(false)); fault.Of(err) != fault.Refused || len(*s.did) > 0 {
		t.Errorf("did %q, %v", *s.did, err)
	}
}

// conclude ends the attachment as the VPC's account shows it.
func conclude(l ledger.Ledger, s *cloud, result workflow.Result, state string, letGo ...bool) (workflow.VerifyAttachmentOutput, error) {
	in := one(true)
	in.Attachment.State, in.Attachment.LetGo = state, len(letGo) > 0 && letGo[0]
	return attachment.Conclude(context.Background(), l, func(p event.Place) attachment.Concluder { return s.in(p) }, look.Asker{API: s, Bus: "drawbridge"}, workflow.ConcludeDetachmentInput{
		Execution: in.Execution, Result: result, Reason: in.Reason, Said: workflow.Said{Requester: "ask alpha", Accepter: "you said so"}, Gateway: in.Gateway, VPC: in.VPC, Attachment: in.Attachment})
}

func verify(s *cloud, lacking ...workflow.Hop) (workflow.VerifyAttachmentOutput, error) {
	in := one(true)
	return attachment.Verify(context.Background(), fresh(), func(p event.Place) attachment.Verifier { return s.in(p) }, look.Asker{API: s, Bus: "drawbridge"},
		workflow.VerifyAttachmentInput{Execution: in.Execution, Reason: in.Reason, Gateway: in.Gateway, VPC: in.VPC, Attachment: in.Attachment, Lacking: lacking})
}

// On a gateway of 500 VPCs a new one has 499 pairs, each of which is looked at once, whatever page of AWS's it is on.
func TestAGatewayOfManyVPCs(t *testing.T) {
	s := sky()
	s.crowd = 499
	out, err := verify(s)
	asked := map[string]int{}
	for _, did := range *s.did {
		if of := regexp.MustCompile(`vpc-crowd\d+`).FindString(did); strings.HasPrefix(did, event.TransitToInspect) {
			asked[of]++
		}
	}
	if err != nil || out.Announced != 499 || len(asked) != 499 || len(*s.did) != 499 {
		t.Errorf("%d pairs are looked at, %d are announced, %d done: %v", len(asked), out.Announced, len(*s.did), err)
	}
}

func TestVerifyAsksForALookAtEachPair(t *testing.T) {
	s := sky()
	s.neighbour = true
	out, err := verify(s, workflow.Hop{Hop: "attachment in c", Detail: "no subnet in c"})
	if err != nil || out.Result != workflow.Attached || out.Announced != 1 || !strings.Contains(out.Reason, "; but no subnet in c") {
		t.Errorf("%+v, %v", out, err)
	}
	if len(*s.did) != 1 || !strings.HasPrefix((*s.did)[0], event.TransitToInspect) || !strings.Contains((*s.did)[0], "vpc-neighbour0") {
		t.Errorf("asked for %q", *s.did)
	}
	for tag, want := range map[string]string{
		beta + " " + ours + " drawbridge:status": "Attached", alpha + " " + ours + " drawbridge:status": "Attached",
	} {
		if s.tags[tag] != want {
			t.Errorf("%s is %q, want %q", tag, s.tags[tag], want)
		}
	}
}

// Who was connected and is not among the attachments is told of by the ledger alone.
func TestAPeerThatAWSHasForgottenIsLookedAt(t *testing.T) {
	for name, c := range map[string]struct {
		peers []string
		want  string
	}{
		"nobody":                        {nil, "vpc-neighbour0"},
		"the one that is attached":      {[]string{"vpc-neighbour0"}, "vpc-neighbour0"},
		"one whose attachment is shown": {[]string{"vpc-neighbour1"}, "vpc-neighbour0"},
		"one whose attachment is not":   {[]string{"vpc-forgotten"}, "vpc-forgotten vpc-neighbour0"},
	} {
		s := sky()
		s.neighbour = true
		in := one(true)
		out, err := attachment.Verify(t.Context(), paired(fresh(), c.peers...), func(p event.Place) attachment.Verifier { return s.in(p) }, look.Asker{API: s, Bus: "drawbridge"},
			workflow.VerifyAttachmentInput{Reason: in.Reason, Gateway: in.Gateway, VPC: in.VPC, Attachment: in.Attachment})
		asked := strings.Join(*s.did, " ")
		for _, id := range []string{"vpc-neighbour0", "vpc-neighbour1", "vpc-forgotten"} {
			if strings.Contains(asked, id) != strings.Contains(c.want, id) {
				t.Errorf("%s: asked for %s, want looks with %s", name, asked, c.want)
			}
		}
		if err != nil || out.Announced != len(strings.Fields(c.want)) {
			t.Errorf("%s: %+v, %v", name, out, err)
		}
	}
}

func TestVerifySaysWhatAWSDoesNotSay(t *testing.T) {
	for name, c := range map[string]struct {
		change func(*cloud)
		kind   fault.Kind
		says   string
		status string
	}{
		"no association": {func(s *cloud) { s.table = "" }, fault.Conflict, "has no association with a route table", "Conflict"},
		"an overlap":     {func(s *cloud) { s.holder = "tgw-attach-2" }, fault.Conflict, "10.1.0.0/16 of the VPC is not propagated to tgw-rtb-1, which leads it to tgw-attach-2", "Conflict"},
		"not yet":        {func(s *cloud) { s.holder = "" }, fault.NotYet, "anywhere yet", ""},
	} {
		t.Run(name, func(t *testing.T) {
			s := sky()
			s.neighbour = true
			c.change(s)
			_, err := verify(s)
			if fault.Of(err) != c.kind || !strings.Contains(fmt.Sprint(err), c.says) || c.kind == fault.Conflict && !strings.Contains(err.Error(), "remedy") {
				t.Errorf("got %v", err)
			}
			if len(*s.did) > 0 {
				t.Errorf("asked for %q", *s.did)
			}
			for _, account := range []string{alpha, beta} {
				if got := s.tags[account+" "+ours+" drawbridge:status"]; got != c.status {
					t.Errorf("the status in %s is %q, want %q", account, got, c.status)
				}
			}
		})
	}
}

func TestConcludeAsksForALookAtWhatIsLeft(t *testing.T) {
	s := sky()
	s.neighbour = true
	out, err := conclude(paired(fresh(), "vpc-peer"), s, workflow.Removed, "deleting")
	if err != nil || out.Result != workflow.Removed || out.Announced != 2 || len(*s.did) != 2 {
		t.Errorf("%+v, %v, asked for %q", out, err, *s.did)
	}
}

// One that is over leaves no status behind on either side, whoever ended it. If another took its place, what is known of that stays, and it is looked at.
func TestConcludeLeavesNothingOfOneThatIsOver(t *testing.T) {
	for name, c := range map[string]struct {
		result workflow.Result
		id     string // of the one that is over
		unit   bool   // that Drawbridge made one is known afterwards
		asked  int
	}{
		"deleted":                 {workflow.Removed, ours, false, 2},
		"rejected":                {workflow.Rejected, ours, false, 2},
		"another is in its place": {workflow.Removed, "tgw-attach-0old", true, 3},
		"its place is another's":  {workflow.Rejected, "tgw-attach-0made", false, 3},
	} {
		l, s := paired(fresh(), "vpc-peer"), sky()
		s.neighbour = true
		in := one(true)
		in.Attachment = workflow.Attachment{ID: c.id, State: "deleted"}
		left := ours
		if c.id == "tgw-attach-0made" {
			left = c.id
		}
		made := attachment.Made(in.VPC, in.Gateway, left)
		unit := attachment.Unit(in.Gateway.ID, in.VPC.ID)
		if _, err := l.Record(t.Context(), unit, made); err != nil {
			t.Fatal(err)
		}
		if _, err := l.Begin(t.Context(), ledger.Connection{ID: c.id, Kind: road.Attachment}); err != nil {
			t.Fatal(err)
		}
		for _, account := range []string{alpha, beta} {
			s.tags[account+" "+c.id+" drawbridge:status"], s.tags[account+" "+c.id+" drawbridge:pairs"] = "Attached", "1 Connected"
		}
		out, err := attachment.Conclude(t.Context(), l, func(p event.Place) attachment.Concluder { return s.in(p) }, look.Asker{API: s, Bus: "drawbridge"},
			workflow.ConcludeDetachmentInput{Execution: in.Execution, Result: c.result, Reason: in.Reason, Gateway: in.Gateway, VPC: in.VPC, Attachment: in.Attachment})
		if err != nil || out.Result != c.result || out.Announced != c.asked || len(s.tags) != 0 {
			t.Errorf("%s: %+v, %v, tags %v", name, out, err, s.tags)
		}
		if _, managed, err := l.Connection(t.Context(), c.id); managed || err != nil {
			t.Errorf("%s: it is managed still, %v", name, err)
		}
		if items, err := l.Items(t.Context(), unit); err != nil || (len(items) == 1) != c.unit {
			t.Errorf("%s: %+v, %v", name, items, err)
		}
		if own := strings.Contains(fmt.Sprint(*s.did), "Attachment To Inspect"); own != (c.id != ours) {
			t.Errorf("%s: asked for %q", name, *s.did)
		}
	}
}

// waiting is an attachment that waits for its owner.
func waiting() workflow.AnswerAttachmentInput {
	in := one(true)
	in.Attachment.State = "pendingAcceptance"
	facts := func(account, name, unit string) *workflow.Facts {
		return &workflow.Facts{Name: name, Account: workflow.AccountFacts{ID: account, Name: name + "-account", Organization: "o-1", OUPath: unit}}
	}
	return workflow.AnswerAttachmentInput{Execution: "run-1", Gateway: in.Gateway, VPC: in.VPC, Attachment: in.Attachment, Reason: "approval needed by policy attachment-ask",
		Known:    workflow.Known{Requester: facts(beta, "orders", "o-1/r-1/ou-shop/"), Accepter: facts(alpha, "core", "o-1/r-1/ou-network/")},
		Decision: policy.Decision{Action: policy.AskAttachment, Allowed: true, Policy: "attachment-ask", Reason: "the owner has to approve"}}
}

func ask(s *cloud, in workflow.AnswerAttachmentInput) (workflow.ConcludeOutput, ledger.Connection, error) {
	l, _ := ledgertest.New()
	if _, err := l.Begin(context.Background(), ledger.Connection{ID: in.Attachment.ID, Kind: road.Attachment}); err != nil {
		return workflow.ConcludeOutput{}, ledger.Connection{}, err
	}
	if err := fact.KeepReachable(context.Background(), l, in.Attachment.ID, []workflow.Reachable{{VPC: workflow.VPC{Account: alpha, ID: "vpc-1"}, From: workflow.VPC{Account: beta, ID: vpc},
		Database: workflow.AllowedDatabase{Database: "sales", Engine: "mysql", Port: 3306, Decision: policy.Decision{Action: policy.Open, Allowed: true, Policy: "open-shared", Reason: "its tag says so"}}}}); err != nil {
		return workflow.ConcludeOutput{}, ledger.Connection{}, err
	}
	out, err := attachment.Ask(context.Background(), l, func(p event.Place) connection.Tagger { return s.in(p) }, notice.Bus{API: s, Name: "drawbridge"}, notice.Topic{API: s, ARN: "topic"}, in)
	if err != nil {
		return out, ledger.Connection{}, err
	}
	entry, _, err := l.Connection(context.Background(), in.Attachment.ID)
	return out, entry, err
}

// An execution that fails while an attachment waits answers nothing: the owner of the gateway is not asked once more, and it says that it waits again.
func TestWhoWasAskedIsNotAskedAgainAfterAFailure(t *testing.T) {
	s, in := sky(), waiting()
	l, _ := ledgertest.New()
	if _, err := l.Begin(t.Context(), ledger.Connection{ID: in.Attachment.ID, Kind: road.Attachment}); err != nil {
		t.Fatal(err)
	}
	ask := func() ledger.Connection {
		t.Helper()
		if _, err := attachment.Ask(t.Context(), l, func(p event.Place) connection.Tagger { return s.in(p) }, notice.Bus{API: s, Name: "drawbridge"}, notice.Topic{API: s, ARN: "topic"}, in); err != nil {
			t.Fatal(err)
		}
		entry, _, err := l.Connection(t.Context(), in.Attachment.ID)
		if err != nil {
			t.Fatal(err)
		}
		return entry
	}
	question := ask().Question
	if question != in.Reason || len(*s.did) != 2 {
		t.Fatalf("asked %q, did %q", question, *s.did)
	}
	failed, err := connection.Note(t.Context(), l, in.Attachment.ID, connection.Failed, "run-2 timed out", func(e *ledger.Connection) { e.Told = "digest of that" })
	if err != nil || failed.Question != question {
		t.Fatalf("%+v, %v", failed, err)
	}
	in.Told = true // as the inspection finds by the question
	if entry := ask(); len(*s.did) != 2 || entry.Status != "AwaitingApproval" || s.tags[beta+" "+ours+" drawbridge:status"] != "AwaitingApproval" {
		t.Errorf("%+v, did %q", entry, *s.did)
	}
	if refused, err := connection.Note(t.Context(), l, in.Attachment.ID, workflow.RefusedByPolicy, "no"); err != nil || refused.Question != "" {
		t.Errorf("%+v, %v", refused, err)
	}
}

func TestTheApproverIsToldEverything(t *testing.T) {
	s := sky()
	out, entry, err := ask(s, waiting())
	if err != nil || out.Result != workflow.AwaitingApproval || len(*s.did) != 2 || !strings.HasPrefix((*s.did)[0], "Approval Needed") || (*s.did)[1] != "told "+alpha {
		t.Fatalf("%+v, %v, did %q", out, err, *s.did)
	}
	for _, want := range []string{gateway, "core", alpha, beta, "orders-account", "o-1/r-1/ou-shop/", vpc, "10.1.0.0/16", "fd00::/8", ours, "sales  mysql, TCP port 3306, in vpc-1 of account " + alpha,
		"open-shared: its tag says so", "attachment-ask: the owner has to approve", "run-1",
		"aws ec2 create-tags --region us-east-1 --resources " + ours + " --tags Key=drawbridge:approval,Value=approved", "Value=rejected"} {
		if !strings.Contains(s.body, want) {
			t.Errorf("the notification does not say %q:\n%s", want, s.body)
		}
	}
	if entry.Status != "AwaitingApproval" || entry.Told != "approval needed by policy attachment-ask" || entry.Question != entry.Told || entry.Approval.Told == "" {
		t.Errorf("the ledger says %+v", entry)
	}
	for _, account := range []string{alpha, beta} {
		if got := s.tags[account+" "+ours+" drawbridge:status"]; got != "AwaitingApproval" {
			t.Errorf("the status in %s is %q", account, got)
		}
	}
}

func TestNobodyIsToldTwice(t *testing.T) {
	s, in := sky(), waiting()
	in.Told = true
	if out, _, err := ask(s, in); err != nil || out.Result != workflow.AwaitingApproval || len(*s.did) > 0 {
		t.Errorf("%+v, %v, did %q", out, err, *s.did)
	}
}

func TestRefuse(t *testing.T) {
	for name, c := range map[string]struct {
		change func(*workflow.AnswerAttachmentInput)
		code   string
		did    string
		status string // where
	}{
		"as the policy says":                 {func(*workflow.AnswerAttachmentInput) {}, "", "[Connection Refused]", alpha + " " + ours},
		"the owner rejected it":              {func(in *workflow.AnswerAttachmentInput) { in.Reject.Allowed = true }, "", "[Connection Refused reject " + ours + " as " + alpha + " Attachment To Inspect]", beta + " " + ours},
		"it was answered meanwhile":          {func(in *workflow.AnswerAttachmentInput) { in.Reject.Allowed = true }, "IncorrectState", "[Connection Refused reject " + ours + " as " + alpha + " Attachment To Inspect]", alpha + " " + ours},
		"there is no attachment yet":         {func(in *workflow.AnswerAttachmentInput) { in.Attachment = workflow.Attachment{} }, "", "[Connection Refused]", beta + " " + vpc},
		"the owner is outside, no tag there": {func(in *workflow.AnswerAttachmentInput) { in.Said = workflow.Said{Requester: "outside"} }, "", "[Connection Refused]", beta + " " + ours},
	} {
		t.Run(name, func(t *testing.T) {
			s, in := sky(), waiting()
			s.code = c.code
			c.change(&in)
			out, err := attachment.Refuse(t.Context(), fresh(), func(p event.Place) attachment.Refuser { return s.in(p) }, notice.Bus{API: s, Name: "drawbridge"}, look.Asker{API: s, Bus: "drawbridge"}, in)
			var did []string
			for _, d := range *s.did {
				did = append(did, strings.SplitN(d, " {", 2)[0])
			}
			if err != nil || out.Result != workflow.RefusedByPolicy || fmt.Sprint(did) != c.did {
				t.Errorf("%+v, %v, did %q", out, err, did)
			}
			if s.tags[c.status+" drawbridge:status"] != "Refused" {
				t.Errorf("tags %v, want one on %s", s.tags, c.status)
			}
			if strings.Contains(name, "outside") && s.tags[alpha+" "+ours+" drawbridge:status"] != "" {
				t.Error("a tag in an account outside")
			}
		})
	}
}
