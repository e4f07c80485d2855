package deed

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/smithy-go"

	"github.com/drawbridge-cloud/drawbridge/pkg/answer/answertest"
	"github.com/drawbridge-cloud/drawbridge/pkg/event"
	"github.com/drawbridge-cloud/drawbridge/pkg/fault"
	"github.com/drawbridge-cloud/drawbridge/pkg/tag"
)

var (
	hub     = event.Place{Account: "123456789012", Region: "us-east-1"}
	peering = Thing{Kind: tag.Peering, ID: "pcx-0a1", Account: "222222222222", Region: "eu-west-1"}
	sales   = Thing{Kind: tag.DBCluster, ID: "arn:aws:rds:eu-west-1:222222222222:cluster:sales", Account: "222222222222", Region: "eu-west-1"}
)

func waits(value string) Entry {
	return Entry{Known: true, State: "AwaitingApproval", Shown: []string{"range 10.1.0.0/16"}, Command: []string{"aws", "--tags", "Key=drawbridge:approval,Value=" + value}}
}

func TestDeeds(t *testing.T) {
	sweep, err := Sweep(hub, []string{"111111111111"})
	if err != nil {
		t.Fatal(err)
	}
	all, err := Sweep(hub, nil)
	if err != nil {
		t.Fatal(err)
	}
	const failed = "arn:aws:states:us-east-1:123456789012:execution:drawbridge-peering:e-1"
	for name, c := range map[string]struct {
		deed Deed
		want []string // what each command ends with
		says string
	}{
		"approve, the ledger unread":     {Approve(peering, "", Entry{}), []string{"Value=approved"}, "covers what the question showed"},
		"approve the last question":      {Approve(peering, "", waits("approved-1a2b3c4d")), []string{"Value=approved-1a2b3c4d"}, "range 10.1.0.0/16"},
		"approve another question":       {Approve(peering, "approved-00000000", waits("approved")), []string{"Value=approved-00000000"}, ""},
		"approve all":                    {Approve(peering, tag.ApprovedAll, waits("approved")), []string{"Value=approved-all"}, "what comes later."},
		"approve what does not wait":     {Approve(peering, "", Entry{Known: true, State: "Connected"}), nil, "Nothing waits"},
		"reject":                         {Reject(peering, Entry{State: "Connected"}), []string{"Value=rejected"}, "It is Connected."},
		"manage":                         {Manage(peering, Entry{}), []string{"Key=drawbridge:manage,Value=true"}, ""},
		"release":                        {Release(peering, Entry{}, false), []string{"Key=drawbridge:manage,Value=false"}, "as it stands"},
		"undo":                           {Release(peering, Entry{}, true), []string{"Key=drawbridge:manage,Value=undo"}, "goes on both sides"},
		"manage a cluster":               {Manage(sales, Entry{}), []string{"Key=drawbridge:manage,Value=true"}, "left to who took it away"},
		"release a cluster":              {Release(sales, Entry{}, false), []string{"Key=drawbridge:manage,Value=false"}, "for the Data API of the cluster"},
		"undo of a VPC":                  {Release(Thing{Kind: tag.VPC, ID: "vpc-0a", Account: "111111111111", Region: "eu-west-1"}, Entry{}, true), []string{"Key=drawbridge:manage,Value=undo"}, "of private notebooks, and of the Data API"},
		"revoke one of two":              {RevokeAccount(sales, "sales", "111111111111", map[string]string{tag.Share: "111111111111 333333333333"}), []string{"Value=333333333333"}, ""},
		"revoke the last, of both roads": {RevokeAccount(sales, "sales", "111111111111", map[string]string{tag.Share: "111111111111", tag.DataAPI: "111111111111"}), []string{"Key=drawbridge:share,Value=none", "Key=drawbridge:data-api,Value=none"}, ""},
		"revoke of all":                  {RevokeAccount(sales, "sales", "111111111111", map[string]string{tag.Share: "true"}), nil, "every account"},
		"revoke of nobody":               {RevokeAccount(sales, "sales", "111111111111", map[string]string{tag.Studio: "111111111111"}), nil, "No tag"},
		"pause":                          {Pause(hub, "add"), []string{"--value paused"}, "The mode is add."},
		"pause what is":                  {Pause(hub, "paused"), nil, "It is paused already."},
		"resume":                         {Resume(hub, "paused", "full"), []string{"--value full"}, "The mode is paused."},
		"resume what is":                 {Resume(hub, "full", "full"), nil, "It is full already."},
		"sweep one":                      {sweep, []string{`{"accounts":["111111111111"]}`}, ""},
		"sweep all":                      {all, []string{"drawbridge-sweep --input {}"}, ""},
		"let through":                    {ReleaseBrake(hub, []string{"pcx-1: a tag"}, true), []string{`{"braked":"let through"}`}, "Waits: pcx-1: a tag"},
		"dismiss":                        {ReleaseBrake(hub, []string{"pcx-1: a tag"}, false), []string{`{"braked":"dismiss"}`}, "It stays"},
		"a brake that is off":            {ReleaseBrake(hub, nil, true), nil, "Nothing waits"},
		"redrive":                        {RedriveOf(hub, failed, "FAILED", "Conflict"), []string{failed}, "Conflict"},
		"redrive what runs":              {RedriveOf(hub, failed, "RUNNING", ""), nil, "RUNNING"},
	} {
		var commands []string
		for _, call := range c.deed.Calls {
			commands = append(commands, strings.Join(call.Command, " "))
		}
		if len(commands) != len(c.want) || !slices.EqualFunc(commands, c.want, strings.HasSuffix) {
			t.Errorf("%s: %q, want %q", name, commands, c.want)
		}
		if says := strings.Join(c.deed.Says, " "); !strings.Contains(says, c.says) || says == "" {
			t.Errorf("%s says %q", name, says)
		}
		for n, call := range c.deed.Calls {
			if call.do == nil || call.Account == "" || call.Region == "" {
				t.Errorf("%s: call %d is not whole: %+v", name, n, call)
			}
		}
	}
}

