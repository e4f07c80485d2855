package account

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/organizations"
	"github.com/aws/aws-sdk-go-v2/service/organizations/types"
	"github.com/aws/aws-sdk-go-v2/service/redshift"
	redshifttypes "github.com/aws/aws-sdk-go-v2/service/redshift/types"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	ststypes "github.com/aws/aws-sdk-go-v2/service/sts/types"
	"github.com/aws/smithy-go"

	"github.com/drawbridge-cloud/drawbridge/pkg/fault"
	"github.com/drawbridge-cloud/drawbridge/pkg/mode"
)

// assumer hands out credentials and remembers what it was asked for.
type assumer struct {
	asked []sts.AssumeRoleInput
	err   error
}

func (a *assumer) AssumeRole(_ context.Context, in *sts.AssumeRoleInput, _ ...func(*sts.Options)) (*sts.AssumeRoleOutput, error) {
	a.asked = append(a.asked, *in)
	if a.err != nil {
		return nil, a.err
	}
	return &sts.AssumeRoleOutput{Credentials: &ststypes.Credentials{AccessKeyId: aws.String("ASIA"), SecretAccessKey: aws.String("s"),
		SessionToken: aws.String("t"), Expiration: aws.Time(time.Now().Add(time.Hour))}}, nil
}

func door(a *assumer, region string) *Door {
	return &Door{hub: aws.Config{Region: region}, role: "drawbridge-member-add-routes", externalID: "secret", assume: a, lookup: lookup, sessions: map[session]*aws.CredentialsCache{},
		observe: map[string]bool{}, mode: func(context.Context) (mode.Setting, error) { return mode.Setting{Mode: mode.Full}, nil }}
}

func TestEnterNamesTheSessionAfterTheExecution(t *testing.T) {
	a := &assumer{}
	d := door(a, "us-east-1")
	for range 3 { // cached: one AssumeRole for all
		c := d.Enter("8a1f/0f6e peering", "111111111111", "eu-west-1")
		if _, err := c.Credentials.Retrieve(context.Background()); err != nil {
			t.Fatal(err)
		}
		if c.Region != "eu-west-1" {
			t.Errorf("Region = %s", c.Region)
		}
	}
	if len(a.asked) != 1 {
		t.Fatalf("AssumeRole was called %d times, want once", len(a.asked))
	}
	in := a.asked[0]
	if *in.RoleArn != "arn:aws:iam::111111111111:role/drawbridge-member-add-routes" || *in.RoleSessionName != "8a1f-0f6e-peering" || *in.ExternalId != "secret" {
		t.Errorf("asked for %s as %s with external id %s", *in.RoleArn, *in.RoleSessionName, *in.ExternalId)
	}
}

func TestAnotherExecutionGetsItsOwnSession(t *testing.T) {
	a := &assumer{}
	d := door(a, "cn-north-1")
	for _, execution := range []string{"first", "second"} {
		if _, err := d.Enter(execution, "111111111111", "cn-north-1").Credentials.Retrieve(context.Background()); err != nil {
			t.Fatal(err)
		}
	}
	if len(a.asked) != 2 || !strings.HasPrefix(*a.asked[0].RoleArn, "arn:aws-cn:") {
		t.Errorf("asked %d times, first for %s", len(a.asked), *a.asked[0].RoleArn)
	}
}

func TestAClosedDoorNamesRoleAccountAndRemedy(t *testing.T) {
	d := door(&assumer{err: &smithy.GenericAPIError{Code: "AccessDenied", Message: "User is not authorized to perform sts:AssumeRole"}}, "us-east-1")
	_, err := d.Enter("x1", "222222222222", "us-east-1").Credentials.Retrieve(context.Background())
	if fault.Of(err) != fault.Refused || !strings.Contains(err.Error(), "assuming drawbridge-member-add-routes in 222222222222: access denied") || !strings.Contains(err.Error(), "remedy") {
		t.Errorf("error = %v", err)
	}
}

