package event_test

import (
	"bytes"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/drawbridge-cloud/drawbridge/pkg/event"
	"github.com/drawbridge-cloud/drawbridge/pkg/fault"
	"github.com/drawbridge-cloud/drawbridge/pkg/tag"
	"github.com/drawbridge-cloud/drawbridge/pkg/tag/tagtest"
)

func TestEveryRecordOfEveryTagNamesItsThing(t *testing.T) {
	cells := tagtest.Cells()
	if len(cells) < 100 {
		t.Fatalf("only %d cells", len(cells))
	}
	for _, c := range cells {
		t.Run(c.Name, func(t *testing.T) {
			got, err := event.ReadChanged(c.Event)
			if err != nil {
				t.Fatal(err)
			}
			if len(got.Things) != 1 {
				t.Fatalf("it names %+v (%s), want the %s", got.Things, got.Why, c.Wish.On)
			}
			thing := got.Things[0]
			if thing.Kind != c.Wish.On || thing.ID != c.ID || !thing.About(c.Wish.Key) {
				t.Errorf("it names %+v, want %s %s with %s", thing, c.Wish.On, c.ID, c.Wish.Key)
			}
			if c.Record.Machine != "" {
				if e, err := event.Parse(c.Event); err != nil || e.Kind != event.Peering && e.Kind != event.Attachment || e.PeeringID+e.AttachmentID != c.ID {
					t.Errorf("its own machine reads %+v, %v", e, err)
				}
			}
		})
	}
}

// What a record may name, as text of its parameters, and what it names.
func TestOneCallNamesSeveralThings(t *testing.T) {
	const text = `{"source":"aws.ec2","detail-type":"AWS API Call via CloudTrail","account":"111111111111","region":"us-east-1",
		"detail":{"eventName":"CreateTags","requestParameters":{"resourcesSet":{"items":[RESOURCES]},"tagSet":{"items":[{"key":"KEY","value":"x"}]}}}}`
	for name, c := range map[string]struct {
		key  string
		ids  []string
		want []string
	}{
		"two peerings and a VPC":                   {tag.Approval, []string{"pcx-01234567", "pcx-12345678", "vpc-01234567"}, []string{"pcx-01234567", "pcx-12345678"}},
		"of whatever kinds":                        {tag.Accept, []string{"vpc-01234567", "subnet-01234567", "tgw-01234567", "vpc-12345678"}, []string{"vpc-01234567", "tgw-01234567", "vpc-12345678"}},
		"one twice":                                {tag.Accept, []string{"vpc-01234567", "vpc-01234567"}, []string{"vpc-01234567"}},
		"a route table of a gateway is no gateway": {tag.Accept, []string{"tgw-rtb-01234567", "tgw-attach-01234567"}, nil},
		"a tag of somebody else's":                 {"Name", []string{"vpc-01234567"}, nil},
		"what Drawbridge says itself":              {"drawbridge:status", []string{"pcx-01234567"}, nil},
		"beside something that is no id":           {tag.Accept, []string{"vpc-$(reboot)", "vpc-01234567"}, []string{"vpc-01234567"}},
	} {
		var resources []string
		for _, id := range c.ids {
			resources = append(resources, `{"resourceId":"`+strings.ReplaceAll(id, "\n", `\n`)+`"}`)
		}
		raw := strings.NewReplacer("RESOURCES", strings.Join(resources, ","), "KEY", c.key).Replace(text)
		got, err := event.ReadChanged([]byte(raw))
		var ids []string
		for _, thing := range got.Things {
			ids = append(ids, thing.ID)
		}
		if err != nil || !slices.Equal(ids, c.want) || (got.Why == "") != (len(c.want) > 0) {
			t.Errorf("%s: %v (%q), %v, want %v", name, ids, got.Why, err, c.want)
		}
		if (got.Unread != "") != (name == "beside something that is no id") {
			t.Errorf("%s: unread is %q", name, got.Unread)
		}
	}
	alone := strings.NewReplacer("RESOURCES", `{"resourceId":"vpc-$(reboot)"}`, "KEY", tag.Accept).Replace(text)
	if _, err := event.ReadChanged([]byte(alone)); fault.Of(err) != fault.Invalid {
		t.Errorf("something that is no id, alone: %v, want Invalid", err)
	}
}

