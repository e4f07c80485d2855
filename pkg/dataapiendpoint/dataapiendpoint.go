// Package dataapiendpoint gives the VPCs from which the RDS Data API is called a private way there.
//
// A VPC that carries the tag drawbridge:data-api=true gets the interface endpoint rds-data of its Region (package endpoint
// does that), or keeps the one that its owner made. Whose clusters are queried through it, package dataapi says: an account
// that queries needs both, and the two know nothing of each other. An endpoint reaches the clusters of its own Region only.
// The tag of a cluster names accounts and no Region, so nobody but the caller can tell that a VPC is in the right one;
// the verdict names the Region.
//
//	dataapiendpoint.go  the words
//	plan.go             thinks (pure)
//	inspect.go          reads, and asks the policy
//	verify.go           reads back
//	turn.go             under which lease an inspection looks
//
// https://docs.aws.amazon.com/AmazonRDS/latest/AuroraUserGuide/data-api.html#data-api.vpc-endpoint
package dataapiendpoint

import (
	"github.com/drawbridge-cloud/drawbridge/pkg/arn"
	"github.com/drawbridge-cloud/drawbridge/pkg/road"
)

// Owner returns the value of the tag drawbridge:connection on what is made for a VPC, and the id of its entry in the ledger.
func Owner(vpc string) string { return string(road.DataAPIEndpoint) + "-" + vpc }

// Service returns the name of the Data API's endpoint service in a Region.
func Service(region string) string { return arn.EndpointService("rds-data", region) }
