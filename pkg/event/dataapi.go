package event

import (
	"encoding/json"
	"regexp"
	"strings"
)

// DataAPIToInspect and DataAPIEndpointToInspect are the detail-types of Drawbridge's own events that an Aurora cluster, or a
// VPC from which the Data API is called, wants a look.
const (
	DataAPIToInspect         = "Data API To Inspect"
	DataAPIEndpointToInspect = "Data API Endpoint To Inspect"
)

// DataAPIInspection is the detail of Drawbridge's own event [DataAPIToInspect]. Account and Region are those of the ARN.
type DataAPIInspection struct {
	Account string `json:"account"`
	Region  string `json:"region"`
	Cluster string `json:"dbClusterArn"`
	Reason  string `json:"reason"`
}

// DataAPIEndpointInspection is the detail of Drawbridge's own event [DataAPIEndpointToInspect].
type DataAPIEndpointInspection struct {
	Account string `json:"account"`
	Region  string `json:"region"`
	VPC     string `json:"vpcId"`
	Reason  string `json:"reason"`
}

func dataAPIToInspect(out Event, detail json.RawMessage) (Event, error) {
	var d DataAPIInspection
	if err := strictly(detail, &d); err != nil {
		return Event{}, err
	}
	where, err := place(d.Account, d.Region)
	if err != nil {
		return Event{}, err
	}
	arn, err := clusterOf(where, d.Cluster)
	if err != nil {
		return Event{}, err
	}
	if arn == "" {
		return Event{}, invalid("detail.dbClusterArn %q is not the ARN of a DB cluster", clip(d.Cluster))
	}
	out.Kind, out.Place, out.ClusterARN = Change, where, arn
	return out, nil
}

func dataAPIEndpointToInspect(out Event, detail json.RawMessage) (Event, error) {
	var d DataAPIEndpointInspection
	if err := strictly(detail, &d); err != nil {
		return Event{}, err
	}
	where, err := place(d.Account, d.Region)
	if err != nil {
		return Event{}, err
	}
	if !vpcForm.MatchString(d.VPC) {
		return Event{}, invalid("detail.vpcId %q is not of the form vpc-0123456789abcdef0", clip(d.VPC))
	}
	out.Kind, out.Place, out.VPC = Change, where, d.VPC
	return out, nil
}

// dbClusterForm is the form of the ARN of a DB cluster. RDS stores identifiers in lower case.
// https://docs.aws.amazon.com/AmazonRDS/latest/APIReference/API_CreateDBCluster.html
var dbClusterForm = regexp.MustCompile(`^arn:aws[a-z-]*:rds:([a-z0-9-]+):([0-9]{12}):cluster:([a-z](?:-?[a-z0-9]){0,62})$`)

// cluster returns the ARN of the DB cluster that a tag call of RDS names, "" if it names something else. A cluster that is
// not of the place where the call was made is a lie.
func cluster(at Place, parameters json.RawMessage) (string, error) {
	var p struct {
		Name string `json:"resourceName"`
	}
	if object(parameters, &p) != nil {
		return "", nil
	}
	return clusterOf(at, p.Name)
}

// source returns the ARN of the DB cluster that an event of RDS's own is about, "" if it is about something else.
func source(at Place, detail json.RawMessage) (string, error) {
	var d struct {
		Name string `json:"SourceArn"`
	}
	if object(detail, &d) != nil {
		return "", nil
	}
	return clusterOf(at, d.Name)
}

func clusterOf(at Place, name string) (string, error) {
	if !strings.Contains(name, ":rds:") || !strings.Contains(name, ":cluster:") {
		return "", nil
	}
	parts := dbClusterForm.FindStringSubmatch(name)
	if parts == nil || parts[1] != at.Region || parts[2] != at.Account {
		return "", invalid("%q is not a DB cluster of %s, %s", clip(name), at.Account, at.Region)
	}
	return name, nil
}

// ClusterID returns the identifier of the cluster with an ARN.
func ClusterID(arn string) string { return arn[strings.LastIndexByte(arn, ':')+1:] }
