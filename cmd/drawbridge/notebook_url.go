package main

import (
	"context"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/sagemaker"

	"github.com/drawbridge-cloud/drawbridge/pkg/privatenotebooks"
)

type notebookURLCommand struct {
	Name     string `arg:"" help:"Name of the notebook instance."`
	Endpoint string `help:"Endpoint of SageMaker's API to issue it through; by default it is found." placeholder:"VPCE-ID"`
	VPC      string `help:"VPC whose endpoint to use, if there are several." name:"vpc" placeholder:"VPC-ID"`
	Region   string `help:"Region of the notebook; by default that of your AWS configuration."`
}

// Help is what kong shows below the options.
func (notebookURLCommand) Help() string {
	return `Works with your own AWS credentials, in the notebook's account, from a machine that reaches the endpoint. Prints the URL.

Examples:

  drawbridge notebook-url research
  drawbridge notebook-url research --vpc vpc-0a1b2c3d --region eu-west-1`
}

// Run implements the command.
func (c notebookURLCommand) Run(ctx context.Context) error {
	cfg, err := config.LoadDefaultConfig(ctx, config.WithRegion(c.Region))
	if err != nil {
		return fmt.Errorf("loading your AWS configuration: %w", err)
	}
	if cfg.Region == "" {
		return fmt.Errorf("issuing the URL of %s: no Region is set; name it with --region", c.Name)
	}
	if c.Endpoint == "" {
		if c.Endpoint, err = privatenotebooks.FindEndpoint(ctx, ec2.NewFromConfig(cfg), cfg.Region, c.VPC); err != nil {
			return err
		}
	}
	through := sagemaker.NewFromConfig(cfg, func(o *sagemaker.Options) {
		o.BaseEndpoint = aws.String(privatenotebooks.EndpointURL(c.Endpoint, cfg.Region))
	})
	url, err := privatenotebooks.Issue(ctx, through, c.Name, c.Endpoint)
	if err != nil {
		return err
	}
	fmt.Println(url)
	return nil
}
