package studio

import (
	"context"
	"fmt"
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
	"github.com/aws/smithy-go"
	"pgregory.net/rapid"

	"github.com/drawbridge-cloud/drawbridge/pkg/brake"
	"github.com/drawbridge-cloud/drawbridge/pkg/fault"
	"github.com/drawbridge-cloud/drawbridge/pkg/ledger"
	"github.com/drawbridge-cloud/drawbridge/pkg/ledger/ledgertest"
	"github.com/drawbridge-cloud/drawbridge/pkg/road"
	"github.com/drawbridge-cloud/drawbridge/pkg/tag"
	"github.com/drawbridge-cloud/drawbridge/pkg/workflow"
)

// world is an account with one execution role and one Studio domain. It allows what the roles of the steps are allowed: writes where the
// owner's tag is, and to take things back where Drawbridge's mark is.
type world struct {
	ExecutionRoleWriter // what nobody calls
	trust               string
	policies            map[string]string
	tags                map[string]string
	room                int  // for the trust policy, without white space
	tight               bool // IAM keeps documents without white space
	gone                bool

	setting    string
	domainTags map[string]string
	apps       int

	writes []string

	asked []brake.Removal
	holds bool
}

// brake is asked before a domain loses its setting with its tag.
func (w *world) brake(_ context.Context, r brake.Removal) error {
	w.asked = append(w.asked, r)
	if w.holds {
		return fault.New(fault.Held, "a person decides")
	}
	return nil
}

const account, home, region = "111111111111", "us-east-1", "eu-west-1"

var executionARN = "arn:aws:iam::" + account + ":role/people/studio"

func newWorld(trust string) *world {
	return &world{trust: trust, policies: map[string]string{}, tags: map[string]string{tag.Studio: "true"}, room: 2048,
		setting: Disabled, domainTags: map[string]string{tag.Studio: "true"}}
}

func code(c string) error { return &smithy.GenericAPIError{Code: c, Message: "no"} }

func (w *world) may(tags map[string]string, taking bool, doing string) error {
	if tags[tag.Studio] == "true" || taking && tags[MarkTag] == Mark {
		w.writes = append(w.writes, doing)
		return nil
	}
	return code("AccessDenied")
}

func (w *world) GetRole(context.Context, *iam.GetRoleInput, ...func(*iam.Options)) (*iam.GetRoleOutput, error) {
	if w.gone {
		return nil, code("NoSuchEntity")
	}
	out := &iamtypes.Role{Arn: &executionARN, RoleId: aws.String("AROA1"), AssumeRolePolicyDocument: aws.String(url.PathEscape(w.trust))}
	for k, v := range w.tags {
		out.Tags = append(out.Tags, iamtypes.Tag{Key: &k, Value: &v})
	}
	return &iam.GetRoleOutput{Role: out}, nil
}

func (w *world) GetRolePolicy(_ context.Context, in *iam.GetRolePolicyInput, _ ...func(*iam.Options)) (*iam.GetRolePolicyOutput, error) {
	text, ok := w.policies[*in.PolicyName]
	if !ok {
		return nil, code("NoSuchEntity")
	}
	return &iam.GetRolePolicyOutput{PolicyDocument: aws.String(url.PathEscape(text))}, nil
}

func (w *world) TagRole(_ context.Context, in *iam.TagRoleInput, _ ...func(*iam.Options)) (*iam.TagRoleOutput, error) {
	err := w.may(w.tags, false, "TagRole")
	if err == nil {
		w.tags[*in.Tags[0].Key] = *in.Tags[0].Value
	}
	return nil, err
}

func (w *world) UntagRole(_ context.Context, in *iam.UntagRoleInput, _ ...func(*iam.Options)) (*iam.UntagRoleOutput, error) {
	err := w.may(w.tags, true, "UntagRole")
	if err == nil {
		delete(w.tags, in.TagKeys[0])
	}
	return nil, err
}

func (w *world) UpdateAssumeRolePolicy(_ context.Context, in *iam.UpdateAssumeRolePolicyInput, _ ...func(*iam.Options)) (*iam.UpdateAssumeRolePolicyOutput, error) {
	if len(compact(*in.PolicyDocument)) > w.room {
		return nil, code("LimitExceeded")
	}
	err := w.may(w.tags, true, "UpdateAssumeRolePolicy")
	if err == nil {
		if w.trust = *in.PolicyDocument; w.tight {
			w.trust = compact(w.trust)
		}
	}
	return nil, err
}

