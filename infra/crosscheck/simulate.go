package main

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"

	writes "github.com/drawbridge-cloud/drawbridge/infra/rights"
	"github.com/drawbridge-cloud/drawbridge/pkg/mode"
)

// simulate asks iam-simulate, an evaluator of IAM policies that somebody else wrote, what the roles asked for in the
// stories: it must allow that to the role and deny it to the roles of other functions. The local engine, which allowed
// it, is asked about the others too, and held to the answers. Last, whom each member role trusts.
// https://github.com/cloud-copilot/iam-simulate
type simulate struct {
	root    string
	npm     npm
	version string
}

const simulatePackage = "@cloud-copilot/iam-simulate"

func (k *simulate) Name() string { return simulatePackage + " " + k.version }

func (k *simulate) Get(ctx context.Context) error {
	if err := k.npm.install(ctx); err != nil {
		return err
	}
	var err error
	k.version, err = k.npm.version(simulatePackage)
	return err
}

// questions are what both evaluators are asked; see npm/simulate.mjs and engine.py.
type questions struct {
	Policies         map[string][]document `json:"policies"`
	ResourcePolicies map[string]document   `json:"resourcePolicies"`
	Requests         []asked               `json:"requests"`
}

type asked struct {
	Policy         string              `json:"policy"`
	Boundary       string              `json:"boundary,omitempty"`
	ResourcePolicy string              `json:"resourcePolicy,omitempty"`
	Principal      string              `json:"principal"`
	Action         string              `json:"action"`
	Resource       string              `json:"resource"`
	Account        string              `json:"account"`
	Context        map[string][]string `json:"context"`
}

const allowed = "Allowed"

func (k *simulate) Judge(ctx context.Context, r *report) error {
	t, err := granted(k.root)
	if err != nil {
		return err
	}
	all, err := requests(k.root, t.keys)
	if err != nil {
		return err
	}
	all = slices.DeleteFunc(all, func(q request) bool {
		return slices.ContainsFunc(q.Context["sts:externalid"], func(id string) bool { return strings.HasSuffix(id, mode.ObserveOnly) })
	})
	h := questions{Policies: t.policies, ResourcePolicies: t.resources}
	var own []int      // the question about the role itself, of each request
	var others [][]int // those about other functions' roles
	for i, q := range all {
		one, err := t.question(q, i)
		if err != nil {
			return err
		}
		own = append(own, len(h.Requests))
		h.Requests = append(h.Requests, one)
		var about []int
		for _, other := range t.others(q, i) {
			about = append(about, len(h.Requests))
			h.Requests = append(h.Requests, t.instead(one, other))
		}
		others = append(others, about)
	}
	trusting := len(h.Requests)
	pairs, wants := t.pairs()
	h.Requests = append(h.Requests, pairs...)

	var said []string
	if err := k.npm.ask(ctx, "simulate.mjs", h, &said); err != nil {
		return err
	}
	var engine struct{ Allowed []bool }
	if err := askEngine(ctx, k.root, h, &engine); err != nil {
		return err
	}
	if len(said) != len(h.Requests) || len(engine.Allowed) != len(h.Requests) {
		return fmt.Errorf("%d and %d answers to %d questions", len(said), len(engine.Allowed), len(h.Requests))
	}
	for i, q := range all {
		r.Held(said[own[i]] == allowed, "%s asked for %s on %s %v, and it says %s", q.Role, q.Action, q.Resource, q.Context, said[own[i]])
		denied := false
		for _, j := range others[i] {
			other := h.Requests[j]
			r.Held((said[j] == allowed) == engine.Allowed[j], "%s for %s on %s %v: it says %s, the local engine allows: %v",
				other.Principal, other.Action, other.Resource, other.Context, said[j], engine.Allowed[j])
			denied = denied || said[j] == "ImplicitlyDenied" && !engine.Allowed[j]
		}
		r.Held(denied, "%s on %s %v is denied to none of the roles of other functions that were asked", q.Action, q.Resource, q.Context)
	}
	for i := range pairs {
		r.Held((said[trusting+i] == allowed) == wants[i].allowed, "%s: it says %s", wants[i].about, said[trusting+i])
	}
	asksFor := func(role, action string) bool {
		return slices.ContainsFunc(all, func(q request) bool { return q.name() == role && q.Action == action })
	}
	for _, right := range t.all {
		_, rare := writes.Rarely[writes.Right{Role: right.role, Action: right.action}]
		if !asksFor(right.role, right.action) && (rare || writes.Bundled(right.action, func(a string) bool { return asksFor(right.role, a) })) {
			continue // infra/rights/rarely.go
		}
		r.Held(slices.ContainsFunc(all, func(q request) bool { return q.name() == right.role && q.Action == right.action }),
			"no story asks for %s as %s, which the role allows: it is not judged", right.action, right.role)
	}
	r.Left("members that only observe", "it is told whom a member that may be changed trusts")
	r.Left("policies of resources", "but for whom roles trust, it is not told what keys, secrets, buses and resource shares of a story say")
	return nil
}