// Who says a thing twice has what they want: nothing is done, and that is no failure. What is asked for anew, or is another word, is said.
func TestWhatIsSoAlready(t *testing.T) {
	has := func(key, value string) Entry {
		return Entry{Known: true, State: "Connected", Tags: map[string]string{key: value}}
	}
	unread := func(key, value string) Entry { return Entry{Tags: map[string]string{key: value}} }
	asked := waits("approved-1a2b3c4d")
	asked.Tags = map[string]string{tag.Approval: "approved-00000000"}
	answered := waits("approved-1a2b3c4d")
	answered.Tags = map[string]string{tag.Approval: "approved-1a2b3c4d"}
	contested := has(tag.Manage, "true")
	contested.Contested = true
	for name, c := range map[string]struct {
		deed    Deed
		already bool
		calls   int
	}{
		"approve":                           {Approve(peering, "", has(tag.Approval, "approved-1a2b3c4d")), true, 0},
		"approve, the ledger unread":        {Approve(peering, "", unread(tag.Approval, "approved")), true, 0},
		"approve, the answer on its way":    {Approve(peering, "", answered), true, 0},
		"approve what came later":           {Approve(peering, "", asked), false, 1},
		"approve what the policy let in":    {Approve(peering, "", has(tag.Share, "true")), false, 0},
		"approve what was rejected":         {Approve(peering, "", has(tag.Approval, "rejected")), false, 0},
		"approve all":                       {Approve(peering, tag.ApprovedAll, has(tag.Approval, "approved-all")), true, 0},
		"reject":                            {Reject(peering, has(tag.Approval, "rejected")), true, 0},
		"reject what is approved":           {Reject(peering, has(tag.Approval, "approved")), false, 1},
		"manage":                            {Manage(peering, has(tag.Manage, "true")), true, 0},
		"manage what is contested":          {Manage(peering, contested), false, 1},
		"manage, the ledger unread":         {Manage(sales, unread(tag.Manage, "true")), true, 0},
		"manage what was released":          {Manage(peering, has(tag.Manage, "false")), false, 1},
		"release":                           {Release(peering, has(tag.Manage, "false"), false), true, 0},
		"undo":                              {Release(sales, has(tag.Manage, "undo"), true), true, 0},
		"undo what was released":            {Release(peering, has(tag.Manage, "false"), true), false, 1},
		"pause":                             {Pause(hub, "paused"), true, 0},
		"resume":                            {Resume(hub, "add", "add"), true, 0},
		"a policy that is in force":         {ApplyPolicy(hub, PolicyTest{Valid: true, Compared: true}, ""), true, 0},
		"a policy that cannot be read":      {ApplyPolicy(hub, PolicyTest{}, ""), false, 0},
		"redrive of what runs is not so":    {RedriveOf(hub, "arn:aws:states:us-east-1:1:execution:m:e", "RUNNING", ""), false, 0},
		"a brake at which nothing waits":    {ReleaseBrake(hub, nil, true), false, 0},
		"revoke from whom nobody names yet": {RevokeAccount(sales, "sales", "111111111111", nil), false, 0},
	} {
		if c.deed.Already != c.already || len(c.deed.Calls) != c.calls || len(c.deed.Says) == 0 || Of(c.deed).Already != c.already {
			t.Errorf("%s: %+v", name, c.deed)
		}
	}
}