func TestSamplesOfWhatChanged(t *testing.T) {
	warehouse := "arn:aws:redshift:eu-west-1:222222222222:cluster:sales-warehouse"
	workgroup := "arn:aws:redshift-serverless:eu-west-1:222222222222:workgroup/0f6ab1d2-7c34-4e58-9b10-2a3c4d5e6f70"
	want := map[string][]event.Thing{
		"associate-vpc-cidr-block":   {{Kind: tag.VPC, ID: vpc, Act: tag.Changes}},
		"create-subnet":              {{Kind: tag.VPC, ID: vpc, Act: tag.Changes}},
		"create-tags-on-vpc":         {{Kind: tag.VPC, ID: vpc, Act: tag.Sets, Keys: []string{tag.Accept}}},
		"create-tags-for-data-api":   {{Kind: tag.VPC, ID: vpc, Act: tag.Sets, Keys: []string{tag.DataAPI}}},
		"attach-vpc":                 {{Kind: tag.VPC, ID: vpc, Act: tag.Sets, Keys: []string{tag.Attach}}},
		"create-tags-on-peering":     {{Kind: tag.Peering, ID: "pcx-0123456789abcdef0", Act: tag.Sets, Keys: []string{tag.Approval}}},
		"create-tags-on-gateway":     {{Kind: tag.Gateway, ID: gateway, Act: tag.Sets, Keys: []string{tag.Accept}}},
		"create-tags-on-attachment":  {{Kind: tag.Attachment, ID: attachment, Act: tag.Sets, Keys: []string{tag.Approval}}},
		"create-tags-on-cluster":     {{Kind: tag.RedshiftCluster, ID: warehouse, Act: tag.Sets, Keys: []string{tag.Studio}}},
		"create-tags-on-subnet":      {{Kind: tag.Subnet, ID: "subnet-0a1b2c3d4e5f60718", Act: tag.Sets, Keys: []string{tag.Client}}},
		"create-tags-on-route-table": {{Kind: tag.RouteTable, ID: "rtb-0a1b2c3d4e5f60718", Act: tag.Sets, Keys: []string{tag.Reach}}},
		"create-db-proxy":            {{Kind: tag.DBProxy, ID: "arn:aws:rds:eu-west-1:222222222222:db-proxy:prx-0a1b2c3d4e5f60718", Act: tag.Creates, Keys: []string{tag.Share}}},
		"share-workgroup":            {{Kind: tag.Workgroup, ID: workgroup, Act: tag.Sets, Keys: []string{tag.Share}}},
		"update-workgroup":           {{Kind: tag.Workgroup, ID: "reports", Act: tag.Changes}},
		"tag-workgroup":              {{Kind: tag.Workgroup, ID: workgroup, Act: tag.Sets, Keys: []string{tag.Studio}}},
		"create-route":               nil,
	}
	for name, things := range want {
		got, err := event.ReadChanged(samples(t)[name])
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if len(got.Things) != len(things) {
			t.Errorf("%s: %+v (%s), want %+v", name, got.Things, got.Why, things)
			continue
		}
		for n, thing := range got.Things {
			if thing.Kind != things[n].Kind || thing.ID != things[n].ID || thing.Act != things[n].Act || !slices.Equal(thing.Keys, things[n].Keys) {
				t.Errorf("%s: %+v, want %+v", name, thing, things[n])
			}
		}
	}
}

// A prefix list is named without those that use it.
func TestAPrefixListChanged(t *testing.T) {
	got, err := event.ReadChanged(samples(t)["modify-managed-prefix-list"])
	if err != nil || !slices.Equal(got.Lists, []string{"pl-0a1b2c3d4e5f60718"}) || len(got.Things) > 0 || got.Nothing() {
		t.Errorf("%+v, %v", got, err)
	}
	hostile := bytes.Replace(samples(t)["modify-managed-prefix-list"], []byte("pl-0a1b2c3d4e5f60718"), []byte("pl-../x"), 1)
	if got, err := event.ReadChanged(hostile); fault.Of(err) != fault.Invalid {
		t.Errorf("%+v, %v", got, err)
	}
}

