package database_test

import (
	"cmp"
	"fmt"
	"path"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/rds/types"
	redshifttypes "github.com/aws/aws-sdk-go-v2/service/redshift/types"
	serverlesstypes "github.com/aws/aws-sdk-go-v2/service/redshiftserverless/types"

	"github.com/drawbridge-cloud/drawbridge/pkg/database"
	"github.com/drawbridge-cloud/drawbridge/pkg/tag"
)

const place = ":eu-west-1:222222222222:"

func proxy(id, vpc, family string) types.DBProxy {
	return types.DBProxy{DBProxyName: aws.String(id), DBProxyArn: aws.String("arn:aws:rds" + place + "db-proxy:prx-" + id), VpcId: &vpc, EngineFamily: &family,
		VpcSecurityGroupIds: []string{"sg-" + id}, VpcSubnetIds: []string{"subnet-b", "subnet-a"}, EndpointNetworkType: types.EndpointNetworkTypeIpv4}
}

// A proxy has groups, subnets and a port of its own. What is open is what RDS says of its tags, whatever the index says.
func TestProxies(t *testing.T) {
	shared, other, stale, untagged := proxy("shared", "vpc-1", "POSTGRESQL"), proxy("other", "vpc-9", "MYSQL"), proxy("stale", "vpc-1", "MYSQL"), proxy("untagged", "vpc-1", "MYSQL")
	share := map[string]string{tag.Share: " TRUE "}
	r := &region{proxies: []types.DBProxy{shared, other, stale, untagged}, tagged: map[string]map[string]string{*shared.DBProxyArn: share, *other.DBProxyArn: share, *stale.DBProxyArn: share},
		tags: map[string]map[string]string{*shared.DBProxyArn: share}}
	got, err := database.Read(t.Context(), r.apis(), "vpc-1", nil)
	if err != nil {
		t.Fatal(err)
	}
	var is []string
	for _, d := range got.Databases {
		is = append(is, fmt.Sprint(d.ID, d.Engine, d.Port, d.Groups, d.Subnets, d.Network, d.Tags[tag.Share], d.Answers()))
	}
	want := []string{fmt.Sprint("stale", "mysql", 3306, []string{"sg-stale"}, []string{"subnet-a", "subnet-b"}, "IPV4", "", true),
		fmt.Sprint("shared", "postgres", 5432, []string{"sg-shared"}, []string{"subnet-a", "subnet-b"}, "IPV4", "true", true)}
	if !slices.Equal(is, want) {
		t.Errorf("proxies %q, want %q", is, want)
	}
	r.calls, r.tagged = nil, nil
	if got, err := database.Read(t.Context(), r.apis(), "vpc-1", nil); err != nil || len(got.Databases) != 0 || len(r.calls) != 0 {
		t.Errorf("nothing is tagged: %+v, %v, asked for %v", got, err, r.calls)
	}
}

// Endpoints that were added to a proxy have groups and subnets of their own, at the proxy's port, by the proxy's tag; those in the VPC count, wherever their proxy is.
func TestEndpointsOfProxies(t *testing.T) {
	near, far, untagged := proxy("near", "vpc-1", "MYSQL"), proxy("far", "vpc-9", "POSTGRESQL"), proxy("untagged", "vpc-1", "MYSQL")
	one := func(of, name, vpc string, status types.DBProxyEndpointStatus) types.DBProxyEndpoint {
		return types.DBProxyEndpoint{DBProxyName: &of, DBProxyEndpointName: &name, VpcId: &vpc, Status: status, VpcSecurityGroupIds: []string{"sg-" + name}, VpcSubnetIds: []string{"subnet-c"}}
	}
	own := one("near", "default", "vpc-1", "available")
	own.IsDefault = aws.Bool(true)
	share := map[string]string{tag.Share: "true"}
	r := &region{proxies: []types.DBProxy{near, far, untagged}, tagged: map[string]map[string]string{*near.DBProxyArn: share, *far.DBProxyArn: share}, tags: map[string]map[string]string{*near.DBProxyArn: share, *far.DBProxyArn: share},
		added: []types.DBProxyEndpoint{own, one("near", "readers", "vpc-1", "available"), one("near", "away", "vpc-9", "available"), one("near", "going", "vpc-1", "deleting"),
			one("far", "here", "vpc-1", "creating"), one("untagged", "hidden", "vpc-1", "available")}}
	got, err := database.Read(t.Context(), r.apis(), "vpc-1", nil)
	if err != nil {
		t.Fatal(err)
	}
	var is []string
	for _, d := range got.Databases {
		is = append(is, fmt.Sprint(d.ID, " ", d.Engine, d.Port, d.Groups, d.Subnets, d.Tags[tag.Share]))
	}
	want := []string{"near mysql3306 [sg-near] [subnet-a subnet-b]true", "near/readers mysql3306 [sg-readers] [subnet-c]true", "far/here postgres5432 [sg-here] [subnet-c]true"}
	if !slices.Equal(is, want) {
		t.Errorf("%q, want %q", is, want)
	}
}

