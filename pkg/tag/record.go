package tag

import "slices"

// Act is what a call does to a thing that may have tags.
type Act string

// The acts.
const (
	Sets    Act = "sets"    // tags are set on a thing
	Removes Act = "removes" // tags are removed from a thing; if the record names none, all of them
	Creates Act = "creates" // the thing begins, perhaps with tags: then no other record tells of them
	Deletes Act = "deletes" // the thing ends, and its tags with it
	Changes Act = "changes" // something else about the thing changed that its connections may have to follow
)

// Place says where a record names its things.
type Place struct {
	// Response says that the name stands in responseElements, not in requestParameters.
	Response bool
	// Path leads to the name, in the spelling of a flat record: lower camel case. Lists on the way are walked through.
	Path []string
	// Kind is what is named; empty if the id or ARN tells it, as one call may name things of several kinds.
	Kind Kind
}

// Record is a call of AWS's, as CloudTrail records it, that tells of things that may have tags.
// https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-event-reference-record-contents.html
type Record struct {
	Service string // the one in eventSource, before the first dot
	Call    string
	Act     Act
	Names   Place
	// Machine hears the call itself, because it names exactly one thing of that machine's kind; empty: drawbridge-change
	// hears it and asks for a look at each thing that is named.
	Machine string
}

func request(kind Kind, path ...string) Place  { return Place{Path: path, Kind: kind} }
func response(kind Kind, path ...string) Place { return Place{Response: true, Path: path, Kind: kind} }

