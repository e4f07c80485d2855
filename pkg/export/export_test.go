package export

import (
	"encoding/json"
	"errors"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"sigs.k8s.io/yaml"

	"github.com/drawbridge-cloud/drawbridge/pkg/answer/answertest"
	"github.com/drawbridge-cloud/drawbridge/pkg/board"
	"github.com/drawbridge-cloud/drawbridge/pkg/fault"
	"github.com/drawbridge-cloud/drawbridge/pkg/ledger"
	"github.com/drawbridge-cloud/drawbridge/pkg/ledger/ledgertest"
	"github.com/drawbridge-cloud/drawbridge/pkg/road"
)

var now = time.Date(2026, 11, 29, 12, 0, 0, 0, time.UTC)

const (
	consumer = "111111111111"
	producer = "222222222222"
	peering  = "pcx-0aaaaaaaaaaaaaaa1"
	gateway  = "tgw-0aaaaaaaaaaaaaaa1"
	attached = "tgw-attach-0aaaaaaaaaaaaaaa1"
	pair     = gateway + ":vpc-0a100000000000000:vpc-0b200000000000000"
	orders   = "arn:aws:rds:us-east-1:222222222222:cluster:orders"
	key      = "arn:aws:kms:us-east-1:222222222222:key/1234abcd-12ab-34cd-56ef-1234567890ab"
	private  = "private-notebooks-vpc-0a100000000000000"
	mine     = "arn:aws:iam::111111111111:policy/drawbridge/drawbridge-private-notebooks-us-east-1"
	trust    = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::111111111111:role/load"},"Action":"sts:AssumeRole"}]}`
	rights   = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":["rds-data:ExecuteStatement"],"Resource":"arn:aws:rds:us-east-1:222222222222:cluster:${aws:PrincipalTag/x}"}]}`
)

// world is a ledger with the items of each of its entries, and what stands of them.
type world struct {
	t     *testing.T
	rows  board.Rows
	facts Facts
}

func (w *world) add(part, sort string, body any) {
	w.t.Helper()
	if err := w.rows.Add(ledgertest.Row(w.t, part, sort, body)); err != nil {
		w.t.Fatal(err)
	}
}

func (w *world) entry(id string, kind road.Kind, sides ...string) {
	c := ledger.Connection{ID: id, Kind: kind, Status: "Connected"}
	for _, s := range sides {
		account, thing, _ := strings.Cut(s, "/")
		c.Sides = append(c.Sides, ledger.Side{Account: account, Region: "us-east-1", ID: thing, CIDRs: []string{map[string]string{consumer: "10.1.0.0/16", producer: "10.2.0.0/16"}[account]}})
	}
	w.add("connection#"+id, "connection", c)
}

// item adds an item that is confirmed, unless it says otherwise, and needed by one entry, unless it says by whom.
func (w *world) item(id string, i ledger.Item, fact Fact) {
	i.Region = "us-east-1"
	if i.State == "" {
		i.State = ledger.Confirmed
	}
	if i.Needed == nil {
		i.Needed = []string{id}
	}
	w.add("resource#"+i.Place()+"/"+i.Resource, string(i.Kind)+"#"+i.Key, i)
	w.facts.set(i, fact)
}