func (w *world) PutRolePolicy(_ context.Context, in *iam.PutRolePolicyInput, _ ...func(*iam.Options)) (*iam.PutRolePolicyOutput, error) {
	err := w.may(w.tags, false, "PutRolePolicy "+*in.PolicyName)
	if err == nil {
		w.policies[*in.PolicyName] = *in.PolicyDocument
	}
	return nil, err
}

func (w *world) DeleteRolePolicy(_ context.Context, in *iam.DeleteRolePolicyInput, _ ...func(*iam.Options)) (*iam.DeleteRolePolicyOutput, error) {
	err := w.may(w.tags, true, "DeleteRolePolicy "+*in.PolicyName)
	if err == nil {
		delete(w.policies, *in.PolicyName)
	}
	return nil, err
}

// sage is the SageMaker of a world.
type sage struct{ *world }

func (s sage) DescribeDomain(context.Context, *sagemaker.DescribeDomainInput, ...func(*sagemaker.Options)) (*sagemaker.DescribeDomainOutput, error) {
	return &sagemaker.DescribeDomainOutput{DomainSettings: &types.DomainSettings{ExecutionRoleIdentityConfig: types.ExecutionRoleIdentityConfig(s.setting)}}, nil
}

func (s sage) ListApps(context.Context, *sagemaker.ListAppsInput, ...func(*sagemaker.Options)) (*sagemaker.ListAppsOutput, error) {
	out := &sagemaker.ListAppsOutput{}
	for range s.apps {
		out.Apps = append(out.Apps, types.AppDetails{AppType: "JupyterLab", UserProfileName: aws.String("ana"), Status: types.AppStatusInService})
	}
	return out, nil
}

func (s sage) ListTags(context.Context, *sagemaker.ListTagsInput, ...func(*sagemaker.Options)) (*sagemaker.ListTagsOutput, error) {
	out := &sagemaker.ListTagsOutput{}
	for k, v := range s.domainTags {
		out.Tags = append(out.Tags, types.Tag{Key: &k, Value: &v})
	}
	return out, nil
}

func (s sage) AddTags(_ context.Context, in *sagemaker.AddTagsInput, _ ...func(*sagemaker.Options)) (*sagemaker.AddTagsOutput, error) {
	err := s.may(s.domainTags, false, "AddTags")
	if err == nil {
		s.domainTags[*in.Tags[0].Key] = *in.Tags[0].Value
	}
	return nil, err
}

func (s sage) DeleteTags(_ context.Context, in *sagemaker.DeleteTagsInput, _ ...func(*sagemaker.Options)) (*sagemaker.DeleteTagsOutput, error) {
	err := s.may(s.domainTags, true, "DeleteTags")
	if err == nil {
		delete(s.domainTags, in.TagKeys[0])
	}
	return nil, err
}

func (s sage) UpdateDomain(_ context.Context, in *sagemaker.UpdateDomainInput, _ ...func(*sagemaker.Options)) (*sagemaker.UpdateDomainOutput, error) {
	if s.apps > 0 {
		return nil, code("ValidationException")
	}
	err := s.may(s.domainTags, true, "UpdateDomain")
	if err == nil {
		s.setting = string(in.DomainSettingsForUpdate.ExecutionRoleIdentityConfig)
	}
	return nil, err
}

// look does what an execution about a cluster does, with what the cluster's owner wants.
func (w *world) look(ctx context.Context, book Book, n int, reads bool) (verdict []workflow.Hop, waiting bool, err error) {
	warehouse := clusterOf(n)
	role := workflow.ExecutionRole{Account: account, ARN: executionARN}
	d := workflow.Domain{Account: account, Region: region, ID: "d-1", ARN: "arn:aws:sagemaker:" + region + ":" + account + ":domain/d-1"}
	execution := fmt.Sprintf("run-%d", n)
	in := workflow.IdentifyUsersInput{Execution: execution, Warehouse: warehouse, Domain: d}
	if reads {
		if _, err := book.Begin(ctx, ledger.Connection{ID: warehouse.ARN, Kind: road.Studio}); err != nil {
			return nil, false, err
		}
		admitted, err := Admit(ctx, w, book, workflow.AdmitRoleInput{Execution: execution, Warehouse: warehouse, Role: role})
		if err != nil {
			return nil, false, err
		}
		in.Admitted, in.Domain.Roles = []workflow.AdmitRoleOutput{admitted}, []string{executionARN}
		verdict = append(verdict, admitted.Hops...)
	} else {
		in.Domain.Leaving = []string{executionARN}
	}
	identified, err := Identify(ctx, sage{w}, book, w.brake, in)
	if err != nil {
		return verdict, false, err
	}
	verdict = append(verdict, identified.Hops...)
	if !reads {
		released, err := Release(ctx, w, book, workflow.ReleaseRoleInput{Execution: execution, Warehouse: warehouse, Role: role, Identified: []workflow.IdentifyUsersOutput{identified}})
		if err != nil {
			return verdict, false, err
		}
		verdict = append(verdict, released.Hops...)
	}
	return verdict, identified.Waiting, nil
}

