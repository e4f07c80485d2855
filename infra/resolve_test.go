package main

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-cdk-go/awscdk/v2/cxapi"
)

// place is a Region, with what of a text depends on it.
type place struct{ partition, suffix, region string }

// places returns every Region of every partition that the AWS SDK knows, sorted by name.
func places(t *testing.T) []place {
	t.Helper()
	dir, err := exec.Command("go", "list", "-m", "-f", "{{.Dir}}", "github.com/aws/aws-sdk-go-v2").Output()
	if err != nil {
		t.Fatalf("looking for the AWS SDK: %v", err)
	}
	text, err := os.ReadFile(filepath.Join(strings.TrimSpace(string(dir)), "internal", "endpoints", "awsrulesfn", "partitions.json"))
	if err != nil {
		t.Fatal(err)
	}
	var list struct {
		Partitions []struct {
			ID      string
			Outputs struct{ DNSSuffix string }
			Regions map[string]any
		}
	}
	if err := json.Unmarshal(text, &list); err != nil {
		t.Fatal(err)
	}
	var all []place
	for _, p := range list.Partitions {
		for region := range p.Regions {
			if !strings.HasSuffix(region, "-global") {
				all = append(all, place{p.ID, p.Outputs.DNSSuffix, region})
			}
		}
	}
	slices.SortFunc(all, func(a, b place) int { return strings.Compare(a.region, b.region) })
	if len(all) < 40 || len(list.Partitions) < 5 {
		t.Fatalf("the AWS SDK knows %d Regions in %d partitions: its file has another form", len(all), len(list.Partitions))
	}
	return all
}

// account is an account; all have twelve digits.
const account = "123456789012"

// resource is a resource of a template with all its intrinsic functions resolved.
type resource struct {
	id, kind   string
	properties map[string]any
}

// text returns a property as text, or nothing.
func (r resource) text(property string) string {
	text, _ := r.properties[property].(string)
	return text
}

// solved is a template as CloudFormation sees it in one place, after its intrinsic functions: every text has the length
// that it can have at most there.
type solved struct {
	name      string
	bytes     int // of the file
	template  map[string]any
	resources []resource
}

// of returns the resources of a type.
func (s solved) of(kind string) []resource {
	var all []resource
	for _, r := range s.resources {
		if r.kind == kind {
			all = append(all, r)
		}
	}
	return all
}

// solve resolves the templates of an assembly in a place.
func solve(t *testing.T, assembly cxapi.CloudAssembly, at place) []solved {
	t.Helper()
	var all []solved
	for _, artifact := range *assembly.Stacks() {
		text, err := os.ReadFile(*artifact.TemplateFullPath())
		if err != nil {
			t.Fatal(err)
		}
		s := solved{name: *artifact.StackName(), bytes: len(text)}
		if err := json.Unmarshal(text, &s.template); err != nil {
			t.Fatal(err)
		}
		v := solver{at, s.template}
		for id, raw := range s.template["Resources"].(map[string]any) {
			properties, err := v.value(raw.(map[string]any)["Properties"])
			if err != nil {
				t.Fatalf("%s: %s: %v", s.name, id, err)
			}
			r := resource{id: id, kind: raw.(map[string]any)["Type"].(string)}
			r.properties, _ = properties.(map[string]any)
			s.resources = append(s.resources, r)
		}
		slices.SortFunc(s.resources, func(a, b resource) int { return strings.Compare(a.id, b.id) })
		all = append(all, s)
	}
	return all
}

// solver resolves intrinsic functions. What it does not know is an error, so that nothing is measured too short.
// https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/intrinsic-function-reference.html
type solver struct {
	place
	template map[string]any
}

func (s solver) value(v any) (any, error) {
	switch v := v.(type) {
	case []any:
		all := make([]any, len(v))
		for i := range v {
			var err error
			if all[i], err = s.value(v[i]); err != nil {
				return nil, err
			}
		}
		return all, nil
	case map[string]any:
		if len(v) == 1 {
			for name, arguments := range v {
				if name == "Ref" || strings.HasPrefix(name, "Fn::") {
					return s.function(name, arguments)
				}
			}
		}
		all := map[string]any{}
		for key, value := range v {
			var err error
			if all[key], err = s.value(value); err != nil {
				return nil, err
			}
		}
		return all, nil
	}
	return v, nil
}

var placeholder = regexp.MustCompile(`\$\{[^}]*\}`)