func peered(t *testing.T) *world {
	w := &world{t: t, facts: Facts{}}
	w.entry(peering, "peering", consumer+"/vpc-0a100000000000000", producer+"/vpc-0b200000000000000")
	ours := map[string]string{"drawbridge:connection": peering, "drawbridge:peer": "111111111111/us-east-1/vpc-0a100000000000000"}
	w.item(peering, ledger.Item{Account: consumer, Resource: peering, Kind: ledger.DNSOption, Key: "requester", Before: "off", Left: "on"}, Fact{})
	w.item(peering, ledger.Item{Account: producer, Resource: peering, Kind: ledger.DNSOption, Key: "accepter", Before: "off", Left: "on"}, Fact{})
	w.item(peering, ledger.Item{Account: consumer, Resource: "rtb-0a100000000000000", Kind: ledger.Route, Key: "10.2.0.0/23", Left: peering}, Fact{})
	w.item(peering, ledger.Item{Account: consumer, Resource: "rtb-0a100000000000000", Kind: ledger.Route, Key: "fd00:2::/56", Left: peering, Before: "blackhole " + gateway, Past: gateway}, Fact{})
	w.item(peering, ledger.Item{Account: producer, Resource: "rtb-0b100000000000000", Kind: ledger.Route, Key: "10.1.0.0/24", Left: peering, Needed: []string{peering, "pcx-0ccccccccccccccc3"}}, Fact{})
	w.item(peering, ledger.Item{Account: producer, Resource: "rtb-0b200000000000000", Kind: ledger.Route, Key: "10.1.0.0/24", Left: peering, State: ledger.Contested}, Fact{})
	w.item(peering, ledger.Item{Account: producer, Resource: "rtb-0b300000000000000", Kind: ledger.Route, Key: "10.1.0.0/24", Left: peering}, Fact{Gone: true})
	w.item(peering, ledger.Item{Account: producer, Resource: "sg-0b100000000000000", Kind: ledger.Rule, Key: "ingress tcp 3306 sg-0a100000000000000", Left: "sgr-0b100000000000000"},
		Fact{Rule: &Rule{ID: "sgr-0b100000000000000", Group: "sg-0b100000000000000", Protocol: "tcp", From: 3306, To: 3306, Other: "sg-0a100000000000000", OtherOwner: consumer, Description: "Drawbridge: " + peering + " from vpc-0a100000000000000 in " + consumer, Tags: ours}})
	w.item(peering, ledger.Item{Account: producer, Resource: "sg-0b100000000000000", Kind: ledger.Rule, Key: "ingress tcp 5432 10.1.0.0/24", Left: "sgr-0b200000000000000"}, Fact{Unread: "AccessDenied: you may not"})
	w.item(peering, ledger.Item{Account: consumer, Resource: "sg-0a100000000000000", Kind: ledger.Rule, Key: "egress tcp 3306 10.2.0.0/23", Left: "sgr-0a100000000000000"},
		Fact{Rule: &Rule{ID: "sgr-0a100000000000000", Group: "sg-0a100000000000000", Egress: true, Protocol: "tcp", From: 3306, To: 3306, CIDR4: "10.2.0.0/23", Tags: map[string]string{"aws:own": "x", "drawbridge:connection": peering}}})
	w.item(peering, ledger.Item{Account: consumer, Resource: "sg-0a100000000000000", Kind: ledger.Rule, Key: "egress tcp 3306 fd00:2::/56", Left: "sgr-0a200000000000000"},
		Fact{Rule: &Rule{ID: "sgr-0a200000000000000", Group: "sg-0a100000000000000", Egress: true, Protocol: "tcp", From: 3306, To: 3310, CIDR6: "fd00:2::/56"}})
	w.item(peering, ledger.Item{Account: consumer, Resource: "sg-0a100000000000000", Kind: ledger.Rule, Key: "egress tcp 3306 10.9.0.0/24", State: ledger.Intended}, Fact{})
	w.item(peering, ledger.Item{Account: consumer, Resource: "research-setup", Kind: ledger.HostRoute, Key: "10.1.0.0/24 10.2.0.0/23", Left: "10.2.0.0/23", Needed: []string{"subnet-0a100000000000000"}}, Fact{})
	w.item(peering, ledger.Item{Account: consumer, Resource: "research-setup", Kind: ledger.HostRoute, Key: "10.1.0.0/24 10.7.0.0/16", Needed: []string{"subnet-0a100000000000000"}}, Fact{}) // of another connection
	return w
}