func clusterOf(n int) workflow.Warehouse {
	id := fmt.Sprintf("c%d", n)
	return workflow.Warehouse{Account: "222222222222", Region: region, ID: id, ARN: "arn:aws:redshift:" + region + ":222222222222:cluster:" + id,
		Role: "arn:aws:iam::222222222222:role" + Path + RoleName(region, id)}
}

func (w *world) others() map[string]string {
	out := maps.Clone(w.policies)
	maps.DeleteFunc(out, func(name, _ string) bool { return strings.HasPrefix(name, RolePrefix) })
	return out
}

// Whatever documents there are, and however readers of several clusters come and go, with the ledger failing or losing answers on the way: when the
// last is gone everything is as it was, byte for byte, and the ledger is empty. In between, who reads has what it needs.
func TestEverythingIsPutBackAsItWas(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		before := trusts(t)
		w := newWorld(before)
		if w.tight = rapid.Bool().Draw(t, "tight"); w.tight {
			w.trust, before = compact(before), compact(before)
		}
		w.policies["owners"] = "{ \"Statement\" : [] }\n"
		w.setting = rapid.SampledFrom([]string{Disabled, ByProfile}).Draw(t, "setting")
		setting, others := w.setting, w.others()
		book, memory := ledgertest.New()
		now := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
		book.Now = func() time.Time { return now }
		b := Book{book, home}
		look := func(n int, reads bool) (verdict []workflow.Hop, waiting bool) {
			for range 8 { // Step Functions retries, and later looks come
				var err error
				now = now.Add(3 * time.Minute)
				if verdict, waiting, err = w.look(t.Context(), b, n, reads); err == nil {
					return verdict, waiting
				}
			}
			t.Fatalf("a look does not end: %v", verdict)
			return
		}
		reading := map[int]bool{}
		for range rapid.IntRange(1, 12).Draw(t, "steps") {
			n, reads := rapid.IntRange(0, 2).Draw(t, "cluster"), rapid.Bool().Draw(t, "reads")
			faults := rapid.SliceOfN(rapid.SampledFrom([]ledgertest.Fault{ledgertest.None, ledgertest.Refused, ledgertest.Lost}), 0, 3).Draw(t, "faults")
			memory.Fault = func(call string) ledgertest.Fault {
				if call != "Write" || len(faults) == 0 {
					return ledgertest.None
				}
				next := faults[0]
				faults = faults[1:]
				return next
			}
			w.apps = rapid.IntRange(0, 1).Draw(t, "apps")
			verdict, _ := look(n, reads)
			memory.Fault = nil
			reading[n] = reads
			policy := w.policies[PolicyOf(clusterOf(n))]
			if reads && (policy != Assume(clusterOf(n).Role) || !Ready(w.trust)) || !reads && policy != "" {
				t.Fatalf("cluster %d reads %v: its policy is %q, ready %v: %+v", n, reads, policy, Ready(w.trust), verdict)
			}
			if reads && w.apps == 0 && w.setting != ByProfile {
				t.Fatalf("the domain's setting is %s: %+v", w.setting, verdict)
			}
		}
		// The owners close both: what was added goes all the same.
		if rapid.Bool().Draw(t, "closed") {
			delete(w.tags, tag.Studio)
			delete(w.domainTags, tag.Studio)
		}
		w.apps = 0
		for n := range 3 {
			for range 2 {
				if verdict, _ := look(n, false); slices.ContainsFunc(verdict, func(h workflow.Hop) bool { return !h.OK }) {
					t.Fatalf("%+v", verdict)
				}
			}
			if err := b.End(t.Context(), clusterOf(n).ARN); err != nil {
				t.Fatal(err)
			}
		}
		if w.trust != before || !maps.Equal(w.policies, others) || w.setting != setting || w.tags[MarkTag] != "" || w.domainTags[MarkTag] != "" {
			t.Fatalf("trust\n%s\nwas\n%s\npolicies %v, was %v; setting %s, was %s; tags %v, %v", w.trust, before, w.policies, others, w.setting, setting, w.tags, w.domainTags)
		}
		if rows := memory.Rows(); len(rows) > 0 {
			t.Fatalf("the ledger has %v", rows)
		}
	})
}

