package arn

import (
	_ "embed"
	"encoding/json"
	"regexp"
	"slices"
	"sync"
)

// partitions.json is the SDK's own list, of the version in go.mod; a test holds it to that.
//
//go:embed partitions.json
var list []byte

type partition struct {
	ID      string              `json:"id"`
	Form    string              `json:"regionRegex"`
	Regions map[string]struct{} `json:"regions"`
	Outputs struct {
		DNSSuffix string `json:"dnsSuffix"`
		Global    string `json:"implicitGlobalRegion"`
	} `json:"outputs"`

	form *regexp.Regexp
}

var partitions = sync.OnceValue(func() []partition {
	var read struct {
		Partitions []partition `json:"partitions"`
	}
	if err := json.Unmarshal(list, &read); err != nil {
		panic(err)
	}
	for i := range read.Partitions {
		read.Partitions[i].form = regexp.MustCompile(read.Partitions[i].Form)
	}
	return read.Partitions
})

// of finds the partition of a Region as the SDK does for its endpoints: a Region of the list, else one that looks like
// those of a partition, else the first partition.
// https://docs.aws.amazon.com/sdkref/latest/guide/feature-gen-config.html
func of(region string) partition {
	for _, p := range partitions() {
		if _, ok := p.Regions[region]; ok {
			return p
		}
	}
	all := partitions()
	if i := slices.IndexFunc(all, func(p partition) bool { return p.form.MatchString(region) }); i >= 0 {
		return all[i]
	}
	return all[slices.IndexFunc(all, func(p partition) bool { return p.ID == "aws" })]
}

// Partition returns the partition of a Region, such as "aws-cn".
func Partition(region string) string { return of(region).ID }

// DNSSuffix returns what the names of the hosts of a Region end in, such as "amazonaws.com.cn".
func DNSSuffix(region string) string { return of(region).Outputs.DNSSuffix }

// Known tells whether the SDK's list names the Region. One that it does not name may exist all the same.
func Known(region string) bool {
	_, ok := of(region).Regions[region]
	return ok && IsRegion(region)
}

// Regions returns the names of all Regions of the SDK's list, sorted.
func Regions() []string {
	var all []string
	for _, p := range partitions() {
		for name := range p.Regions {
			if IsRegion(name) { // the list has pseudo-Regions too, such as aws-global
				all = append(all, name)
			}
		}
	}
	slices.Sort(all)
	return all
}

// IAMRegion returns the Region in which IAM's calls of a whole partition are recorded. It is the one for which IAM's only
// endpoint of the partition takes signatures; a test asks the SDK.
// https://docs.aws.amazon.com/IAM/latest/UserGuide/cloudtrail-integration.html
// https://docs.amazonaws.cn/en_us/aws/latest/userguide/iam.html
// https://docs.aws.amazon.com/govcloud-us/latest/UserGuide/govcloud-iam.html
func IAMRegion(region string) string {
	p := of(region)
	if p.ID == "aws-cn" {
		return "cn-north-1"
	}
	return p.Outputs.Global
}

// amazon ends the names of services. It is not the DNS suffix: AWS uses the same names in all partitions.
const amazon = "amazonaws.com"

// ServicePrincipal returns the name by which a service is a principal, in every partition and Region. The exceptions that
// there are (codedeploy, logs, elasticmapreduce in some places) are of services that Drawbridge lets do nothing.
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_principal.html
// https://docs.aws.amazon.com/cdk/api/v2/docs/aws-cdk-lib.aws_iam.ServicePrincipal.html
func ServicePrincipal(service string) string { return service + "." + amazon }

// ViaService returns the names that a service may have in the condition key kms:ViaService. AWS's pages write
// amazonaws.com; the keys that AWS manages in China name services with that partition's suffix. Both mean the one service.
// https://docs.aws.amazon.com/kms/latest/developerguide/conditions-kms.html#conditions-kms-via-service
func ViaService(service, region string) []string {
	names := []string{service + "." + region + "." + amazon}
	if suffix := DNSSuffix(region); suffix != amazon {
		names = append(names, service+"."+region+"."+suffix)
	}
	return names
}

// reversed begins the names of those endpoint services that are not called com.amazonaws in some partition; the list of the
// CDK, from DescribeVpcEndpointServices. A test asks the CDK.
// https://github.com/aws/aws-cdk/blob/main/packages/aws-cdk-lib/aws-ec2/lib/vpc-endpoint.ts
var reversed = map[string]map[string]string{
	"sagemaker.api": {"aws-cn": "cn.com.amazonaws", "aws-iso": "gov.ic.c2s", "aws-iso-b": "gov.sgov.sc2s"},
}

// EndpointService returns the full name of a service of which a VPC can have an interface endpoint, such as
// com.amazonaws.eu-west-1.rds-data.
// https://docs.aws.amazon.com/vpc/latest/privatelink/aws-services-privatelink-support.html
func EndpointService(service, region string) string {
	if service == "notebook" { // not of com.amazonaws anywhere
		return "aws.sagemaker." + region + "." + service
	}
	prefix := reversed[service][Partition(region)]
	if prefix == "" {
		prefix = "com.amazonaws"
	}
	return prefix + "." + region + "." + service
}

// EndpointHost returns the DNS name of an interface endpoint, whatever the DNS of who calls it; host is what the service
// calls itself, such as "api.sagemaker".
// https://docs.aws.amazon.com/vpc/latest/privatelink/privatelink-access-aws-services.html#interface-endpoint-dns-hostnames
func EndpointHost(id, host, region string) string {
	return id + "." + host + "." + region + ".vpce." + DNSSuffix(region)
}

// consoles are the domains of the AWS console that people reach from the internet.
// https://docs.aws.amazon.com/general/latest/gr/mgmt-console.html
// https://docs.amazonaws.cn/en_us/aws/latest/userguide/console.html
// https://docs.aws.amazon.com/govcloud-us/latest/UserGuide/getting-started-sign-in.html
// https://docs.aws.eu/esc/latest/userguide/endpoints.html
var consoles = map[string]string{
	"aws":        "console.aws.amazon.com",
	"aws-cn":     "console.amazonaws.cn",
	"aws-us-gov": "console.amazonaws-us-gov.com",
	"aws-eusc":   "console.amazonaws-eusc.eu",
}

// Console returns the host of a Region's console in a partition, or "" if it is not known.
func Console(partition, region string) string {
	if consoles[partition] == "" {
		return ""
	}
	return region + "." + consoles[partition]
}
