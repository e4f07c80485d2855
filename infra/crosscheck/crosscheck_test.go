package main

import (
	"context"
	"encoding/json"
	"errors"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"
)

const root = "../.."

// fake is a judge that says what the test tells it to.
type fake struct {
	absent error
	held   []bool
	err    error
}

func (fake) Name() string                { return "a fake 1.0" }
func (f fake) Get(context.Context) error { return f.absent }
func (f fake) Judge(_ context.Context, r *report) error {
	for _, held := range f.held {
		r.Held(held, "it does not hold")
	}
	r.Left("the weather", "nobody asked")
	return f.err
}

// guest is a judge that is asked only where somebody has installed it.
type guest struct{ fake }

func (guest) Brought() bool { return true }

func TestTheLastLinesSayWhatWasJudged(t *testing.T) {
	good := fake{held: []bool{true, true}}
	for name, c := range map[string]struct {
		judges []judge
		ci     bool
		good   bool
		says   string
	}{
		"all hold":                                     {[]judge{good, good}, true, true, "         4        4  in all; judges: 2"},
		"one does not hold":                            {[]judge{good, fake{held: []bool{true, false}}}, false, false, "         4        3  in all; judges: 2"},
		"nothing was judged":                           {[]judge{fake{}}, false, false, "there was nothing to judge"},
		"a judge fails":                                {[]judge{fake{held: []bool{true}, err: errors.New("it broke")}}, false, false, "✗ it broke"},
		"a judge that could not be had is named":       {[]judge{good, fake{absent: errors.New("no network")}}, false, true, "not judged: nothing: fake could not be had: no network"},
		"a judge that could not be had fails in CI":    {[]judge{good, fake{absent: errors.New("no network")}}, true, false, "not judged: nothing: fake could not be had: no network"},
		"a judge that is brought is only named":        {[]judge{good, guest{fake{absent: errors.New("not installed")}}}, true, true, "not judged: nothing: fake could not be had: not installed"},
		"a judge that is brought and fails":            {[]judge{good, guest{fake{held: []bool{false}}}}, true, false, "         3        2  in all; judges: 2"},
		"no judge at all could be had":                 {[]judge{fake{absent: errors.New("no network")}}, false, false, "         0        0  in all; judges: 0"},
		"what a judge cannot judge stands at the end":  {[]judge{good}, true, true, "not judged by a fake 1.0: the weather: nobody asked"},
		"there are no judges, so nothing is held true": {nil, false, false, "judges: 0"},
	} {
		t.Run(name, func(t *testing.T) {
			var out strings.Builder
			var judges []named
			for _, j := range c.judges {
				judges = append(judges, named{"fake", "nothing", j})
			}
			if got := run(t.Context(), &out, judges, nil, c.ci); got != c.good {
				t.Errorf("good: %v", got)
			}
			if !strings.Contains(out.String(), c.says) {
				t.Errorf("it does not say %q:\n%s", c.says, out.String())
			}
		})
	}
	var out strings.Builder
	if run(t.Context(), &out, []named{{"fake", "nothing", good}}, []string{"nobody"}, false) || !strings.Contains(out.String(), "there is no judge nobody") {
		t.Errorf("a judge that is not there is asked: %s", out.String())
	}
}

// partner is a judge that needs another one to be asked meanwhile.
type partner struct {
	fake
	here, there chan struct{}
}

func (p partner) Judge(ctx context.Context, r *report) error {
	close(p.here)
	select {
	case <-p.there:
		return p.fake.Judge(ctx, r)
	case <-time.After(30 * time.Second):
		return errors.New("nobody was asked beside it")
	}
}

func TestTheSlowJudgeIsAskedBesideTheOthers(t *testing.T) {
	one, two := make(chan struct{}), make(chan struct{})
	all := []named{
		{slow, "the last", partner{fake{held: []bool{true}}, one, two}},
		{"quick", "the first", partner{fake{held: []bool{true}}, two, one}},
	}
	var out strings.Builder
	if !run(t.Context(), &out, all, nil, true) {
		t.Errorf("not all hold:\n%s", out.String())
	}
	if first, last := strings.Index(out.String(), ": the first\n  1 of 1"), strings.Index(out.String(), ": the last\n  1 of 1"); first < 0 || last < first {
		t.Errorf("what they say is mixed:\n%s", out.String())
	}
}

