package main

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/drawbridge-cloud/drawbridge/pkg/database"
	"github.com/drawbridge-cloud/drawbridge/pkg/deed"
	"github.com/drawbridge-cloud/drawbridge/pkg/event"
	engine "github.com/drawbridge-cloud/drawbridge/pkg/local"
	"github.com/drawbridge-cloud/drawbridge/pkg/tag"
)

// The people for whom docs/iam has a policy.
const (
	reader   = "reader"
	owner    = "owner"
	operator = "operator"
)

// person returns the policy of one kind of people, with the hub filled in. A managed policy has 6,144 characters without blanks at most.
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html
func person(t *testing.T, name string) map[string]any {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("..", "docs", "iam", name+".json"))
	if err != nil {
		t.Fatal(err)
	}
	var tight bytes.Buffer
	if err := json.Compact(&tight, text); err != nil {
		t.Fatal(err)
	}
	if tight.Len() > 6144 {
		t.Errorf("docs/iam/%s.json has %d characters", name, tight.Len())
	}
	var d map[string]any
	if err := json.Unmarshal([]byte(strings.NewReplacer("HUB_REGION", engine.DefaultRegion, "HUB_ACCOUNT", engine.HubAccount).Replace(tight.String())), &d); err != nil {
		t.Fatal(err)
	}
	return d
}

// asked is what IAM is asked about a call of a deed: the action that the AWS CLI's words are, and the thing that they name.
func asked(t *testing.T, c deed.Call) (action, resource string, context map[string]string) {
	t.Helper()
	service := map[string]string{"stepfunctions": "states"}[c.Command[1]]
	if service == "" {
		service = c.Command[1]
	}
	if c.Command[2] == "" {
		t.Fatalf("%q is no command: commands in pkg/tag/kind.go needs a line for %s", c.Command, c.Command[1])
	}
	for word := range strings.SplitSeq(c.Command[2], "-") {
		action += strings.ToUpper(word[:1]) + word[1:]
	}
	value := func(option string) string {
		if n := slices.Index(c.Command, option); n >= 0 {
			return c.Command[n+1]
		}
		return ""
	}
	context = map[string]string{}
	if tags := value("--tags"); tags != "" {
		key, _, _ := strings.Cut(tags, ",")
		_, context["aws:tagkeys"], _ = strings.Cut(key, "=")
	}
	for _, option := range []string{"--resource-name", "--resource-arn", "--state-machine-arn", "--execution-arn"} {
		resource += value(option)
	}
	if id := value("--resources"); id != "" {
		kind := map[string]string{"pcx": "vpc-peering-connection", "tgw": "transit-gateway-attachment", "vpc": "vpc"}[id[:3]]
		resource = "arn:aws:ec2:" + c.Region + ":" + c.Account + ":" + kind + "/" + id
	}
	if name := value("--name"); name != "" {
		resource = "arn:aws:ssm:" + c.Region + ":" + c.Account + ":parameter" + name
	}
	if resource == "" {
		t.Fatalf("%v names nothing", c.Command)
	}
	return service + ":" + action, resource, context
}

