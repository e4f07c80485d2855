package fanout_test

import (
	"reflect"
	"slices"
	"testing"

	"github.com/drawbridge-cloud/drawbridge/pkg/event"
	"github.com/drawbridge-cloud/drawbridge/pkg/fanout"
	"github.com/drawbridge-cloud/drawbridge/pkg/look"
	"github.com/drawbridge-cloud/drawbridge/pkg/tag"
	"github.com/drawbridge-cloud/drawbridge/pkg/tag/tagtest"
)

var here = event.Place{Account: "111111111111", Region: "eu-west-1"}

func TestPlan(t *testing.T) {
	const why = "CreateTags"
	vpcLook := event.AttachmentInspection{Account: here.Account, Region: here.Region, VPC: "vpc-1", Reason: why}
	endpoint := event.DataAPIEndpointInspection{Account: here.Account, Region: here.Region, VPC: "vpc-1", Reason: why}
	private := event.PrivateNotebooksInspection{Account: here.Account, Region: here.Region, Reason: why}
	cluster := "arn:aws:rds:eu-west-1:111111111111:cluster:sales"
	dataAPI := event.DataAPIInspection{Account: here.Account, Region: here.Region, Cluster: cluster, Reason: why}
	warehouse := "arn:aws:redshift:eu-west-1:111111111111:cluster:sales"
	studio := event.StudioInspection{Account: here.Account, Region: here.Region, Cluster: "sales", Reason: why}
	roles := event.StudioInspection{Account: here.Account, Region: here.Region, Roles: true, Reason: why}
	for name, c := range map[string]struct {
		things []event.Thing
		want   fanout.Concern
	}{
		"nothing":                         {nil, fanout.Concern{}},
		"the addresses of a VPC":          {[]event.Thing{{Kind: tag.VPC, ID: "vpc-1", Act: tag.Changes}}, fanout.Concern{VPCs: []string{"vpc-1"}, Networks: []string{"vpc-1"}}},
		"accept on two VPCs":              {[]event.Thing{{Kind: tag.VPC, ID: "vpc-2", Act: tag.Sets, Keys: []string{tag.Accept}}, {Kind: tag.VPC, ID: "vpc-1", Act: tag.Sets, Keys: []string{tag.Accept}}}, fanout.Concern{VPCs: []string{"vpc-1", "vpc-2"}}},
		"attach":                          {[]event.Thing{{Kind: tag.VPC, ID: "vpc-1", Act: tag.Sets, Keys: []string{tag.Attach}}}, fanout.Concern{Looks: []look.Look{vpcLook}, Invited: true}},
		"attach no more":                  {[]event.Thing{{Kind: tag.VPC, ID: "vpc-1", Act: tag.Removes, Keys: []string{tag.Attach}}}, fanout.Concern{Looks: []look.Look{vpcLook}}},
		"all tags of a VPC":               {[]event.Thing{{Kind: tag.VPC, ID: "vpc-1", Act: tag.Removes}}, fanout.Concern{VPCs: []string{"vpc-1"}, Looks: []look.Look{vpcLook, endpoint, private}}},
		"a table":                         {[]event.Thing{{Kind: tag.RouteTable, ID: "rtb-1", Act: tag.Changes}}, fanout.Concern{Tables: []string{"rtb-1"}}},
		"an instance is shared":           {[]event.Thing{{Kind: tag.DBInstance, ID: "x", Act: tag.Sets, Keys: []string{tag.Share}}}, fanout.Concern{Everywhere: true}},
		"an instance is modified":         {[]event.Thing{{Kind: tag.DBInstance, ID: "x", Act: tag.Changes}}, fanout.Concern{Everywhere: true}},
		"the Data API of a cluster":       {[]event.Thing{{Kind: tag.DBCluster, ID: cluster, Act: tag.Sets, Keys: []string{tag.Secret}}}, fanout.Concern{Looks: []look.Look{dataAPI}}},
		"a cluster is modified":           {[]event.Thing{{Kind: tag.DBCluster, ID: cluster, Act: tag.Changes}}, fanout.Concern{Everywhere: true}},
		"a cluster ended":                 {[]event.Thing{{Kind: tag.DBCluster, ID: cluster, Act: tag.Deletes}}, fanout.Concern{Everywhere: true, Looks: []look.Look{dataAPI}}},
		"the groups of a cluster":         {[]event.Thing{{Kind: tag.RedshiftCluster, ID: warehouse, Act: tag.Sets, Keys: []string{tag.StudioGroups}}}, fanout.Concern{Looks: []look.Look{studio}}},
		"a workgroup loses its tag":       {[]event.Thing{{Kind: tag.Workgroup, ID: "sales", Act: tag.Removes, Keys: []string{tag.Studio}}}, fanout.Concern{}},
		"a group may be opened":           {[]event.Thing{{Kind: tag.Group, ID: "sg-1", Act: tag.Sets, Keys: []string{tag.Open}}}, fanout.Concern{Everywhere: true}},
		"a role for Studio":               {[]event.Thing{{Kind: tag.Role, ID: "x", Act: tag.Sets, Keys: []string{tag.Studio}}}, fanout.Concern{Looks: []look.Look{roles}}},
		"two roles for private notebooks": {[]event.Thing{{Kind: tag.Role, ID: "x", Act: tag.Sets, Keys: []string{tag.PrivateNotebooks}}, {Kind: tag.Role, ID: "y", Act: tag.Sets, Keys: []string{tag.PrivateNotebooks}}}, fanout.Concern{Looks: []look.Look{private}}},
		"a role ended":                    {[]event.Thing{{Kind: tag.Role, ID: "x", Act: tag.Deletes}}, fanout.Concern{Looks: []look.Look{roles}}},
		"notebooks":                       {[]event.Thing{{Kind: tag.Notebook, ID: "b", Act: tag.Sets, Keys: []string{tag.Routes}}, {Kind: tag.Notebook, ID: "a", Act: tag.Sets, Keys: []string{tag.Routes}}}, fanout.Concern{Notebooks: []string{"a", "b"}}},
	} {
		if got := fanout.Plan(event.Changed{Place: here, Name: why, Things: c.things}); !reflect.DeepEqual(got, c.want) {
			t.Errorf("%s: %+v, want %+v", name, got, c.want)
		}
	}
}