// Records are all calls that set, remove, bring along or take along a tag, and those that change what a tag is about.
//
// Tags given at creation stand in the record of the creating call, and no other call is recorded for them. CloudFormation and
// Terraform make the same calls as people. The tagging API is recorded as itself, and makes the services' calls in turn.
// https://docs.aws.amazon.com/resourcegroupstagging/latest/APIReference/API_TagResources.html
var Records = []Record{
	{"ec2", "CreateTags", Sets, request("", "resourcesSet", "resourceId"), ""},
	{"ec2", "DeleteTags", Removes, request("", "resourcesSet", "resourceId"), ""},
	{"ec2", "CreateVpc", Creates, response(VPC, "vpc", "vpcId"), ""},
	{"ec2", "DeleteVpc", Deletes, request(VPC, "vpcId"), ""},
	{"ec2", "AssociateVpcCidrBlock", Changes, request(VPC, "vpcId"), ""},
	{"ec2", "DisassociateVpcCidrBlock", Changes, response(VPC, "vpcId"), ""},
	{"ec2", "CreateSubnet", Changes, request(VPC, "vpcId"), ""},
	{"ec2", "CreateVpcPeeringConnection", Creates, response(Peering, "vpcPeeringConnection", "vpcPeeringConnectionId"), "peering"},
	{"ec2", "DeleteVpcPeeringConnection", Deletes, request(Peering, "vpcPeeringConnectionId"), "peering"},
	{"ec2", "CreateTransitGateway", Creates, response(Gateway, "transitGateway", "transitGatewayId"), ""},
	{"ec2", "DeleteTransitGateway", Deletes, request(Gateway, "transitGatewayId"), ""},
	{"ec2", "CreateTransitGatewayVpcAttachment", Creates, response(Attachment, "transitGatewayVpcAttachment", "transitGatewayAttachmentId"), "attachment"},
	{"ec2", "DeleteTransitGatewayVpcAttachment", Deletes, request(Attachment, "transitGatewayAttachmentId"), "attachment"},

	{"rds", "AddTagsToResource", Sets, request("", "resourceName"), ""},
	{"rds", "RemoveTagsFromResource", Removes, request("", "resourceName"), ""},
	{"rds", "CreateDBInstance", Creates, request(DBInstance, "dBInstanceIdentifier"), ""},
	{"rds", "CreateDBInstanceReadReplica", Creates, request(DBInstance, "dBInstanceIdentifier"), ""},
	{"rds", "RestoreDBInstanceFromDBSnapshot", Creates, request(DBInstance, "dBInstanceIdentifier"), ""},
	{"rds", "RestoreDBInstanceFromS3", Creates, request(DBInstance, "dBInstanceIdentifier"), ""},
	{"rds", "RestoreDBInstanceToPointInTime", Creates, request(DBInstance, "targetDBInstanceIdentifier"), ""},
	{"rds", "ModifyDBInstance", Changes, request(DBInstance, "dBInstanceIdentifier"), ""},
	{"rds", "CreateDBCluster", Creates, request(DBCluster, "dBClusterIdentifier"), ""},
	{"rds", "RestoreDBClusterFromSnapshot", Creates, request(DBCluster, "dBClusterIdentifier"), ""},
	{"rds", "RestoreDBClusterFromS3", Creates, request(DBCluster, "dBClusterIdentifier"), ""},
	{"rds", "RestoreDBClusterToPointInTime", Creates, request(DBCluster, "dBClusterIdentifier"), ""},
	{"rds", "ModifyDBCluster", Changes, request(DBCluster, "dBClusterIdentifier"), ""},
	// A proxy is called by its name, and its ARN has another.
	{"rds", "CreateDBProxy", Creates, response(DBProxy, "dBProxy", "dBProxyArn"), ""},
	{"rds", "ModifyDBProxy", Changes, response(DBProxy, "dBProxy", "dBProxyArn"), ""},
	{"rds", "DeleteDBProxy", Deletes, response(DBProxy, "dBProxy", "dBProxyArn"), ""},

	{"redshift", "CreateTags", Sets, request("", "resourceName"), ""},
	{"redshift", "DeleteTags", Removes, request("", "resourceName"), ""},
	{"redshift", "CreateCluster", Creates, request(RedshiftCluster, "clusterIdentifier"), ""},
	{"redshift", "RestoreFromClusterSnapshot", Creates, request(RedshiftCluster, "clusterIdentifier"), ""},
	{"redshift", "ModifyCluster", Changes, request(RedshiftCluster, "clusterIdentifier"), ""},
	{"redshift", "DeleteCluster", Deletes, request(RedshiftCluster, "clusterIdentifier"), ""},
	{"redshift", "CreateEndpointAccess", Changes, request(RedshiftCluster, "clusterIdentifier"), ""},
	{"redshift", "ModifyEndpointAccess", Changes, response(RedshiftCluster, "clusterIdentifier"), ""},
	{"redshift", "DeleteEndpointAccess", Changes, response(RedshiftCluster, "clusterIdentifier"), ""},

	{"redshift-serverless", "TagResource", Sets, request("", "resourceArn"), ""},
	{"redshift-serverless", "UntagResource", Removes, request("", "resourceArn"), ""},
	{"redshift-serverless", "CreateWorkgroup", Creates, request(Workgroup, "workgroupName"), ""},
	{"redshift-serverless", "UpdateWorkgroup", Changes, request(Workgroup, "workgroupName"), ""},
	{"redshift-serverless", "DeleteWorkgroup", Deletes, request(Workgroup, "workgroupName"), ""},

	{"iam", "TagRole", Sets, request(Role, "roleName"), ""},
	{"iam", "UntagRole", Removes, request(Role, "roleName"), ""},
	{"iam", "CreateRole", Creates, request(Role, "roleName"), ""},
	{"iam", "DeleteRole", Deletes, request(Role, "roleName"), ""},

	{"sagemaker", "AddTags", Sets, request("", "resourceArn"), ""},
	{"sagemaker", "DeleteTags", Removes, request("", "resourceArn"), ""},
	// A domain that is made with tags is heard by drawbridge-studio, as everybody who comes to work in Studio is.

	{"secretsmanager", "TagResource", Sets, request(StoredSecret, "secretId"), ""},
	{"secretsmanager", "UntagResource", Removes, request(StoredSecret, "secretId"), ""},
	{"secretsmanager", "CreateSecret", Creates, request(StoredSecret, "name"), ""},

	{"kms", "TagResource", Sets, request(KMSKey, "keyId"), ""},
	{"kms", "UntagResource", Removes, request(KMSKey, "keyId"), ""},
	{"kms", "CreateKey", Creates, response(KMSKey, "keyMetadata", "keyId"), ""},

	{"tagging", "TagResources", Sets, request("", "resourceARNList"), ""},
	{"tagging", "UntagResources", Removes, request("", "resourceARNList"), ""},
}

// FindRecord returns the record of a call of a service.
func FindRecord(service, call string) (Record, bool) {
	i := slices.IndexFunc(Records, func(r Record) bool { return r.Service == service && r.Call == call })
	if i < 0 {
		return Record{}, false
	}
	return Records[i], true
}

// Announced returns the records by which AWS announces that a key on a kind of thing was set, removed, came along or went with the thing.
func (w Wish) Announced() []Record {
	var all []Record
	for _, r := range Records {
		ours := r.Names.Kind == w.On || r.Names.Kind == "" && slices.Contains(KindsOf(r.Service), w.On)
		if ours && r.Act != Changes {
			all = append(all, r)
		}
	}
	return all
}