func TestTheAnswerOfADeed(t *testing.T) {
	done := Of(Approve(peering, "", waits("approved-1a2b3c4d")))
	done.Done, done.Said = true, []string{"it is so"}
	nothing := Of(Pause(hub, "paused"))
	answertest.Text(t, "approve", done, false)
	answertest.Text(t, "nothing", nothing, false)
	answertest.Schema[Done](t, "../..", "deed.v1", "what a command that does something answers, with -o json", done, nothing)
}

// The tag drawbridge:manage is on what carries a connection, on the cluster, or on the VPC; a pair on a gateway has none of its own.
func TestManaged(t *testing.T) {
	for id, want := range map[string]string{sales.ID: "db-cluster 222222222222", "arn:aws:redshift:us-east-1:333333333333:cluster:w": "redshift-cluster 333333333333",
		"private-notebooks-vpc-0a1b2c3d": "vpc 123456789012", "data-api-endpoint-vpc-0a1b2c3d": "vpc 123456789012", "pcx-0a1b2c3d": "vpc-peering-connection 123456789012", "tgw-attach-0a1b2c3d": "transit-gateway-attachment 123456789012",
		"private-notebooks-": "", "arn:aws:rds:eu-west-1:222222222222:db:sales": "", "tgw-0a1b2c3d:vpc-0a1b2c3d:vpc-0a1b2c3e": "", "vpc-0a1b2c3d/x": ""} {
		got := ""
		if thing, ok := Managed(id, hub); ok {
			got = string(thing.Kind) + " " + thing.Account
		}
		if got != want {
			t.Errorf("%s: %q, want %q", id, got, want)
		}
	}
}

func TestExecutions(t *testing.T) {
	for text, want := range map[string]string{
		"peering/e-1":            "arn:aws:states:us-east-1:123456789012:execution:drawbridge-peering:e-1",
		"drawbridge-peering/e-1": "arn:aws:states:us-east-1:123456789012:execution:drawbridge-peering:e-1",
		"arn:aws:states:eu-west-1:123456789012:execution:drawbridge-sweep:e": "arn:aws:states:eu-west-1:123456789012:execution:drawbridge-sweep:e",
		"arn:aws:states:eu-west-1:123456789012:execution:theirs:e":           "",
		"e-1": "", "peering/": "", "/e": "", "a/b/c": "",
	} {
		if got, ok := Execution(hub, text); got != want || ok != (want != "") {
			t.Errorf("%s is %s, %v", text, got, ok)
		}
	}
}

// Tags of each kind are set by the call of its service.
func TestTagCalls(t *testing.T) {
	for kind, want := range map[tag.Kind]string{tag.DBInstance: "rds add-tags-to-resource", tag.RedshiftCluster: "redshift create-tags", tag.Workgroup: "redshift-serverless tag-resource", tag.VPC: "ec2 create-tags"} {
		c := Tag(Thing{Kind: kind, ID: "x", Region: "eu-west-1"}, "k", "v")
		if got := strings.Join(c.Command[1:3], " "); got != want {
			t.Errorf("%s: %s", kind, got)
		}
	}
}

