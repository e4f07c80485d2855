package policy

import (
	"github.com/cedar-policy/cedar-go/types"

	"github.com/drawbridge-cloud/drawbridge/pkg/tag"
)

// A Role is an IAM role with which the apps of a SageMaker Studio domain run.
type Role struct {
	ARN     string
	Name    string
	Region  string // of the domain: IAM itself is global
	Tags    map[string]string
	Account Account
}

// A Warehouse is a Redshift cluster, as far as it is not a matter of the network: see [Database] for that.
type Warehouse struct {
	ARN     string
	ID      string // cluster identifier
	Region  string
	Tags    map[string]string
	Account Account
}

func (r Role) entity() entity {
	attributes := r.Account.whereabouts(r.Region)
	attributes["name"] = types.String(r.Name)
	return entity{
		uid:        types.NewEntityUID("Drawbridge::Role", types.String(r.ARN)),
		parent:     r.Account.uid(),
		attributes: attributes, tags: r.Tags, account: r.Account, region: r.Region,
	}
}

func (w Warehouse) entity() entity {
	attributes := w.Account.whereabouts(w.Region)
	attributes["id"] = types.String(w.ID)
	attributes["sharedWith"] = words(w.Tags[tag.Studio])
	return entity{
		uid:        types.NewEntityUID("Drawbridge::Warehouse", types.String(w.ARN)),
		parent:     w.Account.uid(),
		attributes: attributes, tags: w.Tags, account: w.Account, region: w.Region,
	}
}

// Identify asks whether role may query warehouse, as the database user whose name is the session's source identity.
func (s *Set) Identify(role Role, warehouse Warehouse, c Context) Decision {
	return s.Decide(Identify, role, warehouse, c)
}
