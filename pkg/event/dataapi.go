package event

import (
	"encoding/json"
	"strings"

	"github.com/drawbridge-cloud/drawbridge/pkg/tag"
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
	out.Kind, out.Place, out.ClusterARN = DataAPI, where, arn
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
	out.Kind, out.Place, out.VPC = DataAPI, where, d.VPC
	return out, nil
}

// clusterOf returns the ARN of a DB cluster of a place, "" if it is about something else. A cluster that is not of the place is a lie.
func clusterOf(at Place, name string) (string, error) {
	kind, id, err := named(at, "rds", name)
	if err != nil || kind != tag.DBCluster {
		return "", err
	}
	return id, nil
}

// ClusterID returns the identifier of the cluster with an ARN; an id without a colon is its own.
func ClusterID(arn string) string { return arn[strings.LastIndexByte(arn, ':')+1:] }
