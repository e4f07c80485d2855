package awscall

import (
	"regexp"
	"strings"
)

// tells lists parameters by how much they tell about a call, best first. A
// pattern stands for a whole parameter name.
var tells = compile(
	// What is changed or asked about by name.
	`RouteTableId`, `GroupId`, `VpcPeeringConnectionId`, `NetworkAclId`,
	`ResourceId\.1`, `SecurityGroupRuleId`,
	`NotebookInstanceName`, `NotebookInstanceLifecycleConfigName`, `DomainId`,
	`DBInstanceIdentifier`, `DBClusterIdentifier`, `ClusterIdentifier`, `KeyId`,
	`FunctionName`, `RoleArn`, `ResourceArn`, `ResourceName`, `TopicArn`, `QueueUrl`, `AccountId`, `Name`,
	`Entries\.1\.DetailType`,
	// Lists of ids.
	`(RouteTable|Group|VpcPeeringConnection|Vpc|Subnet|NetworkAcl|SecurityGroupRule)Id\.1`,
	// What a new thing is made in or for.
	`VpcId`, `SubnetId`,
	// Filters: the value, not the name.
	`Filters?\.(Filter\.)?1\.Values?\.(Value\.)?1`,
)

// looksLikeID is the last resort: any parameter that names something.
var looksLikeID = regexp.MustCompile(`(Id|Name|Arn|Identifier)(\.1)?$`)

func compile(patterns ...string) []*regexp.Regexp {
	out := make([]*regexp.Regexp, len(patterns))
	for i, p := range patterns {
		out[i] = regexp.MustCompile(`^` + p + `$`)
	}
	return out
}

// telling picks the value that tells most about the call and, if it is the first of a list, the others of that.
func telling(parameters []parameter) (value, others string) {
	for _, t := range tells {
		for _, p := range parameters {
			if t.MatchString(p.name) {
				return p.value, beside(parameters, p)
			}
		}
	}
	for _, p := range parameters {
		if looksLikeID.MatchString(p.name) && !strings.HasPrefix(p.name, "Filter") {
			return p.value, beside(parameters, p)
		}
	}
	return "", ""
}

// beside returns the other values of the list that a parameter is the first of, such as GroupId.1, or Filter.2.Value.1.
func beside(parameters []parameter, first parameter) string {
	list, ok := strings.CutSuffix(first.name, ".1")
	var out []string
	for _, p := range parameters {
		if of, number, some := cutLast(p.name); ok && some && of == list && number != "1" {
			out = append(out, p.value)
		}
	}
	return strings.Join(out, " ")
}

func cutLast(name string) (before, after string, found bool) {
	n := strings.LastIndexByte(name, '.')
	if n < 0 {
		return name, "", false
	}
	return name[:n], name[n+1:], true
}
