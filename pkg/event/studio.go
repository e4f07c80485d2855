package event

import (
	"encoding/json"
	"strings"

	"github.com/drawbridge-cloud/drawbridge/pkg/arn"
	"github.com/drawbridge-cloud/drawbridge/pkg/tag"
)

// StudioToInspect is the detail-type of Drawbridge's own event that the readers of a Redshift cluster want a look.
const StudioToInspect = "Studio To Inspect"

// StudioInspection is the detail of Drawbridge's own event [StudioToInspect]. It names one of four: a cluster, a workgroup
// of Redshift Serverless, a Studio domain, or the execution roles of the account.
type StudioInspection struct {
	Account   string `json:"account"`
	Region    string `json:"region"`
	Cluster   string `json:"clusterIdentifier,omitempty"`
	Workgroup string `json:"workgroup,omitempty"` // its name or ARN
	Domain    string `json:"domainId,omitempty"`  // d-…
	Roles     bool   `json:"roles,omitempty"`
	Reason    string `json:"reason"`
}

var (
	// https://docs.aws.amazon.com/redshift/latest/mgmt/managing-clusters-console.html
	clusterForm = tag.RedshiftCluster.Naming().Form
	// https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_DescribeDomain.html
	domainForm = tag.Domain.Naming().Form
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
	out.Kind, out.Place = Studio, where
	switch {
	case d.Roles && d.Cluster == "" && d.Workgroup == "" && d.Domain == "":
		out.Roles = true
	case d.Workgroup != "" && d.Cluster == "" && d.Domain == "" && !d.Roles && IsWorkgroup(d.Workgroup):
		out.Workgroup = d.Workgroup
	case clusterForm.MatchString(d.Cluster) && d.Workgroup == "" && d.Domain == "" && !d.Roles:
		out.Cluster = d.Cluster
	case domainForm.MatchString(d.Domain) && d.Cluster == "" && d.Workgroup == "" && !d.Roles:
		out.DomainID = d.Domain
	default:
		return Event{}, invalid("detail names neither one Redshift cluster (%q), nor one workgroup (%q), nor one Studio domain (%q), nor roles", clip(d.Cluster), clip(d.Workgroup), clip(d.Domain))
	}
	return out, nil
}

// The workgroup's name, or its ARN, which ends with its id.
// https://docs.aws.amazon.com/redshift-serverless/latest/APIReference/API_Workgroup.html
var (
	workgroupForm = tag.Workgroup.Naming().Form
	workgroupID   = tag.Workgroup.Naming().InARN
)

// IsWorkgroup reports whether name is the name or the ARN of a workgroup of Redshift Serverless.
func IsWorkgroup(name string) bool {
	_, id, ok := arn.Match(name, "redshift-serverless", "workgroup/")
	return workgroupForm.MatchString(name) || ok && workgroupID.MatchString(id)
}

// peopleCalls are the API calls of SageMaker that change which execution roles the people of a Studio domain have.
var peopleCalls = map[string]bool{"CreateDomain": true, "UpdateDomain": true, "CreateUserProfile": true, "UpdateUserProfile": true}

// studioCall reads CloudTrail's record of a call about SageMaker Studio: domains, apps and spaces have no event of their
// own. Two things matter: an app that was deleted, because some settings of a domain wait for that, and who works in a
// domain with which role.
// https://docs.aws.amazon.com/sagemaker/latest/dg/monitor-user-access-how-to.html
func studioCall(out Event, r record) (Event, error) {
	switch {
	case r.call == "DeleteApp":
		domain := r.request.one("domainId")
		if !domainForm.MatchString(domain) {
			return Event{}, invalid("%s names no domain: %q is not of the form d-0123456789ab", out.Name, clip(domain))
		}
		out.Kind, out.DomainID = Studio, domain
		return out, nil
	case peopleCalls[r.call]:
		out.Kind, out.Roles = Studio, true
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