func others(t *testing.T) *world {
	w := &world{t: t, facts: Facts{}}
	w.entry(pair, "transit", consumer+"/vpc-0a100000000000000", producer+"/vpc-0b200000000000000")
	w.entry(attached, "attachment", producer+"/vpc-0b200000000000000", consumer+"/"+gateway)
	w.entry(orders, "data-api", producer+"/"+orders)
	w.entry(private, "private-notebooks", consumer+"/vpc-0a100000000000000")
	ours := map[string]string{"drawbridge:connection": private}
	w.item(pair, ledger.Item{Account: consumer, Resource: "rtb-0a100000000000000", Kind: ledger.Route, Key: "10.2.0.0/23", Left: gateway}, Fact{})
	w.item(attached, ledger.Item{Account: producer, Resource: "vpc-0b200000000000000", Kind: ledger.Attachment, Key: gateway, Left: attached},
		Fact{Attachment: &Attachment{ID: attached, VPC: "vpc-0b200000000000000", Gateway: gateway, Subnets: []string{"subnet-0b100000000000000", "subnet-0b200000000000000"}, DNS: "enable", Refer: "enable", Propagated: true,
			Tags: map[string]string{"drawbridge:connection": gateway + ":vpc-0b200000000000000", "drawbridge:status": "Attached"}}})
	w.item(attached, ledger.Item{Account: consumer, Resource: attached, Kind: ledger.Association, Key: "tgw-rtb-0a100000000000000", Left: "tgw-rtb-0a100000000000000"}, Fact{})
	w.item(attached, ledger.Item{Account: consumer, Resource: attached, Kind: ledger.Propagation, Key: "tgw-rtb-0a100000000000000", Left: "tgw-rtb-0a100000000000000"}, Fact{})
	w.item(attached, ledger.Item{Account: producer, Resource: "arn:aws:ram:us-east-1:111111111111:resource-share/1", Kind: ledger.Share, Key: producer}, Fact{})
	w.item(orders, ledger.Item{Account: producer, Resource: orders, Kind: ledger.Setting, Key: "http-endpoint", Before: "off", Left: "on"}, Fact{})
	w.item(orders, ledger.Item{Account: producer, Resource: "drawbridge-data-api-orders", Kind: ledger.Role, Key: "data-api", Left: "AROA1"},
		Fact{Role: &Role{Name: "drawbridge-data-api-orders", Path: "/drawbridge/", Description: "Drawbridge: queries orders through the Data API.", Boundary: "arn:aws:iam::222222222222:policy/drawbridge-boundary", Trust: trust, Session: 3600}})
	w.item(orders, ledger.Item{Account: producer, Resource: "drawbridge-data-api-orders", Kind: ledger.Statement, Key: "trust"}, Fact{})
	w.item(orders, ledger.Item{Account: producer, Resource: "drawbridge-data-api-orders", Kind: ledger.Document, Key: "data-api"}, Fact{Policy: &Policy{Name: "data-api", Text: rights}})
	w.item(orders, ledger.Item{Account: producer, Resource: key, Kind: ledger.Grant, Key: "drawbridge-data-api-orders", Left: "g1 g2"},
		Fact{Grants: []Grant{{ID: "g2", Name: "drawbridge-data-api-orders", Grantee: "arn:aws:iam::222222222222:role/drawbridge/drawbridge-data-api-orders", Retiring: "arn:aws:iam::222222222222:role/retirer",
			Operations: []string{"Decrypt", "DescribeKey"}, Subset: map[string]string{"SecretARN": "arn:aws:secretsmanager:us-east-1:222222222222:secret:orders"}}}})
	w.item(private, ledger.Item{Account: consumer, Resource: "vpc-0a100000000000000", Kind: ledger.Group, Key: "drawbridge-" + private, Left: "sg-0e100000000000000"},
		Fact{Group: &Group{ID: "sg-0e100000000000000", Name: "drawbridge-" + private, Description: "Drawbridge: HTTPS to the interface endpoints of " + private, VPC: "vpc-0a100000000000000", Tags: ours}})
	w.item(private, ledger.Item{Account: consumer, Resource: "vpc-0a100000000000000", Kind: ledger.Endpoint, Key: "com.amazonaws.us-east-1.sts", Left: "vpce-0e100000000000000"},
		Fact{Endpoint: &Endpoint{ID: "vpce-0e100000000000000", Service: "com.amazonaws.us-east-1.sts", VPC: "vpc-0a100000000000000", Subnets: []string{"subnet-0a100000000000000"}, Groups: []string{"sg-0e100000000000000"}, PrivateDNS: true, Tags: ours,
			Policy: `{"Statement":[{"Action":"*","Effect":"Allow","Principal":"*","Resource":"*"}]}`}})
	w.item(private, ledger.Item{Account: consumer, Resource: "vpc-0a100000000000000", Kind: ledger.Interface, Key: "com.amazonaws.us-east-1.sts us-east-1a", Left: "vpce-0e100000000000000"}, Fact{})
	w.item(private, ledger.Item{Account: consumer, Resource: "vpc-0a100000000000000", Kind: ledger.Interface, Key: "com.amazonaws.us-east-1.sagemaker.api group", Left: "vpce-0e200000000000000"}, Fact{})
	w.item(private, ledger.Item{Account: consumer, Resource: mine, Kind: ledger.Document, Key: "drawbridge-private-notebooks"},
		Fact{Policy: &Policy{ARN: mine, Name: "drawbridge-private-notebooks-us-east-1", Path: "/drawbridge/", Description: "Drawbridge: the URL of a notebook.", Text: rights, Tags: ours}})
	w.item(private, ledger.Item{Account: consumer, Resource: "scientist", Kind: ledger.Managed, Key: "drawbridge-private-notebooks", Left: mine}, Fact{})
	w.item(private, ledger.Item{Account: consumer, Resource: "execution", Kind: ledger.Statement, Key: "trust drawbridge"}, Fact{})
	w.item(private, ledger.Item{Account: consumer, Resource: "research", Kind: ledger.Config, Key: "drawbridge-subnet-0a100000000000000"}, Fact{})
	return w
}