// What cannot be read is kept for a person only if it may concern Drawbridge.
func TestWhatCannotBeRead(t *testing.T) {
	const text = `{"source":"aws.rds","detail-type":"AWS API Call via CloudTrail","account":"111111111111","region":"us-east-1",
		"detail":{"eventName":"AddTagsToResource","requestParameters":PARAMETERS}}`
	const other = `{"resourceName":"arn:aws:rds:us-east-1:222222222222:cluster:sales","tags":[{"key":"KEY"}]}`
	for name, c := range map[string]struct {
		parameters string
		invalid    bool
	}{
		"a cluster of another account, our tag":   {strings.Replace(other, "KEY", tag.DataAPI, 1), true},
		"a cluster of another account, their tag": {strings.Replace(other, "KEY", "Name", 1), false},
		"a snapshot":                 {strings.NewReplacer("cluster:", "snapshot:", "KEY", tag.Share).Replace(other), false},
		"parameters of another kind": {`"x"`, false},
		"no parameters":              {`null`, false},
	} {
		got, err := event.ReadChanged([]byte(strings.Replace(text, "PARAMETERS", c.parameters, 1)))
		if c.invalid != (fault.Of(err) == fault.Invalid) || !c.invalid && (err != nil || got.Why == "" || len(got.Things) > 0) {
			t.Errorf("%s: %+v, %v", name, got, err)
		}
	}
}

// What changes or ends a thing, or takes all its tags, may concern Drawbridge though it has none of its keys.
func TestWhatConcernsAThingThatCannotBeReadIsKept(t *testing.T) {
	const text = `{"source":"aws.ec2","detail-type":"AWS API Call via CloudTrail","account":"111111111111","region":"us-east-1",
		"detail":{"eventName":"CALL","requestParameters":PARAMETERS}}`
	for call, parameters := range map[string]string{
		"AssociateVpcCidrBlock": `{"AssociateVpcCidrBlockRequest":{"Vpc":"vpc-01234567"}}`,
		"DeleteVpc":             `{"vpcId":"vpc-$(reboot)"}`,
		"AssociateRouteTable":   `{"routeTableId":"rtb"}`,
		"DeleteTags":            `{"resourcesSet":{"items":[{"resourceId":"vpc-$(reboot)"}]},"tagSet":{}}`,
	} {
		raw := strings.NewReplacer("CALL", call, "PARAMETERS", parameters).Replace(text)
		if got, err := event.ReadChanged([]byte(raw)); fault.Of(err) != fault.Invalid {
			t.Errorf("%s: %+v, %v, want Invalid", call, got, err)
		}
	}
}

func TestFailedCallsChangeNothing(t *testing.T) {
	for _, c := range tagtest.Cells() {
		raw := strings.Replace(string(c.Event), `"eventName":`, `"errorCode":"Client.UnauthorizedOperation","eventName":`, 1)
		if raw == string(c.Event) {
			continue
		}
		if got, err := event.ReadChanged([]byte(raw)); err != nil || len(got.Things) > 0 || !strings.Contains(got.Why, "failed") {
			t.Errorf("%s: %+v, %v", c.Name, got, err)
		}
	}
}

// Whatever stands in a record, only well-formed names come out, and only Invalid goes wrong.
func FuzzReadChanged(f *testing.F) {
	for _, raw := range samples(f) {
		f.Add(raw)
	}
	for _, c := range tagtest.Cells() {
		f.Add([]byte(c.Event))
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		got, err := event.ReadChanged(raw)
		if err != nil && fault.Of(err) != fault.Invalid {
			t.Errorf("error %v is not Invalid", err)
		}
		for _, thing := range got.Things {
			if strings.Trim(thing.ID, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_:/+=,.@") != "" || thing.ID == "" {
				t.Errorf("%q has characters that no name has", thing.ID)
			}
		}
	})
}

// The order of the things in a call, and how many others stand among them, do not matter.
func TestWhatStandsBesideAThingDoesNotHideIt(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		ids := rapid.SliceOfNDistinct(rapid.StringMatching(`(vpc|pcx|subnet|i|tgw|tgw-rtb|tgw-attach)-[0-9a-f]{8}`), 1, 20, rapid.ID).Draw(t, "ids")
		var resources []string
		for _, id := range ids {
			resources = append(resources, `{"resourceId":"`+id+`"}`)
		}
		raw := `{"source":"aws.ec2","detail-type":"AWS API Call via CloudTrail","account":"111111111111","region":"us-east-1",
			"detail":{"eventName":"DeleteTags","requestParameters":{"resourcesSet":{"items":[` + strings.Join(resources, ",") + `]},"tagSet":{}}}}`
		got, err := event.ReadChanged([]byte(raw))
		if err != nil {
			t.Fatal(err)
		}
		var want []string
		for _, id := range ids {
			if !strings.HasPrefix(id, "i-") && !strings.HasPrefix(id, "tgw-rtb-") {
				want = append(want, id)
			}
		}
		var have []string
		for _, thing := range got.Things {
			have = append(have, thing.ID)
		}
		if !slices.Equal(have, want) {
			t.Fatalf("%v, want %v", have, want)
		}
	})
}