// Each deed is allowed to those whose it is, and to nobody else; and none of them may touch what is Drawbridge's alone.
func TestPeopleMayDoTheirDeeds(t *testing.T) {
	hub := event.Place{Account: engine.HubAccount, Region: engine.DefaultRegion}
	thing := func(kind tag.Kind, id string) deed.Thing {
		return deed.Thing{Kind: kind, ID: id, Account: "222222222222", Region: "eu-west-1"}
	}
	failed := strings.Replace(deed.Machine(hub, "peering"), "stateMachine", "execution", 1) + ":e-1"
	sweep, err := deed.Sweep(hub, nil)
	if err != nil {
		t.Fatal(err)
	}
	all := map[string]string{tag.Share: "111111111111", tag.DataAPI: "111111111111", tag.Studio: "111111111111"}
	deeds := map[string][]deed.Deed{
		owner: {deed.Approve(thing(tag.Peering, "pcx-1"), "", deed.Entry{}), deed.Approve(thing(tag.Attachment, "tgw-attach-1"), "", deed.Entry{}), deed.Reject(thing(tag.Peering, "pcx-1"), deed.Entry{}),
			deed.Manage(thing(tag.Peering, "pcx-1"), deed.Entry{}), deed.Release(thing(tag.Attachment, "tgw-attach-1"), deed.Entry{}, true), deed.Manage(thing(tag.DBCluster, "arn:aws:rds:eu-west-1:222222222222:cluster:sales"), deed.Entry{}),
			deed.Release(thing(tag.RedshiftCluster, "arn:aws:redshift:eu-west-1:222222222222:cluster:sales"), deed.Entry{}, false), deed.Release(thing(tag.VPC, "vpc-0a1b2c3d"), deed.Entry{}, true)},
		operator: {deed.Pause(hub, "full"), deed.Resume(hub, "paused", "full"), sweep, deed.ReleaseBrake(hub, []string{"x"}, true), deed.RedriveOf(hub, failed, "FAILED", "x"),
			deed.ApplyPolicy(hub, deed.PolicyTest{Valid: true, File: "p.cedar"}, "")},
	}
	for _, k := range database.Served() {
		deeds[owner] = append(deeds[owner], deed.RevokeAccount(thing(k.Tag, "arn:aws:"+k.Service+":eu-west-1:222222222222:"+k.Resource+"x1"), "x1", "111111111111", all))
	}
	var tries []try
	ask := func(who, action, resource string, context map[string]string, allowed bool, about string) {
		if context == nil {
			context = map[string]string{}
		}
		tries = append(tries, try{who, action, resource, context, allowed, about})
	}
	for whose, list := range deeds {
		for _, d := range list {
			if len(d.Calls) == 0 {
				t.Fatalf("%s has no call", d.Title)
			}
			for _, c := range d.Calls {
				action, resource, context := asked(t, c)
				for _, who := range []string{reader, owner, operator} {
					ask(who, action, resource, context, who == whose, d.Title)
				}
			}
		}
	}
	const ledger = "arn:aws:dynamodb:us-east-1:" + engine.HubAccount + ":table/drawbridge-ledger"
	for _, who := range []string{reader, operator} {
		for _, action := range []string{"Scan", "Query", "BatchGetItem"} {
			ask(who, "dynamodb:"+action, ledger, nil, true, "reads the ledger")
		}
		ask(who, "states:ListExecutions", deed.Machine(hub, "peering"), nil, true, "reads executions")
		ask(who, "states:DescribeExecution", failed, nil, true, "reads executions")
		ask(who, "ssm:GetParameter", "arn:aws:ssm:us-east-1:"+engine.HubAccount+":parameter/drawbridge/mode", nil, true, "reads the mode")
		ask(who, "dynamodb:PutItem", ledger, nil, false, "writes the ledger")
		ask(who, "ec2:CreateTags", "arn:aws:ec2:eu-west-1:222222222222:vpc-peering-connection/pcx-1", map[string]string{"aws:tagkeys": tag.Approval}, false, "answers for an owner")
		ask(who, "sts:AssumeRole", "arn:aws:iam::222222222222:role/drawbridge-member-add-routes", nil, false, "enters a member")
		ask(who, "states:DescribeExecution", "arn:aws:states:us-east-1:"+engine.HubAccount+":execution:theirs:e-1", nil, false, "reads others' executions")
	}
	const letters = "arn:aws:sqs:us-east-1:" + engine.HubAccount + ":drawbridge-dead-letters"
	for _, who := range []string{reader, owner, operator} {
		for _, action := range []string{"sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:ChangeMessageVisibility"} {
			ask(who, action, letters, nil, who == operator, "replays dead letters")
		}
		ask(who, "lambda:InvokeFunction", "arn:aws:lambda:us-east-1:"+engine.HubAccount+":function:drawbridge-tell-people", nil, who == operator, "replays dead letters")
	}
	const pcx = "arn:aws:ec2:eu-west-1:222222222222:vpc-peering-connection/pcx-1"
	for key, may := range map[string]bool{tag.Approval: true, tag.Manage: true, "drawbridge:connection": false, "drawbridge:status": false, "Name": false} {
		ask(owner, "ec2:CreateTags", pcx, map[string]string{"aws:tagkeys": key}, may, key)
	}
	ask(owner, "ec2:CreateTags", pcx, nil, false, "no key at all")
	ask(owner, "ec2:CreateTags", "arn:aws:ec2:eu-west-1:222222222222:security-group/sg-1", map[string]string{"aws:tagkeys": tag.Approval}, false, "another thing")
	ask(owner, "ec2:DescribeVpcs", "*", nil, true, "reads its own")
	ask(owner, "dynamodb:Scan", ledger, nil, false, "reads the ledger")

	policies := map[string][]any{}
	for _, who := range []string{reader, owner, operator} {
		policies[who] = []any{person(t, who)}
	}
	for n, allowed := range evaluate(t, policies, tries) {
		if q := tries[n]; allowed != q.allowed {
			t.Errorf("%s: %s on %s (%s): allowed is %v, want %v", q.Policy, q.Action, q.Resource, q.about, allowed, q.allowed)
		}
	}
}

// reading is a call that reads, as Go names it: by a client, or by its pages.
var reading = regexp.MustCompile(`\.((?:Describe|List|Get|Search)[A-Z]\w+)\(ctx|\.New((?:Describe|List|Get|Search)[A-Z]\w+)Paginator`)

// Whatever an answer reads, those who ask it may read: the calls stand in the code of its packages.
func TestPeopleMayReadWhatAnswersRead(t *testing.T) {
	for who, packages := range map[string][]string{reader: {"doctor", "board", "history"}, operator: {"doctor", "board", "history"}, owner: {"why", "who", "database", "network/discover"}} {
		text, err := json.Marshal(person(t, who))
		if err != nil {
			t.Fatal(err)
		}
		calls := 0
		for _, name := range packages {
			files, err := filepath.Glob(filepath.Join("..", "pkg", name, "*.go"))
			if err != nil || len(files) == 0 {
				t.Fatalf("pkg/%s has no files: %v", name, err)
			}
			for _, file := range files {
				source, err := os.ReadFile(file)
				if err != nil {
					t.Fatal(err)
				}
				for _, m := range reading.FindAllStringSubmatch(string(source), -1) {
					call := m[1] + m[2]
					calls++
					ec2 := who == owner && strings.HasPrefix(call, "Describe") && bytes.Contains(source, []byte("service/ec2"))
					if !ec2 && !bytes.Contains(text, []byte(":"+call+`"`)) {
						t.Errorf("%s reads with %s, which docs/iam/%s.json does not allow", file, call, who)
					}
				}
			}
		}
		if calls < 10 {
			t.Errorf("only %d calls of %s were found", calls, who)
		}
	}
}