// An Oracle instance whose option group has TLS answers at that port, too, and a SQL Server instance of an availability group at its listener's. A group is read once, and
// none of other engines, nor a default one, which has no options.
func TestEveryPortOfAnInstance(t *testing.T) {
	instance := func(name, engine string, port int32, groups ...string) types.DBInstance {
		i := types.DBInstance{DBInstanceIdentifier: &name, DBInstanceArn: aws.String("arn:aws:rds" + place + "db:" + name), Engine: &engine, Endpoint: &types.Endpoint{Port: &port},
			DBSubnetGroup: &types.DBSubnetGroup{DBSubnetGroupName: aws.String("g"), VpcId: aws.String("vpc-1")}}
		for _, g := range groups {
			i.OptionGroupMemberships = append(i.OptionGroupMemberships, types.OptionGroupMembership{OptionGroupName: &g})
		}
		return i
	}
	ssl := func(name string, port int32) types.Option { return types.Option{OptionName: &name, Port: &port} }
	listened := instance("always", "sqlserver-ee", 1433, "tls")
	listened.ListenerEndpoint = &types.Endpoint{Port: aws.Int32(5022)}
	coming := instance("coming", "oracle-se2", 1521, "tls")
	coming.Endpoint = nil
	r := &region{options: map[string][]types.Option{"tls": {ssl("SSL", 2484), ssl("OEM", 5500), {OptionName: aws.String("STATSPACK")}}, "other": {ssl("SSL", 2485)}},
		instances: []types.DBInstance{instance("both", "custom-oracle-ee", 1522, "tls"), instance("moving", "oracle-se2", 1521, "tls", "other"), instance("plain", "oracle-ee", 1521, "default:oracle-ee-19"), listened, coming,
			instance("mine", "mysql", 3306, "tls")}}
	got, err := database.Read(t.Context(), r.apis(), "vpc-1", nil)
	if err != nil {
		t.Fatal(err)
	}
	var is []string
	for _, d := range got.Databases {
		is = append(is, fmt.Sprintf("%s:%d %t", d.ID, d.Port, d.TLS))
	}
	want := []string{"both:1522 false", "both:2484 true", "mine:3306 false", "plain:1521 false", "coming:0 false", "moving:1521 false", "moving:2484 true", "moving:2485 true", "always:1433 false", "always:5022 false"}
	if !slices.Equal(is, want) || !slices.Equal(r.calls, []string{"options tls", "options other"}) {
		t.Errorf("%q, want %q; calls %q", is, want, r.calls)
	}
}

// A workgroup is found by its subnets while it has no endpoint, and by its VPC.
func TestWorkgroups(t *testing.T) {
	one := func(name string, port int32, vpc string, subnets ...string) serverlesstypes.Workgroup {
		w := serverlesstypes.Workgroup{WorkgroupName: &name, WorkgroupArn: aws.String("arn:aws:redshift-serverless" + place + "workgroup/" + name), SecurityGroupIds: []string{"sg-" + name}, SubnetIds: subnets,
			Status: serverlesstypes.WorkgroupStatusAvailable, IpAddressType: aws.String("dualstack"), Endpoint: &serverlesstypes.Endpoint{Port: &port}}
		if vpc != "" {
			w.Endpoint.VpcEndpoints = []serverlesstypes.VpcEndpoint{{VpcId: &vpc}}
		}
		return w
	}
	going := one("going", 5439, "vpc-1")
	going.Status = serverlesstypes.WorkgroupStatusDeleting
	r := &region{workgroups: []serverlesstypes.Workgroup{one("ready", 5440, "vpc-1", "subnet-2"), one("coming", 5439, "", "subnet-1"), one("elsewhere", 5439, "vpc-9", "subnet-9"), going},
		tagged: map[string]map[string]string{}, tags: map[string]map[string]string{}}
	for _, w := range r.workgroups {
		r.tagged[*w.WorkgroupArn], r.tags[*w.WorkgroupArn] = map[string]string{tag.Share: "true"}, map[string]string{tag.Share: "true"}
	}
	got, err := database.Read(t.Context(), r.apis(), "vpc-1", []string{"subnet-1", "subnet-2"})
	if err != nil || len(got.Databases) != 2 || len(got.Unserved) != 0 {
		t.Fatalf("%+v, %v", got, err)
	}
	if d := got.Databases[1]; d.ID != "ready" || d.Port != 5440 || d.Engine != "redshift" || d.Network != database.Dual || d.Tags[tag.Share] != "true" || got.Databases[0].ID != "coming" {
		t.Errorf("%+v", got.Databases)
	}
}

