package stories

import (
	"github.com/drawbridge-cloud/drawbridge/pkg/local"
	"github.com/drawbridge-cloud/drawbridge/pkg/local/scenario"
)

// hubMembers are the stories in which the hub account is a member too: it stands in a target unit like any other.
var hubMembers = []tale{
	{
		name:  "hub-is-a-member",
		title: "The hub account is a member",
		about: `
As in s1-peering.md, but alpha's notebook lives in the hub account itself, which has the member stack beside the hub. Its
events go from the account's default bus to the hub's bus, and the functions enter the account that they run in, by the roles
of a member.`,
		change:    func(s *scenario.Spec) { s.Consumer.Account = local.HubAccount },
		acts:      []act{request("Connected")},
		connected: true,
	},
}
