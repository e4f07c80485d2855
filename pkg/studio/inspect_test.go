package studio

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge/types"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	iamtypes "github.com/aws/aws-sdk-go-v2/service/iam/types"
	"github.com/aws/aws-sdk-go-v2/service/redshift"
	rstypes "github.com/aws/aws-sdk-go-v2/service/redshift/types"
	"github.com/aws/aws-sdk-go-v2/service/sagemaker"

	"github.com/drawbridge-cloud/drawbridge/pkg/brake"
	"github.com/drawbridge-cloud/drawbridge/pkg/event"
	"github.com/drawbridge-cloud/drawbridge/pkg/fault"
	"github.com/drawbridge-cloud/drawbridge/pkg/ledger"
	"github.com/drawbridge-cloud/drawbridge/pkg/look"
	"github.com/drawbridge-cloud/drawbridge/pkg/notice"
	"github.com/drawbridge-cloud/drawbridge/pkg/policy"
	"github.com/drawbridge-cloud/drawbridge/pkg/road"
	"github.com/drawbridge-cloud/drawbridge/pkg/tag"
	"github.com/drawbridge-cloud/drawbridge/pkg/workflow"
)

// producer is the account of a Redshift cluster, with a readers' role if trust is not empty.
type producer struct {
	RoleWriter // what nobody calls
	trust, id  string
	policy     string
	boundary   string
	full       bool // somebody attached a policy to the role
	tags       []rstypes.Tag
}

func (h *producer) DescribeClusters(context.Context, *redshift.DescribeClustersInput, ...func(*redshift.Options)) (*redshift.DescribeClustersOutput, error) {
	return &redshift.DescribeClustersOutput{Clusters: []rstypes.Cluster{{Tags: h.tags}}}, nil
}

func (h *producer) GetRole(context.Context, *iam.GetRoleInput, ...func(*iam.Options)) (*iam.GetRoleOutput, error) {
	if h.trust == "" {
		return nil, code("NoSuchEntity")
	}
	return &iam.GetRoleOutput{Role: &iamtypes.Role{AssumeRolePolicyDocument: &h.trust, RoleId: &h.id, Arn: aws.String("arn:aws:iam::222222222222:role/other"),
		PermissionsBoundary: &iamtypes.AttachedPermissionsBoundary{PermissionsBoundaryArn: &h.boundary}}}, nil
}

func (h *producer) GetRolePolicy(context.Context, *iam.GetRolePolicyInput, ...func(*iam.Options)) (*iam.GetRolePolicyOutput, error) {
	if h.policy == "" {
		return nil, code("NoSuchEntity")
	}
	return &iam.GetRolePolicyOutput{PolicyDocument: &h.policy}, nil
}

func (h *producer) CreateRole(_ context.Context, in *iam.CreateRoleInput, _ ...func(*iam.Options)) (*iam.CreateRoleOutput, error) {
	h.trust, h.id, h.boundary = *in.AssumeRolePolicyDocument, "AROA2", aws.ToString(in.PermissionsBoundary)
	return &iam.CreateRoleOutput{Role: &iamtypes.Role{RoleId: &h.id}}, nil
}

func (h *producer) UpdateAssumeRolePolicy(_ context.Context, in *iam.UpdateAssumeRolePolicyInput, _ ...func(*iam.Options)) (*iam.UpdateAssumeRolePolicyOutput, error) {
	h.trust = *in.PolicyDocument
	return nil, nil
}

func (h *producer) PutRolePolicy(_ context.Context, in *iam.PutRolePolicyInput, _ ...func(*iam.Options)) (*iam.PutRolePolicyOutput, error) {
	h.policy = *in.PolicyDocument
	return nil, nil
}

func (h *producer) DeleteRolePolicy(context.Context, *iam.DeleteRolePolicyInput, ...func(*iam.Options)) (*iam.DeleteRolePolicyOutput, error) {
	h.policy = ""
	return nil, nil
}