// An endpoint of a shared cluster in another VPC has groups, subnets and a port of its own; another owner's cluster may be called the same.
func TestManagedEndpointsOfRedshift(t *testing.T) {
	warehouse := redshifttypes.Cluster{ClusterIdentifier: aws.String("warehouse"), ClusterNamespaceArn: aws.String("arn:aws:redshift" + place + "namespace:0f6ab1d2"), VpcId: aws.String("vpc-9"),
		Endpoint: &redshifttypes.Endpoint{Port: aws.Int32(5439)}, Tags: []redshifttypes.Tag{{Key: aws.String(tag.Share), Value: aws.String("true")}}}
	endpoint := func(name, vpc, owner string) redshifttypes.EndpointAccess {
		return redshifttypes.EndpointAccess{EndpointName: &name, ClusterIdentifier: aws.String("warehouse"), ResourceOwner: &owner, Port: aws.Int32(5431), EndpointStatus: aws.String("active"),
			VpcSecurityGroups: []redshifttypes.VpcSecurityGroupMembership{{VpcSecurityGroupId: aws.String("sg-own")}},
			VpcEndpoint:       &redshifttypes.VpcEndpoint{VpcId: &vpc, NetworkInterfaces: []redshifttypes.NetworkInterface{{SubnetId: aws.String("subnet-1")}, {SubnetId: aws.String("subnet-1")}}}}
	}
	r := &region{redshift: []redshifttypes.Cluster{warehouse}, endpoints: []redshifttypes.EndpointAccess{endpoint("near", "vpc-1", "222222222222"), endpoint("theirs", "vpc-1", "333333333333")}}
	got, err := database.Read(t.Context(), r.apis(), "vpc-1", nil)
	if err != nil || len(got.Databases) != 1 {
		t.Fatalf("%+v, %v", got, err)
	}
	if d := got.Databases[0]; d.ID != "warehouse/near" || d.Port != 5431 || fmt.Sprint(d.Groups, d.Subnets) != "[sg-own] [subnet-1]" || d.Tags[tag.Share] != "true" || d.ARN != *warehouse.ClusterNamespaceArn {
		t.Errorf("%+v", d)
	}
	r.redshift[0].Tags, r.calls = nil, nil
	if got, err := database.Read(t.Context(), r.apis(), "vpc-1", nil); err != nil || len(got.Databases) != 0 || len(r.calls) != 0 {
		t.Errorf("a cluster that is not shared: %+v, %v, asked for %v", got, err, r.calls)
	}
}

// What is tagged and not served is never a database.
func TestWhatIsNotServedSaysSo(t *testing.T) {
	doc := instance("documents", "vpc-1", "g1", 27017)
	doc.Engine = aws.String("docdb")
	share := map[string]string{tag.Share: "111111111111"}
	r := &region{instances: []types.DBInstance{doc}, tagged: map[string]map[string]string{
		"arn:aws:elasticache" + place + "replicationgroup:sessions": share, "arn:aws:rds" + place + "db-proxy-endpoint:prx-endpoint-1": share,
		"arn:aws:rds" + place + "db:documents": share, "arn:aws:s3:::bucket": share}}
	got, err := database.Read(t.Context(), r.apis(), "vpc-1", nil)
	if err != nil || len(got.Databases) != 0 {
		t.Fatalf("%+v, %v", got, err)
	}
	var says []string
	for _, d := range got.Unserved {
		says = append(says, d.ID+": "+d.Why)
	}
	all := strings.Join(says, "\n")
	for _, want := range []string{"documents: DocumentDB is not served: its owner", "replicationgroup:sessions: ElastiCache is not served: ", "prx-endpoint-1: endpoint of an RDS Proxy is not served: tag the proxy", "bucket: thing of s3 is not served: take the tag off"} {
		if !strings.Contains(all, want) {
			t.Errorf("nothing says %q:\n%s", want, all)
		}
	}
	if len(says) != 4 {
		t.Errorf("%d are not served: %s", len(says), all)
	}
}

