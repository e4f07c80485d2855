package event

import (
	"strings"
	"testing"
)

func TestATagChangeNamesItsVPC(t *testing.T) {
	const arn = "arn:aws:ec2:us-east-1:111111111111:vpc/vpc-0b1c2d3e4f5a60718"
	const text = `{"source":"aws.tag","detail-type":"Tag Change on Resource","account":"111111111111","region":"us-east-1",
		"resources":["ARN"],"detail":{"changed-tag-keys":["drawbridge:data-api"],"service":"ec2","resource-type":"vpc"}}`
	for name, c := range map[string]struct{ resource, want string }{
		"a VPC":                     {arn, "vpc-0b1c2d3e4f5a60718"},
		"a VPC of another Region":   {strings.Replace(arn, "us-east-1", "us-east-2", 1), ""},
		"a VPC of somebody else":    {strings.Replace(arn, "111111111111", "222222222222", 1), ""},
		"a name that does more":     {arn + "$(reboot)", ""},
		"something else of EC2":     {strings.Replace(arn, "vpc/vpc-", "subnet/subnet-", 1), ""},
		"something that is no name": {"vpc-0b1c2d3e4f5a60718", ""},
	} {
		e, err := Parse([]byte(strings.Replace(text, "ARN", c.resource, 1)))
		if err != nil || e.Kind != Private || e.VPC != c.want {
			t.Errorf("%s: Parse = %q, %q, %v, want the VPC %q", name, e.Kind, e.VPC, err, c.want)
		}
	}
}