func TestFunctionsOfCloudFormationAreWorkedOut(t *testing.T) {
	s, err := deployed("some", consumer, []byte(`{
		"Parameters": {"Who": {"Default": "me"}},
		"Resources": {
			"Named": {"Type": "AWS::IAM::Role", "Properties": {"RoleName": "r", "Path": "/p/"}},
			"Machine1": {"Type": "AWS::StepFunctions::StateMachine", "Properties": {"StateMachineName": "m"}},
			"Logs": {"Type": "AWS::Logs::LogGroup", "Properties": {}},
			"Thing": {"Type": "AWS::Some::Thing"}
		}}`))
	if err != nil {
		t.Fatal(err)
	}
	for text, want := range map[string]string{
		`{"Ref": "Who"}`:                     `"me"`,
		`{"Ref": "Named"}`:                   `"r"`,
		`{"Ref": "Machine1"}`:                `"arn:aws:states:us-east-1:111111111111:stateMachine:m"`,
		`{"Fn::GetAtt": ["Named", "Arn"]}`:   `"arn:aws:iam::111111111111:role/p/r"`,
		`{"Fn::GetAtt": "Logs.Arn"}`:         `"arn:aws:logs:us-east-1:111111111111:log-group:Logs:*"`,
		`{"Fn::GetAtt": ["Machine1", "No"]}`: ``,
		`{"Fn::Sub": "${AWS::Partition} ${Named.Arn} ${!aws:userid}"}`: `"aws arn:aws:iam::111111111111:role/p/r ${aws:userid}"`,
		`{"Fn::Sub": "${Nobody}"}`:                                     ``,
		`{"Fn::Join": ["-", ["a", {"Ref": "AWS::AccountId"}]]}`:        `"a-111111111111"`,
		`{"Fn::If": ["Home", {"a": [{"Ref": "Who"}]}, "no"]}`:          `{"a":["me"]}`,
		`{"Fn::Split": ["-", "a-b"]}`:                                  ``,
		`{"Ref": "Thing"}`:                                             ``,
		`{"Bool": {"Ref": "AWS::Region"}, "plain": 1, "none": null}`:   `{"Bool":"us-east-1","none":null,"plain":1}`,
	} {
		var value any
		if err := json.Unmarshal([]byte(text), &value); err != nil {
			t.Fatal(err)
		}
		got, err := s.resolve(value)
		written, _ := json.Marshal(got)
		if (err != nil) != (want == "") || err == nil && string(written) != want {
			t.Errorf("%s is %s, %v; want %s", text, written, err, want)
		}
	}
}

func TestTheTemplatesHaveRolesRulesAndMachines(t *testing.T) {
	all, err := stacks(root, producer)
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range all {
		rules, err := s.rules()
		if err != nil {
			t.Error(err)
		}
		roles, err := s.roles()
		if err != nil {
			t.Error(err)
		}
		if s.name == hub && (len(rules) == 0 || len(roles) == 0) {
			t.Errorf("%d rules, %d roles in %s", len(rules), len(roles), s.name)
		}
		for _, r := range rules {
			if s.name != hub && !strings.Contains(string(r.EventPattern), producer) {
				t.Errorf("%s does not name its account: %s", r.Name, r.EventPattern)
			}
		}
	}
	if found, err := machines(root); err != nil || len(found) == 0 {
		t.Errorf("%d machines, %v", len(found), err)
	}
}

