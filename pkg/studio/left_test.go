package studio

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	iamtypes "github.com/aws/aws-sdk-go-v2/service/iam/types"
	"github.com/aws/aws-sdk-go-v2/service/redshift"
	rstypes "github.com/aws/aws-sdk-go-v2/service/redshift/types"
	"github.com/aws/aws-sdk-go-v2/service/sagemaker"

	"github.com/drawbridge-cloud/drawbridge/pkg/event"
	"github.com/drawbridge-cloud/drawbridge/pkg/fault"
	"github.com/drawbridge-cloud/drawbridge/pkg/notice"
	"github.com/drawbridge-cloud/drawbridge/pkg/policy"
	"github.com/drawbridge-cloud/drawbridge/pkg/tag"
	"github.com/drawbridge-cloud/drawbridge/pkg/workflow"
)

// home is the account of a Redshift cluster with a readers' role, if trust is not empty.
type home struct {
	RoleWriter  // what nobody calls
	trust, name string
	tags        []rstypes.Tag
}

func (h *home) DescribeClusters(context.Context, *redshift.DescribeClustersInput, ...func(*redshift.Options)) (*redshift.DescribeClustersOutput, error) {
	return &redshift.DescribeClustersOutput{Clusters: []rstypes.Cluster{{Tags: h.tags}}}, nil
}

func (h *home) GetRole(_ context.Context, in *iam.GetRoleInput, _ ...func(*iam.Options)) (*iam.GetRoleOutput, error) {
	if h.trust == "" {
		return nil, &iamtypes.NoSuchEntityException{}
	}
	h.name = aws.ToString(in.RoleName)
	return &iam.GetRoleOutput{Role: &iamtypes.Role{AssumeRolePolicyDocument: &h.trust,
		Tags: []iamtypes.Tag{{Key: aws.String(MarkTag), Value: aws.String(Mark)}}}}, nil
}

func (h *home) DeleteRolePolicy(context.Context, *iam.DeleteRolePolicyInput, ...func(*iam.Options)) (*iam.DeleteRolePolicyOutput, error) {
	return &iam.DeleteRolePolicyOutput{}, nil
}

func (h *home) DeleteRole(context.Context, *iam.DeleteRoleInput, ...func(*iam.Options)) (*iam.DeleteRoleOutput, error) {
	h.trust = ""
	return &iam.DeleteRoleOutput{}, nil
}

// Nobody can be entered of an account that left the organization, but the readers' role forgets it; and what a failed execution
// left on the cluster goes.
func TestAnAccountThatLeftTheOrganizationReadsNothing(t *testing.T) {
	share := rstypes.Tag{Key: aws.String(tag.Studio), Value: aws.String("333333333333")}
	status := rstypes.Tag{Key: aws.String(StatusTag), Value: aws.String("Identified")}
	trust := Trust([]workflow.ExecutionRole{{Account: "333333333333", ARN: "arn:aws:iam::333333333333:role/gone", Admit: true}})
	for name, c := range map[string]struct {
		home
		want string
	}{
		"it reads, and is named":          {home{trust: trust, tags: []rstypes.Tag{share, status}}, AnswerRetract},
		"it reads, and is named no more":  {home{trust: trust}, AnswerRetract},
		"only the status is left":         {home{tags: []rstypes.Tag{share, status}}, AnswerRetract},
		"nobody is named, and the status": {home{tags: []rstypes.Tag{status}}, AnswerRetract},
		"nothing is left":                 {home{}, AnswerNothing},
	} {
		h := c.home
		i := Inspector{
			Enter: func(string, event.Place) Clients { return Clients{Redshift: &h, Roles: &h} },
			Account: func(_ context.Context, id string) (workflow.AccountFacts, error) {
				return workflow.AccountFacts{ID: id, Organization: map[string]string{"222222222222": "o-abc1234567"}[id]}, nil
			},
			Policy: func(context.Context, string) (*policy.Set, string, error) { return policy.Default(), "", nil },
			Index:  Index{API: store{}, Path: "/drawbridge/studio"},
			Bus:    notice.Bus{API: &taken{}, Name: "drawbridge"},
		}
		raw := `{"source":"drawbridge.internal","detail-type":"Studio To Inspect","account":"123456789012","region":"eu-west-1","detail":{
			"account":"222222222222","region":"eu-west-1","clusterIdentifier":"sales","reason":"test"}}`
		out, err := i.Inspect(t.Context(), workflow.InspectStudioInput{Event: json.RawMessage(raw)})
		if err != nil || out.Answer != c.want || len(out.Roles) > 0 {
			t.Errorf("%s: %+v, %v, want %s", name, out, err, c.want)
		}
		if out.Answer != AnswerRetract {
			continue
		}
		in := workflow.WriteStudioRoleInput{Warehouse: out.Warehouse, Roles: out.Roles}
		if _, err := WriteRole(t.Context(), &h, in); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if _, err := Forget(t.Context(), &h, in); err != nil || h.trust != "" {
			t.Errorf("%s: the readers' role still trusts %s, %v", name, h.trust, err)
		}
		if c.trust != "" && !strings.HasPrefix(h.name, RolePrefix) {
			t.Errorf("%s: the role %s was read", name, h.name)
		}
		if got := End(out.Warehouse, out.Roles, nil); got != workflow.Removed {
			t.Errorf("%s ends as %s", name, got)
		}
	}
}

// nowhere is the SageMaker of a Region that has none.
type nowhere struct{ DomainReader }

func (nowhere) ListDomains(context.Context, *sagemaker.ListDomainsInput, ...func(*sagemaker.Options)) (*sagemaker.ListDomainsOutput, error) {
	return nil, fmt.Errorf("no host: %w", fault.ErrAbsent)
}

// Without SageMaker an account has no domain; but roles that read already are not taken for gone because of that.
func TestARegionWithoutSageMakerTakesNoReaderAway(t *testing.T) {
	i := Inspector{
		Enter: func(string, event.Place) Clients { return Clients{Domains: nowhere{}, Roles: &home{}} },
		Account: func(_ context.Context, id string) (workflow.AccountFacts, error) {
			return workflow.AccountFacts{ID: id, Organization: "o-abc1234567"}, nil
		},
	}
	there := event.Place{Account: "111111111111", Region: "eu-west-1"}
	var out workflow.InspectStudioOutput
	if refused, err := i.consumer(t.Context(), "run", there, policy.Default(), policy.Warehouse{}, []string{"arn:aws:iam::333333333333:role/another"}, &out); err != nil || len(refused)+len(out.Roles) > 0 {
		t.Errorf("nobody of the account reads: %v, %+v, %v", refused, out.Roles, err)
	}
	if _, err := i.consumer(t.Context(), "run", there, policy.Default(), policy.Warehouse{}, []string{"arn:aws:iam::111111111111:role/studio"}, &out); !fault.Absent(err) || len(out.Roles) > 0 {
		t.Errorf("a role of the account reads: %+v, %v", out.Roles, err)
	}
}
