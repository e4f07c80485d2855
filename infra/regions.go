package main

import (
	"fmt"
	"slices"
	"strings"

	arns "github.com/drawbridge-cloud/drawbridge/pkg/arn"
)

// strangeRegion returns nothing for a Region of the SDK's list. AWS opens Regions faster than anybody updates the SDK, so
// one that is not in the list but made of the words that Regions are made of is a note: us-west-3. Any other is an error:
// us-wset-2. No key is needed to insist: a Region that does not exist fails in CloudFormation before anything is made.
func strangeRegion(region string) (note string, err error) {
	if arns.Known(region) {
		return "", nil
	}
	words := map[string]bool{}
	for _, r := range arns.Regions() {
		for _, word := range middle(r) {
			words[word] = true
		}
	}
	near := nearest(region, arns.Regions())
	for _, word := range middle(region) {
		if !words[word] {
			return "", fmt.Errorf("AWS has no such Region; did you mean %q?", near)
		}
	}
	return fmt.Sprintf("the Region %s is not among those that the SDK knows, of which the nearest is %s: this is right only if AWS opened it since", region, near), nil
}

// middle returns the words of a Region's name between the country and the number.
func middle(region string) []string {
	parts := strings.Split(region, "-")
	return parts[1 : len(parts)-1]
}

// onePartition refuses Regions of another partition than the hub's: an organization is in one, and so is what EventBridge
// and IAM reach. https://docs.aws.amazon.com/whitepapers/latest/aws-fault-isolation-boundaries/partitions.html
func onePartition(c Config) error {
	for _, r := range c.Regions {
		if arns.Partition(r) != arns.Partition(c.HubRegion) {
			return fmt.Errorf("context \"regions\" in cdk.json has %s, which is in the partition %s, but \"hubRegion\" is %s, in %s: an organization is in one partition",
				r, arns.Partition(r), c.HubRegion, arns.Partition(c.HubRegion))
		}
	}
	return nil
}

// regionNotes returns what should be known about the Regions before deploying.
func (c Config) regionNotes() []string {
	var notes []string
	for _, r := range slices.Compact(slices.Sorted(slices.Values(append([]string{c.HubRegion}, c.Regions...)))) {
		if note, _ := strangeRegion(r); note != "" {
			notes = append(notes, note)
		}
	}
	// An error would lock out organizations whose service control policies close that Region to members.
	if iam := arns.IAMRegion(c.HubRegion); !slices.Contains(c.Regions, iam) {
		notes = append(notes, fmt.Sprintf("context \"regions\" in cdk.json lacks %s, where CloudTrail records the calls of IAM: "+
			"without it a tag on a role is noticed by the next sweep only", iam))
	}
	return notes
}