func (w *world) export(tool string, only []string, ids ...string) Export {
	w.t.Helper()
	q := Question{Tool: tool, IDs: ids, Only: only}
	items, err := Items(w.rows, q)
	if err != nil {
		w.t.Fatal(err)
	}
	out, err := Of(w.rows, q, items, w.facts, now)
	if err != nil {
		w.t.Fatal(err)
	}
	out.Hub = board.Hub{Account: "123456789012", Region: "us-east-1", Table: "drawbridge-ledger"}
	return out
}

var everything = []string{pair, attached, orders, private}

func TestTheCode(t *testing.T) {
	one, all := peered(t), others(t)
	documents := map[string]Export{"peering": one.export(Terraform, nil, peering), "owner": one.export(Terraform, []string{consumer}, peering), "others": all.export(Terraform, nil, everything...),
		"peering-cloudformation": one.export(CloudFormation, nil, peering), "others-cloudformation": all.export(CloudFormation, nil, everything...)}
	for name, e := range documents {
		for _, f := range e.Files {
			path := filepath.Join("testdata", name+filepath.Ext(f.Name))
			if e.Tool == CloudFormation {
				path = filepath.Join("testdata", f.Name)
			}
			answertest.Golden(t, path, []byte(f.Text))
			for line := range strings.Lines(f.Text) {
				if n := utf8.RuneCountInString(strings.TrimRight(line, "\n")); strings.HasPrefix(line, "#") && !strings.Contains(line, "file://") && n > 80 {
					t.Errorf("%s has %d columns: %s", name, n, line)
				}
			}
		}
		if len(e.Resources) == 0 || len(e.Left) == 0 {
			t.Errorf("%s has %d resources and leaves %d", name, len(e.Resources), len(e.Left))
		}
	}
	answertest.Schema[Export](t, "../..", "export.v1", "drawbridge export terraform ID -o json", documents["peering"], documents["others-cloudformation"])
	if documents["peering"].Whole() || !documents["others"].Whole() {
		t.Error("what could not be read makes code that is not whole, and nothing else does")
	}
	lines := 0
	for _, l := range documents["peering"].Left {
		if l.Kind == ledger.HostRoute {
			lines++
		}
	}
	if lines != 1 {
		t.Errorf("%d host routes are said", lines)
	}
	for _, r := range documents["owner"].Resources {
		if r.Account != consumer {
			t.Errorf("the consumer's code has %+v", r)
		}
	}
}

// Terraform's own reader takes the code: each resource has one import, a provider that is there, and an argument for all that its documentation requires.
func TestTheCodeIsRead(t *testing.T) {
	for _, e := range []Export{peered(t).export(Terraform, nil, peering), others(t).export(Terraform, nil, everything...)} {
		body := parse(t, e.Files[0].Text)
		imports, resources, providers := map[string]string{}, map[string]bool{}, map[string]bool{}
		for _, b := range body.Blocks {
			switch b.Type {
			case "import":
				id, _ := b.Body.Attributes["id"].Expr.Value(nil)
				imports[written(t, e, b.Body.Attributes["to"])] = id.AsString()
			case "provider":
				alias, _ := b.Body.Attributes["alias"].Expr.Value(nil)
				providers["aws."+alias.AsString()] = true
			case "resource":
				resources[strings.Join(b.Labels, ".")] = true
				if by := written(t, e, b.Body.Attributes["provider"]); !providers[by] {
					t.Errorf("%v is by %s, which is not there before it", b.Labels, by)
				}
			}
		}
		if len(resources) != len(e.Resources) || !slices.Equal(slices.Sorted(maps.Keys(resources)), slices.Sorted(maps.Keys(imports))) {
			t.Errorf("%d resources of %d, imports: %v", len(resources), len(e.Resources), imports)
		}
		for _, r := range e.Resources {
			if imports[r.Type+"."+r.Name] != r.Import {
				t.Errorf("%+v is imported by %q", r, imports[r.Type+"."+r.Name])
			}
		}
	}
}

