package studio

import (
	"context"
	"maps"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	iamtypes "github.com/aws/aws-sdk-go-v2/service/iam/types"
	"github.com/aws/aws-sdk-go-v2/service/sagemaker"
	"github.com/aws/aws-sdk-go-v2/service/sagemaker/types"
	"pgregory.net/rapid"

	"github.com/drawbridge-cloud/drawbridge/pkg/event"
	"github.com/drawbridge-cloud/drawbridge/pkg/fault"
	"github.com/drawbridge-cloud/drawbridge/pkg/ledger"
	"github.com/drawbridge-cloud/drawbridge/pkg/ledger/ledgertest"
	"github.com/drawbridge-cloud/drawbridge/pkg/road"
	"github.com/drawbridge-cloud/drawbridge/pkg/tag"
	"github.com/drawbridge-cloud/drawbridge/pkg/workflow"
)

// readers is the producer's IAM: the readers' role of a warehouse as Drawbridge makes it, which trusts the world's execution role.
type readers struct {
	role   iamtypes.Role
	policy string
}

func asMade(w workflow.Warehouse) *readers {
	trust := Trust([]string{executionARN})
	return &readers{policy: Permissions(w), role: iamtypes.Role{Arn: &w.Role, RoleId: aws.String("AROA9"), AssumeRolePolicyDocument: &trust,
		PermissionsBoundary: &iamtypes.AttachedPermissionsBoundary{PermissionsBoundaryArn: aws.String(boundary(w))},
		Tags:                []iamtypes.Tag{{Key: aws.String(MarkTag), Value: aws.String(Mark)}}}}
}

func (r *readers) GetRole(context.Context, *iam.GetRoleInput, ...func(*iam.Options)) (*iam.GetRoleOutput, error) {
	return &iam.GetRoleOutput{Role: &r.role}, nil
}

func (r *readers) GetRolePolicy(context.Context, *iam.GetRolePolicyInput, ...func(*iam.Options)) (*iam.GetRolePolicyOutput, error) {
	return &iam.GetRolePolicyOutput{PolicyDocument: aws.String(url.PathEscape(r.policy))}, nil
}

// listed is the SageMaker of a world whose one domain runs in VPC only mode, with the world's execution role.
type listed struct{ sage }

func (listed) ListDomains(context.Context, *sagemaker.ListDomainsInput, ...func(*sagemaker.Options)) (*sagemaker.ListDomainsOutput, error) {
	return &sagemaker.ListDomainsOutput{Domains: []types.DomainDetails{{DomainId: aws.String("d-1")}}}, nil
}

func (l listed) DescribeDomain(ctx context.Context, in *sagemaker.DescribeDomainInput, o ...func(*sagemaker.Options)) (*sagemaker.DescribeDomainOutput, error) {
	out, err := l.sage.DescribeDomain(ctx, in, o...)
	out.DomainArn, out.AppNetworkAccessType = aws.String("arn:aws:sagemaker:"+region+":"+account+":domain/d-1"), types.AppNetworkAccessTypeVpcOnly
	out.DefaultUserSettings = &types.UserSettings{ExecutionRole: &executionARN}
	return out, err
}

func (listed) ListUserProfiles(context.Context, *sagemaker.ListUserProfilesInput, ...func(*sagemaker.Options)) (*sagemaker.ListUserProfilesOutput, error) {
	return &sagemaker.ListUserProfilesOutput{}, nil
}

func (listed) DescribeUserProfile(context.Context, *sagemaker.DescribeUserProfileInput, ...func(*sagemaker.Options)) (*sagemaker.DescribeUserProfileOutput, error) {
	return nil, code("ResourceNotFound")
}

// tell tells what a ledger had of a cluster.
func (w *world) tell(ctx context.Context, n int, r *readers) (ledger.Connection, []ledger.Item, []string, error) {
	shown, err := ReadShown(ctx, func(at event.Place) Readable {
		if at.Account == account {
			return Readable{Roles: w, Domains: listed{sage{w}}}
		}
		return Readable{Roles: r, Domains: listed{sage{w}}}
	}, clusterOf(n), map[string]string{tag.Studio: account, tag.StudioStatus: "Identified"})
	if err != nil {
		return ledger.Connection{}, nil, nil, err
	}
	entry, items, untold := Told(shown, home)
	return entry, items, untold, nil
}