func TestSessionsAreBounded(t *testing.T) {
	d := door(&assumer{}, "us-east-1")
	for n := range 3 * maxSessions {
		d.Enter(strings.Repeat("x", n%60)+"-"+time.Duration(n).String(), "111111111111", "us-east-1")
	}
	if len(d.sessions) > maxSessions {
		t.Errorf("%d sessions are kept, want at most %d", len(d.sessions), maxSessions)
	}
}

func TestSessionName(t *testing.T) {
	for execution, want := range map[string]string{"": "drawbridge", "x": "drawbridge", "a b;c": "a-b-c", strings.Repeat("y", 80): strings.Repeat("y", 64)} {
		if got := sessionName(execution); got != want {
			t.Errorf("sessionName(%q) = %q, want %q", execution, got, want)
		}
	}
}

// directory answers DescribeAccount from a map; an account that is not in it is outside the organization.
type directory struct {
	accounts map[string]*types.Account
	units    map[string]string
	asked    int
	err      error
}

func (d *directory) DescribeOrganizationalUnit(_ context.Context, in *organizations.DescribeOrganizationalUnitInput, _ ...func(*organizations.Options)) (*organizations.DescribeOrganizationalUnitOutput, error) {
	d.asked++
	if d.err != nil {
		return nil, d.err
	}
	if got, ok := d.units[*in.OrganizationalUnitId]; ok {
		return &organizations.DescribeOrganizationalUnitOutput{OrganizationalUnit: &types.OrganizationalUnit{Name: &got}}, nil
	}
	return nil, &types.OrganizationalUnitNotFoundException{}
}

func (d *directory) DescribeAccount(_ context.Context, in *organizations.DescribeAccountInput, _ ...func(*organizations.Options)) (*organizations.DescribeAccountOutput, error) {
	d.asked++
	if d.err != nil {
		return nil, d.err
	}
	if got, ok := d.accounts[*in.AccountId]; ok {
		return &organizations.DescribeAccountOutput{Account: got}, nil
	}
	return nil, &types.AccountNotFoundException{}
}

func TestAccount(t *testing.T) {
	member := func(state types.AccountState) *types.Account {
		return &types.Account{Arn: aws.String("arn:aws:organizations::999999999999:account/o-abc1234567/111111111111"), Name: aws.String("research"), Paths: []string{"o-abc1234567/r-ab12/ou-ab12-research/"}, State: state}
	}
	for name, c := range map[string]struct {
		accounts     map[string]*types.Account
		organization string
		suspended    bool
	}{
		"a member":                         {map[string]*types.Account{"111111111111": member(types.AccountStateActive)}, "o-abc1234567", false},
		"a member whose state is not told": {map[string]*types.Account{"111111111111": member("")}, "o-abc1234567", false},
		"a suspended account":              {map[string]*types.Account{"111111111111": member(types.AccountStateSuspended)}, "", true},
		"a closed account":                 {map[string]*types.Account{"111111111111": member(types.AccountStateClosed)}, "", true},
		"a stranger":                       {nil, "", false},
	} {
		t.Run(name, func(t *testing.T) {
			d := &directory{accounts: c.accounts}
			o := NewOrganization(d)
			for range 2 {
				got, err := o.Account(context.Background(), "111111111111")
				if err != nil || got.Organization != c.organization {
					t.Errorf("Account = %+v, %v, want organization %q", got, err, c.organization)
				}
				why, unreadable := fault.Unreadable(got.Unreadable())
				if unreadable != c.suspended || c.suspended && !strings.Contains(why, "111111111111") {
					t.Errorf("unreadable: %v %q", unreadable, why)
				}
			}
			if d.asked != 1 {
				t.Errorf("asked %d times within %s", d.asked, Remember)
			}
		})
	}
}

