package tag

import (
	"regexp"
	"slices"
	"sync"
)

// Form is what ids or names look like. It is compiled when it is asked for: every start of a function would pay for all of them.
type Form struct{ compiled func() *regexp.Regexp }

func like(pattern string) *Form {
	return &Form{sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(pattern) })}
}

// MatchString says whether an id or a name has the form.
func (f *Form) MatchString(name string) bool { return f.compiled().MatchString(name) }

// Naming says how things of a kind are named, in records and by Drawbridge.
type Naming struct {
	Service  string // to which they belong; the tagging API serves all
	Resource string // how their ARNs go on after the account, before the name
	Example  string // an id or a name that one of them may have, for tests
	Form     *Form  // what their ids or names look like
	InARN    *Form  // the same of what stands in their ARNs, where that is something else
	// ByARN says that Drawbridge calls them by their ARNs, where it has them. Made says that it has them always: an ARN is made of a name.
	ByARN, Made bool
	Folded      bool // records name them in whatever case; they are kept in lower case
}

// namings has each kind once, and each is nowhere else: what reads events, sets tags, answers them and grants rights asks here.
var namings = map[Kind]Naming{
	VPC:        {Service: "ec2", Resource: "vpc/", Example: "vpc-0b1c2d3e4f5a60718", Form: like(`^vpc-[0-9a-f]{8,32}$`)},
	Peering:    {Service: "ec2", Resource: "vpc-peering-connection/", Example: "pcx-0123456789abcdef0", Form: like(`^pcx-[0-9a-f]{8,32}$`)},
	Gateway:    {Service: "ec2", Resource: "transit-gateway/", Example: "tgw-0123456789abcdef0", Form: like(`^tgw-[0-9a-f]{8,32}$`)},
	Attachment: {Service: "ec2", Resource: "transit-gateway-attachment/", Example: "tgw-attach-0123456789abcdef0", Form: like(`^tgw-attach-[0-9a-f]{8,32}$`)},
	Subnet:     {Service: "ec2", Resource: "subnet/", Example: "subnet-0123456789abcdef0", Form: like(`^subnet-[0-9a-f]{8,32}$`)},
	Group:      {Service: "ec2", Resource: "security-group/", Example: "sg-0123456789abcdef0", Form: like(`^sg-[0-9a-f]{8,32}$`)},
	RouteTable: {Service: "ec2", Resource: "route-table/", Example: "rtb-0123456789abcdef0", Form: like(`^rtb-[0-9a-f]{8,32}$`)},

	// https://docs.aws.amazon.com/AmazonRDS/latest/APIReference/API_CreateDBInstance.html
	DBInstance: {Service: "rds", Resource: "db:", Example: "sales", Form: like(`^[a-z](?:-?[a-z0-9]){0,62}$`), ByARN: true, Made: true, Folded: true},
	DBCluster:  {Service: "rds", Resource: "cluster:", Example: "sales", Form: like(`^[a-z](?:-?[a-z0-9]){0,62}$`), ByARN: true, Made: true, Folded: true},
	// https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/USER_Tagging.ARN.html
	DBProxy: {Service: "rds", Resource: "db-proxy:", Example: "prx-0a1b2c3d4e5f60718", Form: like(`^prx-[0-9a-z]{1,60}$`), ByARN: true},
	// https://docs.aws.amazon.com/redshift/latest/APIReference/API_CreateCluster.html
	RedshiftCluster: {Service: "redshift", Resource: "cluster:", Example: "sales", Form: like(`^[a-z][a-z0-9-]{0,62}$`), ByARN: true, Made: true, Folded: true},
	// Its ARN has an id in the place of the name.
	// https://docs.aws.amazon.com/redshift-serverless/latest/APIReference/API_CreateWorkgroup.html
	Workgroup: {Service: "redshift-serverless", Resource: "workgroup/", Example: "0f6ab1d2-7c34-4e58-9b10-2a3c4d5e6f70", Form: like(`^[a-z0-9-]{3,64}$`), InARN: like(`^[0-9a-f-]{1,64}$`), ByARN: true},

	// https://docs.aws.amazon.com/IAM/latest/APIReference/API_CreateRole.html
	Role:     {Service: "iam", Resource: "role/", Example: "analysts", Form: like(`^[\w+=,.@-]{1,64}$`)},
	Notebook: {Service: "sagemaker", Resource: "notebook-instance/", Example: "analysis", Form: like(`^[a-zA-Z0-9](-*[a-zA-Z0-9]){0,62}$`)},
	Domain:   {Service: "sagemaker", Resource: "domain/", Example: "d-0a1b2c3d4e5f", Form: like(`^d-(-*[a-z0-9]){1,61}$`)},
	// With the hyphen and six characters that its ARN has more.
	// https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_CreateSecret.html
	StoredSecret: {Service: "secretsmanager", Resource: "secret:", Example: "sales/reader", Form: like(`^[\w/+=.@-]{1,519}$`), ByARN: true},
	// https://docs.aws.amazon.com/kms/latest/developerguide/concepts.html#key-id
	KMSKey: {Service: "kms", Resource: "key/", Example: "1234abcd-12ab-34cd-56ef-1234567890ab", Form: like(`^(?:mrk-)?[0-9a-f-]{32,36}$`), ByARN: true, Made: true},
}

// Naming returns how things of a kind are named.
func (k Kind) Naming() Naming { return namings[k] }

// Service returns the service that things of a kind belong to; the tagging API serves all.
func (k Kind) Service() string { return namings[k].Service }

// Resource returns how the ARN of a thing of a kind goes on after the account, before its name.
func (k Kind) Resource() string { return namings[k].Resource }

// Services returns the services that kinds of things belong to, sorted.
func Services() []string {
	var all []string
	for _, of := range namings {
		all = append(all, of.Service)
	}
	slices.Sort(all)
	return slices.Compact(all)
}

// KindsOf returns the kinds of things of a service, sorted; of the tagging API, all.
func KindsOf(service string) []Kind {
	var all []Kind
	for k, of := range namings {
		if of.Service == service || service == "tagging" {
			all = append(all, k)
		}
	}
	slices.Sort(all)
	return all
}

// commands are the AWS CLI's commands that set a tag, by service, with the option that takes the thing.
var commands = map[string]struct{ command, thing string }{
	"ec2":                 {"create-tags", "--resources"},
	"rds":                 {"add-tags-to-resource", "--resource-name"},
	"redshift":            {"create-tags", "--resource-name"},
	"redshift-serverless": {"tag-resource", "--resource-arn"},
	"iam":                 {"tag-role", "--role-name"},
	"sagemaker":           {"add-tags", "--resource-arn"},
}

// Command returns the AWS CLI's command by which an owner sets a tag on a thing, word by word; the last is the tag. thing is what the service calls it.
func Command(kind Kind, region, thing, key, value string) []string {
	service := kind.Service()
	of := commands[service]
	pair := "Key=" + key + ",Value=" + value
	if service == "redshift-serverless" { // whose tags have fields of other names
		pair = "key=" + key + ",value=" + value
	}
	out := []string{"aws", service, of.command}
	if service != "iam" { // which is in no Region
		out = append(out, "--region", region)
	}
	return append(out, of.thing, thing, "--tags", pair)
}
