package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws/arn"

	arns "github.com/drawbridge-cloud/drawbridge/pkg/arn"
)

// Where the templates are taken to be deployed.
var (
	region    = arns.IAMRegion("")
	partition = arns.Partition(region)
)

const (
	hubAccount = "123456789012"
	consumer   = "111111111111"
	producer   = "222222222222"
)

// stack is a synthesized template as it is deployed in an account: the functions of CloudFormation are worked out when
// they are asked for.
type stack struct {
	name, account string
	parameters    map[string]any
	resources     map[string]resource
}

type resource struct {
	Type       string
	Properties map[string]any
}

// stacks reads the golden templates: the hub's in the hub account, all others in a member account.
func stacks(root, member string) ([]*stack, error) {
	paths, err := filepath.Glob(filepath.Join(root, "infra", "template", "*.template.json"))
	if err != nil {
		return nil, err
	}
	var all []*stack
	for _, path := range paths {
		text, err := os.ReadFile(path)
		if err != nil {
			return nil, err
		}
		name, account := strings.TrimSuffix(filepath.Base(path), ".template.json"), member
		if name == hub {
			account = hubAccount
		}
		s, err := deployed(name, account, text)
		if err != nil {
			return nil, err
		}
		all = append(all, s)
	}
	if len(all) < 2 {
		return nil, fmt.Errorf("%d templates in infra/template: there is a hub and a member", len(all))
	}
	return all, nil
}

const hub = "hub"

// deployed reads one template.
func deployed(name, account string, text []byte) (*stack, error) {
	var template struct {
		Parameters map[string]struct{ Default any }
		Resources  map[string]resource
	}
	if err := json.Unmarshal(text, &template); err != nil {
		return nil, fmt.Errorf("reading the template %s: %w", name, err)
	}
	s := &stack{name: name, account: account, resources: template.Resources, parameters: map[string]any{
		"AWS::Partition": partition, "AWS::Region": region, "AWS::AccountId": account, "AWS::URLSuffix": arns.DNSSuffix(region),
		"AWS::StackName": "drawbridge-" + name,
	}}
	for id, p := range template.Parameters {
		s.parameters[id] = p.Default
	}
	return s, nil
}

// of returns the logical ids of all resources of a type, sorted.
func (s *stack) of(kind string) []string {
	var ids []string
	for _, id := range slices.Sorted(maps.Keys(s.resources)) {
		if s.resources[id].Type == kind {
			ids = append(ids, id)
		}
	}
	return ids
}

var placeholder = regexp.MustCompile(`\$\{([^!}][^}]*)\}`)

// resolve works out CloudFormation's functions in a value. A condition is taken to hold.
func (s *stack) resolve(value any) (any, error) {
	switch v := value.(type) {
	case []any:
		out := make([]any, len(v))
		for i, one := range v {
			var err error
			if out[i], err = s.resolve(one); err != nil {
				return nil, err
			}
		}
		return out, nil
	case map[string]any:
		if len(v) == 1 {
			for function, argument := range v {
				if function == "Ref" || strings.HasPrefix(function, "Fn::") {
					return s.call(function, argument)
				}
			}
		}
		out := map[string]any{}
		for key, one := range v {
			var err error
			if out[key], err = s.resolve(one); err != nil {
				return nil, err
			}
		}
		return out, nil
	}
	return value, nil
}

