package event

import (
	"encoding/json"
	"regexp"
	"strings"
)

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