func parse(t *testing.T, code string) *hclsyntax.Body {
	t.Helper()
	file, wrong := hclsyntax.ParseConfig([]byte(code), "x.tf", hcl.InitialPos)
	if wrong.HasErrors() {
		t.Fatalf("%v\n%s", wrong, code)
	}
	return file.Body.(*hclsyntax.Body)
}

func written(t *testing.T, e Export, a *hclsyntax.Attribute) string {
	t.Helper()
	if a == nil {
		t.Fatal("an argument is not there")
	}
	r := a.Expr.Range()
	return strings.TrimSpace(e.Files[0].Text[r.Start.Byte:r.End.Byte])
}

// Names and descriptions are other people's text: they stay texts, and never become code.
func TestHostileTexts(t *testing.T) {
	for _, hostile := range []string{"x\"\n}\nresource \"null_resource\" \"x\" {", "${file(\"/etc/passwd\")}", "%{ if true }", "a\rb: c", "#\u2028resource \"x\" \"y\" {}", "- !Ref x", "*/"} {
		w := &world{t: t, facts: Facts{}}
		w.entry(peering, "peering")
		w.item(peering, ledger.Item{Account: producer, Resource: "sg-0b100000000000000", Kind: ledger.Rule, Key: "ingress tcp 3306 10.1.0.0/24", Left: "sgr-0b100000000000000", Needed: []string{peering, hostile}},
			Fact{Rule: &Rule{ID: "sgr-0b100000000000000", Group: "sg-0b100000000000000", Protocol: "tcp", From: 1, To: 2, CIDR4: "10.1.0.0/24", Description: hostile, Tags: map[string]string{hostile: hostile}}})
		w.item(peering, ledger.Item{Account: producer, Resource: hostile, Kind: ledger.HostRoute, Key: hostile}, Fact{})
		e := w.export(Terraform, nil, peering)
		kinds := map[string]int{}
		for _, b := range parse(t, e.Files[0].Text).Blocks {
			kinds[b.Type]++
			if b.Type == "resource" {
				if got, wrong := b.Body.Attributes["description"].Expr.Value(nil); wrong.HasErrors() || got.AsString() != hostile {
					t.Errorf("%q is %q, %v", hostile, got.AsString(), wrong)
				}
			}
		}
		if kinds["resource"] != 1 || kinds["import"] != 1 || kinds["provider"] != 1 {
			t.Errorf("%q makes %v", hostile, kinds)
		}
		var out template
		c := w.export(CloudFormation, nil, peering)
		if err := yaml.UnmarshalStrict([]byte(c.Files[0].Text), &out); err != nil || len(out.Resources) != 1 {
			t.Errorf("%q: %v\n%s", hostile, err, c.Files[0].Text)
		}
		for _, r := range out.Resources {
			if r.Properties["Description"] != hostile {
				t.Errorf("%q is %q", hostile, r.Properties["Description"])
			}
		}
	}
}

// What cannot be exported is said, with what to do.
func TestWhatCannotBeExported(t *testing.T) {
	w := peered(t)
	w.entry("pcx-0bbbbbbbbbbbbbbb2", "peering")
	for _, c := range []struct {
		q    Question
		says string
	}{
		{Question{IDs: []string{"pcx-1"}}, "no entry"},
		{Question{IDs: []string{peering, "pcx-1"}}, "exporting pcx-1"},
		{Question{IDs: []string{"pcx-0bbbbbbbbbbbbbbb2"}}, "nothing was added"},
		{Question{IDs: []string{peering}, Only: []string{"333333333333"}}, consumer + ", " + producer},
	} {
		_, err := Items(w.rows, c.q)
		var is *fault.Error
		if !errors.As(err, &is) || is.Remedy == "" || !strings.Contains(err.Error(), c.says) || strings.Contains(err.Error(), "\n") {
			t.Errorf("%+v: %v", c.q, err)
		}
	}
	if _, err := Of(w.rows, Question{Tool: "pulumi", IDs: []string{peering}}, nil, nil, now); err == nil {
		t.Error("code of a tool that nobody knows")
	}
}