func (s *stack) call(function string, argument any) (any, error) {
	unknown := fmt.Errorf("%s %v in the template %s: teach %s/template.go to work it out", function, argument, s.name, folder)
	switch a := argument.(type) {
	case string:
		switch function {
		case "Ref":
			return s.ref(a)
		case "Fn::GetAtt":
			id, attribute, _ := strings.Cut(a, ".")
			return s.attribute(id, attribute)
		case "Fn::Sub":
			var wrong []error
			text := placeholder.ReplaceAllStringFunc(a, func(found string) string {
				id, attribute, isAttribute := strings.Cut(found[2:len(found)-1], ".")
				value, err := s.ref(id)
				if isAttribute {
					value, err = s.attribute(id, attribute)
				}
				wrong = append(wrong, err)
				return fmt.Sprint(value)
			})
			return strings.ReplaceAll(text, "${!", "${"), errors.Join(wrong...)
		}
	case []any:
		switch {
		case function == "Fn::GetAtt" && len(a) == 2:
			return s.attribute(fmt.Sprint(a[0]), fmt.Sprint(a[1]))
		case function == "Fn::If" && len(a) == 3:
			return s.resolve(a[1])
		case function == "Fn::Join" && len(a) == 2:
			parts, err := s.resolve(a[1])
			if err != nil {
				return nil, err
			}
			list, ok := parts.([]any)
			if !ok {
				return nil, unknown
			}
			texts := make([]string, len(list))
			for i, one := range list {
				texts[i] = fmt.Sprint(one)
			}
			return strings.Join(texts, fmt.Sprint(a[0])), nil
		}
	}
	return nil, unknown
}

// kinds say what a resource is called: the property that names it, what is before that name in its ARN, and whether Ref
// gives the ARN rather than the name.
var kinds = map[string]struct {
	name, service, before string
	refIsARN              bool
}{
	"AWS::CloudWatch::Alarm":           {name: "AlarmName", service: "cloudwatch", before: "alarm:"},
	"AWS::Events::EventBus":            {name: "Name", service: "events", before: "event-bus/"},
	"AWS::Events::Rule":                {name: "Name", service: "events", before: "rule/"},
	"AWS::IAM::ManagedPolicy":          {name: "ManagedPolicyName", service: "iam", before: "policy/", refIsARN: true},
	"AWS::IAM::Role":                   {name: "RoleName", service: "iam", before: "role/"},
	"AWS::Lambda::Function":            {name: "FunctionName", service: "lambda", before: "function:"},
	"AWS::Logs::LogGroup":              {name: "LogGroupName", service: "logs", before: "log-group:"},
	"AWS::SNS::Topic":                  {name: "TopicName", service: "sns", refIsARN: true},
	"AWS::SQS::Queue":                  {name: "QueueName", service: "sqs"},
	"AWS::SSM::Parameter":              {name: "Name", service: "ssm", before: "parameter"},
	"AWS::StepFunctions::StateMachine": {name: "StateMachineName", service: "states", before: "stateMachine:", refIsARN: true},
}

func (s *stack) ref(id string) (any, error) {
	if value, ok := s.parameters[id]; ok {
		return value, nil
	}
	if kinds[s.resources[id].Type].refIsARN {
		return s.attribute(id, "Arn")
	}
	return s.named(id)
}

// named returns the name of a resource; one without a name of its own is called by its logical id.
func (s *stack) named(id string) (string, error) {
	r, ok := s.resources[id]
	kind, known := kinds[r.Type]
	if !ok || !known {
		return "", fmt.Errorf("the template %s refers to %s, a %q: teach %s/template.go what that is", s.name, id, r.Type, folder)
	}
	name, err := s.resolve(r.Properties[kind.name])
	if err != nil || name == nil {
		return id, err
	}
	return fmt.Sprint(name), nil
}

func (s *stack) attribute(id, attribute string) (any, error) {
	kind := kinds[s.resources[id].Type]
	name, err := s.named(id)
	if err != nil || attribute == kind.name {
		return name, err
	}
	if !strings.HasSuffix(attribute, "Arn") {
		return nil, fmt.Errorf("the template %s asks %s for its %s: teach %s/template.go what that is", s.name, id, attribute, folder)
	}
	path, _ := s.resources[id].Properties["Path"].(string)
	made := arn.ARN{Partition: partition, Service: kind.service, Region: region, AccountID: s.account,
		Resource: kind.before + strings.TrimPrefix(path, "/") + name}
	if kind.service == "iam" {
		made.Region = ""
	}
	if kind.service == "logs" { // as GetAtt gives it
		made.Resource += ":*"
	}
	return made.String(), nil
}

// document is a policy, its functions worked out.
type document struct {
	Version   string      `json:"Version"`
	Statement []statement `json:"Statement"`
}

