package arn_test

import (
	"bytes"
	"context"
	"errors"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/sts"

	"github.com/drawbridge-cloud/drawbridge/pkg/arn"
)

// The list is the file that the SDK of go.mod makes its endpoints from.
func TestTheListIsTheSDKs(t *testing.T) {
	dir, err := exec.Command("go", "list", "-m", "-f", "{{.Dir}}", "github.com/aws/aws-sdk-go-v2").Output()
	if err != nil {
		t.Fatal(err)
	}
	theirs := filepath.Join(strings.TrimSpace(string(dir)), "internal/endpoints/awsrulesfn/partitions.json")
	want, err := os.ReadFile(theirs)
	if err != nil {
		t.Fatal(err)
	}
	got, err := os.ReadFile("partitions.json")
	if err != nil || !bytes.Equal(got, want) {
		t.Errorf("partitions.json differs from the SDK's (%v): cp %s pkg/arn/", err, theirs)
	}
}

// What the SDK would call, and sign for, is what the package says of a Region.
func TestPartitionsAreTheSDKs(t *testing.T) {
	regions := append(arn.Regions(), "ap-southeast-42", "cn-south-1", "us-gov-north-1", "eusc-de-west-2", "us-isof-east-9", "new-land-east-1")
	if len(regions) < 40 {
		t.Fatalf("only %d Regions: %v", len(regions), regions)
	}
	for _, r := range regions {
		if !arn.IsRegion(r) {
			t.Errorf("%s has not the form of a Region", r)
		}
		endpoint, err := sts.NewDefaultEndpointResolverV2().ResolveEndpoint(t.Context(), sts.EndpointParameters{Region: aws.String(r), UseGlobalEndpoint: aws.Bool(false), UseDualStack: aws.Bool(false), UseFIPS: aws.Bool(false)})
		if err != nil {
			t.Fatal(err)
		}
		if got := "sts." + r + "." + arn.DNSSuffix(r); got != endpoint.URI.Host {
			t.Errorf("the SDK calls %s, not %s", endpoint.URI.Host, got)
		}
		if got, want := arn.IAMRegion(r), signing(t, r); got != want {
			t.Errorf("IAM of %s is called in %s, not %s", r, want, got)
		}
	}
}

func signing(t *testing.T, region string) string {
	var in string
	client := iam.New(iam.Options{Region: region, RetryMaxAttempts: 1, Credentials: aws.NewCredentialsCache(keys{}), HTTPClient: wire(func(authorization string) {
		in = strings.Split(authorization, "/")[2]
	})})
	if _, err := client.ListRoles(t.Context(), &iam.ListRolesInput{}); err == nil || in == "" {
		t.Fatalf("nothing was signed for IAM in %s: %v", region, err)
	}
	return in
}

type keys struct{}

func (keys) Retrieve(context.Context) (aws.Credentials, error) {
	return aws.Credentials{AccessKeyID: "AKID", SecretAccessKey: "secret"}, nil
}

// wire takes a request's signature and answers nothing.
type wire func(authorization string)

func (w wire) Do(r *http.Request) (*http.Response, error) {
	w(r.Header.Get("Authorization"))
	return nil, errors.New("no network")
}

func TestPartition(t *testing.T) {
	for region, want := range map[string][3]string{
		"us-east-1":       {"aws", "amazonaws.com", "us-east-1"},
		"ap-southeast-42": {"aws", "amazonaws.com", "us-east-1"},
		"new-land-east-1": {"aws", "amazonaws.com", "us-east-1"},
		"cn-northwest-1":  {"aws-cn", "amazonaws.com.cn", "cn-north-1"},
		"us-gov-east-1":   {"aws-us-gov", "amazonaws.com", "us-gov-west-1"},
		"eusc-de-east-1":  {"aws-eusc", "amazonaws.eu", "eusc-de-east-1"},
		"us-isob-west-1":  {"aws-iso-b", "sc2s.sgov.gov", "us-isob-east-1"},
	} {
		if got := [3]string{arn.Partition(region), arn.DNSSuffix(region), arn.IAMRegion(region)}; got != want {
			t.Errorf("%s: %v, want %v", region, got, want)
		}
	}
	if !arn.Known("eusc-de-east-1") || arn.Known("ap-southeast-42") || arn.Known("aws-global") || arn.Known("") {
		t.Error("Known is wrong")
	}
	for _, no := range []string{"", "us-east", "us-east-1a", "aws-global", "us_east_1", "US-EAST-1", "us-east-1\n", "us-east-1.evil.example-1", "x-y-1", strings.Repeat("a", 11) + "-east-1"} {
		if arn.IsRegion(no) {
			t.Errorf("%q is a Region", no)
		}
	}
}

func TestMatch(t *testing.T) {
	for text, want := range map[string]string{
		"arn:aws:ec2:us-east-1:111111111111:vpc/vpc-1":            "vpc-1",
		"arn:aws-eusc:ec2:eusc-de-east-1:111111111111:vpc/vpc-1":  "vpc-1",
		"arn:aws-iso-b:ec2:us-isob-east-1:111111111111:vpc/a:b/c": "a:b/c",
		"arn:aws:ec2:us-east-1:111111111111:vpc/":                 "",
		"arn:aws:ec2:us-east-1:111111111111:subnet/vpc-1":         "",
		"arn:aws:rds:us-east-1:111111111111:vpc/vpc-1":            "",
		"arn:aws:ec2:us-east-1:11111111111:vpc/vpc-1":             "",
		"arn:aws:ec2::111111111111:vpc/vpc-1":                     "",
		"arn:aws:ec2:nowhere:111111111111:vpc/vpc-1":              "",
		"arn:ibm:ec2:us-east-1:111111111111:vpc/vpc-1":            "",
		"arn:aws:ec2:us-east-1":                                   "",
		"vpc-1":                                                   "",
	} {
		place, id, ok := arn.Match(text, "ec2", "vpc/")
		if id != want && ok || ok != (want != "") || ok && (place.AccountID != "111111111111" || place.String() != text) {
			t.Errorf("%s: %v %q %v, want %q", text, place, id, ok, want)
		}
	}
	if _, id, ok := arn.Match(arn.IAM("aws-cn", "111111111111", "role/drawbridge/x"), "iam", "role/"); !ok || id != "drawbridge/x" {
		t.Errorf("%q %v", id, ok)
	}
	if got, want := arn.New("aws-cn", "rds", "cn-north-1", "111111111111", "cluster:a"), "arn:aws-cn:rds:cn-north-1:111111111111:cluster:a"; got != want {
		t.Errorf("%s, want %s", got, want)
	}
	if arn.PartitionOf("arn:aws-eusc:iam::111111111111:root") != "aws-eusc" || arn.PartitionOf("no ARN") != "aws" {
		t.Error("PartitionOf is wrong")
	}
}