// rights is what the templates say: who may do what, and who is trusted.
type rights struct {
	policies  map[string][]document // by account and role, or boundary
	resources map[string]document   // the trust of roles, likewise, and keyPolicy
	hub       []role                // the roles of functions
	member    []role                // those that they assume in a member account
	keys      map[string]bool       // the condition keys that some policy asks about, in lower case
	all       []right               // of the roles of functions and members
}

// keyPolicy ends the name of the policy of an account's keys: AWS's default, by which a key listens to the account's IAM.
// https://docs.aws.amazon.com/kms/latest/developerguide/key-policy-default.html
const keyPolicy = " keys"

// right is an action that a role allows.
type right struct{ role, action string }

// ofServices are rights with which no function calls: a service of AWS acts with the function's role.
var ofServices = map[string]string{
	"logs:CreateLogStream": "Lambda writes what the function prints",
	"logs:PutLogEvents":    "Lambda writes what the function prints",
}

// granted reads the templates, in a member account and in the hub account, which may be a member too.
func granted(root string) (*rights, error) {
	t := &rights{policies: map[string][]document{}, resources: map[string]document{}, keys: map[string]bool{}}
	for _, account := range []string{consumer, hubAccount} {
		t.resources[account+keyPolicy] = document{Version: "2012-10-17", Statement: []statement{{
			Effect: "Allow", Principal: map[string]any{"AWS": fmt.Sprintf("arn:%s:iam::%s:root", partition, account)}, Action: texts{"kms:*"}, Resource: texts{"*"},
		}}}
	}
	for _, account := range []string{consumer, hubAccount} {
		deployed, err := stacks(root, account)
		if err != nil {
			return nil, err
		}
		for _, s := range deployed {
			roles, err := s.roles()
			if err != nil {
				return nil, err
			}
			for _, one := range roles {
				t.policies[s.account+" "+one.name] = one.policies
				if one.trust != nil {
					t.resources[s.account+" "+one.name] = *one.trust
				}
				text, err := json.Marshal([]any{one.policies, one.trust})
				if err != nil {
					return nil, err
				}
				keys(string(text), t.keys)
				if account == consumer {
					t.keep(one)
				}
			}
		}
	}
	if len(t.hub) == 0 || len(t.member) == 0 {
		return nil, fmt.Errorf("%d roles of functions, %d in members", len(t.hub), len(t.member))
	}
	return t, nil
}

// keep keeps a role that is a function's, which Lambda may assume, or one of a member, which an account may. Others are of
// services of AWS, and ask for nothing in a story.
func (t *rights) keep(one role) {
	if one.trust == nil {
		return
	}
	for _, s := range one.trust.Statement {
		principal, _ := s.Principal.(map[string]any)
		service, _ := principal["Service"].(string)
		switch {
		case strings.HasPrefix(service, "lambda."):
			t.hub = append(t.hub, one)
		case principal["AWS"] != nil:
			t.member = append(t.member, one)
		default:
			continue
		}
		for _, p := range one.policies {
			for _, s := range p.Statement {
				for _, a := range s.Action {
					one := right{one.name, a}
					if _, service := ofServices[a]; !service && !slices.Contains(t.all, one) {
						t.all = append(t.all, one)
					}
				}
			}
		}
	}
}

// question asks about a request as the role made it.
func (t *rights) question(q request, i int) (asked, error) {
	one := asked{Policy: q.account() + " " + q.name(), Principal: q.Role, Action: q.Action, Resource: q.Resource, Account: q.account(), Context: q.Context}
	if one.Resource != "*" {
		one.Resource = strings.ReplaceAll(one.Resource, "*", "x0") // a thing that has no id yet, or any
	}
	if len(q.Policies) > 0 {
		one.Policy = fmt.Sprintf("made %d", i) // the same name in two stories is two roles
		if err := t.made(one.Policy, q.Policies); err != nil {
			return one, err
		}
		if len(q.Boundary) > 0 {
			one.Boundary = fmt.Sprintf("boundary %d", i)
			if err := t.made(one.Boundary, q.Boundary); err != nil {
				return one, err
			}
		}
	}
	if q.Action == "sts:AssumeRole" {
		// In all members the roles trust alike: the hub.
		one.Account = strings.Split(q.Resource, ":")[4]
		one.ResourcePolicy = consumer + " " + q.Resource[strings.LastIndex(q.Resource, "/")+1:]
	} else if strings.HasPrefix(q.Action, "kms:") {
		one.ResourcePolicy = q.account() + keyPolicy
	}
	if _, known := t.resources[one.ResourcePolicy]; !known && one.ResourcePolicy != "" {
		return one, fmt.Errorf("%s asks for %s on %s, which is in no template", q.Role, q.Action, q.Resource)
	}
	if _, known := t.policies[one.Policy]; !known {
		return one, fmt.Errorf("the role %s is in no template", q.Role)
	}
	return one, nil
}

