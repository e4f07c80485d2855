package main

import (
	"context"
	"fmt"
	"os"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/credentials/stscreds"
	"github.com/aws/aws-sdk-go-v2/service/redshift"
	"github.com/aws/aws-sdk-go-v2/service/sts"

	"github.com/drawbridge-cloud/drawbridge/pkg/studio/snippet"
)

type snippetCommand struct {
	Role     string   `arg:"" help:"ARN of the readers' role, as the verdict of drawbridge-studio names it."`
	Cluster  string   `help:"Identifier of the Redshift cluster; by default the role's name tells it." placeholder:"ID"`
	Region   string   `help:"Region of the cluster; by default the role's name tells it."`
	Database string   `help:"Database; by default the cluster's own." placeholder:"NAME"`
	Group    []string `help:"Database groups to join; by default those that the cluster's owner allows." placeholder:"NAME"`
}

// Help is what kong shows below the options.
func (snippetCommand) Help() string {
	return `Prints a cell for a notebook in SageMaker Studio. Run it in Studio's terminal, so that it may ask the cluster for
what is not given; elsewhere the cell has places to fill in.

Examples:

  drawbridge connect-snippet ROLE_ARN
  drawbridge connect-snippet ROLE_ARN --database dev --group analysts`
}

// Run implements the command.
func (c snippetCommand) Run(ctx context.Context) error {
	v, err := snippet.Of(c.Role)
	if err != nil {
		return err
	}
	v.Database, v.Groups = c.Database, c.Group
	if c.Cluster != "" {
		v.Cluster = c.Cluster
	}
	if c.Region != "" {
		v.Region = c.Region
	}
	if err := v.Check(); err != nil {
		return err
	}
	if filled, err := c.fill(ctx, v); err == nil {
		v = filled
	} else if v.Database == "" {
		fmt.Fprintf(os.Stderr, "drawbridge: the cluster cannot be asked from here (%v): put its database in yourself.\n", err)
	}
	cell, err := snippet.Cell(v)
	if err != nil {
		return err
	}
	fmt.Print(cell)
	return nil
}

// fill asks the cluster, as a reader.
func (c snippetCommand) fill(ctx context.Context, v snippet.Values) (snippet.Values, error) {
	own, err := config.LoadDefaultConfig(ctx, config.WithRegion(v.Region))
	if err != nil {
		return v, err
	}
	reader := own.Copy()
	reader.Credentials = aws.NewCredentialsCache(stscreds.NewAssumeRoleProvider(sts.NewFromConfig(own), v.Role))
	return snippet.Fill(ctx, redshift.NewFromConfig(reader), v)
}