func (h *producer) DeleteRole(context.Context, *iam.DeleteRoleInput, ...func(*iam.Options)) (*iam.DeleteRoleOutput, error) {
	if h.full {
		return nil, code("DeleteConflict")
	}
	h.trust = ""
	return nil, nil
}

// taken is a bus that keeps what it is given.
type taken []types.PutEventsRequestEntry

func (b *taken) PutEvents(_ context.Context, in *eventbridge.PutEventsInput, _ ...func(*eventbridge.Options)) (*eventbridge.PutEventsOutput, error) {
	*b = append(*b, in.Entries...)
	return &eventbridge.PutEventsOutput{}, nil
}

// shut is the SageMaker of an account that cannot be looked at.
type shut struct {
	DomainReader
	err error
}

func (s shut) ListDomains(context.Context, *sagemaker.ListDomainsInput, ...func(*sagemaker.Options)) (*sagemaker.ListDomainsOutput, error) {
	return nil, s.err
}

func cluster0(named ...string) *producer {
	h := &producer{}
	if len(named) > 0 {
		h.tags = []rstypes.Tag{{Key: aws.String(tag.Studio), Value: aws.String(strings.Join(named, " "))}}
	}
	return h
}

// inspector looks at clusters of 222222222222; of the accounts, those in members are of the organization.
func inspector(book Book, h *producer, domains DomainReader, members ...string) Inspector {
	return Inspector{
		Enter: func(string, event.Place) Clients { return Clients{Redshift: h, Roles: h, Domains: domains} },
		Account: func(_ context.Context, id string) (workflow.AccountFacts, error) {
			out := workflow.AccountFacts{ID: id}
			if slices.Contains(members, id) {
				out.Organization = "o-abc1234567"
			}
			return out, nil
		},
		Policy: func(context.Context) (*policy.Set, error) { return policy.Default(), nil },
		Brake:  func(context.Context, brake.Removal) error { return nil },
		Book:   book, Bus: notice.Bus{API: &taken{}, Name: "drawbridge"}, Looks: look.Asker{API: &taken{}, Bus: "drawbridge"},
	}
}

