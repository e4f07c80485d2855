package snippet_test

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/redshift"
	"github.com/aws/aws-sdk-go-v2/service/redshift/types"

	"github.com/drawbridge-cloud/drawbridge/pkg/studio"
	"github.com/drawbridge-cloud/drawbridge/pkg/studio/snippet"
	"github.com/drawbridge-cloud/drawbridge/pkg/tag"
)

const role = "arn:aws:iam::222222222222:role/drawbridge/drawbridge-studio-eu-west-1-sales-warehouse"

func TestTheRoleTellsRegionAndCluster(t *testing.T) {
	v, err := snippet.Of(role)
	if err != nil || v.Region != "eu-west-1" || v.Cluster != "sales-warehouse" || v.Account() != "222222222222" {
		t.Errorf("Of = %+v, %v", v, err)
	}
	if !strings.HasSuffix(role, studio.Path+studio.RoleName(v.Region, v.Cluster)) {
		t.Errorf("%s is not how the role of %+v is called", role, v)
	}
	for _, wrong := range []string{"", "sales", "arn:aws:iam::222222222222:role/sales", role + `"; import os`, "arn:aws:iam::22:role/drawbridge/drawbridge-studio-eu-west-1-x"} {
		if _, err := snippet.Of(wrong); err == nil {
			t.Errorf("Of(%q) takes it", wrong)
		}
	}
}

type fake struct{ err error }

func (f fake) DescribeClusters(context.Context, *redshift.DescribeClustersInput, ...func(*redshift.Options)) (*redshift.DescribeClustersOutput, error) {
	return &redshift.DescribeClustersOutput{Clusters: []types.Cluster{{DBName: aws.String("sales"),
		Tags: []types.Tag{{Key: aws.String(tag.StudioGroups), Value: aws.String("analysts readers")}}}}}, f.err
}

func TestTheCellIsPythonWithTheValuesInIt(t *testing.T) {
	v, _ := snippet.Of(role)
	for name, fill := range map[string]bool{"filled": true, "bare": false} {
		if fill {
			var err error
			if v, err = snippet.Fill(t.Context(), fake{}, v); err != nil {
				t.Fatal(err)
			}
		}
		text, err := snippet.Cell(v)
		if err != nil {
			t.Fatal(err)
		}
		if fill && !(strings.Contains(text, `database="sales"`) && strings.Contains(text, `db_groups=["analysts", "readers"]`)) {
			t.Errorf("%s: %s", name, text)
		}
		python, err := exec.LookPath("python3")
		if err != nil {
			t.Skip("no Python to read the cell with")
		}
		check := exec.Command(python, "-c", "import ast, sys; ast.parse(sys.stdin.read())")
		check.Stdin = strings.NewReader(text)
		if out, err := check.CombinedOutput(); err != nil {
			t.Errorf("%s: %s\n%s", name, out, text)
		}
	}
}

func TestNothingStrangeGetsIntoTheSource(t *testing.T) {
	v, _ := snippet.Of(role)
	for _, wrong := range []string{`x"; import os`, "a b", "x\ny"} {
		bad := v
		bad.Database = wrong
		if _, err := snippet.Cell(bad); err == nil {
			t.Errorf("the database %q gets in", wrong)
		}
		bad = v
		bad.Groups = []string{wrong}
		if _, err := snippet.Cell(bad); err == nil {
			t.Errorf("the group %q gets in", wrong)
		}
	}
	if _, err := snippet.Fill(t.Context(), fake{errors.New("denied")}, v); err == nil {
		t.Error("a cluster that cannot be read is no error")
	}
}

// What people read is what the command prints.
func TestTheGuideHasTheCell(t *testing.T) {
	guide, err := os.ReadFile("../../../docs/studio.md")
	if err != nil {
		t.Fatal(err)
	}
	v, _ := snippet.Of(role)
	if v, err = snippet.Fill(t.Context(), fake{}, v); err != nil {
		t.Fatal(err)
	}
	text, err := snippet.Cell(v)
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(string(guide), "```python\n"+text+"```\n") {
		t.Errorf("docs/studio.md does not have this cell:\n%s", text)
	}
}