// statement is one statement of a [document]. What the templates do not use is no field: an unknown one is an error.
type statement struct {
	Sid       string                    `json:"Sid,omitempty"`
	Effect    string                    `json:"Effect"`
	Principal any                       `json:"Principal,omitempty"`
	Action    texts                     `json:"Action"`
	Resource  texts                     `json:"Resource,omitempty"`
	Condition map[string]map[string]any `json:"Condition,omitempty"`
}

// texts is a text or a list of texts in JSON.
type texts []string

// UnmarshalJSON reads both.
func (t *texts) UnmarshalJSON(text []byte) error {
	var one string
	if json.Unmarshal(text, &one) == nil {
		*t = texts{one}
		return nil
	}
	return json.Unmarshal(text, (*[]string)(t))
}

// role is a role of a template, with all policies that it has, or a permissions boundary, which is the most that some
// role can do.
type role struct {
	stack, name string
	policies    []document
	trust       *document // nil for a boundary
}

// roles returns all roles of a stack and all boundaries, sorted by name.
func (s *stack) roles() ([]role, error) {
	byID := map[string]*role{}
	for _, id := range s.of("AWS::IAM::Role") {
		r := role{stack: s.name}
		var err error
		if r.name, err = s.named(id); err != nil {
			return nil, err
		}
		properties := s.resources[id].Properties
		r.trust = &document{}
		if err := s.into(properties["AssumeRolePolicyDocument"], r.trust); err != nil {
			return nil, fmt.Errorf("whom %s trusts: %w", r.name, err)
		}
		var inline []struct {
			PolicyName     string
			PolicyDocument document
		}
		if err := s.into(properties["Policies"], &inline); err != nil {
			return nil, fmt.Errorf("the policies of %s: %w", r.name, err)
		}
		for _, p := range inline {
			r.policies = append(r.policies, p.PolicyDocument)
		}
		if properties["ManagedPolicyArns"] != nil {
			return nil, fmt.Errorf("%s has managed policies: teach %s/template.go to read them", r.name, folder)
		}
		byID[id] = &r
	}
	for _, id := range s.of("AWS::IAM::Policy") {
		properties := s.resources[id].Properties
		var d document
		if err := s.into(properties["PolicyDocument"], &d); err != nil {
			return nil, fmt.Errorf("the policy %s: %w", id, err)
		}
		holders, _ := properties["Roles"].([]any)
		for _, one := range holders {
			holder, _ := one.(map[string]any)
			r := byID[fmt.Sprint(holder["Ref"])]
			if r == nil {
				return nil, fmt.Errorf("the policy %s is for %v, which is no role of the template", id, one)
			}
			r.policies = append(r.policies, d)
		}
		if len(holders) == 0 {
			return nil, fmt.Errorf("the policy %s is for nobody", id)
		}
	}
	for _, id := range s.of("AWS::IAM::ManagedPolicy") {
		r := role{stack: s.name}
		var err error
		if r.name, err = s.named(id); err != nil {
			return nil, err
		}
		var d document
		if err := s.into(s.resources[id].Properties["PolicyDocument"], &d); err != nil {
			return nil, fmt.Errorf("the boundary %s: %w", r.name, err)
		}
		r.policies = []document{d}
		byID[id] = &r
	}
	var all []role
	for _, r := range byID {
		all = append(all, *r)
	}
	slices.SortFunc(all, func(a, b role) int { return strings.Compare(a.name, b.name) })
	return all, nil
}

// into works out a value and reads it strictly.
func (s *stack) into(value, target any) error { return s.decode(value, target, true) }

// tolerant works out a value and reads what the target knows of it.
func (s *stack) tolerant(value, target any) error { return s.decode(value, target, false) }

func (s *stack) decode(value, target any, strict bool) error {
	value, err := s.resolve(value)
	if err != nil {
		return err
	}
	text, err := json.Marshal(value)
	if err != nil {
		return err
	}
	decoder := json.NewDecoder(strings.NewReader(string(text)))
	if strict {
		decoder.DisallowUnknownFields()
	}
	return decoder.Decode(target)
}
