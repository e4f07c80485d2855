package tag

import (
	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"
)

// OfEC2 returns the tags of a thing of EC2's as they are written. Whoever reads in them what an owner asks for calls [Clean] with the kind of the thing.
func OfEC2(tags []types.Tag) map[string]string {
	out := map[string]string{}
	for _, t := range tags {
		out[aws.ToString(t.Key)] = aws.ToString(t.Value)
	}
	return out
}
