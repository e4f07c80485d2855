package mode

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/aws/aws-lambda-go/lambdacontext"
	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ssm"
	"github.com/aws/aws-sdk-go-v2/service/ssm/types"
	"github.com/aws/smithy-go"
	"github.com/aws/smithy-go/middleware"

	"github.com/drawbridge-cloud/drawbridge/pkg/fault"
)

func TestRead(t *testing.T) {
	for text, want := range map[string]Mode{"full": Full, " Full\n": Full, "add": Add, "OBSERVE": Observe, "paused": Stopped, "": Stopped, "off": Stopped, "full,add": Stopped} {
		got := Read(text)
		if got.Mode != want || (got.Why == "") != (strings.TrimSpace(strings.ToLower(text)) == string(want)) {
			t.Errorf("%q is %+v", text, got)
		}
	}
}

func TestWhatIsHeldIsReadBack(t *testing.T) {
	var many []Change
	for n := range 100 {
		many = append(many, fmt.Sprintf("change %d\nof many %s", n, strings.Repeat("x", 500)))
	}
	for _, end := range Ends() {
		for _, changes := range [][]Change{nil, {"a change"}, many} {
			err := Hold(end, "because:\nof this", changes...)
			if fault.Of(err) != fault.Held || len(err.Error()) > 4<<10 {
				t.Fatalf("%v", err)
			}
			wrapped := fmt.Errorf("adding routes to rtb-1: operation error EC2: CreateRoute, %w", err)
			got, err := Parse(wrapped.Error())
			if err != nil || got.End != end || got.Reason != "because: of this" || len(got.Changes) != min(len(changes), most+1) {
				t.Errorf("%+v, %v", got, err)
			}
		}
	}
	if got, _ := Parse(Hold(Planned, "x", many...).Error()); got.Changes[most] != "and 80 more" {
		t.Errorf("what is left out is not counted: %q", got.Changes[most])
	}
	if _, err := Parse("access denied"); fault.Of(err) != fault.Invalid {
		t.Errorf("another error is read as held back: %v", err)
	}
}

func TestWhatEachModeLetsThrough(t *testing.T) {
	const read, say, add, take, unknown = "ec2:DescribeVpcs", "ec2:CreateTags", "ec2:CreateRoute", "ec2:DeleteRoute", "ec2:TerminateInstances"
	for _, c := range []struct {
		mode            Mode
		only, takesAway bool
		held            map[string]End
	}{
		{Full, false, false, nil},
		{Full, false, true, nil},
		{Add, false, false, map[string]End{take: Kept, unknown: Kept}},
		{Add, false, true, map[string]End{take: Kept, unknown: Kept, add: Kept}},
		{Observe, false, false, map[string]End{say: Planned, add: Planned, take: Planned, unknown: Planned}},
		{Full, true, false, map[string]End{say: Planned, add: Planned, take: Planned, unknown: Planned}},
		{Stopped, false, false, map[string]End{read: Paused, say: Paused, add: Paused, take: Paused, unknown: Paused}},
	} {
		for _, call := range []string{read, say, add, take, unknown} {
			err := lets(Setting{Mode: c.mode}, c.only, c.takesAway, call, "111111111111")
			want, held := c.held[call]
			if (err != nil) != held || held && !strings.HasPrefix(err.Error(), string(want)+": ") {
				t.Errorf("%s, observed only %v, takes away %v: %s → %v", c.mode, c.only, c.takesAway, call, err)
			}
		}
	}
}

func TestWhatBecomesOfAPlan(t *testing.T) {
	adds, takes := Plan{Adds: []Change{"a"}}, Plan{Takes: []Change{"t"}}
	both := Plan{Adds: []Change{"a"}, Takes: []Change{"t"}}
	for _, c := range []struct {
		mode Mode
		only string
		plan Plan
		want string
	}{
		{Full, "", both, ""}, {Full, "222222222222", Plan{}, ""}, {Full, "222222222222", both, "Planned: the account 222222222222 lets itself be observed only: Drawbridge would make 2 changes\na\nt"},
		{Add, "", adds, ""}, {Add, "", both, "Kept: Drawbridge takes nothing away: in the mode full it would make 1 change\nt"}, {Add, "", takes, "Kept: "},
		{Observe, "", Plan{}, ""}, {Observe, "", adds, "Planned: Drawbridge only observes: it would make 1 change\na"},
		{Observe, "", Plan{Adds: []Change{"a"}, Perhaps: []Change{"p"}, Takes: []Change{"t"}}, "Planned: Drawbridge only observes: it would make up to 3 changes\na\np\nt"},
		{Full, "222222222222", Plan{Perhaps: []Change{"p"}}, "Planned: the account 222222222222 lets itself be observed only: Drawbridge would make up to 1 change\np"},
		{Add, "", Plan{Perhaps: []Change{"p"}}, ""},
		{Observe, "", Plan{Perhaps: []Change{"p"}}, "Planned: Drawbridge only observes: it would make up to 1 change\np"},
		{Observe, "", Plan{Perhaps: []Change{"p"}, Stands: true}, ""}, {Full, "222222222222", Plan{Perhaps: []Change{"p"}, Stands: true}, ""},
		{Observe, "", Plan{Adds: []Change{"a"}, Perhaps: []Change{"p"}, Stands: true}, "Planned: Drawbridge only observes: it would make up to 2 changes\na\np"},
		{Observe, "", Plan{Takes: []Change{"t"}, Perhaps: []Change{"p"}, Stands: true}, "Planned: Drawbridge only observes: it would make up to 2 changes\np\nt"},
		{Observe, "", Plan{Leaves: []Change{"l"}}, ""}, {Observe, "", Plan{Adds: []Change{"a"}, Leaves: []Change{"l"}}, "Planned: Drawbridge only observes: it would make 1 change\na\nl"},
		{Stopped, "", Plan{}, "Paused: "},
	} {
		err := decide(Setting{Mode: c.mode}, c.only, c.plan)
		if (err == nil) != (c.want == "") || err != nil && !strings.HasPrefix(err.Error(), c.want) {
			t.Errorf("%s, %s, %+v: %v, want %q", c.mode, c.only, c.plan, err, c.want)
		}
	}
}