func (s solver) function(name string, arguments any) (any, error) {
	list, _ := arguments.([]any)
	switch {
	case name == "Ref" && arguments == "AWS::NoValue":
		return nil, nil // nothing stands there; of two branches the other one is longer
	case name == "Ref":
		return s.reference(arguments.(string))
	case name == "Fn::GetAtt" && len(list) == 2:
		return s.attribute(list[0].(string), list[1].(string))
	case name == "Fn::Join" && len(list) == 2:
		parts, err := s.value(list[1])
		if err != nil {
			return nil, err
		}
		var all []string
		for _, part := range parts.([]any) {
			all = append(all, fmt.Sprint(part))
		}
		return strings.Join(all, list[0].(string)), nil
	case name == "Fn::If" && len(list) == 3:
		// The longer branch counts.
		yes, err := s.value(list[1])
		if err != nil {
			return nil, err
		}
		no, err := s.value(list[2])
		if err != nil || len(compact(no)) > len(compact(yes)) {
			return no, err
		}
		return yes, nil
	case name == "Fn::Sub":
		if text, ok := arguments.(string); ok {
			var failed error
			out := placeholder.ReplaceAllStringFunc(text, func(p string) string {
				variable := p[2 : len(p)-1]
				var value any
				var err error
				switch id, attribute, found := strings.Cut(variable, "."); {
				case strings.HasPrefix(variable, "!"):
					return "${" + variable[1:] + "}"
				case found:
					value, err = s.attribute(id, attribute)
				default:
					value, err = s.reference(variable)
				}
				if err != nil {
					failed = err
				}
				return fmt.Sprint(value)
			})
			return out, failed
		}
	}
	return nil, fmt.Errorf("resolve_test.go cannot resolve %s of %v", name, arguments)
}

// named returns the name of a resource. If it has none, CloudFormation makes one, as long as it may be.
func (s solver) named(id, property string, most int) (string, error) {
	properties, _ := s.resource(id)["Properties"].(map[string]any)
	if properties[property] == nil {
		return strings.Repeat("x", most), nil
	}
	name, err := s.value(properties[property])
	return fmt.Sprint(name), err
}

func (s solver) resource(id string) map[string]any {
	r, _ := s.template["Resources"].(map[string]any)[id].(map[string]any)
	return r
}

// reference returns what {"Ref": name} is.
func (s solver) reference(name string) (string, error) {
	switch name {
	case "AWS::Partition":
		return s.partition, nil
	case "AWS::Region":
		return s.region, nil
	case "AWS::AccountId":
		return account, nil
	case "AWS::URLSuffix":
		return s.suffix, nil
	}
	parameters, _ := s.template["Parameters"].(map[string]any)
	if p, ok := parameters[name].(map[string]any); ok {
		most, ok := p["MaxLength"].(float64)
		if !ok {
			return "", fmt.Errorf("the parameter %s has no MaxLength, so nobody knows how long it may be", name)
		}
		return strings.Repeat("x", int(most)), nil
	}
	arn := func(service, things, property string, most int) (string, error) {
		of, err := s.named(name, property, most)
		return fmt.Sprintf("arn:%s:%s:%s:%s:%s%s", s.partition, service, s.region, account, things, of), err
	}
	switch s.resource(name)["Type"] {
	case "AWS::IAM::Role":
		return s.named(name, "RoleName", 64)
	case "AWS::Lambda::Function":
		return s.named(name, "FunctionName", 64)
	case "AWS::Logs::LogGroup":
		return s.named(name, "LogGroupName", 512)
	case "AWS::SNS::Topic":
		return arn("sns", "", "TopicName", 256)
	case "AWS::StepFunctions::StateMachine":
		return arn("states", "stateMachine:", "StateMachineName", 80)
	case "AWS::SQS::Queue":
		of, err := s.named(name, "QueueName", 80)
		return fmt.Sprintf("https://sqs.%s.%s/%s/%s", s.region, s.suffix, account, of), err
	}
	return "", fmt.Errorf("resolve_test.go does not know what a Ref to %s is (%v)", name, s.resource(name)["Type"])
}

