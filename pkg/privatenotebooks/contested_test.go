package privatenotebooks

import (
	"context"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	ec2types "github.com/aws/aws-sdk-go-v2/service/ec2/types"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	iamtypes "github.com/aws/aws-sdk-go-v2/service/iam/types"
	"github.com/aws/smithy-go"

	"github.com/drawbridge-cloud/drawbridge/pkg/brake"
	"github.com/drawbridge-cloud/drawbridge/pkg/contest"
	"github.com/drawbridge-cloud/drawbridge/pkg/fault"
	"github.com/drawbridge-cloud/drawbridge/pkg/ledger"
	"github.com/drawbridge-cloud/drawbridge/pkg/ledger/ledgertest"
	"github.com/drawbridge-cloud/drawbridge/pkg/road"
	"github.com/drawbridge-cloud/drawbridge/pkg/tag"
	"github.com/drawbridge-cloud/drawbridge/pkg/workflow"
)

const owned, abroad, home = "111111111111", "eu-west-1", "us-east-1"

// estate is an account with two VPCs that have their endpoints, one policy and a role.
type estate struct {
	vpcs     []string
	document string
	attached bool
	tag      string
	calls    []string

	meanwhile string // what somebody else makes of the policy right before Drawbridge does
	breaks    string // a call that works, and whose answer is lost
}

func (e *estate) DescribeVpcs(context.Context, *ec2.DescribeVpcsInput, ...func(*ec2.Options)) (*ec2.DescribeVpcsOutput, error) {
	out := &ec2.DescribeVpcsOutput{}
	for _, id := range e.vpcs {
		out.Vpcs = append(out.Vpcs, ec2types.Vpc{VpcId: &id, CidrBlock: aws.String("10.1.0.0/16"), Tags: []ec2types.Tag{{Key: aws.String(tag.PrivateNotebooks), Value: aws.String("true")}}})
	}
	return out, nil
}

func (e *estate) DescribeVpcEndpoints(context.Context, *ec2.DescribeVpcEndpointsInput, ...func(*ec2.Options)) (*ec2.DescribeVpcEndpointsOutput, error) {
	out := &ec2.DescribeVpcEndpointsOutput{}
	for _, id := range e.vpcs {
		for n, service := range Services(abroad) {
			out.VpcEndpoints = append(out.VpcEndpoints, ec2types.VpcEndpoint{VpcEndpointId: aws.String("vpce-" + id + string(rune('a'+n))), VpcId: &id, ServiceName: &service, State: "available", PrivateDnsEnabled: aws.Bool(true)})
		}
	}
	return out, nil
}

func (e *estate) GetAccountAuthorizationDetails(context.Context, *iam.GetAccountAuthorizationDetailsInput, ...func(*iam.Options)) (*iam.GetAccountAuthorizationDetailsOutput, error) {
	out, arn := &iam.GetAccountAuthorizationDetailsOutput{}, PolicyARN(owned, abroad)
	role := iamtypes.RoleDetail{RoleName: aws.String("scientist")}
	if e.tag != "" {
		role.Tags = []iamtypes.Tag{{Key: aws.String(tag.PrivateNotebooks), Value: &e.tag}}
	}
	if e.attached {
		role.AttachedManagedPolicies = []iamtypes.AttachedPolicy{{PolicyArn: &arn}}
	}
	out.RoleDetailList = []iamtypes.RoleDetail{role}
	if e.document != "" {
		out.Policies = []iamtypes.ManagedPolicyDetail{{Arn: &arn, PolicyVersionList: []iamtypes.PolicyVersion{{Document: aws.String(url.QueryEscape(e.document)), IsDefaultVersion: true}}}}
	}
	return out, nil
}

func (e *estate) CreatePolicy(_ context.Context, in *iam.CreatePolicyInput, _ ...func(*iam.Options)) (*iam.CreatePolicyOutput, error) {
	if e.meanwhile != "" {
		e.document, e.meanwhile = e.meanwhile, ""
		return nil, &smithy.GenericAPIError{Code: "EntityAlreadyExists"}
	}
	if e.document != "" {
		return nil, &smithy.GenericAPIError{Code: "EntityAlreadyExists"}
	}
	e.document, e.calls = *in.PolicyDocument, append(e.calls, "CreatePolicy")
	return nil, e.lost("CreatePolicy")
}