// A record of a prefix list names neither the tables nor the groups that name it.
func TestAPrefixListConcernsThePlace(t *testing.T) {
	if got := fanout.Plan(event.Changed{Place: here, Name: "ModifyManagedPrefixList", Lists: []string{"pl-1"}}); !got.Everywhere {
		t.Errorf("%+v", got)
	}
}

// No record of a tag is without consequence, except that what cannot be served any more needs no look.
func TestEveryRecordOfEveryTagConcernsSomebody(t *testing.T) {
	idle := 0
	for _, c := range tagtest.Cells() {
		changed, err := event.ReadChanged(c.Event)
		if err != nil {
			t.Fatalf("%s: %v", c.Name, err)
		}
		got := fanout.Plan(changed)
		if len(got.Looks)+len(got.VPCs)+len(got.Tables)+len(got.Notebooks) > 0 || got.Everywhere || got.Clusters {
			continue
		}
		if idle++; c.Wish.On != tag.Workgroup || c.Record.Act != tag.Removes && c.Record.Act != tag.Deletes {
			t.Errorf("%s concerns nobody", c.Name)
		}
	}
	if idle != 2 {
		t.Errorf("%d records concern nobody, want those that take drawbridge:studio alone from a workgroup", idle)
	}
}

func TestOnlyATaggedVPCHasEndpointsThatFollow(t *testing.T) {
	for name, c := range map[string]struct {
		tags map[string]string
		want int
	}{
		"none": {nil, 0}, "somebody else's": {map[string]string{"Name": "x", tag.Accept: "auto"}, 0},
		"one": {map[string]string{tag.DataAPI: "true"}, 1}, "both": {map[string]string{tag.DataAPI: "true", tag.PrivateNotebooks: "true"}, 2},
	} {
		if got := fanout.Endpoints(here, "vpc-1", c.tags, "CreateSubnet"); len(got) != c.want {
			t.Errorf("%s: %v", name, got)
		}
	}
}

func TestANotebookIsFoundInItsOwnCase(t *testing.T) {
	if got, ok := fanout.Instance("analysis", []string{"Other", "Analysis"}); !ok || got != "Analysis" {
		t.Errorf("%q, %v", got, ok)
	}
	if got, ok := fanout.Instance("analysis", []string{"analysis-2"}); ok {
		t.Errorf("%q is another one", got)
	}
	if slices.Contains(tag.Keys(tag.Notebook), tag.Share) {
		t.Error("a notebook is not shared")
	}
}

func TestWhoseTagsAreAnswered(t *testing.T) {
	got := fanout.Tagged(event.Changed{Place: here, Things: []event.Thing{
		{Kind: tag.VPC, ID: "vpc-1", Act: tag.Sets, Keys: []string{tag.Accept}}, {Kind: tag.VPC, ID: "vpc-2", Act: tag.Changes},
		{Kind: tag.Peering, ID: "pcx-1", Act: tag.Removes}, {Kind: tag.Gateway, ID: "tgw-1", Act: tag.Creates, Keys: []string{tag.Accept}},
		{Kind: tag.RedshiftCluster, ID: "x", Act: tag.Creates}, {Kind: tag.Role, ID: "y", Act: tag.Deletes},
		{Kind: tag.Workgroup, ID: "z", Act: tag.Sets, Keys: []string{tag.Studio}}, {Kind: tag.Workgroup, ID: "w", Act: tag.Sets, Keys: []string{tag.Share}}}})
	var ids []string
	for _, one := range got {
		ids = append(ids, one.ID)
	}
	if want := []string{"vpc-1", "pcx-1", "tgw-1", "w"}; !slices.Equal(ids, want) {
		t.Errorf("%v, want %v", ids, want)
	}
	if fanout.Tagged(event.Changed{}) == nil {
		t.Error("no list, where the machine looks for one")
	}
}