// attribute returns what {"Fn::GetAtt": [id, attribute]} is.
func (s solver) attribute(id, attribute string) (string, error) {
	kind, _ := s.resource(id)["Type"].(string)
	arn := func(service, region, things, property string, most int) (string, error) {
		of, err := s.named(id, property, most)
		return fmt.Sprintf("arn:%s:%s:%s:%s:%s%s", s.partition, service, region, account, things, of), err
	}
	switch kind + "." + attribute {
	case "AWS::IAM::Role.Arn":
		return arn("iam", "", "role/", "RoleName", 64)
	case "AWS::Lambda::Function.Arn":
		return arn("lambda", s.region, "function:", "FunctionName", 64)
	case "AWS::Logs::LogGroup.Arn":
		of, err := arn("logs", s.region, "log-group:", "LogGroupName", 512)
		return of + ":*", err
	case "AWS::SQS::Queue.Arn":
		return arn("sqs", s.region, "", "QueueName", 80)
	case "AWS::SQS::Queue.QueueName":
		return s.named(id, "QueueName", 80)
	case "AWS::Events::EventBus.Arn":
		return arn("events", s.region, "event-bus/", "Name", 256)
	case "AWS::Events::Rule.Arn":
		things := "rule/"
		if properties, _ := s.resource(id)["Properties"].(map[string]any); properties["EventBusName"] != nil {
			bus, err := s.named(id, "EventBusName", 256)
			if err != nil {
				return "", err
			}
			things += bus + "/"
		}
		return arn("events", s.region, things, "Name", 64)
	}
	return "", fmt.Errorf("resolve_test.go does not know the attribute %s of %s (%s)", attribute, id, kind)
}

// compact returns a value as JSON without white space, as policies and patterns are measured.
func compact(value any) string {
	var b strings.Builder
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(value); err != nil {
		panic(err) // it came from JSON
	}
	return strings.TrimSuffix(b.String(), "\n")
}

func TestFunctionsAreResolvedAtTheirLongest(t *testing.T) {
	s := solver{place{"aws-us-gov", "amazonaws.com", "us-gov-west-1"}, map[string]any{
		"Parameters": map[string]any{
			"Short":   map[string]any{"MaxLength": 3.0},
			"Endless": map[string]any{},
		},
		"Resources": map[string]any{
			"Role":  map[string]any{"Type": "AWS::IAM::Role", "Properties": map[string]any{"RoleName": "mine"}},
			"Rule":  map[string]any{"Type": "AWS::Events::Rule", "Properties": map[string]any{"Name": "r", "EventBusName": "drawbridge"}},
			"Bare":  map[string]any{"Type": "AWS::Events::Rule"},
			"Other": map[string]any{"Type": "AWS::Other::Thing"},
		},
	}}
	for text, want := range map[string]string{
		`{"Ref": "AWS::Partition"}`: `"aws-us-gov"`,
		`{"Ref": "Short"}`:          `"xxx"`,
		`{"Fn::Sub": "${AWS::Region}/${!Literal}/${Role}/${Role.Arn}"}`:         `"us-gov-west-1/${Literal}/mine/arn:aws-us-gov:iam::123456789012:role/mine"`,
		`{"Fn::Join": ["-", ["a", {"Ref": "AWS::AccountId"}]]}`:                 `"a-123456789012"`,
		`{"a": [{"Fn::If": ["C", "short", {"Ref": "AWS::Region"}]}, 1]}`:        `{"a":["us-gov-west-1",1]}`,
		`{"Fn::GetAtt": ["Rule", "Arn"]}`:                                       `"arn:aws-us-gov:events:us-gov-west-1:123456789012:rule/drawbridge/r"`,
		`{"Fn::GetAtt": ["Bare", "Arn"]}`:                                       `"arn:aws-us-gov:events:us-gov-west-1:123456789012:rule/` + strings.Repeat("x", 64) + `"`,
		`{"Condition": {"Ref": "Short"}, "Ref": "stays, with a key beside it"}`: `{"Condition":"xxx","Ref":"stays, with a key beside it"}`,
		`{"Ref": "Endless"}`:                  "no MaxLength",
		`{"Ref": "Other"}`:                    "does not know",
		`{"Ref": "Nothing"}`:                  "does not know",
		`{"Fn::GetAtt": ["Other", "Arn"]}`:    "does not know",
		`{"Fn::Sub": "${Nothing}"}`:           "does not know",
		`{"Fn::Sub": ["${a}", {"a": "b"}]}`:   "cannot resolve",
		`[{"Fn::Select": [0, ["a", "b"]]}]`:   "cannot resolve",
		`{"Fn::If": ["C", {"Ref": "x"}, ""]}`: "does not know",
	} {
		var v any
		if err := json.Unmarshal([]byte(text), &v); err != nil {
			t.Fatal(err)
		}
		got, err := s.value(v)
		if err != nil {
			if !strings.Contains(err.Error(), want) {
				t.Errorf("%s: %v", text, err)
			}
		} else if compact(got) != want {
			t.Errorf("%s is %s, not %s", text, compact(got), want)
		}
	}
}
