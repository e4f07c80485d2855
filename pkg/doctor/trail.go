package doctor

import (
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudtrail/types"
)

// lacks returns those of services whose calls that write a trail with these selectors does not log. Several selectors add up.
// https://docs.aws.amazon.com/awscloudtrail/latest/APIReference/API_AdvancedFieldSelector.html
func lacks(services []string, basic []types.EventSelector, advanced []types.AdvancedEventSelector) []string {
	left := slices.Clone(services)
	for _, s := range basic {
		if aws.ToBool(s.IncludeManagementEvents) && s.ReadWriteType != types.ReadWriteTypeReadOnly {
			left = slices.DeleteFunc(left, func(service string) bool { return !slices.Contains(s.ExcludeManagementEventSources, service) })
		}
	}
	for _, s := range advanced {
		left = slices.DeleteFunc(left, func(service string) bool { return selects(s, service) })
	}
	return left
}

// selects reports whether an advanced selector takes the calls of a service that write.
func selects(s types.AdvancedEventSelector, service string) bool {
	management := false
	for _, f := range s.FieldSelectors {
		switch aws.ToString(f.Field) {
		case "eventCategory":
			management = slices.Contains(f.Equals, "Management")
		case "readOnly":
			if !slices.Contains(f.Equals, "false") {
				return false
			}
		case "eventSource":
			if len(f.Equals) > 0 && !slices.Contains(f.Equals, service) || slices.Contains(f.NotEquals, service) {
				return false
			}
		}
	}
	return management
}

// logs says whether a trail of the organization logs everywhere: the answer, and what is not so.
func logs(trails []types.Trail) (one types.Trail, answer, detail string) {
	why := "there is no organization trail"
	for _, t := range trails {
		if !aws.ToBool(t.IsOrganizationTrail) {
			continue
		}
		name := aws.ToString(t.TrailARN)
		switch {
		case !aws.ToBool(t.IsMultiRegionTrail):
			why = name + " is of one Region"
		case !aws.ToBool(t.IncludeGlobalServiceEvents):
			why = name + " leaves out global services, such as IAM"
		default:
			return t, Yes, name
		}
	}
	return types.Trail{}, No, why
}