// store is Parameter Store with one parameter, or an error.
type store struct {
	value string
	err   error
	reads int
}

func (s *store) GetParameter(context.Context, *ssm.GetParameterInput, ...func(*ssm.Options)) (*ssm.GetParameterOutput, error) {
	s.reads++
	return &ssm.GetParameterOutput{Parameter: &types.Parameter{Value: &s.value}}, s.err
}

func invocation(id string) context.Context {
	return lambdacontext.NewContext(context.Background(), &lambdacontext.LambdaContext{AwsRequestID: id})
}

func TestTheModeIsReadOnceInEachInvocation(t *testing.T) {
	api := &store{value: "full"}
	s := New(api, "/drawbridge/mode")
	for range 3 {
		if now, err := s.Now(invocation("1")); now.Mode != Full || err != nil {
			t.Fatal(now, err)
		}
	}
	api.value = "paused"
	if now, _ := s.Now(invocation("1")); now.Mode != Full || api.reads != 1 {
		t.Errorf("an invocation has two modes, or reads %d times", api.reads)
	}
	if now, _ := s.Now(invocation("2")); now.Mode != Stopped {
		t.Error("the next invocation does not see the change")
	}
}

func TestAModeThatIsNotThereIsPausedAndOneThatCannotBeReadIsAnError(t *testing.T) {
	now, err := New(&store{err: &types.ParameterNotFound{}}, "/drawbridge/mode").Now(context.Background())
	if err != nil || now.Mode != Stopped || !strings.Contains(now.Why, "/drawbridge/mode") {
		t.Errorf("%+v, %v", now, err)
	}
	if _, err := New(&store{err: &smithy.GenericAPIError{Code: "ThrottlingException"}}, "p").Now(context.Background()); fault.Of(err) != fault.Transient {
		t.Errorf("throttled: %v", err)
	}
}

// The guard stands before every call that the SDK's clients make, and refuses it before it is sent.
func TestTheGuardStandsBeforeEveryCall(t *testing.T) {
	sent := 0
	client := func(m Mode) *ec2.Client {
		c := aws.Config{Region: "us-east-1", Credentials: aws.AnonymousCredentials{}}
		now := func(context.Context) (Setting, error) { return Setting{Mode: m}, nil }
		only := func(context.Context) (bool, error) { return false, nil }
		c.APIOptions = append(c.APIOptions, Guard(now, only, false, "111111111111"), func(stack *middleware.Stack) error {
			return stack.Finalize.Add(middleware.FinalizeMiddlewareFunc("Sent", func(context.Context, middleware.FinalizeInput, middleware.FinalizeHandler) (middleware.FinalizeOutput, middleware.Metadata, error) {
				sent++
				return middleware.FinalizeOutput{}, middleware.Metadata{}, errors.New("sent")
			}), middleware.Before)
		})
		return ec2.NewFromConfig(c)
	}
	for _, c := range []struct {
		mode  Mode
		write bool
		sent  bool
	}{{Full, true, true}, {Full, false, true}, {Observe, false, true}, {Observe, true, false}, {Stopped, false, false}, {Stopped, true, false}, {Add, true, true}} {
		sent = 0
		var err error
		if c.write {
			_, err = client(c.mode).CreateRoute(context.Background(), &ec2.CreateRouteInput{RouteTableId: aws.String("rtb-1")})
		} else {
			_, err = client(c.mode).DescribeVpcs(context.Background(), &ec2.DescribeVpcsInput{})
		}
		if (sent == 1) != c.sent || (fault.Of(err) == fault.Held) == c.sent {
			t.Errorf("%s, writes %v: %d calls sent, %v", c.mode, c.write, sent, err)
		}
	}
}

func TestCallsAreNamedAsIAMNamesThem(t *testing.T) {
	for _, c := range [][3]string{{"EC2", "CreateRoute", "ec2:CreateRoute"}, {"Secrets Manager", "PutResourcePolicy", "secretsmanager:PutResourcePolicy"},
		{"Redshift Serverless", "TagResource", "redshift-serverless:TagResource"}, {"KMS", "PutKeyPolicy", "kms:PutKeyPolicy"}, {"SageMaker", "UpdateDomain", "sagemaker:UpdateDomain"}} {
		if got := Action(c[0], c[1]); got != c[2] {
			t.Errorf("%s, want %s", got, c[2])
		}
	}
}

type door struct {
	Setting
	only string
}

func (d door) Mode(context.Context) (Setting, error) { return d.Setting, nil }
func (d door) ObservesOnly(account string) bool      { return account == d.only }

func TestGate(t *testing.T) {
	inspect := func(context.Context, string) (string, error) { return "connect", nil }
	plan := func(out string) Plan {
		return Plan{Adds: []Change{out}, Accounts: []string{"111111111111", "222222222222"}}
	}
	for _, c := range []struct {
		door door
		held bool
	}{{door{Setting{Mode: Full}, ""}, false}, {door{Setting{Mode: Full}, "222222222222"}, true}, {door{Setting{Mode: Observe}, ""}, true}, {door{Setting{Mode: Add}, ""}, false}} {
		_, err := Gate(c.door, plan, inspect)(context.Background(), "")
		if (fault.Of(err) == fault.Held) != c.held {
			t.Errorf("%+v: %v", c.door, err)
		}
	}
}