// However readers come and go: what the accounts show is all that the ledger had of the consumer's things, and with the ledger lost, and told again, the last
// to go leaves everything as it was before Drawbridge came.
func TestALostLedgerIsToldAndEverythingPutBack(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		before := trusts(t)
		w := newWorld(before)
		if w.tight = rapid.Bool().Draw(t, "tight"); w.tight {
			w.trust, before = compact(before), compact(before)
		}
		w.policies["owners"] = "{ \"Statement\" : [] }\n"
		w.setting = rapid.SampledFrom([]string{Disabled, ByProfile}).Draw(t, "setting")
		setting, others := w.setting, w.others()
		lost, _ := ledgertest.New()
		now := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
		lost.Now = func() time.Time { return now }
		look := func(b Book, n int, reads bool) {
			now = now.Add(time.Hour)
			if verdict, _, err := w.look(t.Context(), b, n, reads); err != nil {
				t.Fatalf("%v, %v", verdict, err)
			}
		}
		clusters := rapid.IntRange(1, 3).Draw(t, "clusters")
		for n := range clusters {
			look(Book{lost, home}, n, true)
		}
		found, memory := ledgertest.New()
		found.Now = lost.Now
		b := Book{found, home}
		for n := range clusters {
			_, items, untold, err := w.tell(t.Context(), n, asMade(clusterOf(n)))
			if err != nil || len(untold) > 0 {
				t.Fatalf("untold %v, %v", untold, err)
			}
			if _, err := found.Restore(t.Context(), items...); err != nil {
				t.Fatal(err)
			}
		}
		for _, at := range [][2]string{{home, "studio"}, {region, "d-1"}} {
			was, _ := lost.Of(t.Context(), account, at[0], at[1])
			is, _ := found.Of(t.Context(), account, at[0], at[1])
			was = slices.DeleteFunc(was, func(i ledger.Item) bool { return i.Kind == ledger.Setting && i.Before == "" }) // its owner set it: nothing is taken back
			if len(was) != len(is) {
				t.Fatalf("told %+v, had %+v", is, was)
			}
			for n := range was {
				if !was[n].Same(is[n]) || was[n].Left != is[n].Left || digest(was[n].Before) != digest(is[n].Before) {
					t.Fatalf("told %+v, had %+v", is[n], was[n])
				}
			}
		}
		for n := range clusters { // the next look at each, as the sweep asks for it
			look(b, n, true)
		}
		for n := range clusters {
			look(b, n, false)
			items, _ := b.Items(t.Context(), clusterOf(n).ARN) // the readers' role, which nobody plays here
			if err := b.Cancel(t.Context(), clusterOf(n).ARN, items); err != nil {
				t.Fatal(err)
			}
			if err := b.End(t.Context(), clusterOf(n).ARN); err != nil {
				t.Fatal(err)
			}
		}
		// Where IAM keeps documents without white space, a statement that stood alone may come back as a list of one, which says the same.
		if digest(w.trust) != digest(before) || !w.tight && w.trust != before || !maps.Equal(w.policies, others) || w.setting != setting || w.tags[MarkTag] != "" || w.domainTags[MarkTag] != "" {
			t.Fatalf("trust\n%s\nwas\n%s\npolicies %v, was %v; setting %s, was %s; tags %v, %v", w.trust, before, w.policies, others, w.setting, setting, w.tags, w.domainTags)
		}
		if rows := memory.Rows(); len(rows) > 0 {
			t.Fatalf("the ledger has %v", rows)
		}
	})
}

