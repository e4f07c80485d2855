package event

import (
	"strings"
	"testing"

	"github.com/drawbridge-cloud/drawbridge/pkg/fault"
	"github.com/drawbridge-cloud/drawbridge/pkg/tag"
)

func TestATagCallNamesItsCluster(t *testing.T) {
	const arn = "arn:aws:rds:us-east-1:222222222222:cluster:sales-2"
	const text = `{"source":"aws.rds","detail-type":"AWS API Call via CloudTrail","account":"222222222222","region":"us-east-1",
		"detail":{"eventName":"AddTagsToResource","requestParameters":{"resourceName":"ARN","tags":[{"key":"drawbridge:data-api"}]}}}`
	for name, c := range map[string]struct{ resource, want string }{
		"a cluster":                   {arn, arn},
		"an instance":                 {strings.Replace(arn, "cluster", "db", 1), ""},
		"a snapshot of a cluster":     {strings.Replace(arn, "cluster", "cluster-snapshot", 1), ""},
		"a cluster of another Region": {strings.Replace(arn, "us-east-1", "us-east-2", 1), "Invalid"},
		"a cluster of somebody else":  {strings.Replace(arn, "222222222222", "111111111111", 1), "Invalid"},
		"a name that does more":       {arn + "$(reboot)", "Invalid"},
		"a name with a slash":         {arn + "/x", "Invalid"},
		"two hyphens":                 {arn + "--x", "Invalid"},
		"nothing":                     {"", ""},
	} {
		got, err := ReadChanged([]byte(strings.Replace(text, "ARN", c.resource, 1)))
		if c.want == "Invalid" {
			if fault.Of(err) != fault.Invalid {
				t.Errorf("%s: %+v, %v, want it to be invalid", name, got.Things, err)
			}
			continue
		}
		if err != nil || c.want == "" != (len(got.Things) == 0) || c.want != "" && (got.Things[0].ID != c.want || got.Things[0].Kind != tag.DBCluster) {
			t.Errorf("%s: %+v, %v, want the cluster %q", name, got.Things, err, c.want)
		}
	}
	created := strings.Replace(`{"source":"aws.rds","detail-type":"RDS DB Cluster Event","account":"222222222222","region":"us-east-1",
		"detail":{"SourceArn":"ARN","EventID":"RDS-EVENT-0170"}}`, "ARN", arn, 1)
	if got, err := ReadChanged([]byte(created)); err != nil || len(got.Things) != 1 || got.Things[0].ID != arn || got.Things[0].Act != tag.Creates {
		t.Errorf("a created cluster: %+v, %v", got.Things, err)
	}
	if got := ClusterID(arn); got != "sales-2" {
		t.Errorf("ClusterID = %q", got)
	}
}
