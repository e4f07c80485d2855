package local

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/drawbridge-cloud/drawbridge/pkg/local/awscall"
)

func TestLoopback(t *testing.T) {
	for _, c := range []struct{ address, want string }{
		{"127.0.0.1:4566", "127.0.0.1:4566"},
		{"127.9.9.9:0", "127.9.9.9:0"},
		{"[::1]:4566", "[::1]:4566"},
		{"localhost:4566", "127.0.0.1:4566"},
		{"0.0.0.0:4566", ""},
		{"[::]:4566", ""},
		{":4566", ""},
		{"10.0.0.1:4566", ""},
		{"example.com:4566", ""},
		{"localhost.example.com:4566", ""},
		{"127.0.0.1", ""},
		{"", ""},
	} {
		got, err := loopback(c.address)
		if got != c.want || (err != nil) != (c.want == "") {
			t.Errorf("%q: got %q, %v", c.address, got, err)
		}
		if err != nil && strings.Contains(err.Error(), "\n") {
			t.Errorf("%q: more than a sentence: %v", c.address, err)
		}
	}
}

func TestCheckNamesWhatIsMissing(t *testing.T) {
	root := t.TempDir()
	python := filepath.Join(root, ".venv", "bin")
	for _, step := range []struct{ path, want string }{
		{"", "make demo"},
		{python, "make demo"},
		{filepath.Join(python, "python"), "complete checkout"},
		{filepath.Join(root, "pkg", "local", "moto"), "make build"},
		{filepath.Join(root, "bin", "functions"), ""},
	} {
		if step.path != "" {
			if err := os.MkdirAll(step.path, 0o755); err != nil {
				t.Fatal(err)
			}
		}
		err := Options{Root: root}.Check()
		if (err == nil) != (step.want == "") || err != nil && !strings.Contains(err.Error(), step.want) {
			t.Errorf("with %s: got %v, want %q", step.path, err, step.want)
		}
	}
}

func TestAccounts(t *testing.T) {
	var a accounts
	const answer = `<AssumeRoleResponse><Credentials><AccessKeyId>ASIA1234567890AB</AccessKeyId></Credentials></AssumeRoleResponse>`
	a.learn(awscall.Call{Account: HubAccount, Action: "AssumeRole", Resource: "arn:aws:iam::222222222222:role/drawbridge-member-add-routes"}, []byte(answer))
	a.learn(awscall.Call{Account: "333333333333", Action: "CreateAccessKey"}, []byte(strings.ReplaceAll(answer, "ASIA", "AKIA")))
	for _, c := range []struct{ key, account, role string }{
		{"111111111111", "111111111111", ""},
		{"ASIA1234567890AB", "222222222222", "drawbridge-member-add-routes"},
		{"AKIA1234567890AB", "333333333333", ""},
		{"test", HubAccount, ""},
		{"", HubAccount, ""},
	} {
		if account, role := a.of(c.key); account != c.account || role != c.role {
			t.Errorf("%q: got %s %q", c.key, account, role)
		}
	}
}

func TestFunctionName(t *testing.T) {
	for _, s := range []string{
		"drawbridge-add-routes",
		"drawbridge-add-routes:$LATEST",
		"123456789012:function:drawbridge-add-routes",
		"arn:aws:lambda:us-east-1:123456789012:function:drawbridge-add-routes",
		"arn:aws:lambda:us-east-1:123456789012:function:drawbridge-add-routes:$LATEST",
	} {
		if got := functionName(s); got != "drawbridge-add-routes" {
			t.Errorf("%s: got %q", s, got)
		}
	}
}

func TestTemplateParameters(t *testing.T) {
	d := newDeployer("", Options{Region: "eu-west-1"})
	values, err := d.values(`{"Parameters":{"HubBusArn":{},"Own":{"Default":"x"}}}`)
	if err != nil || len(values) != 1 || *values[0].ParameterValue != "arn:aws:events:eu-west-1:123456789012:event-bus/drawbridge" {
		t.Errorf("got %+v, %v", values, err)
	}
	if _, err := d.values(`{"Parameters":{"Surprise":{}}}`); err == nil || !strings.Contains(err.Error(), "Surprise") {
		t.Errorf("a parameter without a value: %v", err)
	}
	if _, err := d.values(`{`); err == nil {
		t.Error("a broken template is no error")
	}
}

func TestOutputFindsTheReadyLineInPieces(t *testing.T) {
	var log strings.Builder
	o := &output{next: &log, ready: make(chan string, 1)}
	for _, piece := range []string{"a warning\nready http://127.", "0.0.1:4711", "\n", "and more\n"} {
		if _, err := o.Write([]byte(piece)); err != nil {
			t.Fatal(err)
		}
	}
	select {
	case got := <-o.ready:
		if got != "http://127.0.0.1:4711" {
			t.Errorf("got %q", got)
		}
	default:
		t.Error("the line was not found")
	}
	if log.String() != "and more\n" {
		t.Errorf("passed on %q", log.String())
	}
}

func TestEnvironmentOfTheEmulation(t *testing.T) {
	got := withoutAWS([]string{"PATH=/bin", "AWS_PROFILE=work", "AWS_ENDPOINT_URL=http://x", "MOTO_ACCOUNT_ID=1", "DRAWBRIDGE_OUTSIDE=1", "HOME=/root"})
	if strings.Join(got, " ") != "PATH=/bin HOME=/root" {
		t.Errorf("got %q", got)
	}
}