func (e *estate) CreatePolicyVersion(_ context.Context, in *iam.CreatePolicyVersionInput, _ ...func(*iam.Options)) (*iam.CreatePolicyVersionOutput, error) {
	e.document, e.calls = *in.PolicyDocument, append(e.calls, "CreatePolicyVersion")
	return nil, nil
}

func (e *estate) DeletePolicyVersion(context.Context, *iam.DeletePolicyVersionInput, ...func(*iam.Options)) (*iam.DeletePolicyVersionOutput, error) {
	return nil, nil
}

func (e *estate) DeletePolicy(context.Context, *iam.DeletePolicyInput, ...func(*iam.Options)) (*iam.DeletePolicyOutput, error) {
	e.document, e.calls = "", append(e.calls, "DeletePolicy")
	return nil, e.lost("DeletePolicy")
}

func (e *estate) AttachRolePolicy(context.Context, *iam.AttachRolePolicyInput, ...func(*iam.Options)) (*iam.AttachRolePolicyOutput, error) {
	e.attached, e.calls = true, append(e.calls, "AttachRolePolicy")
	return nil, nil
}

func (e *estate) DetachRolePolicy(context.Context, *iam.DetachRolePolicyInput, ...func(*iam.Options)) (*iam.DetachRolePolicyOutput, error) {
	e.attached, e.calls = false, append(e.calls, "DetachRolePolicy")
	return nil, e.lost("DetachRolePolicy")
}

func (e *estate) lost(call string) error {
	if e.breaks != call {
		return nil
	}
	e.breaks = ""
	return fault.New(fault.Transient, "the answer is lost")
}

// office is an estate with a ledger, a clock and a brake.
type office struct {
	*estate
	Granter
	t     *testing.T
	now   time.Time
	asked []brake.Removal
	holds bool
}

func newOffice(t *testing.T) *office {
	o := &office{estate: &estate{vpcs: []string{"vpc-1", "vpc-2"}, tag: "true"}, t: t, now: time.Date(2026, 11, 28, 12, 0, 0, 0, time.UTC)}
	book, _ := ledgertest.New()
	book.Now = func() time.Time { return o.now }
	for _, v := range o.vpcs {
		if _, err := book.Begin(t.Context(), ledger.Connection{ID: Owner(v), Kind: road.PrivateNotebooks, Sides: []ledger.Side{{Account: owned, Region: abroad, ID: v}}}); err != nil {
			t.Fatal(err)
		}
	}
	o.Granter = Granter{Ledger: book, Home: home, Regions: []string{abroad},
		EC2: func(_, _, _ string) EndpointReader { return o.estate }, IAM: func(_, _, _ string) Keeper { return o.estate },
		Brake: func(_ context.Context, r brake.Removal) error {
			o.asked = append(o.asked, r)
			if o.holds {
				return fault.New(fault.Held, "a person decides")
			}
			return nil
		}}
	return o
}

func (o *office) grant() (workflow.GrantNotebookAccessOutput, error) {
	o.now = o.now.Add(time.Hour)
	in := workflow.GrantNotebookAccessInput{Execution: "x", Account: owned, Region: abroad}
	for _, v := range o.vpcs {
		in.VPCs = append(in.VPCs, workflow.PrivateVPC{Account: owned, Region: abroad, ID: v})
	}
	return o.Grant(o.t.Context(), in)
}

// look is a grant that has to work. It returns how many things are contested, and checks that the hops say so.
func (o *office) look() int {
	o.t.Helper()
	out, err := o.grant()
	if err != nil {
		o.t.Fatal(err)
	}
	said := 0
	for _, h := range out.Hops {
		if !h.OK {
			said++
		}
	}
	for _, v := range o.vpcs {
		items, err := o.Ledger.Items(o.t.Context(), Owner(v))
		if n := len(contest.Of(items)); err != nil || n != said {
			o.t.Errorf("%s: %d are contested, %d said: %+v, %v", v, n, said, out.Hops, err)
		}
	}
	return said
}

