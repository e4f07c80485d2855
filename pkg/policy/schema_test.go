package policy

import (
	"net/netip"
	"testing"

	"github.com/cedar-policy/cedar-go"
	"github.com/cedar-policy/cedar-go/types"
	validator "github.com/cedar-policy/cedar-go/x/exp/schema/validate"

	"github.com/drawbridge-cloud/drawbridge/pkg/tag"
)

// The schema promises the policy's author what entity.go then delivers.
func TestEntitiesAreAsTheSchemaSays(t *testing.T) {
	member := VPC{ID: "vpc-1", Region: "us-east-1", CIDRs: []netip.Prefix{netip.MustParsePrefix("10.1.0.0/16"), netip.MustParsePrefix("fd00::/8")},
		Tags:    map[string]string{"Name": "x"},
		Account: Account{ID: "111111111111", Name: "a", Organization: "o-1", OUPath: "o-1/r-1/ou-1/ou-2/"}}
	stranger := VPC{ID: "vpc-2", Region: "us-east-1", CIDRs: member.CIDRs, Account: Account{ID: "222222222222"}}
	pathless := VPC{ID: "vpc-3", Region: "us-east-1", CIDRs: member.CIDRs, Account: Account{ID: "333333333333", Organization: "o-1"}}
	resources, principals := map[Action][]Entity{}, map[Action][]Entity{}
	for _, v := range []VPC{member, stranger, pathless} {
		for _, action := range []Action{Accept, Ask, Adopt, Reject, Route, Connect, Restore, Widen, Exclude} {
			resources[action] = append(resources[action], v)
		}
		principals[Restore] = append(principals[Restore], member)
		resources[Open] = append(resources[Open], Database{ARN: "arn:db", ID: "db", Engine: "mysql", Port: 3306, Tags: map[string]string{tag.Share: " a b "}, VPC: v}, Database{ID: "db", VPC: v})
		resources[Divert] = append(resources[Divert], Table{ID: "rtb-1", Tags: map[string]string{tag.Divert: "tgw-1 eni-1"}, VPC: v}, Table{ID: "rtb-1", VPC: v})
		for _, action := range []Action{Inject, Restart} {
			resources[action] = append(resources[action], Notebook{ARN: "arn:nb", Name: "nb", VPC: v}, Notebook{Name: "nb", VPC: v})
		}
	}
	for _, v := range []VPC{member, stranger, pathless} {
		resources[Identify] = append(resources[Identify], Warehouse{ARN: "arn:wh", ID: "wh", Region: "us-east-1", Tags: map[string]string{tag.Studio: " a b "}, Account: v.Account})
		resources[Expose] = append(resources[Expose], Service{Name: "com.amazonaws.us-east-1.rds-data", Region: "us-east-1", Account: v.Account})
		principals[Identify] = append(principals[Identify], Role{ARN: "arn:role", Name: "role", Region: "us-east-1", Account: v.Account})
		resources[Admit] = append(resources[Admit], Cluster{ARN: "arn:cl", ID: "cl", Region: "us-east-1", Tags: map[string]string{tag.DataAPI: " a b "}, Account: v.Account,
			Secret: &Secret{ARN: "arn:s", Name: "s", Tags: map[string]string{tag.DataAPI: "cl"}, Account: v.Account}})
		principals[Admit] = append(principals[Admit], Consumer{Region: "us-east-1", Account: v.Account})
	}
	// Last of all, since each resource of Restore has a principal of its own.
	for n := range 3 {
		principals[Restore], resources[Restore] = append(principals[Restore], principals[Admit][n], principals[Identify][n], resources[Identify][n]),
			append(resources[Restore], resources[Admit][n], resources[Identify][n], principals[Identify][n])
	}
	for _, v := range []VPC{member, stranger, pathless} {
		one := Participant{Region: "us-east-1", Account: v.Account}
		principals[AcceptShare], resources[AcceptShare] = append(principals[AcceptShare], one), append(resources[AcceptShare], one)
		for _, action := range []Action{Attach, AcceptAttachment, AskAttachment, AdoptAttachment, Associate, RejectAttachment} {
			resources[action] = append(resources[action], Gateway{ID: "tgw-1", Region: "us-east-1", Tags: map[string]string{"Name": "core"}, Account: v.Account})
		}
	}
	s := readSchema()
	v := validator.New(s)
	for _, action := range Actions() {
		if len(resources[action]) == 0 {
			t.Fatalf("no resource for %s", action)
		}
		for n, resource := range resources[action] {
			var principal Entity = member
			if of := principals[action]; len(of) > 0 {
				principal = of[n%len(of)]
			}
			entities, request := question(action, principal.entity(), resource.entity(), Context{Approval: "approved"})
			entities[request.Principal] = principal.entity().in(member.CIDRs[1])
			entities[request.Resource] = resource.entity().in(member.CIDRs[0])
			// One at a time: the validator's word on all of them does not say which.
			for uid, e := range entities {
				if err := v.Entity(e); err != nil {
					t.Errorf("%s: %s: %v", action, uid, err)
				}
			}
			if err := v.Entities(entities); err != nil {
				t.Errorf("%s: %v", action, err)
			}
			if err := v.Request(request); err != nil {
				t.Errorf("%s: %v", action, err)
			}
		}
	}
}

// Every action of the schema is either one that Drawbridge asks or a group of such.
func TestActionsAreThoseOfTheSchema(t *testing.T) {
	asked := map[cedar.EntityUID]bool{}
	for _, action := range Actions() {
		asked[types.NewEntityUID("Drawbridge::Action", types.String(action))] = true
	}
	s := readSchema()
	if len(s.Actions) == 0 {
		t.Fatal("the schema has no actions")
	}
	for uid, action := range s.Actions {
		if isGroup := action.AppliesTo == nil; isGroup == asked[uid] {
			t.Errorf("%s: a group: %v, asked: %v", uid, isGroup, asked[uid])
		}
		delete(asked, uid)
	}
	for uid := range asked {
		t.Errorf("%s is not in the schema", uid)
	}
}
