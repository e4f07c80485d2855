// Package snippet writes the notebook cell with which a data scientist queries a Redshift cluster of another account from
// SageMaker Studio, with the AWS SDK for pandas and their own values filled in.
package snippet

import (
	"context"
	_ "embed"
	"fmt"
	"regexp"
	"strings"
	"text/template"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/redshift"

	"github.com/drawbridge-cloud/drawbridge/pkg/arn"
	"github.com/drawbridge-cloud/drawbridge/pkg/studio"
	"github.com/drawbridge-cloud/drawbridge/pkg/tag"
)

// Values are what the cell needs. They go into Python source, so each has a form of its own, checked by [Values.Check].
type Values struct {
	Role     string // ARN of the readers' role, as the verdict of drawbridge-studio names it
	Region   string
	Cluster  string   // identifier
	Database string   // empty: the cell has a place to fill in
	Groups   []string // database groups to join
}

var (
	nameForm     = regexp.MustCompile(`^(` + arn.RegionForm + `)-([a-z][a-z0-9-]{0,62})$`)
	clusterForm  = regexp.MustCompile(`^[a-z][a-z0-9-]{0,62}$`)
	databaseForm = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_$-]{0,63}$`)
)

// Of returns the values that the ARN of a readers' role tells: its Region and cluster. Those of a long name are cut; then
// both have to be given.
func Of(role string) (Values, error) {
	m := nameForm.FindStringSubmatch(name(role))
	if m == nil {
		return Values{}, fmt.Errorf("%q is not the ARN of a readers' role: that ends in :role%sREGION-CLUSTER; the verdict of drawbridge-studio names it", role, studio.Path+studio.RolePrefix)
	}
	return Values{Role: role, Region: m[1], Cluster: m[2]}, nil
}

// name returns what follows the prefix of readers' roles in the ARN of one.
func name(role string) string {
	_, name, _ := arn.Match(role, "iam", "role"+studio.Path+studio.RolePrefix)
	return name
}

// Check says which value is not what it should be.
func (v Values) Check() error {
	for _, c := range []struct {
		what, value string
		ok          bool
	}{{"role", v.Role, nameForm.MatchString(name(v.Role))}, {"Region", v.Region, arn.IsRegion(v.Region)}, {"cluster", v.Cluster, clusterForm.MatchString(v.Cluster)}} {
		if !c.ok {
			return fmt.Errorf("the %s %q is not one", c.what, c.value)
		}
	}
	for _, name := range append([]string{v.Database}, v.Groups...) {
		if name != "" && !databaseForm.MatchString(name) {
			return fmt.Errorf("%q is not the name of a database or a group", name)
		}
	}
	return nil
}

// Account is the cluster's account.
func (v Values) Account() string { return arn.AccountOf(v.Role) }

// Redshift is what [Fill] needs of it, in the session of a reader.
type Redshift interface {
	DescribeClusters(context.Context, *redshift.DescribeClustersInput, ...func(*redshift.Options)) (*redshift.DescribeClustersOutput, error)
}

// Fill reads from the cluster what the values lack: the database, and the groups that its owner lets readers join.
func Fill(ctx context.Context, api Redshift, v Values) (Values, error) {
	got, err := api.DescribeClusters(ctx, &redshift.DescribeClustersInput{ClusterIdentifier: &v.Cluster})
	if err != nil || len(got.Clusters) == 0 {
		return v, fmt.Errorf("reading the cluster %s: %w", v.Cluster, err)
	}
	if v.Database == "" {
		v.Database = aws.ToString(got.Clusters[0].DBName)
	}
	tags := map[string]string{}
	for _, t := range got.Clusters[0].Tags {
		tags[aws.ToString(t.Key)] = aws.ToString(t.Value)
	}
	if len(v.Groups) == 0 {
		v.Groups = strings.Fields(tag.Clean(tag.RedshiftCluster, tags)[tag.StudioGroups])
	}
	return v, v.Check()
}

//go:embed cell.py.tmpl
var text string

var cell = template.Must(template.New("cell").Parse(text))

// Cell returns the cell.
func Cell(v Values) (string, error) {
	if err := v.Check(); err != nil {
		return "", err
	}
	var b strings.Builder
	err := cell.Execute(&b, v)
	return b.String(), err
}
