package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"
)

type object = map[string]any

func ref(name string) object { return object{"Ref": name} }
func sub(text string) object { return object{"Fn::Sub": text} }

// engines are the parameters whose defaults are those of the local engine: whoever deploys says what they are.
var engines = []string{"HubAccount", "HubBusArn", "OrganizationId", "Regions", "HomeRegion"}

// open reads a template, says which version it is of, and takes out what was filled in for the engine.
func open(text, version string) (object, error) {
	var t object
	if err := json.Unmarshal([]byte(text), &t); err != nil {
		return nil, err
	}
	t["Metadata"] = object{"Drawbridge": object{"Version": version}}
	parameters := t["Parameters"].(object)
	for _, name := range engines {
		if p, ok := parameters[name].(object); ok {
			delete(p, "Default")
		}
	}
	parameters["ExternalId"].(object)["Default"] = "drawbridge" // as in cdk.json
	return t, nil
}

// place adds the parameters that say where the files of the release lie.
func place(t object, version string) {
	parameters := t["Parameters"].(object)
	parameters["CodeBucket"] = object{"Type": "String", "AllowedPattern": "^[a-z0-9.-]{3,63}$", "Description": "The bucket with this release, in this Region."}
	parameters["CodePrefix"] = object{"Type": "String", "Default": "drawbridge/" + version + "/", "Description": "Where in the bucket the release lies."}
}

func pretty(t object) (string, error) {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", " ")
	err := enc.Encode(t)
	return b.String(), err
}

// hubTemplate returns the hub's template with the code of its functions in the release. files are the names of the zips by function.
func hubTemplate(text, version string, files map[string]string) (string, error) {
	t, err := open(text, version)
	if err != nil {
		return "", err
	}
	place(t, version)
	used := 0
	for id, r := range t["Resources"].(object) {
		r := r.(object)
		if r["Type"] != "AWS::Lambda::Function" {
			continue
		}
		properties := r["Properties"].(object)
		name := strings.TrimPrefix(properties["FunctionName"].(string), "drawbridge-")
		if files[name] == "" {
			return "", fmt.Errorf("%s is the function %s, which was not built: run make package", id, name)
		}
		used++
		properties["Code"] = object{"S3Bucket": ref("CodeBucket"), "S3Key": sub("${CodePrefix}functions/" + files[name])}
	}
	if used != len(files) {
		return "", fmt.Errorf("%d functions were built, and the hub has %d", len(files), used)
	}
	return pretty(t)
}

// memberTemplate returns the member's template, for the StackSet and for a plain stack.
func memberTemplate(text, version string) (string, error) {
	t, err := open(text, version)
	if err != nil {
		return "", err
	}
	return pretty(t)
}

// organizationTemplate returns the template of the StackSet. What cdk.json says of an organization, here parameters say. A list of those may have
// 4,096 characters; cdk.json takes longer ones.
func organizationTemplate(text, version string) (string, error) {
	t, err := open(text, version)
	if err != nil {
		return "", err
	}
	place(t, version)
	parameters := t["Parameters"].(object)
	list := func(name, form, about string) object {
		p := object{"Type": "CommaDelimitedList", "Description": about, "AllowedPattern": form}
		parameters[name] = p
		return p
	}
	list("TargetOrganizationalUnits", "^(ou-[0-9a-z]{4,32}-[a-z0-9]{8,32}|r-[0-9a-z]{4,32})$", "The organizational units whose accounts become members, with commas.")
	list("Regions", "^[a-z0-9-]+$", "The Regions to listen to, with commas; the first is the home Region, where the members' roles are created.")
	list("ExcludedAccounts", "^([0-9]{12})?$", "Accounts of the target units that do not become members, with commas.")["Default"] = ""
	parameters["CallAs"] = object{"Type": "String", "AllowedValues": []string{"DELEGATED_ADMIN", "SELF"}, "Default": "DELEGATED_ADMIN",
		"Description": "SELF where the management account owns the StackSet."}
	parameters["ObserveOnly"] = object{"Type": "String", "AllowedValues": []string{"true", "false"}, "Default": "false",
		"Description": "true: the members' roles hold no right to change anything."}
	t["Conditions"] = object{"LeavesOut": object{"Fn::Not": []any{object{"Fn::Equals": []any{object{"Fn::Join": []any{"", ref("ExcludedAccounts")}}, ""}}}}}
	leavesOut := func(value any) object { return object{"Fn::If": []any{"LeavesOut", value, ref("AWS::NoValue")}} }

	sets := 0
	for _, r := range t["Resources"].(object) {
		r := r.(object)
		if r["Type"] != "AWS::CloudFormation::StackSet" {
			continue
		}
		sets++
		properties := r["Properties"].(object)
		properties["CallAs"] = ref("CallAs")
		properties["TemplateURL"] = sub("https://s3.${AWS::Region}.${AWS::URLSuffix}/${CodeBucket}/${CodePrefix}drawbridge-member.template.json")
		properties["OperationPreferences"].(object)["RegionOrder"] = ref("Regions")
		properties["StackInstancesGroup"] = []any{object{"Regions": ref("Regions"), "DeploymentTargets": object{
			"OrganizationalUnitIds": ref("TargetOrganizationalUnits"), "AccountFilterType": leavesOut("DIFFERENCE"), "Accounts": leavesOut(ref("ExcludedAccounts"))}}}
		given := map[string]any{"HomeRegion": object{"Fn::Select": []any{0, ref("Regions")}}, "ObserveOnly": ref("ObserveOnly")}
		for _, p := range properties["Parameters"].([]any) {
			p := p.(object)
			if value, ok := given[p["ParameterKey"].(string)]; ok {
				p["ParameterValue"] = value
				delete(given, p["ParameterKey"].(string))
			}
		}
		if len(given) > 0 {
			return "", fmt.Errorf("the StackSet does not give %v to the members", given)
		}
	}
	if sets != 1 {
		return "", fmt.Errorf("the template of the organization has %d StackSets", sets)
	}
	return pretty(t)
}
