package steps_test

import (
	"os/exec"
	"slices"
	"strings"
	"testing"
)

const services = "github.com/aws/aws-sdk-go-v2/service/"

// links are the clients of services that the functions of each package link, beside the stage's. One more is paid for by every function of the package, in its
// zip and each time it starts cold.
var links = map[string]string{
	"steps":                  "dynamodb eventbridge organizations sfn signin sns ssm sso ssooidc sts", // the last of them by package config
	"steps/network":          "ec2",
	"steps/notebook":         "ec2 lambda sagemaker",
	"steps/peering":          "ec2 lambda rds redshift redshiftserverless resourcegroupstaggingapi sagemaker",
	"steps/gateway":          "ec2 iam lambda ram rds redshift redshiftserverless resourcegroupstaggingapi sagemaker",
	"steps/dataapi":          "ec2 iam kms rds secretsmanager",
	"steps/dataapiendpoint":  "ec2",
	"steps/studio":           "ec2 iam redshift sagemaker",
	"steps/privatenotebooks": "ec2 iam route53resolver sagemaker",
	"steps/change":           "ec2 iam lambda ram rds redshift redshiftserverless resourcegroupstaggingapi sagemaker",
	"steps/tagging":          "ec2 iam rds redshift redshiftserverless resourcegroupstaggingapi sagemaker",
	"steps/contest":          "",
	"steps/failure":          "ec2 iam kms lambda ram rds redshift redshiftserverless resourcegroupstaggingapi route53resolver sagemaker secretsmanager", // it speaks of all kinds
}

func TestStepsLinkTheClientsThatTheyNeed(t *testing.T) {
	out, err := exec.Command("go", "list", "-f", "{{.ImportPath}} {{join .Deps \" \"}}", "./...").Output()
	if err != nil {
		t.Fatalf("listing what packages are made of: %v", err)
	}
	seen := 0
	for _, line := range strings.Split(strings.TrimSpace(string(out)), "\n") {
		words := strings.Fields(line)
		_, name, _ := strings.Cut(words[0], "/pkg/")
		want, listed := links[name]
		if !listed {
			t.Errorf("%s: say in this test which clients its functions link", words[0])
			continue
		}
		seen++
		may := strings.Fields(links["steps"] + " " + want)
		for _, d := range words[1:] {
			of, is := strings.CutPrefix(d, services)
			if is && !strings.Contains(of, "/") && !slices.Contains(may, of) {
				t.Errorf("%s links the client of %s: wire the step that needs it in another package, or say here that all its functions shall", name, of)
			}
		}
		for _, s := range strings.Fields(want) {
			if !slices.Contains(words[1:], services+s) {
				t.Errorf("%s no longer links the client of %s: take it off the list", name, s)
			}
		}
	}
	if seen != len(links) {
		t.Errorf("%d packages are listed, %d are there", len(links), seen)
	}
}