const plain = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Service":"sagemaker.amazonaws.com"},"Action":"sts:AssumeRole"}]}`

func shelf(t *testing.T) (Book, *ledgertest.Memory) {
	t.Helper()
	book, memory := ledgertest.New()
	return Book{book, home}, memory
}

func says(verdict []workflow.Hop) (out string, ok bool) {
	ok = true
	for _, h := range verdict {
		out += h.Hop + " " + h.Detail + "\n"
		ok = ok && h.OK
	}
	return out, ok
}

// A role and a domain that their owner set up by hand serve as they are; nothing is written on them, and nothing taken away.
func TestWhatItsOwnerSetUpIsNotTouched(t *testing.T) {
	book, memory := shelf(t)
	trust := strings.Replace(plain, `"sts:AssumeRole"`, `["sts:AssumeRole","sts:SetSourceIdentity"]`, 1)
	w := newWorld(trust)
	w.setting = ByProfile
	w.policies[PolicyOf(clusterOf(0))] = "\n" + Assume(clusterOf(0).Role)
	for _, reads := range []bool{true, true, false} {
		verdict, _, err := w.look(t.Context(), book, 0, reads)
		if text, ok := says(verdict); err != nil || !ok || len(w.writes) > 0 {
			t.Errorf("reads %v: %s, %v; it wrote %v", reads, text, err, w.writes)
		}
	}
	if err := book.End(t.Context(), clusterOf(0).ARN); err != nil || len(memory.Rows()) > 0 {
		t.Errorf("%v, %v", err, memory.Rows())
	}
}

// What its owner changed meanwhile is theirs: it is left, said, and forgotten.
func TestWhatItsOwnerChangedIsTheirs(t *testing.T) {
	book, memory := shelf(t)
	w := newWorld(plain)
	if _, _, err := w.look(t.Context(), book, 0, true); err != nil {
		t.Fatal(err)
	}
	w.trust = strings.Replace(w.trust, `"Action":["sts:SetSourceIdentity"]`, `"Action":["sts:SetSourceIdentity","sts:TagSession"]`, 1)
	w.policies[PolicyOf(clusterOf(0))] = `{"Statement":[]}`
	w.setting = Disabled
	trust, policies := w.trust, maps.Clone(w.policies)
	verdict, _, err := w.look(t.Context(), book, 0, false)
	text, ok := says(verdict)
	if err != nil || !ok || strings.Count(text, "it is the owner's, and stays") != 2 || !strings.Contains(text, "its setting ExecutionRoleIdentityConfig is its owner's") {
		t.Errorf("%s, %v", text, err)
	}
	if w.trust != trust || !maps.Equal(w.policies, policies) || w.setting != Disabled {
		t.Errorf("changed: %s, %v, %s", w.trust, w.policies, w.setting)
	}
	if err := book.End(t.Context(), clusterOf(0).ARN); err != nil || len(memory.Rows()) > 0 {
		t.Errorf("%v, %v", err, memory.Rows())
	}
}

// Somebody's inline policy of the name that Drawbridge gives is in the way: the role is not served, and nothing is written.
func TestSomethingInTheWayIsSaid(t *testing.T) {
	book, _ := shelf(t)
	w := newWorld(plain)
	w.policies[PolicyOf(clusterOf(0))] = `{"Statement":[]}`
	verdict, _, err := w.look(t.Context(), book, 0, true)
	if text, ok := says(verdict); err != nil || ok || !strings.Contains(text, "is its owner's, and not what is needed; delete that policy") {
		t.Errorf("%s, %v", text, err)
	}
	if w.policies[PolicyOf(clusterOf(0))] != `{"Statement":[]}` {
		t.Error("it was overwritten")
	}
}

// Taken away once, a policy is put back; again by nobody known, it is left, and said.
func TestWhatIsTakenAwayTwiceIsContested(t *testing.T) {
	ledgers, _ := ledgertest.New()
	now := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	ledgers.Now = func() time.Time { return now }
	book := Book{ledgers, home}
	w := newWorld(plain)
	for n, want := range []bool{true, true, false, false} {
		now = now.Add(time.Hour)
		verdict, _, err := w.look(t.Context(), book, 0, true)
		text, ok := says(verdict)
		if _, there := w.policies[PolicyOf(clusterOf(0))]; err != nil || ok != want || there != want {
			t.Errorf("look %d: %s, %v; the policy is there %v", n, text, err, there)
		}
		delete(w.policies, PolicyOf(clusterOf(0)))
	}
}

