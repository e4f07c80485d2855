package localstack

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
)

// The changes that a template needs before LocalStack can deploy and play it.
var (
	withoutDashboard = Note{"AWS::CloudWatch::Dashboard is left out", "LocalStack has no such type."}
	withoutTable     = Note{"AWS::DynamoDB::Table is left out", "LocalStack fetches Amazon's DynamoDB Local when the first table is made, a download of its own; the functions' ledger is the engine's."}
	decimalTolerance = Note{"ToleratedFailurePercentage is written 100.0", "LocalStack's grammar of the states language refuses an integer there, which AWS takes."}
	shorterWaits     = Note{"every Wait takes a second, every retry one or two", "LocalStack waits as long as the machine says, and nothing in the engine takes longer than that."}
)

// stack is a CloudFormation template.
type stack map[string]any

// resources are those of the template by logical id.
func (s stack) resources() map[string]map[string]any {
	out := map[string]map[string]any{}
	all, _ := s["Resources"].(map[string]any)
	for id, r := range all {
		out[id], _ = r.(map[string]any)
	}
	return out
}

// adapt returns the template as LocalStack can deploy it, and how often each change was made.
func adapt(body string) (stack, map[Note]int, error) {
	var s stack
	if err := json.Unmarshal([]byte(body), &s); err != nil {
		return nil, nil, fmt.Errorf("reading the template: %w", err)
	}
	made := map[Note]int{}
	for id, r := range s.resources() {
		switch r["Type"] {
		case "AWS::CloudWatch::Dashboard":
			delete(s["Resources"].(map[string]any), id)
			made[withoutDashboard]++
		case "AWS::DynamoDB::Table":
			delete(s["Resources"].(map[string]any), id)
			made[withoutTable]++
		case "AWS::StepFunctions::StateMachine":
			properties, _ := r["Properties"].(map[string]any)
			definition, err := rewrite(properties["DefinitionString"], func(machine any) { hasten(machine, made) })
			if err != nil {
				return nil, nil, fmt.Errorf("reading the definition of %s: %w", id, err)
			}
			properties["DefinitionString"] = definition
		}
	}
	return s, made, nil
}

// hasten makes the two changes of a machine, wherever they are in it.
func hasten(part any, made map[Note]int) {
	switch p := part.(type) {
	case []any:
		for _, each := range p {
			hasten(each, made)
		}
	case map[string]any:
		for key, value := range p {
			switch key {
			case "Seconds", "IntervalSeconds":
				p[key] = 1
				made[shorterWaits]++
			case "MaxDelaySeconds":
				p[key] = 2
			case "ToleratedFailurePercentage":
				if number, ok := value.(json.Number); ok && !strings.Contains(number.String(), ".") {
					p[key] = json.Number(number.String() + ".0")
					made[decimalTolerance]++
				}
			default:
				hasten(value, made)
			}
		}
	}
}

// rewrite changes a machine's definition: a text, or texts and references that Fn::Join joins.
// https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/intrinsic-function-reference-join.html
func rewrite(definition any, change func(machine any)) (any, error) {
	parts := []any{definition}
	if join, ok := definition.(map[string]any); ok {
		arguments, _ := join["Fn::Join"].([]any)
		if len(arguments) != 2 || arguments[0] != "" {
			return nil, fmt.Errorf("it is neither a text nor texts that are joined by nothing")
		}
		parts, _ = arguments[1].([]any)
	}
	// A reference stands inside of a text of the definition; a mark takes its place meanwhile.
	const mark = "\u241f"
	var text strings.Builder
	var references []any
	for _, part := range parts {
		if t, ok := part.(string); ok {
			text.WriteString(t)
			continue
		}
		text.WriteString(mark + strconv.Itoa(len(references)) + mark)
		references = append(references, part)
	}
	decoder := json.NewDecoder(strings.NewReader(text.String()))
	decoder.UseNumber()
	var machine any
	if err := decoder.Decode(&machine); err != nil {
		return nil, err
	}
	change(machine)
	var changed strings.Builder
	encoder := json.NewEncoder(&changed)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(machine); err != nil {
		return nil, err
	}
	var joined []any
	for i, part := range strings.Split(strings.TrimSpace(changed.String()), mark) {
		if i%2 == 0 {
			joined = append(joined, part)
			continue
		}
		n, err := strconv.Atoi(part)
		if err != nil || n >= len(references) {
			return nil, fmt.Errorf("it has the mark %q of its own", mark)
		}
		joined = append(joined, references[n])
	}
	return map[string]any{"Fn::Join": []any{"", joined}}, nil
}

// objects are the assets that the template's functions are made of, each as bucket/key.
func (s stack) objects(account, region string) ([]string, error) {
	var out []string
	for id, r := range s.resources() {
		if r["Type"] != "AWS::Lambda::Function" {
			continue
		}
		properties, _ := r["Properties"].(map[string]any)
		code, _ := properties["Code"].(map[string]any)
		key, _ := code["S3Key"].(string)
		bucket, _ := code["S3Bucket"].(string)
		if sub, ok := code["S3Bucket"].(map[string]any); ok {
			bucket, _ = sub["Fn::Sub"].(string)
		}
		bucket = strings.NewReplacer("${AWS::AccountId}", account, "${AWS::Region}", region).Replace(bucket)
		if bucket == "" || key == "" || strings.Contains(bucket, "$") {
			return nil, fmt.Errorf("the code of %s is at %v, which names no object", id, code)
		}
		out = append(out, bucket+"/"+key)
	}
	return out, nil
}

// listed writes counts as a text, in order.
func listed(counts map[string]int) string {
	var out []string
	for _, kind := range slices.Sorted(maps.Keys(counts)) {
		out = append(out, fmt.Sprintf("%d %s", counts[kind], strings.TrimPrefix(kind, "AWS::")))
	}
	return strings.Join(out, ", ")
}
