package studio

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge/types"
	"github.com/aws/aws-sdk-go-v2/service/ssm"
	ssmtypes "github.com/aws/aws-sdk-go-v2/service/ssm/types"

	"github.com/drawbridge-cloud/drawbridge/pkg/event"
	"github.com/drawbridge-cloud/drawbridge/pkg/look"
	"github.com/drawbridge-cloud/drawbridge/pkg/workflow"
)

// store is a Parameter Store that hands out two names a page.
type store map[string]bool

func (s store) GetParametersByPath(_ context.Context, in *ssm.GetParametersByPathInput, _ ...func(*ssm.Options)) (*ssm.GetParametersByPathOutput, error) {
	out := &ssm.GetParametersByPathOutput{}
	for _, name := range slices.Sorted(maps.Keys(s)) {
		if !strings.HasPrefix(name, aws.ToString(in.Path)+"/") || name <= aws.ToString(in.NextToken) {
			continue
		}
		if len(out.Parameters) == 2 {
			out.NextToken = out.Parameters[1].Name
			break
		}
		out.Parameters = append(out.Parameters, ssmtypes.Parameter{Name: &name})
	}
	return out, nil
}

func (s store) PutParameter(_ context.Context, in *ssm.PutParameterInput, _ ...func(*ssm.Options)) (*ssm.PutParameterOutput, error) {
	if s[*in.Name] {
		return nil, &ssmtypes.ParameterAlreadyExists{}
	}
	s[*in.Name] = true
	return &ssm.PutParameterOutput{}, nil
}

func (s store) DeleteParameter(_ context.Context, in *ssm.DeleteParameterInput, _ ...func(*ssm.Options)) (*ssm.DeleteParameterOutput, error) {
	if !s[*in.Name] {
		return nil, &ssmtypes.ParameterNotFound{}
	}
	delete(s, *in.Name)
	return &ssm.DeleteParameterOutput{}, nil
}

// taken is a bus that keeps what it is given.
type taken []types.PutEventsRequestEntry

func (b *taken) PutEvents(_ context.Context, in *eventbridge.PutEventsInput, _ ...func(*eventbridge.Options)) (*eventbridge.PutEventsOutput, error) {
	*b = append(*b, in.Entries...)
	return &eventbridge.PutEventsOutput{}, nil
}

// A role's event leads to a look at each cluster that named its account, and to no other.
func TestARoleLeadsToTheClustersThatNamedItsAccount(t *testing.T) {
	held, bus := store{}, taken{}
	i := Inspector{Index: Index{API: held, Path: "/drawbridge/studio"}, Looks: look.Asker{API: &bus, Bus: "drawbridge"}}
	there := event.Place{Account: "222222222222", Region: "eu-west-1"}
	for n := range 5 {
		for range 2 { // an overlapping execution does the same
			if err := i.Index.Keep(t.Context(), "111111111111", there, fmt.Sprintf("c%d", n), true); err != nil {
				t.Fatal(err)
			}
		}
	}
	for range 2 {
		if err := i.Index.Keep(t.Context(), "111111111111", there, "c3", false); err != nil {
			t.Fatal(err)
		}
	}
	if err := i.Index.Keep(t.Context(), "333333333333", there, "other", true); err != nil {
		t.Fatal(err)
	}
	index := i.Index.API.(store)
	before := len(index)
	for _, word := range []string{"alpha", "../policy", "", "1111111111111"} {
		if err := i.Index.Keep(t.Context(), word, there, "c0", true); err != nil || len(index) != before {
			t.Errorf("the word %q, which is no account, is in the index: %v, %v", word, index, err)
		}
	}
	const raw = `{"source": "drawbridge.internal", "detail-type": "Studio To Inspect", "account": "123456789012", "region": "us-east-1",
		"detail": {"account": %q, "region": "us-east-1", "roles": true, "reason": "UntagRole"}}`
	out, err := i.Inspect(t.Context(), workflow.InspectStudioInput{Event: fmt.Appendf(nil, raw, "111111111111")})
	if err != nil || out.Answer != AnswerAnnounce || out.Result != workflow.Announced {
		t.Errorf("got %+v, %v", out, err)
	}
	var asked []string
	for _, e := range bus {
		read, err := event.Parse(fmt.Appendf(nil, `{"source": %q, "detail-type": %q, "account": "123456789012", "region": "us-east-1", "detail": %s}`, *e.Source, *e.DetailType, *e.Detail))
		if err != nil || read.Kind != event.Studio || read.Place != there || read.Consumer != "111111111111" {
			t.Errorf("%s reads as %+v, %v", *e.Detail, read, err)
		}
		asked = append(asked, read.Cluster)
	}
	if !slices.Equal(asked, []string{"c0", "c1", "c2", "c4"}) {
		t.Errorf("a look was asked for at %v", asked)
	}
	if out, err = i.Inspect(t.Context(), workflow.InspectStudioInput{Event: fmt.Appendf(nil, raw, "444444444444")}); err != nil || out.Answer != AnswerNothing {
		t.Errorf("an account that nobody named: %+v, %v", out, err)
	}
}
