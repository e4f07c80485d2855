package workflow

import (
	"cmp"

	"github.com/drawbridge-cloud/drawbridge/pkg/event"
	"github.com/drawbridge-cloud/drawbridge/pkg/policy"
)

// Place returns the account and Region of the VPC.
func (v VPC) Place() event.Place { return event.Place{Account: v.Account, Region: v.Region} }

// Entity returns the account as the policy speaks of it.
func (a AccountFacts) Entity() policy.Account {
	return policy.Account{ID: a.ID, Name: a.Name, Organization: a.Organization, OUPath: a.OUPath}
}

// Entity returns the VPC as the policy speaks of it.
func (f Facts) Entity() policy.VPC {
	return policy.VPC{ID: f.VPC.ID, Region: f.VPC.Region, CIDRs: f.VPC.CIDRs, Tags: f.Tags, Account: f.Account.Entity()}
}

// Network returns the account that owns the notebook's VPC, where its route table is, and the Region.
func (n Notebook) Network() event.Place {
	return event.Place{Account: cmp.Or(n.Owner, n.Account), Region: n.Region}
}
