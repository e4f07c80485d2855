package export

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"sigs.k8s.io/yaml"
)

// template is a template of CloudFormation's.
type template struct {
	Version     string `json:"AWSTemplateFormatVersion"`
	Description string
	Resources   map[string]templated
}

// templated is a resource in a template. What is imported must have a DeletionPolicy; with Retain the thing stays when it leaves the template.
// https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/import-resources.html
type templated struct {
	Type                string
	DeletionPolicy      string
	UpdateReplacePolicy string
	Properties          map[string]any
}

// toImport is what CreateChangeSet takes of a resource that it imports.
// https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_ResourceToImport.html
type toImport struct {
	ResourceType       string
	LogicalResourceId  string //nolint:revive,staticcheck // AWS's name
	ResourceIdentifier map[string]string
}

// templates returns two files for each account and Region: the template, and what its stack imports. What the code does not own is said in the
// templates of its place, or in all if its place has none.
func templates(h head, things []thing, left []Left) ([]File, error) {
	files := []File{}
	places := map[string][]thing{}
	for _, t := range things {
		places[t.account+"-"+t.region] = append(places[t.account+"-"+t.region], t)
	}
	for _, at := range slices.Sorted(maps.Keys(places)) {
		here := slices.DeleteFunc(slices.Clone(left), func(l Left) bool {
			_, elsewhere := places[l.Account+"-"+l.Region]
			return elsewhere && l.Account+"-"+l.Region != at
		})
		name := slug(h.ids) + "-" + at
		t := template{Version: "2010-09-09", Description: "What Drawbridge added for " + strings.Join(h.ids, ", "), Resources: map[string]templated{}}
		if len(t.Description) > 1000 { // AWS takes 1,024 bytes
			t.Description = t.Description[:1000]
		}
		var imports []toImport
		capabilities := ""
		for _, r := range places[at] {
			n := r.native
			t.Resources[n.logical] = templated{Type: n.typ, DeletionPolicy: "Retain", UpdateReplacePolicy: "Retain", Properties: n.properties}
			one := toImport{ResourceType: n.typ, LogicalResourceId: n.logical, ResourceIdentifier: map[string]string{}}
			for _, a := range n.identifier {
				one.ResourceIdentifier[a.name] = a.value.(string)
			}
			imports = append(imports, one)
			if strings.HasPrefix(n.typ, "AWS::IAM::") {
				capabilities = "#        --capabilities CAPABILITY_NAMED_IAM \\\n"
			}
		}
		body, err := yaml.Marshal(t)
		if err != nil {
			return nil, fmt.Errorf("writing the template of %s: %w", at, err)
		}
		list, err := json.MarshalIndent(imports, "", "  ")
		if err != nil {
			return nil, fmt.Errorf("writing what the stack of %s imports: %w", at, err)
		}
		files = append(files, File{name + ".yaml", preamble(h, name, places[at], capabilities, here) + string(body)}, File{name + ".import.json", string(list) + "\n"})
	}
	return files, nil
}

// preamble is what a template says at its top.
func preamble(h head, name string, things []thing, capabilities string, left []Left) string {
	var out strings.Builder
	region := things[0].region
	out.WriteString(remark("", "What Drawbridge added for %s in account %s, %s, for CloudFormation to keep. Written on %s.", strings.Join(h.ids, ", "), things[0].account, region, h.at.UTC().Format(time.DateOnly)))
	out.WriteString("#\n")
	out.WriteString(remark("", "In this order nothing is ever missing, and nothing is changed:"))
	out.WriteString(remark("1. ", "In that account, with STACK as you like. It imports %d and changes nothing:", len(things)))
	out.WriteString("#      aws cloudformation create-change-set --region " + region + " \\\n" +
		"#        --stack-name STACK --change-set-name take-over \\\n" +
		"#        --change-set-type IMPORT \\\n" + capabilities +
		"#        --template-body file://" + name + ".yaml \\\n" +
		"#        --resources-to-import file://" + name + ".import.json\n" +
		"#      aws cloudformation execute-change-set --region " + region + " \\\n" +
		"#        --stack-name STACK --change-set-name take-over\n")
	out.WriteString(remark("2. ", "aws cloudformation detect-stack-drift --stack-name STACK: it finds none."))
	out.WriteString(h.letsGo())
	out.WriteString(remark("", "Change nothing of it before 3: Drawbridge would put it back."))
	for _, t := range things {
		for _, note := range t.notes {
			out.WriteString(remark("- ", "%s: %s", t.native.logical, note))
		}
	}
	if len(left) > 0 {
		out.WriteString("#\n")
		out.WriteString(remark("", "Not in this template:"))
		for _, l := range left {
			out.WriteString(l.remark())
		}
	}
	return out.String()
}