func TestUnitsAreCalledByNameAndAskedForOnce(t *testing.T) {
	d := &directory{units: map[string]string{"ou-ab12-research": "Research", "ou-ab12-genomics": "Genomics (EU)"}}
	o := NewOrganization(d)
	now := time.Now()
	o.now = func() time.Time { return now }
	for path, want := range map[string]string{
		"o-abc1234567/r-ab12/": "",
		"o-abc1234567/r-ab12/ou-ab12-research/ou-ab12-genomics/111111111111/": "Research/Genomics (EU)",
		"o-abc1234567/r-ab12/ou-ab12-research/ou-ab12-gone/":                  "Research/ou-ab12-gone",
	} {
		if got, err := o.Units(t.Context(), path); err != nil || got != want {
			t.Errorf("Units(%q) = %q, %v, want %q", path, got, err, want)
		}
	}
	if d.asked != 3 {
		t.Errorf("asked %d times about 3 units", d.asked)
	}
	d.err = errors.New("broken")
	if got, err := o.Units(t.Context(), "r-ab12/ou-ab12-research/"); err != nil || got != "Research" {
		t.Errorf("remembered: %q, %v", got, err)
	}
	now = now.Add(Remember + time.Second)
	if _, err := o.Units(t.Context(), "r-ab12/ou-ab12-research/"); err == nil {
		t.Error("remembered for too long")
	}
	d.err = &types.AccessDeniedException{}
	if got, err := o.Units(t.Context(), "r-ab12/ou-ab12-research/"); err != nil || got != "ou-ab12-research" {
		t.Errorf("denied: %q, %v", got, err)
	}
}

func TestAccountIsAskedAgainAfterAnErrorAndAfterAWhile(t *testing.T) {
	d := &directory{err: errors.New("broken")}
	o := NewOrganization(d)
	if _, err := o.Account(context.Background(), "111111111111"); err == nil {
		t.Fatal("no error")
	}
	d.err = nil
	now := time.Now()
	o.now = func() time.Time { return now }
	_, _ = o.Account(context.Background(), "111111111111")
	now = now.Add(Remember + time.Second)
	_, _ = o.Account(context.Background(), "111111111111")
	if d.asked != 3 {
		t.Errorf("asked %d times, want 3", d.asked)
	}
}

// picky lets in only who says one external id.
type picky struct {
	externalID string
	asked      []string
}

func (p *picky) AssumeRole(ctx context.Context, in *sts.AssumeRoleInput, o ...func(*sts.Options)) (*sts.AssumeRoleOutput, error) {
	p.asked = append(p.asked, *in.ExternalId)
	if *in.ExternalId != p.externalID {
		return nil, &smithy.GenericAPIError{Code: "AccessDenied", Message: "not authorized to perform: sts:AssumeRole"}
	}
	return (&assumer{}).AssumeRole(ctx, in, o...)
}

func TestAnAccountThatLetsItselfBeObservedOnlyIsKnownAtTheDoor(t *testing.T) {
	p := &picky{externalID: "secret-observe"}
	d := door(nil, "us-east-1")
	d.assume = p
	c := d.Enter("one", "222222222222", "us-east-1")
	if _, err := c.Credentials.Retrieve(t.Context()); err != nil || !d.ObservesOnly("222222222222") || d.ObservesOnly("111111111111") {
		t.Fatalf("observed only: %v, %v", d.ObservesOnly("222222222222"), err)
	}
	c.HTTPClient = refusing{t}
	if _, err := redshift.NewFromConfig(c).CreateTags(t.Context(), &redshift.CreateTagsInput{ResourceName: aws.String("x"), Tags: []redshifttypes.Tag{{}}}); fault.Of(err) != fault.Held || !strings.Contains(err.Error(), "222222222222 lets itself be observed only") {
		t.Errorf("a change: %v", err)
	}
	// The next session begins with what worked, and finds out when the stack is another.
	_, _ = d.Enter("two", "222222222222", "us-east-1").Credentials.Retrieve(t.Context())
	p.externalID = "secret"
	_, err := d.Enter("three", "222222222222", "us-east-1").Credentials.Retrieve(t.Context())
	if got := strings.Join(p.asked, " "); err != nil || d.ObservesOnly("222222222222") || got != "secret secret-observe secret-observe secret-observe secret" {
		t.Errorf("asked with %q, %v", got, err)
	}
}

// refusing sends nothing.
type refusing struct{ t *testing.T }

func (r refusing) Do(*http.Request) (*http.Response, error) {
	r.t.Error("a call was sent")
	return nil, errors.New("sent")
}
