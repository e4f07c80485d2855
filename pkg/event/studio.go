package event

import (
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"strings"
)

// StudioToInspect is the detail-type of Drawbridge's own event that the readers of a Redshift cluster want a look.
const StudioToInspect = "Studio To Inspect"

// StudioInspection is the detail of Drawbridge's own event [StudioToInspect].
type StudioInspection struct {
	Account string `json:"account"`
	Region  string `json:"region"`
	Cluster string `json:"clusterIdentifier"`
	// Consumer is the account for whose sake somebody asks; empty if nobody's.
	Consumer string `json:"consumer,omitempty"`
	Reason   string `json:"reason"`
}

var (
	// https://docs.aws.amazon.com/redshift/latest/mgmt/managing-clusters-console.html
	clusterForm = regexp.MustCompile(`^[a-z][a-z0-9-]{0,62}$`)
	// https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_DescribeDomain.html
	domainForm = regexp.MustCompile(`^d-(-*[a-z0-9]){1,61}$`)
)

// studioToInspect reads Drawbridge's own event, strictly: only Drawbridge sends it.
func studioToInspect(out Event, detail json.RawMessage) (Event, error) {
	var d StudioInspection
	if err := strictly(detail, &d); err != nil {
		return Event{}, err
	}
	where, err := place(d.Account, d.Region)
	if err != nil {
		return Event{}, err
	}
	if d.Consumer != "" && !accountForm.MatchString(d.Consumer) {
		return Event{}, invalid("detail.consumer %q does not have twelve digits", clip(d.Consumer))
	}
	if !clusterForm.MatchString(d.Cluster) {
		return Event{}, invalid("detail.clusterIdentifier %q is not the identifier of a Redshift cluster", clip(d.Cluster))
	}
	out.Kind, out.Place, out.Cluster, out.Consumer = Studio, where, d.Cluster, d.Consumer
	return out, nil
}

// namedCluster returns the Redshift cluster that the parameters of a call name, if they do: by its identifier, or by the ARN
// of a thing that is tagged. Whatever else they hold, the cluster is one of the caller's own account.
func namedCluster(parameters json.RawMessage) string {
	var p struct {
		ID   string `json:"clusterIdentifier"`
		Name string `json:"resourceName"`
	}
	if object(parameters, &p) != nil {
		return ""
	}
	if arn := strings.Split(p.Name, ":"); len(arn) == 7 && arn[2] == "redshift" && arn[5] == "cluster" {
		p.ID = arn[6]
	}
	if !clusterForm.MatchString(p.ID) {
		return ""
	}
	return p.ID
}

// The workgroup's name, or its ARN, which ends with its id.
// https://docs.aws.amazon.com/redshift-serverless/latest/APIReference/API_Workgroup.html
var (
	workgroupForm    = regexp.MustCompile(`^[a-z0-9-]{3,64}$`)
	workgroupARNForm = regexp.MustCompile(`^arn:aws(-[a-z]+)*:redshift-serverless:[a-z0-9-]+:[0-9]{12}:workgroup/[0-9a-f-]{1,64}$`)
)

// workgroupCall reads CloudTrail's record of a call of Redshift Serverless that tags a workgroup, or makes one. Other things
// of Redshift Serverless have tags, too.
// https://docs.aws.amazon.com/redshift-serverless/latest/APIReference/API_TagResource.html
func workgroupCall(out Event, detail json.RawMessage) (Event, error) {
	var c call
	if err := json.Unmarshal(detail, &c); err != nil {
		return Event{}, invalid("detail: %v", err)
	}
	out.Name = clip(c.EventName)
	var p struct {
		ARN  string `json:"resourceArn"`
		Name string `json:"workgroupName"`
		Tags []struct{ Key string }
	}
	if err := object(c.Parameters, &p); err != nil {
		return Event{}, invalid("detail.requestParameters: %v", err)
	}
	if p.Name == "" {
		p.Name = p.ARN
	}
	switch {
	case c.ErrorCode != "":
		out.Failed = true
		out.Why = fmt.Sprintf("%s failed with %s, so nothing changed", out.Name, clip(c.ErrorCode))
	case c.EventName != "TagResource" && c.EventName != "CreateWorkgroup",
		!slices.ContainsFunc(p.Tags, func(t struct{ Key string }) bool { return t.Key == "drawbridge:studio" }):
		out.Why = out.Name + " of Redshift Serverless shares no workgroup"
	case !workgroupForm.MatchString(p.Name) && !workgroupARNForm.MatchString(p.Name):
		out.Why = fmt.Sprintf("%s is not about a workgroup: %q", out.Name, clip(p.Name))
	default:
		out.Kind, out.Workgroup = Studio, p.Name
	}
	return out, nil
}

// peopleCalls are the API calls of SageMaker that change which execution roles the people of a Studio domain have.
var peopleCalls = map[string]bool{"CreateDomain": true, "UpdateDomain": true, "CreateUserProfile": true, "UpdateUserProfile": true}

// studioCall reads CloudTrail's record of a call about SageMaker Studio: domains, apps and spaces have no event of their
// own. Two things matter: an app that was deleted, because some settings of a domain wait for that, and who works in a
// domain with which role.
// https://docs.aws.amazon.com/sagemaker/latest/dg/monitor-user-access-how-to.html
func studioCall(out Event, detail json.RawMessage) (Event, error) {
	var c call
	if json.Unmarshal(detail, &c) == nil && c.EventName != "" {
		out.Name = clip(c.EventName)
	}
	switch {
	case c.EventName == "DeleteApp" && c.ErrorCode == "":
		var p struct {
			Domain string `json:"domainId"`
		}
		if err := object(c.Parameters, &p); err != nil {
			return Event{}, invalid("detail.requestParameters: %v", err)
		}
		if !domainForm.MatchString(p.Domain) {
			return Event{}, invalid("%s names no domain: %q is not of the form d-0123456789ab", out.Name, clip(p.Domain))
		}
		out.Kind, out.DomainID = Studio, p.Domain
		return out, nil
	case peopleCalls[c.EventName] && c.ErrorCode == "":
		out.Kind, out.Roles = Studio, true
		return out, nil
	case c.EventName == "DeleteApp" || peopleCalls[c.EventName]:
		out.Failed = true
		out.Why = fmt.Sprintf("%s failed with %s, so nothing changed", out.Name, clip(c.ErrorCode))
		return out, nil
	}
	for _, thing := range []string{"Domain", "App", "Space", "UserProfile"} {
		if strings.Contains(out.Name, thing) {
			out.Why = out.Name + " is about Studio, which needs no host routes: in VPC only mode all its traffic leaves by the VPC"
			return out, nil
		}
	}
	out.Why = out.Name + " of SageMaker is not about a notebook's state"
	return out, nil
}
