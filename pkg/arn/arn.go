// Package arn builds and splits Amazon Resource Names, and answers what differs between the partitions of AWS: which
// partition a Region is in, its DNS suffix, where IAM's calls are recorded. No other package writes a partition, a DNS
// suffix or a Region down.
package arn

import (
	"regexp"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws/arn"
)

// ARN is the SDK's own.
type ARN = arn.ARN

// RegionForm matches what may be the name of a Region, of whatever partition: also of one that nobody has heard of yet.
const RegionForm = `[a-z]{2,10}(?:-[a-z]{2,16}){1,3}-[0-9]{1,2}`

// PartitionForm matches what may be the name of a partition.
const PartitionForm = `aws(?:-[a-z]+)*`

var (
	regionForm    = regexp.MustCompile(`^` + RegionForm + `$`)
	partitionForm = regexp.MustCompile(`^` + PartitionForm + `$`)
	accountForm   = regexp.MustCompile(`^[0-9]{12}$`)
)

// global are the services whose ARNs name no Region, of those that Drawbridge reads.
var global = []string{"iam", "organizations"}

// IsRegion tells whether name has the form of a Region's name.
func IsRegion(name string) bool { return regionForm.MatchString(name) }

// Parse splits any ARN. [Match] says more of one kind of thing.
func Parse(text string) (ARN, error) { return arn.Parse(text) }

// New returns the ARN of a resource. Region and account are empty where the service has none.
func New(partition, service, region, account, resource string) string {
	return ARN{Partition: partition, Service: service, Region: region, AccountID: account, Resource: resource}.String()
}

// IAM returns the ARN of something in IAM, such as "root" or "role/drawbridge/reader".
func IAM(partition, account, resource string) string {
	return New(partition, "iam", "", account, resource)
}

// Match splits the ARN of one kind of thing, such as "vpc/" of ec2 or "cluster:" of rds: the place, and what follows the
// kind. It refuses an ARN of another kind, and one whose partition, Region or account has not the form of one.
func Match(text, service, kind string) (place ARN, id string, ok bool) {
	a, err := arn.Parse(text)
	if err != nil || a.Service != service || !partitionForm.MatchString(a.Partition) || !accountForm.MatchString(a.AccountID) ||
		a.Region != "" && !IsRegion(a.Region) || (a.Region == "") != slices.Contains(global, service) {
		return ARN{}, "", false
	}
	id, ok = strings.CutPrefix(a.Resource, kind)
	return a, id, ok && id != ""
}

// AccountOf returns the account that an ARN names, or "".
func AccountOf(text string) string {
	a, _ := arn.Parse(text)
	return a.AccountID
}

// PartitionOf returns the partition of an ARN that AWS returned. Where there is only a Region, [Partition] tells it.
func PartitionOf(text string) string {
	a, err := arn.Parse(text)
	if err != nil || !partitionForm.MatchString(a.Partition) {
		return Partition("")
	}
	return a.Partition
}
