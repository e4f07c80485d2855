package dataapi

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	iamtypes "github.com/aws/aws-sdk-go-v2/service/iam/types"
	"github.com/aws/aws-sdk-go-v2/service/kms"
	kmstypes "github.com/aws/aws-sdk-go-v2/service/kms/types"
	"github.com/aws/aws-sdk-go-v2/service/rds"
	rdstypes "github.com/aws/aws-sdk-go-v2/service/rds/types"
	"github.com/aws/smithy-go"

	"github.com/drawbridge-cloud/drawbridge/pkg/fault"
	"github.com/drawbridge-cloud/drawbridge/pkg/ledger"
	"github.com/drawbridge-cloud/drawbridge/pkg/ledger/ledgertest"
	"github.com/drawbridge-cloud/drawbridge/pkg/workflow"
)

// errLost is what a call returns whose answer is lost.
var errLost = errors.New("the answer is lost")

// estate is one account: a cluster, roles, and the grants of a key.
type estate struct {
	Endpoint bool
	Roles    map[string]*iamtypes.Role
	Policies map[string]string
	Grants   map[string]kmstypes.GrantListEntry
	made     int
	// lose, if it is set, is asked after each call whether its answer is lost.
	lose  func(call string) bool
	calls []string
}

func newEstate() *estate {
	return &estate{Roles: map[string]*iamtypes.Role{}, Policies: map[string]string{}, Grants: map[string]kmstypes.GrantListEntry{
		"theirs": {GrantId: aws.String("theirs"), Name: aws.String("backup"), GranteePrincipal: aws.String("arn:aws:iam::222222222222:role/backup")}}}
}