func TestPatternsOfARNsOverlap(t *testing.T) {
	for _, c := range []struct {
		a, b string
		want bool
	}{
		{"arn:aws:ec2:*:111111111111:vpc/*", "arn:*:ec2:*:*:vpc/*", true},
		{"arn:aws:ec2:*:111111111111:vpc/*", "arn:*:ec2:*:*:subnet/*", false},
		{"arn:aws:iam::*:role/drawbridge-*", "arn:*:iam::*:role/*", true},
		{"arn:aws:iam::*:role/drawbridge-*", "arn:*:iam:*:*:role/*", true},
		{"arn:aws:rds:*:1:db:*", "arn:*:rds:*:*:cluster:*", false},
		{"arn:aws:ec2:*", "arn:*:ec2:*:*:vpc/*", false}, // * does not reach over the colons
		{"*", "arn:*:ec2:*:*:vpc/*", false},
	} {
		if overlapARN(c.a, c.b) != c.want || overlapARN(c.b, c.a) != c.want {
			t.Errorf("%s and %s: want %v", c.a, c.b, c.want)
		}
	}
}

// book is a reference of one service.
type book struct{ s service }

func (book) Name() string                    { return "a book" }
func (book) Get(context.Context) error       { return nil }
func (b book) read(string) (*service, error) { return &b.s, nil }
func (book) depends() bool                   { return true }

func TestRolesAreHeldToTheReference(t *testing.T) {
	vpc := resourceType{"arn:${Partition}:ec2:${Region}:${Account}:vpc/${VpcId}", []string{"aws:ResourceTag/${TagKey}"}}
	rtb := resourceType{"arn:${Partition}:ec2:${Region}:${Account}:route-table/${Id}", nil}
	k := &authorization{reference: book{service{
		map[string]action{
			"Make": {resourceTypes: []usedType{
				{name: "vpc", required: true, conditionKeys: []string{"aws:TagKeys"}, dependsOn: []string{"ec2:Tag"}},
				{name: "route-table", dependsOn: []string{"ec2:Never"}},
			}, conditionKeys: []string{"ec2:Region"}},
			"Tag":  {},
			"List": {},
		},
		map[string]resourceType{"vpc": vpc, "route-table": rtb},
	}}}
	const anyVPC, anyTable = "arn:aws:ec2:*:111111111111:vpc/*", "arn:aws:ec2:*:111111111111:route-table/*"
	tag := statement{Effect: "Allow", Action: texts{"ec2:Tag"}, Resource: texts{"*"}}
	when := func(key string) map[string]map[string]any {
		return map[string]map[string]any{"StringEquals": {key: "x"}}
	}
	for name, c := range map[string]struct {
		statements []statement
		complaint  string
	}{
		"it fits":                       {[]statement{{Effect: "Allow", Action: texts{"ec2:Make"}, Resource: texts{anyVPC}}, tag}, ""},
		"a key of the action":           {[]statement{{Effect: "Allow", Action: texts{"ec2:Make"}, Resource: texts{anyVPC}, Condition: when("ec2:Region")}, tag}, ""},
		"a key of the type":             {[]statement{{Effect: "Allow", Action: texts{"ec2:Make"}, Resource: texts{anyVPC}, Condition: when("aws:ResourceTag/a")}, tag}, ""},
		"a key of all requests":         {[]statement{{Effect: "Allow", Action: texts{"ec2:Tag"}, Resource: texts{"*"}, Condition: when("aws:ResourceOrgID")}}, ""},
		"no such action":                {[]statement{{Effect: "Allow", Action: texts{"ec2:Fly"}, Resource: texts{"*"}}}, "there is no action ec2:Fly"},
		"in other letters":              {[]statement{{Effect: "Allow", Action: texts{"ec2:make"}, Resource: texts{"*"}}}, "there is no action ec2:make"},
		"no such resource":              {[]statement{{Effect: "Allow", Action: texts{"ec2:Make"}, Resource: texts{"arn:aws:ec2:*:*:subnet/*"}}, tag}, "knows no resource like"},
		"a resource for nothing":        {[]statement{{Effect: "Allow", Action: texts{"ec2:Make"}, Resource: texts{anyVPC, "arn:aws:ec2:*:*:subnet/*"}}, tag}, "knows a resource like"},
		"a resource where none is":      {[]statement{{Effect: "Allow", Action: texts{"ec2:List"}, Resource: texts{anyVPC}}}, "ec2:List knows no resource like"},
		"a key that the type lacks":     {[]statement{{Effect: "Allow", Action: texts{"ec2:Make"}, Resource: texts{anyTable, anyVPC}, Condition: when("aws:TagKeys")}, tag}, "unknown to ec2:Make on [route-table]"},
		"a key of nothing":              {[]statement{{Effect: "Allow", Action: texts{"ec2:List"}, Resource: texts{"*"}, Condition: when("aws:TagKeys")}}, "unknown to ec2:List on [no resource]"},
		"a type that is always asked":   {[]statement{{Effect: "Allow", Action: texts{"ec2:Make"}, Resource: texts{anyTable}}, {Effect: "Allow", Action: texts{"ec2:Never"}}, tag}, "ec2:Make wants vpc"},
		"an action that it depends on":  {[]statement{{Effect: "Allow", Action: texts{"ec2:Make"}, Resource: texts{anyVPC}}}, "ec2:Make wants ec2:Tag"},
		"what is denied covers nothing": {[]statement{{Effect: "Allow", Action: texts{"ec2:Make"}, Resource: texts{anyVPC}}, {Effect: "Deny", Action: texts{"ec2:Tag"}, Resource: texts{"*"}}}, "ec2:Make wants ec2:Tag"},
	} {
		t.Run(name, func(t *testing.T) {
			var out strings.Builder
			r := &report{out: &out}
			if err := k.role(r, role{policies: []document{{Statement: c.statements}}}, map[question]bool{}); err != nil {
				t.Fatal(err)
			}
			if r.made == 0 || (r.made == r.held) != (c.complaint == "") || !strings.Contains(out.String(), c.complaint) {
				t.Errorf("%d of %d held, want %q:\n%s", r.held, r.made, c.complaint, out.String())
			}
		})
	}
}