func TestFilesAreNotOverwritten(t *testing.T) {
	dir, e := t.TempDir(), peered(t).export(CloudFormation, nil, peering)
	paths, err := e.Save(dir)
	if err != nil || len(paths) != len(e.Files) || len(paths) != 4 {
		t.Fatalf("%v, %v", paths, err)
	}
	for n, path := range paths {
		if got, err := os.ReadFile(path); err != nil || string(got) != e.Files[n].Text {
			t.Errorf("%s: %v", path, err)
		}
	}
	if _, err := e.Save(dir); err == nil || !strings.Contains(err.Error(), paths[0]) {
		t.Errorf("a second time: %v", err)
	}
}

func TestNames(t *testing.T) {
	seen := map[string]string{}
	for _, text := range []string{"10.1.10.0/24", "10.11.0.0/24", "10.1.1.0/24", "fd00:2::/56", "fd00::2/56", "rtb-0a1", "sgr-1b"} {
		got := logical("route", text)
		if !regexp.MustCompile(`^[A-Za-z0-9]+$`).MatchString(got) || seen[got] != "" {
			t.Errorf("%s is %s, like %s", text, got, seen[got])
		}
		seen[got] = text
	}
	if got := logical("route", "rtb-0a1", "10.2.0.0/23"); got != "RouteRtbx0a1x10x2x0x0x23" {
		t.Error(got)
	}
	same := unique([]thing{{typ: "a", name: "b", native: &native{logical: "B"}}, {typ: "a", name: "b", native: &native{logical: "B"}}})
	if same[0].name == same[1].name || same[0].native.logical == same[1].native.logical {
		t.Errorf("two of one name: %+v", same)
	}
}

// Each kind of the ledger is exported, or is said to be part of something.
func TestEveryKindIsKnown(t *testing.T) {
	source, err := os.ReadFile("../ledger/ledger.go")
	if err != nil {
		t.Fatal(err)
	}
	kinds := regexp.MustCompile(`(?m)^\t\w+ +Kind = "([a-z-]+)"`).FindAllSubmatch(source, -1)
	if len(kinds) < 18 {
		t.Fatalf("%d kinds", len(kinds))
	}
	for _, k := range kinds {
		if why, do, owned := unowned(ledger.Item{Kind: ledger.Kind(k[1]), Resource: "x", Key: "y"}); strings.Contains(why, "no code is known") || !owned && (why == "" || do == "") {
			t.Errorf("%s: %q, %q", k[1], why, do)
		}
	}
}

// CloudFormation can import what the templates have, by exactly these identifiers, and cfn-lint has no fault with them. The schemas are those of cfn-lint: a type that has a
// handler for reading can be imported. https://docs.aws.amazon.com/cloudformation-cli/latest/userguide/resource-type-schema.html
func TestCloudFormationTakesTheTemplates(t *testing.T) {
	python, err := filepath.Abs("../../.venv/bin/python")
	if err == nil {
		_, err = os.Stat(python)
	}
	if err != nil {
		t.Fatalf("%v: run `make .venv/ready`", err)
	}
	dir := t.TempDir()
	var templates, lists []string
	types := map[string]bool{}
	for _, e := range []Export{peered(t).export(CloudFormation, nil, peering), others(t).export(CloudFormation, nil, everything...)} {
		paths, err := e.Save(dir)
		if err != nil {
			t.Fatal(err)
		}
		for n, f := range e.Files {
			if !strings.HasSuffix(f.Name, ".import.json") {
				templates = append(templates, paths[n])
				continue
			}
			lists = append(lists, paths[n])
			var all []toImport
			if err := json.Unmarshal([]byte(f.Text), &all); err != nil {
				t.Fatal(err)
			}
			for _, one := range all {
				types[one.ResourceType] = true
			}
		}
	}
	if len(types) < 11 {
		t.Errorf("only of the types %v", types)
	}
	if out, err := exec.Command(python, append([]string{"testdata/importable.py"}, lists...)...).CombinedOutput(); err != nil {
		t.Errorf("%v\n%s", err, out)
	}
	if out, err := exec.Command(filepath.Join(filepath.Dir(python), "cfn-lint"), append([]string{"--"}, templates...)...).CombinedOutput(); err != nil {
		t.Errorf("%v\n%s", err, out)
	}
}
