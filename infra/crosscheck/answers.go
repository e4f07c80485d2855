package main

import "fmt"

// question is what the Service Authorization Reference says of an action, where a role has the action alone: a resource
// type that it requires, or another action that it depends on.
type question struct{ action, wants string }

func (q question) String() string { return fmt.Sprintf("%s wants %s", q.action, q.wants) }

// answers say why it is right so. An answer that nothing asks for is an error.
var answers = map[question]string{
	{"states:DescribeExecution", "express"}: "an execution is of a standard machine or of an express one, and there are no express machines",
	// https://docs.aws.amazon.com/vpc/latest/privatelink/security_iam_id-based-policy-examples.html
	{"ec2:CreateVpcEndpoint", "route53:AssociateVPCWithHostedZone"}: "AWS's guide allows the creation of endpoints without it",
}
