package arn_test

import (
	"encoding/json"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// literal is what only this package writes down: a partition, a DNS suffix, a Region.
var literal = regexp.MustCompile(`arn:aws|\bamazonaws\b|\bus-east-1\b`)

// No code of the product names a partition, a DNS suffix or a Region. The local engine may: it plays AWS; and so may the table of
// rights, which is data of examples for tests and docs, and the help of a command, which has examples for people.
func TestNothingElseNamesAPartition(t *testing.T) {
	read := 0
	for _, folder := range []string{"cmd", "functions", "infra", "pkg"} {
		err := filepath.WalkDir(filepath.Join("../..", folder), func(path string, d fs.DirEntry, err error) error {
			switch {
			case err != nil:
				return err
			case d.IsDir() && (d.Name() == "testdata" || strings.HasSuffix(d.Name(), "test") || path == "../../pkg/local" || path == "../../pkg/arn" || path == "../../infra/rights"):
				return filepath.SkipDir
			case d.IsDir() || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go"):
				return nil
			}
			read++
			files := token.NewFileSet()
			file, err := parser.ParseFile(files, path, nil, 0)
			if err != nil {
				return err
			}
			ast.Inspect(file, func(n ast.Node) bool {
				if f, ok := n.(*ast.FuncDecl); ok && f.Name.Name == "Help" {
					return false
				}
				if text, ok := n.(*ast.BasicLit); ok && text.Kind == token.STRING && literal.MatchString(text.Value) {
					t.Errorf("%s has %s; package arn knows such names", files.Position(text.Pos()), text.Value)
				}
				return true
			})
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	if read < 100 {
		t.Fatalf("only %d files were read", read)
	}
}

// principal is a service's own name, the same in all partitions.
var principal = regexp.MustCompile(`^[a-z0-9-]+\.amazonaws\.com$`)

// linked is the ARN of a role that AWS makes for a service, which has the service's name in its path.
var linked = regexp.MustCompile(`^arn:\$\{AWS::Partition\}:iam::\$\{AWS::AccountId\}:role/aws-service-role/[a-z0-9-]+\.amazonaws\.com/\w+$`)

// No template names a partition, a DNS suffix or a Region: CloudFormation knows them where it deploys. What is left are the
// names of services, where AWS wants those, and defaults of parameters, which the configuration gives.
func TestNoTemplateNamesAPartition(t *testing.T) {
	paths, err := filepath.Glob("../../infra/template/*.json")
	if err != nil || len(paths) < 10 {
		t.Fatalf("%d templates (%v)", len(paths), err)
	}
	for _, path := range paths {
		raw, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		var value any
		if err := json.Unmarshal(raw, &value); err != nil {
			t.Fatal(err)
		}
		texts := 0
		var walk func(at []string, value any)
		walk = func(at []string, value any) {
			switch v := value.(type) {
			case map[string]any:
				for key, each := range v {
					walk(append(slices.Clone(at), key), each)
				}
			case []any:
				for i, each := range v {
					walk(append(slices.Clone(at), strconv.Itoa(i)), each)
				}
			case string:
				texts++
				if literal.MatchString(v) && !fixed(at, v) {
					t.Errorf("%s: %s is %q", path, strings.Join(at, "/"), v)
				}
			}
		}
		walk(nil, value)
		if texts < 10 {
			t.Errorf("%s has %d texts", path, texts)
		}
	}
}

// fixed reports whether a text that names AWS's domain or a Region stands where it may.
func fixed(at []string, text string) bool {
	has := func(key string) bool { return slices.Contains(at, key) }
	return at[0] == "Parameters" && at[len(at)-1] == "Default" ||
		principal.MatchString(text) && (has("Principal") || has("iam:AWSServiceName")) ||
		linked.MatchString(text) ||
		has("StackInstancesGroup") || has("TemplateURL") || has("RegionOrder") || at[0] == "Resources" && at[1] == "Members" && has("Parameters") // the configuration's Regions
}
