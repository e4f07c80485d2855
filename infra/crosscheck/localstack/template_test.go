package localstack

import (
	"encoding/json"
	"reflect"
	"strings"
	"testing"

	"github.com/drawbridge-cloud/drawbridge/infra/template"
)

// definitions are the machines of a template, by logical id.
func definitions(t *testing.T, s stack) map[string]any {
	t.Helper()
	out := map[string]any{}
	for id, r := range s.resources() {
		if r["Type"] == "AWS::StepFunctions::StateMachine" {
			out[id] = r["Properties"].(map[string]any)["DefinitionString"]
		}
	}
	if len(out) == 0 {
		t.Fatal("the template has no machine")
	}
	return out
}

// whole joins a definition as CloudFormation does, with references as JSON, and reads it.
func whole(t *testing.T, definition any) any {
	t.Helper()
	var text strings.Builder
	for _, part := range definition.(map[string]any)["Fn::Join"].([]any)[1].([]any) {
		if s, ok := part.(string); ok {
			text.WriteString(s)
			continue
		}
		b, err := json.Marshal(part)
		if err != nil {
			t.Fatal(err)
		}
		text.WriteString(strings.ReplaceAll(string(b), `"`, `'`))
	}
	var machine any
	if err := json.Unmarshal([]byte(text.String()), &machine); err != nil {
		t.Fatal(err)
	}
	return machine
}

// unhurried takes out of a machine what adapt may change.
func unhurried(part any) {
	switch p := part.(type) {
	case []any:
		for _, each := range p {
			unhurried(each)
		}
	case map[string]any:
		for _, key := range []string{"Seconds", "IntervalSeconds", "MaxDelaySeconds"} {
			delete(p, key)
		}
		for _, each := range p {
			unhurried(each)
		}
	}
}

func TestAdaptChangesOnlyWhatItSays(t *testing.T) {
	var synthesized stack
	if err := json.Unmarshal([]byte(template.Hub), &synthesized); err != nil {
		t.Fatal(err)
	}
	adapted, made, err := adapt(template.Hub)
	if err != nil {
		t.Fatal(err)
	}
	for _, n := range []Note{withoutDashboard, withoutTable, decimalTolerance, shorterWaits} {
		if made[n] == 0 {
			t.Errorf("%q was not made", n.What)
		}
	}
	before, after := definitions(t, synthesized), definitions(t, adapted)
	for id, definition := range before {
		want, got := whole(t, definition), whole(t, after[id])
		if reflect.DeepEqual(want, got) {
			t.Errorf("nothing was changed in %s, not even its retries", id)
		}
		unhurried(want)
		unhurried(got)
		if !reflect.DeepEqual(want, got) {
			t.Errorf("%s is another machine than the synthesized one", id)
		}
	}
	for id, r := range synthesized.resources() {
		if r["Type"] == "AWS::StepFunctions::StateMachine" || r["Type"] == "AWS::CloudWatch::Dashboard" || r["Type"] == "AWS::DynamoDB::Table" {
			continue
		}
		if !reflect.DeepEqual(r, adapted.resources()[id]) {
			t.Errorf("%s was changed", id)
		}
	}
	if n := len(synthesized.resources()) - len(adapted.resources()); n != made[withoutDashboard]+made[withoutTable] {
		t.Errorf("%d resources are left out, want %d", n, made[withoutDashboard]+made[withoutTable])
	}
}

func TestRewriteRefusesWhatItCannotRead(t *testing.T) {
	for _, definition := range []any{
		nil,
		map[string]any{"Fn::Sub": "{}"},
		map[string]any{"Fn::Join": []any{",", []any{"{}"}}},
		map[string]any{"Fn::Join": []any{"", []any{"{", map[string]any{"Ref": "A"}}}},
		`{"Comment":"␟0␟"}`,
	} {
		if got, err := rewrite(definition, func(any) {}); err == nil {
			t.Errorf("%v became %v", definition, got)
		}
	}
}

func TestObjects(t *testing.T) {
	hub, _, err := adapt(template.Hub)
	if err != nil {
		t.Fatal(err)
	}
	objects, err := hub.objects("123456789012", "eu-west-1")
	if err != nil || len(objects) == 0 {
		t.Fatal(objects, err)
	}
	for _, o := range objects {
		if !strings.HasPrefix(o, "cdk-hnb659fds-assets-123456789012-eu-west-1/drawbridge-") {
			t.Errorf("%s is not where the CDK puts assets", o)
		}
	}
	broken := stack{"Resources": map[string]any{"F": map[string]any{"Type": "AWS::Lambda::Function", "Properties": map[string]any{
		"Code": map[string]any{"S3Bucket": map[string]any{"Ref": "Bucket"}, "S3Key": "a.zip"}}}}}
	if got, err := broken.objects("123456789012", "eu-west-1"); err == nil {
		t.Errorf("got %v", got)
	}
}