// made keeps the policy of a role that Drawbridge made in a story.
func (t *rights) made(name string, statements []json.RawMessage) error {
	d := document{Version: "2012-10-17"}
	for _, text := range statements {
		var s statement
		decoder := json.NewDecoder(strings.NewReader(string(text)))
		decoder.DisallowUnknownFields()
		if err := decoder.Decode(&s); err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
		d.Statement = append(d.Statement, s)
	}
	t.policies[name] = []document{d}
	return nil
}

// without is how many roles that lack the action of a request altogether are asked about it.
const without = 2

// others returns the roles of other functions that are asked about a request: all on the same side that have its action,
// and some that do not, each time others.
func (t *rights) others(q request, i int) []role {
	side := t.member
	if slices.ContainsFunc(t.hub, func(r role) bool { return r.name == q.name() }) {
		side = t.hub
	}
	var having, lacking []role
	for n := range side {
		one := side[(n+i)%len(side)]
		switch {
		case one.name == q.name():
		case one.may(q.Action):
			having = append(having, one)
		case len(lacking) < without:
			lacking = append(lacking, one)
		}
	}
	return append(having, lacking...)
}

// may says whether some statement of the role is about the action.
func (r role) may(action string) bool {
	return slices.ContainsFunc(r.policies, func(p document) bool {
		return slices.ContainsFunc(p.Statement, func(s statement) bool { return slices.Contains(s.Action, action) })
	})
}

// instead asks the same about another role.
func (t *rights) instead(one asked, other role) asked {
	account := strings.Split(one.Principal, ":")[4]
	one.Policy, one.Boundary = account+" "+other.name, ""
	one.Principal = fmt.Sprintf("arn:%s:iam::%s:role/%s", partition, account, other.name)
	one.Context = maps.Clone(one.Context)
	one.Context["aws:principalarn"] = []string{one.Principal}
	return one
}

// want is what a question about trust should be answered.
type want struct {
	about   string
	allowed bool
}

// pairs asks whom each member role trusts: the function that it is for, and neither another, nor that one with another
// external id or from another organization. Whoever asks has the policy of the right one.
func (t *rights) pairs() ([]asked, []want) {
	var pairs []asked
	var wants []want
	for i, one := range t.member {
		own := hubPrefix + strings.TrimPrefix(one.name, memberPrefix)
		other := t.hub[i%len(t.hub)].name
		if other == own {
			other = t.hub[(i+1)%len(t.hub)].name
		}
		external, _ := one.trust.Statement[0].Condition["StringEquals"]["sts:ExternalId"].(string)
		organization, _ := one.trust.Statement[0].Condition["StringEquals"]["aws:PrincipalOrgID"].(string)
		for _, c := range []struct {
			who, external, organization string
			allowed                     bool
		}{
			{own, external, organization, true},
			{other, external, organization, false},
			{own, "guessed", organization, false},
			{own, external, "o-somebodyelse", false},
		} {
			principal := fmt.Sprintf("arn:%s:iam::%s:role/%s", partition, hubAccount, c.who)
			pairs = append(pairs, asked{
				Policy: hubAccount + " " + own, ResourcePolicy: consumer + " " + one.name, Principal: principal, Action: "sts:AssumeRole",
				Resource: fmt.Sprintf("arn:%s:iam::%s:role/%s", partition, consumer, one.name), Account: consumer,
				Context: map[string][]string{
					"aws:principalarn": {principal}, "sts:externalid": {c.external},
					"aws:principalorgid": {c.organization}, "aws:resourceorgid": {organization},
				},
			})
			about := fmt.Sprintf("%s is assumed by %s of %s with the external id %q", one.name, c.who, c.organization, c.external)
			wants = append(wants, want{about, c.allowed})
		}
	}
	return pairs, wants
}
