package event

import (
	"encoding/json"
	"regexp"
)

// vpcARN is the form of a VPC's ARN.
var vpcARN = regexp.MustCompile(`^arn:aws[a-z-]*:ec2:([a-z0-9-]+):([0-9]{12}):vpc/(vpc-[0-9a-f]{8,32})$`)

// taggedVPC returns the VPC of a place whose tags changed, "" if the event is about something else.
// https://docs.aws.amazon.com/tag-editor/latest/userguide/monitor-tag-changes.html
func taggedVPC(at Place, resources json.RawMessage) string {
	var arns []string
	if json.Unmarshal(resources, &arns) != nil {
		return ""
	}
	for _, arn := range arns {
		if m := vpcARN.FindStringSubmatch(arn); m != nil && m[1] == at.Region && m[2] == at.Account {
			return m[3]
		}
	}
	return ""
}