// shows is all there is, as text.
func (e *estate) shows(t *testing.T) string {
	t.Helper()
	text, err := json.Marshal(struct{ A, B, C, D any }{e.Endpoint, e.Roles, e.Policies, e.Grants})
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func (e *estate) call(name string) error {
	e.calls = append(e.calls, name)
	if e.lose != nil && e.lose(name) {
		return errLost
	}
	return nil
}

func code(code string) error { return &smithy.GenericAPIError{Code: code} }

func (e *estate) DescribeDBClusters(context.Context, *rds.DescribeDBClustersInput, ...func(*rds.Options)) (*rds.DescribeDBClustersOutput, error) {
	return &rds.DescribeDBClustersOutput{DBClusters: []rdstypes.DBCluster{{HttpEndpointEnabled: &e.Endpoint}}}, e.call("DescribeDBClusters")
}

func (e *estate) EnableHttpEndpoint(context.Context, *rds.EnableHttpEndpointInput, ...func(*rds.Options)) (*rds.EnableHttpEndpointOutput, error) {
	e.Endpoint = true
	return &rds.EnableHttpEndpointOutput{HttpEndpointEnabled: aws.Bool(true)}, e.call("EnableHttpEndpoint")
}

func (e *estate) DisableHttpEndpoint(context.Context, *rds.DisableHttpEndpointInput, ...func(*rds.Options)) (*rds.DisableHttpEndpointOutput, error) {
	e.Endpoint = false
	return &rds.DisableHttpEndpointOutput{}, e.call("DisableHttpEndpoint")
}

func (e *estate) GetRole(_ context.Context, in *iam.GetRoleInput, _ ...func(*iam.Options)) (*iam.GetRoleOutput, error) {
	if e.Roles[*in.RoleName] == nil {
		return nil, code("NoSuchEntity")
	}
	return &iam.GetRoleOutput{Role: e.Roles[*in.RoleName]}, e.call("GetRole")
}

func (e *estate) CreateRole(_ context.Context, in *iam.CreateRoleInput, _ ...func(*iam.Options)) (*iam.CreateRoleOutput, error) {
	if e.Roles[*in.RoleName] != nil {
		return nil, code("EntityAlreadyExists")
	}
	e.made++
	role := &iamtypes.Role{RoleName: in.RoleName, RoleId: aws.String(fmt.Sprintf("AROA%d", e.made)), Path: in.Path, AssumeRolePolicyDocument: in.AssumeRolePolicyDocument,
		Arn: aws.String("arn:aws:iam::222222222222:role" + *in.Path + *in.RoleName), PermissionsBoundary: &iamtypes.AttachedPermissionsBoundary{PermissionsBoundaryArn: in.PermissionsBoundary}}
	e.Roles[*in.RoleName] = role
	return &iam.CreateRoleOutput{Role: role}, e.call("CreateRole")
}

func (e *estate) UpdateAssumeRolePolicy(_ context.Context, in *iam.UpdateAssumeRolePolicyInput, _ ...func(*iam.Options)) (*iam.UpdateAssumeRolePolicyOutput, error) {
	e.Roles[*in.RoleName].AssumeRolePolicyDocument = in.PolicyDocument
	return nil, e.call("UpdateAssumeRolePolicy")
}

func (e *estate) GetRolePolicy(_ context.Context, in *iam.GetRolePolicyInput, _ ...func(*iam.Options)) (*iam.GetRolePolicyOutput, error) {
	text, ok := e.Policies[*in.RoleName]
	if !ok {
		return nil, code("NoSuchEntity")
	}
	return &iam.GetRolePolicyOutput{PolicyDocument: &text}, e.call("GetRolePolicy")
}

func (e *estate) PutRolePolicy(_ context.Context, in *iam.PutRolePolicyInput, _ ...func(*iam.Options)) (*iam.PutRolePolicyOutput, error) {
	e.Policies[*in.RoleName] = *in.PolicyDocument
	return nil, e.call("PutRolePolicy")
}

func (e *estate) DeleteRolePolicy(_ context.Context, in *iam.DeleteRolePolicyInput, _ ...func(*iam.Options)) (*iam.DeleteRolePolicyOutput, error) {
	if _, ok := e.Policies[*in.RoleName]; !ok {
		return nil, code("NoSuchEntity")
	}
	delete(e.Policies, *in.RoleName)
	return nil, e.call("DeleteRolePolicy")
}

func (e *estate) DeleteRole(_ context.Context, in *iam.DeleteRoleInput, _ ...func(*iam.Options)) (*iam.DeleteRoleOutput, error) {
	delete(e.Roles, *in.RoleName)
	return nil, e.call("DeleteRole")
}

func (e *estate) ListGrants(context.Context, *kms.ListGrantsInput, ...func(*kms.Options)) (*kms.ListGrantsOutput, error) {
	out := &kms.ListGrantsOutput{}
	for _, g := range e.Grants {
		out.Grants = append(out.Grants, g)
	}
	return out, e.call("ListGrants")
}

func (e *estate) CreateGrant(_ context.Context, in *kms.CreateGrantInput, _ ...func(*kms.Options)) (*kms.CreateGrantOutput, error) {
	e.made++
	id := fmt.Sprintf("grant%d", e.made)
	e.Grants[id] = kmstypes.GrantListEntry{GrantId: &id, Name: in.Name, GranteePrincipal: in.GranteePrincipal, RetiringPrincipal: in.RetiringPrincipal, Constraints: in.Constraints}
	return &kms.CreateGrantOutput{GrantId: &id}, e.call("CreateGrant")
}

func (e *estate) RetireGrant(_ context.Context, in *kms.RetireGrantInput, _ ...func(*kms.Options)) (*kms.RetireGrantOutput, error) {
	if _, ok := e.Grants[*in.GrantId]; !ok {
		return nil, code("NotFoundException")
	}
	delete(e.Grants, *in.GrantId)
	return nil, e.call("RetireGrant")
}

func exposure() workflow.DataAPI {
	return workflow.DataAPI{Cluster: sales(), Secret: workflow.Secret{ARN: secretARN, Key: keyARN, Grant: true}, Consumers: []workflow.Consumer{consumer("111111111111", true)}}
}

// play does what the machine does: enable, admit, take back what is not needed, or only that.
func play(t *testing.T, e *estate, book ledger.Ledger, api workflow.DataAPI) ([]workflow.Hop, error) {
	t.Helper()
	in := workflow.DataAPIInput{Execution: "x", DataAPI: api}
	var hops []workflow.Hop
	var steps []func() (workflow.HopsOutput, error)
	if !api.Ends {
		steps = append(steps, func() (workflow.HopsOutput, error) { return Enabler{e, book}.Enable(t.Context(), in) },
			func() (workflow.HopsOutput, error) { return Admitter{e, e, book, "eu-west-1"}.Admit(t.Context(), in) })
	}
	steps = append(steps, func() (workflow.HopsOutput, error) { return Retracter{e, e, e, book}.Retract(t.Context(), api) })
	for _, step := range steps {
		out, err := step()
		if err != nil {
			return hops, err
		}
		hops = append(hops, out.Hops...)
	}
	if api.Ends {
		return hops, book.End(t.Context(), api.Cluster.ARN)
	}
	return hops, nil
}

// ended is the exposure after its tags went.
func ended() workflow.DataAPI {
	api := exposure()
	api.Ends, api.Secret, api.Consumers = true, workflow.Secret{}, nil
	return api
}

// Whatever goes wrong with one call, of AWS or of the ledger, before it or after: who comes again brings it to its end, and taking it back leaves all as it was.
func TestEveryLostAnswerIsMadeGood(t *testing.T) {
	total := 0
	for _, endpoint := range []bool{false, true} {
		for _, kind := range []string{"AWS, lost", "ledger, lost", "ledger, refused"} {
			for at := 1; ; at++ {
				e := newEstate()
				e.Endpoint = endpoint
				before := e.shows(t)
				book, memory := ledgertest.New()
				now := book.Now()
				book.Now = func() time.Time { return now }
				n, hit := 0, false
				strike := func() bool { n++; hit = hit || n == at; return n == at }
				switch kind {
				case "AWS, lost":
					e.lose = func(string) bool { return strike() }
				case "ledger, lost":
					memory.Fault = func(string) ledgertest.Fault {
						if strike() {
							return ledgertest.Lost
						}
						return ledgertest.None
					}
				default:
					memory.Fault = func(string) ledgertest.Fault {
						if strike() {
							return ledgertest.Refused
						}
						return ledgertest.None
					}
				}
				name := fmt.Sprintf("%s, at call %d, endpoint on before: %v", kind, at, endpoint)
				for _, api := range []workflow.DataAPI{exposure(), ended()} {
					var err error
					for range 3 {
						if _, err = play(t, e, book, api); err == nil {
							break
						}
						now = now.Add(3 * time.Minute)
					}
					if err != nil {
						t.Fatalf("%s: %v", name, err)
					}
					if !api.Ends && (!e.Endpoint || len(e.Roles) != 1 || len(e.Grants) != 2 || !strings.Contains(e.Policies["drawbridge-data-api-sales"], secretARN)) {
						t.Fatalf("%s: it is not exposed: %s", name, e.shows(t))
					}
				}
				if after := e.shows(t); after != before {
					t.Fatalf("%s: it is not as it was\n%s, but\n%s", name, before, after)
				}
				if rows := memory.Rows(); len(rows) > 0 {
					t.Fatalf("%s: the ledger still has %v", name, rows)
				}
				if !hit {
					break
				}
				total++
			}
		}
	}
	if total < 60 {
		t.Fatalf("only %d calls were tried", total)
	}
}

// What is there and is not Drawbridge's stays, whoever asks for what.
func TestWhatIsNotOursStays(t *testing.T) {
	e := newEstate()
	e.Endpoint = true
	e.Roles["drawbridge-data-api-sales"] = &iamtypes.Role{RoleName: aws.String("drawbridge-data-api-sales"), RoleId: aws.String("AROATHEIRS"), Path: aws.String(rolePath),
		PermissionsBoundary: &iamtypes.AttachedPermissionsBoundary{PermissionsBoundaryArn: aws.String(Boundary(sales()))}}
	before := e.shows(t)
	book, _ := ledgertest.New()
	if _, err := play(t, e, book, exposure()); fault.Of(err) != fault.Conflict {
		t.Errorf("a role of that name: %v", err)
	}
	if _, err := play(t, e, book, ended()); err != nil {
		t.Error(err)
	}
	if after := e.shows(t); after != before {
		t.Errorf("it is not as it was\n%s, but\n%s", before, after)
	}
}

// A role that somebody deleted and made anew is theirs, and stays.
func TestARoleThatWasMadeAnewStays(t *testing.T) {
	e := newEstate()
	book, _ := ledgertest.New()
	if _, err := play(t, e, book, exposure()); err != nil {
		t.Fatal(err)
	}
	e.Roles["drawbridge-data-api-sales"].RoleId = aws.String("AROATHEIRS")
	hops, err := play(t, e, book, ended())
	if err != nil || e.Roles["drawbridge-data-api-sales"] == nil || e.Endpoint || len(e.Grants) != 1 {
		t.Errorf("%v, %s", err, e.shows(t))
	}
	if !slices.ContainsFunc(hops, func(h workflow.Hop) bool {
		return strings.Contains(h.Detail, "another one than Drawbridge made, and stays")
	}) {
		t.Errorf("nobody says that it stays: %+v", hops)
	}
}

// What somebody turns off again is put back once, and then left to them, in the end too.
func TestAnEndpointThatSomebodyTurnsOffIsContested(t *testing.T) {
	e := newEstate()
	book, _ := ledgertest.New()
	now := book.Now()
	book.Now = func() time.Time { return now }
	var ok []bool
	for range 4 {
		hops, err := play(t, e, book, exposure())
		if err != nil {
			t.Fatal(err)
		}
		ok = append(ok, hops[0].OK)
		e.Endpoint, now = false, now.Add(time.Hour)
	}
	if !slices.Equal(ok, []bool{true, true, false, false}) {
		t.Errorf("the endpoint was put on: %v", ok)
	}
	e.Endpoint = true // by its owner
	if _, err := play(t, e, book, ended()); err != nil || !e.Endpoint {
		t.Errorf("the owner's endpoint is on: %v, %v", e.Endpoint, err)
	}
}

// One thing that cannot be taken back keeps none of the others; the step fails when the rest is done.
func TestOneThatStaysKeepsNoOther(t *testing.T) {
	e := newEstate()
	book, memory := ledgertest.New()
	if _, err := play(t, e, book, exposure()); err != nil {
		t.Fatal(err)
	}
	e.lose = func(call string) bool { return call == "DeleteRole" }
	if _, err := play(t, e, book, ended()); !errors.Is(err, errLost) {
		t.Errorf("%v", err)
	}
	if e.Endpoint || len(e.Grants) != 1 {
		t.Errorf("the others stay: %s", e.shows(t))
	}
	e.lose = nil
	if _, err := play(t, e, book, ended()); err != nil || len(memory.Rows()) > 0 {
		t.Errorf("%v, the ledger has %v", err, memory.Rows())
	}
}

// A grant that was made, and whose id was lost with the answer, is found by its secret; other people's stay.
func TestAGrantWhoseIDWasLostIsFound(t *testing.T) {
	const secret = "arn:aws:secretsmanager:us-east-1:222222222222:secret:sales"
	grant := func(id, secret, retiring string) kmstypes.GrantListEntry {
		return kmstypes.GrantListEntry{GrantId: &id, RetiringPrincipal: &retiring,
			Constraints: &kmstypes.GrantConstraints{EncryptionContextSubset: map[string]string{contextName: secret}}}
	}
	e := newEstate()
	e.Grants["ours"] = grant("ours", secret, "arn:aws:iam::222222222222:role/"+retirer)
	e.Grants["another-secret"] = grant("another-secret", secret+"-2", "arn:aws:iam::222222222222:role/"+retirer)
	e.Grants["another-retirer"] = grant("another-retirer", secret, "arn:aws:iam::222222222222:role/somebody")
	hop, err := Retracter{Keys: e}.grant(t.Context(), ledger.Item{Resource: "key", Key: "drawbridge-data-api-sales " + secret})
	if err != nil || !hop.OK {
		t.Fatalf("%+v, %v", hop, err)
	}
	if got := slices.Sorted(maps.Keys(e.Grants)); !slices.Equal(got, []string{"another-retirer", "another-secret", "theirs"}) {
		t.Errorf("left are %v", got)
	}
}

// An execution that is redriven after another one took its turn changes nothing: what it once read may not be decided any more.
func TestWhoLostItsTurnChangesNothing(t *testing.T) {
	e := newEstate()
	before := e.shows(t)
	book, _ := ledgertest.New()
	if err := book.Hold(t.Context(), LeaseOf(sales().ARN), "new"); err != nil {
		t.Fatal(err)
	}
	for _, api := range []workflow.DataAPI{exposure(), ended()} {
		_, err := play(t, e, book.Under(LeaseOf(sales().ARN), "old"), api)
		if !api.Ends && (fault.Of(err) != fault.NotYet || !strings.Contains(err.Error(), "execution new is at data-api "+sales().ARN)) {
			t.Errorf("%v", err)
		}
		items, err := book.Items(t.Context(), sales().ARN)
		if after := e.shows(t); after != before || err != nil || len(items) > 0 {
			t.Errorf("it is not as it was\n%s, but\n%s; items %v, %v", before, after, items, err)
		}
	}
	if _, err := play(t, e, book.Under(LeaseOf(sales().ARN), "new"), exposure()); err != nil || len(e.Roles) != 1 {
		t.Errorf("%v: %s", err, e.shows(t))
	}
}