func TestThePolicyOfARoleIsPutBackOnce(t *testing.T) {
	ci := contest.Sight{By: ledger.Hand{Who: "arn:aws:sts::111111111111:assumed-role/ci/run"}}
	for what, c := range map[string]struct {
		act      func(*estate)
		resource string
		call     string
	}{
		"it is detached": {func(e *estate) { e.attached = false }, "scientist", "AttachRolePolicy"},
		"it is edited":   {func(e *estate) { e.document = `{"Version":"2012-10-17","Statement":[]}` }, PolicyARN(owned, abroad), "CreatePolicyVersion"},
		"it is deleted":  {func(e *estate) { e.document = "" }, PolicyARN(owned, abroad), "CreatePolicy"},
	} {
		for _, leave := range []bool{false, true} {
			o := newOffice(t)
			if o.look() != 0 || !o.attached {
				t.Fatalf("%s: it is not granted", what)
			}
			if leave {
				if _, err := o.Ledger.Change(t.Context(), Owner("vpc-1"), func(c *ledger.Connection) { c.Leave = []string{owned} }); err != nil {
					t.Fatal(err)
				}
			}
			o.calls = nil
			var ends []int
			for range 10 {
				o.now = o.now.Add(time.Minute)
				c.act(o.estate)
				ci.At = o.now
				if _, err := (contest.Contest{Ledger: o.Ledger}).Note(t.Context(), owned, home, c.resource, nil, ci); err != nil {
					t.Fatal(err)
				}
				ends = append(ends, o.look())
			}
			want, times := slices.Repeat([]int{1}, 10), 0
			if !leave {
				want[0], times = 0, 1
			}
			if !slices.Equal(ends, want) || len(o.calls) != times || times == 1 && o.calls[0] != c.call {
				t.Errorf("%s, leave %v: contested %v, calls %v", what, leave, ends, o.calls)
			}
			if _, err := (contest.Contest{Ledger: o.Ledger}).Settle(t.Context(), owned, []string{Owner("vpc-1")}); err != nil {
				t.Fatal(err)
			}
			if o.look() != 0 || !o.attached || len(o.calls) != times+1 {
				t.Errorf("%s, leave %v: asked for anew, calls %v", what, leave, o.calls)
			}
		}
	}
}

// What Drawbridge itself takes is nobody's hand, and what its owner gives back is not contested.
func TestWhatTheLastVPCTakesIsNoHand(t *testing.T) {
	o := newOffice(t)
	o.look()
	for range 3 {
		vpcs := o.vpcs
		o.vpcs = nil
		if _, err := o.grant(); err != nil || o.attached || o.document != "" {
			t.Fatalf("%v: it stays, %v", err, o.calls)
		}
		o.vpcs = vpcs
		if o.look() != 0 || !o.attached {
			t.Fatal("it does not come again")
		}
	}
	if len(o.asked) > 0 {
		t.Errorf("the brake is asked about the last VPC once more: %+v", o.asked)
	}
}

// A policy of the same name that somebody made is theirs, whatever it says, before Drawbridge came or between its look and its call: it is neither changed
// nor given to anybody, and the line says so.
func TestAPolicyOfTheSameNameIsTheirs(t *testing.T) {
	theirs := `{"Version":"2012-10-17","Statement":[]}`
	for what, prepare := range map[string]func(*estate){
		"it was there":            func(e *estate) { e.document = theirs },
		"it says the same":        func(e *estate) { e.document = PolicyDocument(owned, abroad, []string{"vpce-1"}) },
		"it is given to the role": func(e *estate) { e.document, e.attached = theirs, true },
		"it comes meanwhile":      func(e *estate) { e.meanwhile = theirs },
	} {
		o := newOffice(t)
		prepare(o.estate)
		was := *o.estate
		for range 2 {
			out, err := o.grant()
			if err != nil || len(out.Hops) != 1 || out.Hops[0].OK || !strings.Contains(out.Hops[0].Detail, "not Drawbridge's") {
				t.Fatalf("%s: %+v, %v", what, out.Hops, err)
			}
		}
		vpcs := o.vpcs
		o.vpcs = nil
		if out, err := o.grant(); err != nil || !out.Hops[0].OK {
			t.Errorf("%s, and the VPCs go: %+v, %v", what, out.Hops, err)
		}
		if len(o.calls) > 0 || o.attached != was.attached || o.document != was.document+was.meanwhile {
			t.Errorf("%s: calls %v, the policy says %s", what, o.calls, o.document)
		}
		o.vpcs, o.document, o.attached = vpcs, "", false // its owner deletes it
		if o.look() != 0 || !o.attached {
			t.Errorf("%s, and is deleted: it is not granted", what)
		}
	}
}