// A service without its client would be found missing only when something of it is tagged.
func TestEveryServiceHasItsClient(t *testing.T) {
	apis := reflect.ValueOf(database.In(aws.Config{Region: "eu-west-1"}))
	for n := range apis.NumField() {
		if apis.Field(n).IsNil() {
			t.Errorf("database.In makes no client for %s", apis.Type().Field(n).Name)
		}
	}
}

// What a kind is read with, [database.Read] can call, and it can call nothing else: a kind without a reader fails here, and a reader without rights.
func TestEveryRightIsACallOfRead(t *testing.T) {
	calls, named := map[string]bool{}, map[string]string{"redshiftserverless": "redshift-serverless", "resourcegroupstaggingapi": "tag"} // as IAM names them
	apis := reflect.TypeFor[database.APIs]()
	for n := range apis.NumField() {
		for m := range apis.Field(n).Type.NumMethod() {
			method := apis.Field(n).Type.Method(m)
			// The operation's input is a type of the service's own package.
			service := path.Base(method.Type.In(1).Elem().PkgPath())
			calls[cmp.Or(named[service], service)+":"+method.Name] = true
		}
	}
	rights := map[string]bool{database.Index: true}
	for _, k := range database.Served() {
		for _, r := range k.Reads {
			rights[r.Action] = true
			if !calls[r.Action] {
				t.Errorf("nothing in database.APIs calls %s: a %s has no reader", r.Action, k.Name)
			}
		}
	}
	for call := range calls {
		if !rights[call] {
			t.Errorf("no kind has the right to %s", call)
		}
	}
}

// The table of the kinds and those of the tags say the same: each kind that is served can be shared, its tags can be heard, and so are its beginning and its end.
func TestEveryKindIsKnownEverywhere(t *testing.T) {
	var shared []tag.Kind
	for _, w := range tag.Wishes {
		if w.Key == tag.Share {
			shared = append(shared, w.On)
		}
	}
	for _, k := range database.Kinds {
		if k.Tag == "" && k.Engine != "" && k.Remedy == "" {
			continue // it is served as RDS's own
		}
		if k.Tag == "" {
			if k.Name == "" || k.Remedy == "" || (k.Service == "") == (k.Engine == "") || len(k.Reads) > 0 {
				t.Errorf("%+v is not served, and has not what says so", k)
			}
			continue
		}
		if !slices.Contains(shared, k.Tag) {
			t.Errorf("%s: Wishes in pkg/tag/tag.go has no %s on a %s", k.Name, tag.Share, k.Tag)
		}
		if k.Service == "" {
			t.Errorf("%s: namings in pkg/tag/kind.go does not have the %s", k.Name, k.Tag)
			continue
		}
		if k.Tag.Service() != k.Service || k.Tag.Resource() != k.Resource {
			t.Errorf("%s: its ARN is of %q %q here, and of %q %q in pkg/tag", k.Name, k.Service, k.Resource, k.Tag.Service(), k.Tag.Resource())
		}
		if len(k.Reads) == 0 || k.Remedy != "" {
			t.Errorf("%s: it is served, and has no rights to be read, or a remedy", k.Name)
		}
		acts := map[tag.Act]bool{}
		for _, r := range tag.Records {
			if r.Names.Kind == k.Tag || r.Names.Kind == "" && r.Service == k.Service {
				acts[r.Act] = true
			}
		}
		if k.Tag == tag.DBInstance || k.Tag == tag.DBCluster {
			acts[tag.Deletes] = true // RDS has an event of its own
		}
		for _, act := range []tag.Act{tag.Sets, tag.Removes, tag.Creates, tag.Changes, tag.Deletes} {
			if !acts[act] {
				t.Errorf("Records in pkg/tag/record.go has no call of %s that %s a %s", k.Service, act, k.Name)
			}
		}
	}
	if len(shared) != len(database.Served()) {
		t.Errorf("%d kinds can be shared, %d are served", len(shared), len(database.Served()))
	}
}