// A role without room gets nothing, and is not marked; nor is one that its owner did not open, and the domain stays as it is.
func TestAnUnfitRoleGetsNothing(t *testing.T) {
	for name, c := range map[string]struct {
		change func(*world)
		want   string
	}{
		"its trust policy is full": {func(w *world) { w.room = len(compact(w.trust)) + 10 }, "there is no room"},
		"it is not opened":         {func(w *world) { delete(w.tags, tag.Studio) }, "tag the role drawbridge:studio=true"},
	} {
		book, _ := shelf(t)
		w := newWorld(plain)
		c.change(w)
		verdict, _, err := w.look(t.Context(), book, 0, true)
		text, ok := says(verdict)
		if err != nil || ok || !strings.Contains(text, c.want) || !strings.Contains(text, "with source identities its apps could not start") {
			t.Errorf("%s: %s, %v", name, text, err)
		}
		if w.trust != plain || len(w.policies) > 0 || w.tags[MarkTag] != "" || w.setting != Disabled {
			t.Errorf("%s: left %s, %v, %v, %s", name, w.trust, w.policies, w.tags, w.setting)
		}
	}
}

// A domain hangs on its own tag: without it nothing changes there, its owner is told, and the wish is written down.
func TestADomainIsOpenedByItsOwnTag(t *testing.T) {
	book, _ := shelf(t)
	w := newWorld(plain)
	delete(w.domainTags, tag.Studio)
	verdict, _, err := w.look(t.Context(), book, 0, true)
	if text, ok := says(verdict); err != nil || ok || w.setting != Disabled || !strings.Contains(text, "tag the domain drawbridge:studio=true") {
		t.Errorf("%s, %v, %s", text, err, w.setting)
	}
	items, err := book.Of(t.Context(), account, region, "d-1")
	if err != nil || len(items) != 1 || items[0].State != ledger.Wanted {
		t.Errorf("%+v, %v", items, err)
	}
	w.domainTags[tag.Studio] = "true"
	if verdict, _, err = w.look(t.Context(), book, 0, true); err != nil || w.setting != ByProfile {
		t.Errorf("opened: %+v, %v, %s", verdict, err, w.setting)
	}
	delete(w.domainTags, tag.Studio)
	if verdict, _, err = w.look(t.Context(), book, 0, true); err != nil || w.setting != Disabled || w.domainTags[MarkTag] != "" {
		t.Errorf("closed again: %+v, %v, %s", verdict, err, w.setting)
	}
}

// As long as apps keep a domain from its old setting, the trust policy keeps what they need to start.
func TestTheTrustPolicyFollowsTheDomain(t *testing.T) {
	book, _ := shelf(t)
	w := newWorld(plain)
	if _, _, err := w.look(t.Context(), book, 0, true); err != nil {
		t.Fatal(err)
	}
	w.apps = 1
	if verdict, waiting, err := w.look(t.Context(), book, 0, false); err != nil || !waiting || !Ready(w.trust) || len(w.policies) > 0 {
		t.Errorf("waiting %v, %+v, %v: trust %s, policies %v", waiting, verdict, err, w.trust, w.policies)
	}
	w.apps = 0
	if verdict, _, err := w.look(t.Context(), book, 0, false); err != nil || w.trust != plain || w.setting != Disabled {
		t.Errorf("%+v, %v: trust %s, setting %s", verdict, err, w.trust, w.setting)
	}
}

// What is on a role of an account that left the organization is out of reach, and forgotten.
func TestAnAccountThatLeftIsForgotten(t *testing.T) {
	book, _ := shelf(t)
	w := newWorld(plain)
	if _, _, err := w.look(t.Context(), book, 0, true); err != nil {
		t.Fatal(err)
	}
	out, err := Release(t.Context(), nil, book, workflow.ReleaseRoleInput{Warehouse: clusterOf(0), Role: workflow.ExecutionRole{Account: account, ARN: executionARN, Outside: true}})
	items, reading := book.Of(t.Context(), account, home, "studio")
	if err != nil || reading != nil || len(out.Hops) != 1 || len(items) > 0 {
		t.Errorf("%+v, %v; left %+v", out, err, items)
	}
}