func TestRequestsOfTwoStoriesAreOne(t *testing.T) {
	ask := func(account, other, id string) request {
		return request{
			Role: "arn:aws:iam::" + account + ":role/drawbridge-member-x", Action: "ec2:CreateRoute",
			Resource: "arn:aws:ec2:us-east-1:" + other + ":route-table/rtb-" + id,
			Context:  map[string][]string{"aws:resourcetag/peer": {"vpc-" + id, hubAccount}},
		}
	}
	one, err := canonical(ask("111111110007", "222222220007", "ec989f707f0f99f74"))
	if err != nil {
		t.Fatal(err)
	}
	other, _ := canonical(ask("111111110042", "222222220042", "0123456789abcdef0"))
	if one != other {
		t.Errorf("%s\n%s", one, other)
	}
	want := `{"role":"arn:aws:iam::111111111111:role/drawbridge-member-x","action":"ec2:CreateRoute",` +
		`"resource":"arn:aws:ec2:us-east-1:222222222222:route-table/rtb-x1","context":{"aws:resourcetag/peer":["vpc-x1","123456789012"]}}`
	if one != want {
		t.Errorf("%s\nnot\n%s", one, want)
	}
	if same, _ := canonical(ask("111111110007", "111111110007", "0123456789abcdef0")); same == one {
		t.Error("a request about the own account is the same as one about another")
	}
}

func TestKeysThatAPolicyAsksAbout(t *testing.T) {
	asked := map[string]bool{}
	keys(`[{"Resource": "arn:aws:redshift:*:*:dbuser:a/${aws:SourceIdentity}", "Condition": {"StringEquals": {"aws:RequestTag/A": "x", "ec2:Vpc": "y"}}}]`, asked)
	if got := slices.Sorted(maps.Keys(asked)); !slices.Equal(got, []string{"aws:requesttag/a", "aws:sourceidentity", "ec2:vpc"}) {
		t.Error(got)
	}
}

func TestAMergePatchChangesWhatItNames(t *testing.T) {
	var value, patch any
	_ = json.Unmarshal([]byte(`{"a": {"b": 1, "c": [1, 2]}, "d": 2}`), &value)
	_ = json.Unmarshal([]byte(`{"a": {"b": null, "c": [3], "e": {"f": null, "g": 1}}}`), &patch)
	if got, _ := json.Marshal(merged(value, patch)); string(got) != `{"a":{"c":[3],"e":{"g":1}},"d":2}` {
		t.Errorf("%s", got)
	}
}