func TestAPersonIsAsked(t *testing.T) {
	for text, want := range map[string]bool{"y\n": true, " YES \n": true, "y": true, "n\n": false, "\n": false, "": false, "yes please\n": false} {
		var out bytes.Buffer
		if got, err := Confirmed(t.Context(), strings.NewReader(text), &out); got != want || err != nil || !strings.Contains(out.String(), "[y/N]") {
			t.Errorf("%q is %v, %v", text, got, err)
		}
	}
	// Ctrl-C while nobody answers.
	ctx, stop := context.WithCancel(t.Context())
	never, w := io.Pipe()
	defer w.Close()
	stop()
	if got, err := Confirmed(ctx, never, io.Discard); got || !errors.Is(err, context.Canceled) {
		t.Errorf("%v, %v", got, err)
	}
}

func TestADeedStopsWhereItFails(t *testing.T) {
	var made []string
	call := func(name string, err error) Call {
		return Call{Account: "1", Command: []string{"aws", "s", name}, do: func(context.Context, aws.Config) (string, error) {
			made = append(made, name)
			return "said " + name, err
		}}
	}
	enter := func(event.Place) (aws.Config, error) { return aws.Config{}, nil }
	denied := &smithy.GenericAPIError{Code: "UnauthorizedOperation"}
	d := Deed{Title: "Do", Calls: []Call{call("a", nil), call("b", denied), call("c", nil)}}
	out, err := Do(t.Context(), d, enter)
	var f *fault.Error
	if !errors.As(err, &f) || f.Remedy == "" || !strings.Contains(err.Error(), "of 3 calls 1 were made") || out.Done || !slices.Equal(made, []string{"a", "b"}) {
		t.Errorf("%+v, %v, made %v", out, err, made)
	}
	made = nil
	ctx, stop := context.WithCancel(t.Context())
	stop()
	if _, err := Do(ctx, d, enter); err == nil || len(made) > 0 || !strings.Contains(err.Error(), "nothing was done") {
		t.Errorf("after Ctrl-C: %v, made %v", err, made)
	}
	if _, err := Do(t.Context(), d, func(event.Place) (aws.Config, error) { return aws.Config{}, fmt.Errorf("no credentials") }); err == nil || len(made) > 0 {
		t.Errorf("without credentials: %v, made %v", err, made)
	}
	d.Calls = d.Calls[:1]
	if out, err = Do(t.Context(), d, enter); err != nil || !out.Done || !slices.Equal(out.Said, []string{"said a"}) {
		t.Errorf("%+v, %v", out, err)
	}
}

// Whatever has tags of Drawbridge's is found by the id that EC2 gives it, or by its ARN.
func TestTagged(t *testing.T) {
	for id, want := range map[string]string{
		"subnet-0a1b2c3d": "subnet subnet-0a1b2c3d 123456789012", "rtb-0a1b2c3d": "route-table rtb-0a1b2c3d 123456789012", "tgw-0a1b2c3d": "transit-gateway tgw-0a1b2c3d 123456789012",
		"arn:aws:ec2:eu-west-1:111111111111:vpc/vpc-0a1b2c3d":              "vpc vpc-0a1b2c3d 111111111111",
		"arn:aws:rds:eu-west-1:222222222222:db:sales":                      "db arn:aws:rds:eu-west-1:222222222222:db:sales 222222222222",
		"arn:aws:iam::111111111111:role/research/analysts":                 "role analysts 111111111111",
		"arn:aws:sagemaker:eu-west-1:111111111111:notebook-instance/lab":   "notebook-instance arn:aws:sagemaker:eu-west-1:111111111111:notebook-instance/lab 111111111111",
		"arn:aws:secretsmanager:eu-west-1:222222222222:secret:sales/a-1b2": "secret arn:aws:secretsmanager:eu-west-1:222222222222:secret:sales/a-1b2 222222222222",
		"arn:aws:s3:::bucket": "", "sales": "", "i-0a1b2c3d": "", "pcx-1": "",
	} {
		got := ""
		if thing, ok := Tagged(id, hub); ok {
			got = string(thing.Kind) + " " + thing.ID + " " + thing.Account
		}
		if got != want {
			t.Errorf("%s: %q, want %q", id, got, want)
		}
	}
}