func inspect(t *testing.T, i Inspector, detail string) workflow.InspectStudioOutput {
	t.Helper()
	out, err := i.Inspect(t.Context(), workflow.InspectStudioInput{Execution: "x", Event: json.RawMessage(
		`{"source":"drawbridge.internal","detail-type":"Studio To Inspect","account":"123456789012","region":"us-east-1","detail":` + detail + `}`)})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

const look0 = `{"account":"222222222222","region":"eu-west-1","clusterIdentifier":"c0","reason":"test"}`

// reads makes the ledger and the readers' role say that roles read the cluster.
func reads(t *testing.T, book Book, h *producer, roles ...string) {
	t.Helper()
	var in workflow.WriteStudioRoleInput
	in.Warehouse = clusterOf(0)
	for _, r := range roles {
		in.Roles = append(in.Roles, workflow.ExecutionRole{ARN: r})
	}
	if _, err := book.Begin(t.Context(), ledger.Connection{ID: in.Warehouse.ARN, Kind: road.Studio}); err != nil {
		t.Fatal(err)
	}
	if _, err := WriteRole(t.Context(), h, book, in); err != nil {
		t.Fatal(err)
	}
}

// Nobody can be entered of an account that left the organization, but the readers' role goes, and what the ledger has.
func TestAnAccountThatLeftTheOrganizationReadsNothing(t *testing.T) {
	const gone = "arn:aws:iam::333333333333:role/gone"
	for name, h := range map[string]*producer{"it is named": cluster0("333333333333"), "it is named no more": cluster0()} {
		book, memory := shelf(t)
		reads(t, book, h, gone)
		out := inspect(t, inspector(book, h, nil, "222222222222"), look0)
		if out.Answer != workflow.AnswerRetract || len(out.Roles) > 0 || len(out.Leaving) != 1 || !out.Leaving[0].Outside || out.Leaving[0].ARN != gone {
			t.Errorf("%s: %+v", name, out)
		}
		if _, err := WriteRole(t.Context(), h, book, workflow.WriteStudioRoleInput{Warehouse: out.Warehouse, Roles: out.Roles}); err != nil || h.trust != "" || h.policy != "" {
			t.Errorf("%s: the readers' role still trusts %s, %v", name, h.trust, err)
		}
		conclude, err := book.Items(t.Context(), out.Warehouse.ARN)
		if err != nil || len(conclude) > 0 {
			t.Errorf("%s: the ledger has %+v, %v", name, conclude, err)
		}
		if !out.Warehouse.Named {
			if next := inspect(t, inspector(book, h, nil, "222222222222"), look0); next.Answer != workflow.AnswerNothing || len(memory.Rows()) > 0 {
				t.Errorf("%s: then %+v, %v", name, next, memory.Rows())
			}
		}
	}
}

// An account that cannot be looked at keeps nobody out, loses nothing, and is named.
func TestAnAccountThatCannotBeReadLosesNothing(t *testing.T) {
	const reader = "arn:aws:iam::111111111111:role/studio"
	for name, c := range map[string]struct {
		err   error
		reads []string
		kept  int
		unfit int
	}{
		"denied":                          {code("AccessDeniedException"), []string{reader}, 1, 0},
		"denied, nobody reads":            {code("AccessDeniedException"), nil, 0, 1},
		"without SageMaker":               {fmt.Errorf("no host: %w", fault.ErrAbsent), []string{reader}, 1, 0},
		"without SageMaker, nobody reads": {fmt.Errorf("no host: %w", fault.ErrAbsent), nil, 0, 0},
	} {
		book, _ := shelf(t)
		h := cluster0("111111111111")
		if len(c.reads) > 0 {
			reads(t, book, h, c.reads...)
		}
		out := inspect(t, inspector(book, h, shut{err: c.err}, "111111111111", "222222222222"), look0)
		if len(out.Roles) != c.kept || len(out.Unfit) != c.unfit || len(out.Leaving) > 0 || c.kept > 0 && out.Roles[0].Kept == "" {
			t.Errorf("%s: %+v", name, out)
		}
		if c.kept+c.unfit > 0 != (out.Answer == workflow.AnswerAdmit) {
			t.Errorf("%s: answers %s: %s", name, out.Answer, out.Reason)
		}
	}
	// What passes by itself is tried again.
	book, _ := shelf(t)
	i := inspector(book, cluster0("111111111111"), shut{err: code("ThrottlingException")}, "111111111111", "222222222222")
	if _, err := i.Inspect(t.Context(), workflow.InspectStudioInput{Event: json.RawMessage(`{"source":"drawbridge.internal","detail-type":"Studio To Inspect","account":"123456789012","region":"us-east-1","detail":` + look0 + `}`)}); fault.Of(err) != fault.Transient {
		t.Errorf("throttled: %v", err)
	}
}

// An event about roles leads to each cluster that the ledger has for the account; one about a domain to those that wait for it, or need it.
func TestRolesAndDomainsLeadToTheirClusters(t *testing.T) {
	book, _ := shelf(t)
	asked := &taken{}
	i := inspector(book, cluster0(), nil, "111111111111", "222222222222")
	i.Looks = look.Asker{API: asked, Bus: "drawbridge"}
	for n, consumers := range [][]string{{"111111111111"}, {"333333333333", "111111111111"}, {"333333333333"}} {
		w := clusterOf(n)
		l := inspection{Inspector: i, accounts: append(consumers, "no account"), out: &workflow.InspectStudioOutput{Warehouse: w}}
		if err := l.keep(t.Context()); err != nil {
			t.Fatal(err)
		}
		item := settingOf("111111111111", region, "d-abc")
		if item.State = ledger.Wanted; n == 1 {
			item.State = ledger.Intended
		}
		if n == 2 {
			continue
		}
		if _, err := book.Record(t.Context(), w.ARN, item); err != nil {
			t.Fatal(err)
		}
	}
	clusters := func() (out []string) {
		for _, e := range *asked {
			var d event.StudioInspection
			if err := json.Unmarshal([]byte(*e.Detail), &d); err != nil || d.Account != "222222222222" || d.Region != region {
				t.Errorf("%s: %v", *e.Detail, err)
			}
			out = append(out, d.Cluster)
		}
		*asked = nil
		return out
	}
	for detail, want := range map[string][]string{
		`{"account":"111111111111","region":"us-east-1","roles":true,"reason":"TagRole"}`:       {"c0", "c1"},
		`{"account":"333333333333","region":"us-east-1","roles":true,"reason":"TagRole"}`:       {"c1", "c2"},
		`{"account":"222222222222","region":"us-east-1","roles":true,"reason":"TagRole"}`:       nil,
		`{"account":"111111111111","region":"eu-west-1","domainId":"d-abc","reason":"AddTags"}`: {"c0", "c1"},
		`{"account":"111111111111","region":"eu-west-1","domainId":"d-xyz","reason":"AddTags"}`: nil,
	} {
		out := inspect(t, i, detail)
		if got := clusters(); !slices.Equal(got, want) || (out.Answer == workflow.AnswerAnnounce) != (want != nil) {
			t.Errorf("%s: %s, looks at %v, want %v", detail, out.Answer, got, want)
		}
	}
}

// A role with the name of a readers' role that the ledger does not have is somebody else's.
func TestSomebodysRoleIsNotTakenOver(t *testing.T) {
	book, memory := shelf(t)
	h := cluster0("111111111111")
	h.trust, h.id = `{"Statement":[]}`, "AROA9"
	in := workflow.WriteStudioRoleInput{Warehouse: clusterOf(0), Roles: []workflow.ExecutionRole{{ARN: executionARN}}}
	if _, err := WriteRole(t.Context(), h, book, in); fault.Of(err) != fault.Conflict || h.trust != `{"Statement":[]}` || len(memory.Rows()) > 0 {
		t.Errorf("%v, %s, %v", err, h.trust, memory.Rows())
	}
	// Nor is one that somebody made after Drawbridge's was deleted.
	h.trust = ""
	reads(t, book, h, executionARN)
	h.id = "AROA9"
	if _, err := WriteRole(t.Context(), h, book, in); fault.Of(err) != fault.Conflict {
		t.Error(err)
	}
	in.Roles = nil
	if out, err := WriteRole(t.Context(), h, book, in); err != nil || h.trust == "" || !strings.Contains(out.Hops[0].Detail, "somebody else's") {
		t.Errorf("%+v, %v", out, err)
	}
	if items, err := book.Items(t.Context(), in.Warehouse.ARN); err != nil || len(items) > 0 {
		t.Errorf("%+v, %v", items, err)
	}
}

// A readers' role to which somebody added something cannot be deleted: nobody may assume it any more, and that is said.
func TestAReadersRoleThatCannotGoIsClosed(t *testing.T) {
	book, _ := shelf(t)
	h := cluster0()
	reads(t, book, h, executionARN)
	h.full = true
	out, err := WriteRole(t.Context(), h, book, workflow.WriteStudioRoleInput{Warehouse: clusterOf(0)})
	if err != nil || out.Hops[0].OK || h.trust != Trust(nil) || h.policy != "" {
		t.Errorf("%+v, %v: trusts %s", out, err, h.trust)
	}
	h.full = false
	if out, err = WriteRole(t.Context(), h, book, workflow.WriteStudioRoleInput{Warehouse: clusterOf(0)}); err != nil || !out.Hops[0].OK || h.trust != "" {
		t.Errorf("%+v, %v: trusts %s", out, err, h.trust)
	}
}
