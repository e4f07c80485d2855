package parameter_test

import (
	"context"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ssm"
	"github.com/aws/aws-sdk-go-v2/service/ssm/types"

	"github.com/drawbridge-cloud/drawbridge/pkg/fault"
	"github.com/drawbridge-cloud/drawbridge/pkg/policy"
	"github.com/drawbridge-cloud/drawbridge/pkg/policy/parameter"
)

// store is Parameter Store with one parameter, or none.
type store struct {
	value string
	reads int
}

func (s *store) GetParameter(context.Context, *ssm.GetParameterInput, ...func(*ssm.Options)) (*ssm.GetParameterOutput, error) {
	s.reads++
	if s.value == "" {
		return nil, &types.ParameterNotFound{}
	}
	return &ssm.GetParameterOutput{Parameter: &types.Parameter{Value: aws.String(s.value)}}, nil
}

func TestAChangeCountsForTheNextExecution(t *testing.T) {
	ctx, s := context.Background(), &store{value: policy.DefaultText()}
	p := parameter.New(s, "/drawbridge/policy")
	if set, err := p.Policy(ctx); err != nil || len(set.IDs()) == 1 {
		t.Fatalf("%v", err)
	}
	s.value = `@id("nothing") forbid (principal, action, resource);`
	if set, err := p.Policy(ctx); err != nil || len(set.IDs()) != 1 || s.reads != 2 {
		t.Errorf("the next execution did not get the new policy: %v, %v", set.IDs(), err)
	}
}

func TestABrokenOrMissingPolicyIsAConflict(t *testing.T) {
	for name, value := range map[string]string{"broken": "permit (principal", "missing": ""} {
		_, err := parameter.New(&store{value: value}, "/drawbridge/policy").Policy(context.Background())
		if fault.Of(err) != fault.Conflict || !strings.Contains(err.Error(), "/drawbridge/policy") || !strings.Contains(err.Error(), "redrive") {
			t.Errorf("%s: %v, want a conflict that names the parameter and the remedy", name, err)
		}
	}
}

func TestParseCallers(t *testing.T) {
	for text, want := range map[string]int{"none": 0, "192.168.0.0/16": 1, "192.168.0.0/16, 10.8.0.0/24": 2, "0.0.0.0/0": -1, "192.168.0.1/16": -1, "fd00::/8": -1, "office": -1} {
		got, err := parameter.ParseCallers(text)
		if want < 0 && err == nil || want >= 0 && (err != nil || len(got) != want) {
			t.Errorf("ParseCallers(%q) = %v, %v", text, got, err)
		}
	}
}
