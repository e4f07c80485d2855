// Package privatenotebooks makes notebooks reachable through interface endpoints only, for those who are told so.
//
// A VPC that carries the tag drawbridge:private-notebooks=true gets the endpoints of SageMaker's API and of its notebooks
// (package endpoint does that). One managed policy for each account lets the roles that carry the same tag issue the URL
// of a notebook through the endpoints of all such VPCs, in all Regions, and from nowhere else. The restriction lives in
// the policy of whoever issues the URL, so the verdict reads the real policies of the account and names everybody who may
// still issue one from anywhere.
// https://docs.aws.amazon.com/sagemaker/latest/dg/notebook-interface-endpoint.html
package privatenotebooks

import (
	"github.com/drawbridge-cloud/drawbridge/pkg/arn"
	"github.com/drawbridge-cloud/drawbridge/pkg/road"
)

// machine is the state machine that all of this is for.
const machine = "drawbridge-private-notebooks"

// The managed policy that each account has at most once.
const (
	PolicyName = "drawbridge-private-notebooks"
	PolicyPath = "/drawbridge/"
)

// The actions that the policy allows.
const (
	Presign  = "sagemaker:CreatePresignedNotebookInstanceUrl"
	Describe = "sagemaker:DescribeNotebookInstance"
)

// ownerPrefix begins what the tag drawbridge:connection says on what is made for a VPC.
const ownerPrefix = string(road.PrivateNotebooks) + "-"

// Owner returns the value of the tag drawbridge:connection on what is made for a VPC.
func Owner(vpc string) string { return ownerPrefix + vpc }

// API returns the name of the service that issues the URL of a notebook.
func API(region string) string { return arn.EndpointService("sagemaker.api", region) }

// Notebook returns the name of the service that serves Jupyter.
func Notebook(region string) string { return arn.EndpointService("notebook", region) }

// Services returns the names of both services of a Region. AWS wants both: the browser's own requests are authorized by
// the endpoint through which they come.
func Services(region string) []string { return []string{API(region), Notebook(region)} }

// PolicyARN returns the ARN of an account's policy; region is any one of its partition.
func PolicyARN(account, region string) string {
	return arn.IAM(arn.Partition(region), account, "policy"+PolicyPath+PolicyName)
}