func TestWhatCannotBeToldOfAWarehouseIsSaid(t *testing.T) {
	for name, c := range map[string]struct {
		change func(*world, *readers)
		told   int
		untold string
	}{
		"as it was left":                     {func(*world, *readers) {}, 6, ""},
		"the readers' role without boundary": {func(_ *world, r *readers) { r.role.PermissionsBoundary = nil }, 0, "it is not as Drawbridge makes a role for c0"},
		"without its mark":                   {func(_ *world, r *readers) { r.role.Tags = nil }, 0, "it is not as Drawbridge makes a role for c0"},
		"with another policy":                {func(_ *world, r *readers) { r.policy = `{"Statement":[]}` }, 0, "it is not as Drawbridge makes a role for c0"},
		"somebody wrote whom it trusts": {func(_ *world, r *readers) {
			r.role.AssumeRolePolicyDocument = aws.String(strings.Replace(Trust([]string{executionARN}), `"2012-10-17",`, `"2012-10-17","Id":"x",`, 1))
		}, 5, "whom drawbridge-studio-eu-west-1-c0 trusts: somebody changed it"},
		"the execution role has no mark": {func(w *world, _ *readers) { delete(w.tags, MarkTag) }, 4, ""},
		"somebody wrote its policy":      {func(w *world, _ *readers) { w.policies[PolicyOf(clusterOf(0))] = `{"Statement":[]}` }, 5, "the policy drawbridge-studio-222222222222-eu-west-1-c0 of the role studio in 111111111111: somebody changed it"},
		"somebody wrote its statement": {func(w *world, _ *readers) {
			w.trust = strings.Replace(w.trust, `["sts:SetSourceIdentity"]`, `["sts:SetSourceIdentity","sts:TagSession"]`, 1)
		}, 5, "somebody changed it"},
		"the execution role is gone":      {func(w *world, _ *readers) { w.gone = true }, 4, ""},
		"the domain has no mark":          {func(w *world, _ *readers) { delete(w.domainTags, MarkTag) }, 5, ""},
		"somebody turned the setting off": {func(w *world, _ *readers) { w.setting = Disabled }, 5, "the setting ExecutionRoleIdentityConfig of the domain d-1 in 111111111111: somebody turned it off"},
	} {
		t.Run(name, func(t *testing.T) {
			book, _ := shelf(t)
			w := newWorld(plain)
			if _, _, err := w.look(t.Context(), book, 0, true); err != nil {
				t.Fatal(err)
			}
			r := asMade(clusterOf(0))
			c.change(w, r)
			entry, items, untold, err := w.tell(t.Context(), 0, r)
			if err != nil || len(items) != c.told || strings.Join(untold, "; ") != c.untold && !strings.HasSuffix(strings.Join(untold, "; "), c.untold) || (c.untold == "") != (len(untold) == 0) {
				t.Errorf("%d items, untold %q, %v; want %d, %q", len(items), untold, err, c.told, c.untold)
			}
			if entry.ID != clusterOf(0).ARN || entry.Kind != road.Studio || entry.Status != "Identified" || len(entry.Sides) != 2 || entry.Sides[1].Region != home {
				t.Errorf("%+v", entry)
			}
		})
	}
}

// An account that lets nobody in is said; what the others show is told.
func TestAConsumerOutOfReachIsSaid(t *testing.T) {
	w := newWorld(plain)
	closed := &fault.Error{Kind: fault.Refused, Cause: fault.ErrClosed, Message: "access denied"}
	shown, err := ReadShown(t.Context(), func(at event.Place) Readable {
		if at.Account == account {
			return Readable{Roles: out{err: closed}, Domains: listed{sage{w}}}
		}
		return Readable{Roles: asMade(clusterOf(0)), Domains: listed{sage{w}}}
	}, clusterOf(0), map[string]string{tag.StudioStatus: "Identified"})
	if err != nil {
		t.Fatal(err)
	}
	_, items, untold := Told(shown, home)
	if len(items) != 3 || len(untold) != 1 || !strings.Contains(untold[0], account) {
		t.Errorf("%+v, %q", items, untold)
	}
}

// out is the IAM of an account that lets nobody in.
type out struct {
	RoleReader
	err error
}

func (o out) GetRole(context.Context, *iam.GetRoleInput, ...func(*iam.Options)) (*iam.GetRoleOutput, error) {
	return nil, o.err
}
