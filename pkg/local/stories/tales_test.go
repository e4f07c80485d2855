package stories

import (
	"net/netip"

	"github.com/drawbridge-cloud/drawbridge/pkg/local"
	"github.com/drawbridge-cloud/drawbridge/pkg/local/scenario"
)

// tales are all stories. To add one, add an entry and run
// `go test ./pkg/local/stories -run TestStories/NAME -update`.
var tales = []tale{
	{
		name:  "s1-peering",
		title: "A notebook reaches a database in another account",
		about: `
Account 111111111111 (alpha) has a notebook in 10.1.0.0/24 with a lifecycle configuration of its own. Account
222222222222 (beta) has a MySQL database in 10.2.0.0/16; its VPC carries the tag drawbridge:accept=auto and the
database the tag drawbridge:share=true. Nothing connects the two.`,
		acts:      []act{request("Connected")},
		connected: true,
		also:      thrifty,
		struck:    []int{1},
	},
	{
		name:  "approval",
		title: "A person approves a peering by a tag",
		about: `
As in s1-peering.md, but the accepter's VPC says nothing about accepting. Drawbridge asks its owner, who answers with a
tag on the pending peering.`,
		change: func(s *scenario.Spec) { s.Accept = "" },
		acts: []act{
			request("AwaitingApproval"),
			{"The event is delivered again; nobody is told twice.", again(nil), []string{"AwaitingApproval"}},
			{"The owner of beta tags the peering: drawbridge:approval=approved.", approve("approved"), []string{"Announced", "Connected"}},
		},
		connected: true,
		also:      toldOnce("drawbridge-ask-approval"),
		struck:    []int{1, 3},
	},
	{
		name:   "approval-rejected",
		title:  "A person rejects a peering by a tag",
		about:  "As in approval.md, but the owner answers no.",
		change: func(s *scenario.Spec) { s.Accept = "" },
		acts: []act{
			request("AwaitingApproval"),
			{"The owner of beta tags the peering: drawbridge:approval=rejected.", approve("rejected"), []string{"Announced", "Refused", "Rejected"}},
		},
		struck: []int{2},
	},
	{
		name:   "refused",
		title:  "The policy refuses a peering",
		about:  "As in s1-peering.md, but the accepter's VPC carries the tag drawbridge:accept=never.",
		change: func(s *scenario.Spec) { s.Accept = "never" },
		acts:   []act{request("Refused")},
	},
	{
		name:  "conflict",
		title: "A live route points elsewhere",
		about: `
As in approval.md, but the owner of beta accepts the request by hand, and one of beta's route tables already sends
10.1.0.0/24 into a VPN. Drawbridge never takes a live route over. All else is set up, and the notebook says that it has its host route; the verdict
names the route and the remedy. Once the owner has removed it, a new execution with the same input connects.`,
		change: func(s *scenario.Spec) { s.Accept = "" },
		acts: []act{
			request("AwaitingApproval"),
			{"The owner of beta sends 10.1.0.0/24 into a VPN and accepts the peering.", elsewhere, []string{"Conflict", "Nothing", "Nothing"}},
			{"The owner of beta deletes the route; an operator starts a new execution with the same input.", again(removeVPN), []string{"Connected", "Nothing", "Nothing"}},
		},
		connected: true,
	},
	{
		name:      "two-regions",
		title:     "The two accounts are in different Regions",
		about:     "As in s1-peering.md, but beta lives in eu-west-1.",
		change:    func(s *scenario.Spec) { s.Producer.Region = "eu-west-1" },
		acts:      []act{request("Connected")},
		connected: true,
	},
	{
		name:  "notebook-stopped",
		title: "A stopped notebook without a lifecycle configuration",
		about: "As in s1-peering.md, but the notebook has no lifecycle configuration and is stopped, so one can be attached.",
		change: func(s *scenario.Spec) {
			s.Notebook.LifecycleConfig, s.Notebook.OnStart, s.Notebook.Stopped = "", "", true
		},
		acts:      []act{request("Connected", "InSync")},
		connected: true,
	},
	{
		name:  "twice",
		title: "The same event comes twice",
		about: "EventBridge may deliver an event more than once. The second execution of s1-peering.md changes nothing.",
		acts: []act{
			request("Connected"),
			{"The event is delivered again.", again(nil), []string{"Connected"}},
		},
		connected: true,
		also:      changesNothingTheSecondTime,
	},
	{
		name:  "throttled",
		title: "AWS throttles a call",
		about: `
As in s1-peering.md, but AWS answers the first calls that accept the peering with RequestLimitExceeded, as often as the
SDK tries. The state fails with a kind that the machine retries.`,
		fault: func(w *scenario.World) local.Injector {
			return failing("AcceptVpcPeeringConnection", w.Producer.Account, 3, &local.Fault{Throttle: true})
		},
		acts:      []act{request("Connected")},
		connected: true,
	},
	{
		name:  "not-shared",
		title: "A database that is not shared stays closed",
		about: `
As in s1-peering.md, but the database has no tag drawbridge:share. The networks are connected, and the database's
security group is not touched.`,
		change: func(s *scenario.Spec) { s.Share = "" },
		acts:   []act{request("Connected")},
		also:   never("AuthorizeSecurityGroupIngress"),
	},
	{
		name:   "overlap",
		title:  "The two VPCs have the same addresses",
		about:  "As in s1-peering.md, but beta's VPC has alpha's CIDR. AWS itself fails such a peering.",
		change: func(s *scenario.Spec) { s.Producer.CIDR, s.Producer.Subnets = s.Consumer.CIDR, s.Consumer.Subnets },
		acts:   []act{request("Refused")},
		also:   never("AcceptVpcPeeringConnection"),
	},
	{
		name:    "overlap-reached",
		title:   "One VPC already reaches the other's addresses elsewhere",
		about:   "As in s1-peering.md, but one of beta's route tables already sends 10.1.0.0/24 into a VPN.",
		prepare: vpn,
		acts:    []act{request("Refused")},
		also:    never("AcceptVpcPeeringConnection"),
	},
	{
		name:  "container-bridge",
		title: "A notebook cannot reach 172.17.0.0/16",
		about: `
As in s1-peering.md, but beta's VPC is 172.17.0.0/16: on a notebook instance those addresses are the container bridge.`,
		change: func(s *scenario.Spec) {
			s.Producer.CIDR = netip.MustParsePrefix("172.17.0.0/16")
			for i := range s.Producer.Subnets {
				s.Producer.Subnets[i] = netip.PrefixFrom(netip.AddrFrom4([4]byte{172, 17, byte(i), 0}), 24)
			}
		},
		acts: []act{request("Refused")},
		also: never("AcceptVpcPeeringConnection"),
	},
	{
		name:  "outsider",
		title: "The requester is outside the organization",
		about: `
As in s1-peering.md, but alpha does not belong to the organization: nothing there is deployed, and its events go nowhere.
Drawbridge hears of the request when beta's owner approves it, and refuses.`,
		change: func(s *scenario.Spec) { s.Consumer.Account = stranger },
		acts: []act{
			request(),
			{"The owner of beta tags the peering: drawbridge:approval=approved.", approve("approved"), []string{"Announced", "Refused"}},
		},
		also: never("AcceptVpcPeeringConnection"),
	},
	{
		name:  "notebook-running",
		title: "A running notebook without a lifecycle configuration",
		about: `
As in s1-peering.md, but the notebook has no lifecycle configuration and runs. A configuration can only be attached to a
stopped notebook, and nobody allowed to restart it: it is left alone, and its status says so. When its owner stops it,
the configuration is attached.`,
		change: func(s *scenario.Spec) { s.Notebook.LifecycleConfig, s.Notebook.OnStart = "", "" },
		acts: []act{
			request("PartlyConnected"),
			{"The owner of alpha stops the notebook.", stop, []string{"InSync", "InSync"}},
		},
		connected: true,
		struck:    []int{2},
	},
	{
		name:  "notebook-restart",
		title: "A running notebook that may be restarted",
		about: "As in notebook-running.md, but the notebook carries the tag drawbridge:restart=Allowed.",
		change: func(s *scenario.Spec) {
			s.Notebook.LifecycleConfig, s.Notebook.OnStart = "", ""
			s.Notebook.Tags = map[string]string{"drawbridge:restart": "Allowed"}
		},
		acts:      []act{request("Connected", "InSync")},
		connected: true,
		unruly:    true,
		struck:    []int{1},
	},
	{
		name:      "notebook-vpc-only",
		title:     "A notebook without direct internet access",
		about:     "As in s1-peering.md, but all traffic of the notebook leaves by its VPC already, so it needs no host route.",
		change:    func(s *scenario.Spec) { s.Notebook.DirectInternet = false },
		acts:      []act{request("Connected")},
		connected: true,
		also:      never("UpdateNotebookInstanceLifecycleConfig"),
	},
	{
		name:  "liar",
		title: "An event claims what is not so",
		about: `
Drawbridge believes AWS, not events. A peering that does not exist is nothing to do; an event that it cannot read fails
and waits in the dead-letter queue.`,
		acts: []act{
			{"The owner of alpha puts an event about pcx-0123456789abcdef0 on the default bus.", lie("pcx-0123456789abcdef0"), []string{"Nothing"}},
			{"The owner of alpha puts an event about pcx-$(reboot) on the default bus.", lie("pcx-$(reboot)"), []string{"Invalid"}},
		},
		also: changesNothing,
	},
}
