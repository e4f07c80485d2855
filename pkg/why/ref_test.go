package why

import (
	"cmp"
	"errors"
	"net/netip"
	"slices"
	"testing"

	"github.com/drawbridge-cloud/drawbridge/pkg/database"
	"github.com/drawbridge-cloud/drawbridge/pkg/fault"
)

func TestParseFrom(t *testing.T) {
	for text, want := range map[string]Ref{
		"research":                       {Name: "research"},
		"notebook/research":              {Kind: "notebook", Name: "research"},
		"function/load":                  {Kind: "function", Name: "load"},
		"111111111111/research":          {Account: "111111111111", Name: "research"},
		"111111111111/eu-west-1/d-abc12": {Account: "111111111111", Region: "eu-west-1", Kind: "domain", Name: "d-abc12"},
		"eni-0a1b":                       {Kind: "interface", Name: "eni-0a1b"},
		"10.1.0.7":                       {Kind: "address", Name: "10.1.0.7", Address: netip.MustParseAddr("10.1.0.7")},
		"arn:aws:sagemaker:us-east-1:111111111111:notebook-instance/research": {Account: "111111111111", Region: "us-east-1", Kind: "notebook", Name: "research"},
		"arn:aws:lambda:us-east-1:111111111111:function:load:live":            {Account: "111111111111", Region: "us-east-1", Kind: "function", Name: "load"},
		"arn:aws:sagemaker:us-east-1:111111111111:domain/d-abc12":             {Account: "111111111111", Region: "us-east-1", Kind: "domain", Name: "d-abc12"},
		"arn:aws-cn:ec2:cn-north-1:111111111111:network-interface/eni-0a":     {Account: "111111111111", Region: "cn-north-1", Kind: "interface", Name: "eni-0a"},
	} {
		if got, err := ParseFrom(text); err != nil || got != want {
			t.Errorf("%s: %+v, %v", text, got, err)
		}
	}
}

// Each kind of database can be named by its ARN.
func TestEveryKindOfDatabaseHasAnARN(t *testing.T) {
	for _, k := range database.Served() {
		text := "arn:aws:" + k.Service + ":eu-west-1:222222222222:" + k.Resource + "x1"
		if got, err := ParseTo(text); err != nil || got != (Ref{Account: "222222222222", Region: "eu-west-1", Kind: "database", Name: "x1"}) {
			t.Errorf("%s: %+v, %v", text, got, err)
		}
	}
}

// Each kind of database can be named by its endpoint, as people have it in their notebooks. One that RDS has and Drawbridge does not serve can
// be named, too: the way to it is judged all the same.
func TestEveryKindOfDatabaseHasAnEndpoint(t *testing.T) {
	hosts := database.Hosts()
	for _, k := range database.Kinds {
		if host := cmp.Or(k.Engine, k.Service); (k.Tag != "" || k.Engine != "") && !slices.Contains(hosts, host) {
			t.Errorf("database.Hosts does not have %s, of a %s", host, k.Name)
		}
	}
	for _, host := range hosts {
		for text, region := range map[string]string{
			"x1.cluster-c1a2b3.eu-west-1." + host + ".amazonaws.com":     "eu-west-1",
			"x1.cluster-c1a2b3." + host + ".cn-north-1.amazonaws.com.cn": "cn-north-1",
		} {
			if got, err := ParseTo(text + ":5432"); err != nil || got != (Ref{Region: region, Kind: "database", Name: "x1", Port: 5432, Host: text}) {
				t.Errorf("the endpoint %q: %+v, %v", text, got, err)
			}
		}
	}
}

func TestParseTo(t *testing.T) {
	for text, want := range map[string]Ref{
		"sales":              {Kind: "database", Name: "sales"},
		"222222222222/sales": {Account: "222222222222", Kind: "database", Name: "sales"},
		"sales.cabcdefgh.us-east-1.rds.amazonaws.com": {Kind: "database", Name: "sales", Region: "us-east-1", Host: "sales.cabcdefgh.us-east-1.rds.amazonaws.com"},
		"orders.cluster-ro-cabc.eu-west-1.rds.amazonaws.com:5432": {Kind: "database", Name: "orders", Region: "eu-west-1", Port: 5432,
			Host: "orders.cluster-ro-cabc.eu-west-1.rds.amazonaws.com"},
		"wh.cabc.us-gov-west-1.redshift.amazonaws.com:5439": {Kind: "database", Name: "wh", Region: "us-gov-west-1", Port: 5439, Host: "wh.cabc.us-gov-west-1.redshift.amazonaws.com"},
		"sales.cabc.rds.cn-north-1.amazonaws.com.cn:3306":   {Kind: "database", Name: "sales", Region: "cn-north-1", Port: 3306, Host: "sales.cabc.rds.cn-north-1.amazonaws.com.cn"},
		"10.2.0.5:3306":  {Kind: "address", Name: "10.2.0.5:3306", Address: netip.MustParseAddr("10.2.0.5"), Port: 3306},
		"[fd00::5]:5432": {Kind: "address", Name: "[fd00::5]:5432", Address: netip.MustParseAddr("fd00::5"), Port: 5432},
		"arn:aws:rds:us-east-1:222222222222:db:sales":                     {Account: "222222222222", Region: "us-east-1", Kind: "database", Name: "sales"},
		"arn:aws:rds:us-east-1:222222222222:cluster:orders":               {Account: "222222222222", Region: "us-east-1", Kind: "database", Name: "orders"},
		"arn:aws:redshift-serverless:us-east-1:222222222222:workgroup/wg": {Account: "222222222222", Region: "us-east-1", Kind: "database", Name: "wg"},
	} {
		if got, err := ParseTo(text); err != nil || got != want {
			t.Errorf("%s: %+v, %v", text, got, err)
		}
	}
}

func TestWhatIsNoEndNamesTheForms(t *testing.T) {
	for _, text := range []string{"", "a b", "x:y:z", "arn:aws:s3:::bucket", "10.1.0.7:80"} {
		if _, err := ParseFrom(text); !remedied(err) {
			t.Errorf("from %q: %v", text, err)
		}
	}
	for _, text := range []string{"", "a b", "10.2.0.5", "10.2.0.5:0", "sales:port", "www.example.com", "arn:aws:s3:::bucket"} {
		if _, err := ParseTo(text); !remedied(err) {
			t.Errorf("to %q: %v", text, err)
		}
	}
}

func remedied(err error) bool {
	var f *fault.Error
	return errors.As(err, &f) && f.Kind == fault.Invalid && f.Remedy != ""
}