// A call whose answer is lost, at the last step before nothing is left and before all is there: the next look goes on from the ledger.
func TestALostAnswerLeavesThePolicyDrawbridges(t *testing.T) {
	for _, call := range []string{"CreatePolicy", "DetachRolePolicy", "DeletePolicy"} {
		o := newOffice(t)
		o.breaks = call
		vpcs := o.vpcs
		_, err := o.grant()
		if call != "CreatePolicy" {
			if err != nil {
				t.Fatal(err)
			}
			o.vpcs = nil
			_, err = o.grant()
		}
		if fault.Of(err) != fault.Transient {
			t.Fatalf("%s: %v", call, err)
		}
		if call == "CreatePolicy" && (o.look() != 0 || !o.attached) {
			t.Errorf("%s: it is not granted afterwards", call)
		}
		o.vpcs = nil
		if _, err := o.grant(); err != nil || o.document != "" || o.attached {
			t.Errorf("%s: %v, it stays: %v", call, err, o.calls)
		}
		for _, resource := range []string{"scientist", PolicyARN(owned, abroad)} {
			if items, err := o.Ledger.Of(t.Context(), owned, home, resource); err != nil || resource != "scientist" && len(items) > 0 {
				t.Errorf("%s: the ledger still has %+v, %v", call, items, err)
			}
		}
		if o.vpcs = vpcs; o.look() != 0 || !o.attached {
			t.Errorf("%s: it does not come again", call)
		}
	}
}

// A role that somebody gave Drawbridge's policy keeps it, and is named: so does one that has lost nothing of Drawbridge's.
func TestARoleThatSomebodyElseServedKeepsThePolicy(t *testing.T) {
	o := newOffice(t)
	o.tag = ""
	o.look()
	o.attached = true // by hand
	out, err := o.grant()
	if err != nil || !o.attached || !strings.Contains(out.Hops[0].Detail, "somebody else gave it to scientist") {
		t.Errorf("%+v, %v, attached %v", out.Hops, err, o.attached)
	}
	o.vpcs = nil
	if _, err := o.grant(); err != nil || !o.attached || slices.Contains(o.calls, "DetachRolePolicy") {
		t.Errorf("%v, attached %v, %v", err, o.attached, o.calls)
	}
}

// A role that lost its tag counts; one whose owner says false does not. What the brake holds back stays.
func TestARoleThatLostItsTagIsBraked(t *testing.T) {
	for value, why := range map[string]brake.Why{"": brake.Lost, "perhaps": brake.Lost, "false": brake.Ended} {
		o := newOffice(t)
		o.look()
		o.tag, o.holds = value, true
		_, err := o.grant()
		if why == brake.Ended {
			if err != nil || o.attached || len(o.asked) > 0 {
				t.Errorf("%q: %v, attached %v, asked %+v", value, err, o.attached, o.asked)
			}
			continue
		}
		if fault.Of(err) != fault.Held || !o.attached || len(o.asked) != 1 || o.asked[0].Why != brake.Lost || o.asked[0].ID != "private-notebooks role arn:aws:iam::111111111111:role/scientist" {
			t.Errorf("%q: %v, attached %v, asked %+v", value, err, o.attached, o.asked)
		}
		o.holds = false
		if o.look() != 0 || o.attached {
			t.Errorf("%q: let through, it stays", value)
		}
	}
}
