package main

// need is something that AWS does, or asks the caller for, on behalf of who makes a call.
type need struct {
	// Action is the permission that it takes, as IAM writes it.
	Action string `json:"action"`
	// Why says why the caller needs no permission for it. Empty: every role that may make the call has it.
	Why string `json:"why,omitempty"`
	// Source is the page that says so.
	Source string `json:"source"`
}

// The pages that several needs come from.
const (
	// AWS lists the dependent actions of a call beside it.
	authorizationEC2       = "https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazonec2.html"
	authorizationSageMaker = "https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazonsagemaker.html"
	taggingEC2             = "https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/supported-iam-actions-tagging.html"
	taggingIAM             = "https://docs.aws.amazon.com/IAM/latest/UserGuide/id_tags.html"
	linkedTransitGateway   = "https://docs.aws.amazon.com/vpc/latest/tgw/service-linked-roles.html"
	linkedRDS              = "https://docs.aws.amazon.com/AmazonRDS/latest/AuroraUserGuide/UsingWithRDS.IAM.ServiceLinkedRoles.html"
	encryptionParameter    = "https://docs.aws.amazon.com/kms/latest/developerguide/services-parameter-store.html"
	mapRunPolicies         = "https://docs.aws.amazon.com/step-functions/latest/dg/iam-policies-eg-dist-map.html"
)

// onBehalf is, for each call that changes something and that a role of Drawbridge may make, what AWS does for its caller:
// with a role of its own, which has to be there, or with the caller's permissions, which then belong to the call. The tests
// hold it against the roles, and against the dependent actions that AWS publishes (testdata/dependent-actions.txt). A
// call that needs nothing else is in [alone].
var onBehalf = map[string][]need{
	"ec2:AcceptTransitGatewayVpcAttachment": {
		{"iam:CreateServiceLinkedRole", "the role belongs to the VPC's account, and is made when the VPC is attached", linkedTransitGateway},
		{"ec2:CreateNetworkInterface", "AWS makes the interfaces in the VPC's account with AWSServiceRoleForVPCTransitGateway", linkedTransitGateway},
	},
	"ec2:AuthorizeSecurityGroupEgress":  {{"ec2:CreateTags", "", taggingEC2}},
	"ec2:AuthorizeSecurityGroupIngress": {{"ec2:CreateTags", "", taggingEC2}},
	"ec2:CreateSecurityGroup":           {{"ec2:CreateTags", "", taggingEC2}},
	"ec2:CreateTransitGatewayVpcAttachment": {
		{"ec2:CreateTags", "", taggingEC2},
		{"iam:CreateServiceLinkedRole", "", linkedTransitGateway},
		{"ec2:CreateNetworkInterface", "AWS makes the interfaces with AWSServiceRoleForVPCTransitGateway", linkedTransitGateway},
	},
	"ec2:CreateVpcEndpoint": {
		{"ec2:CreateTags", "", taggingEC2},
		{"ec2:DescribeSecurityGroups", "", authorizationEC2},
		{"ec2:DescribeSubnets", "", authorizationEC2},
		{"ec2:DescribeVpcs", "", authorizationEC2},
		{"route53:AssociateVPCWithHostedZone", "", authorizationEC2},
		{"ec2:CreateNetworkInterface", "PrivateLink makes the interfaces of an endpoint itself, and manages them", "https://docs.aws.amazon.com/vpc/latest/privatelink/create-interface-endpoint.html"},
	},
	"ec2:DeleteTransitGatewayVpcAttachment": {{"ec2:DeleteNetworkInterface", "AWS deletes the interfaces with AWSServiceRoleForVPCTransitGateway", linkedTransitGateway}},
	"ec2:DeleteVpcEndpoints": {
		{"ec2:DeleteNetworkInterface", "PrivateLink deletes the interfaces that it made", "https://docs.aws.amazon.com/vpc/latest/privatelink/interface-endpoints.html"},
		{"route53:DisassociateVPCFromHostedZone", "the zone is AWS's own; AWS lists no dependent action of this call", authorizationEC2},
	},
	"ec2:ModifyTransitGatewayVpcAttachment": {
		{"iam:CreateServiceLinkedRole", "an attachment that is there was made with the role, which cannot be deleted before it", linkedTransitGateway},
		{"ec2:CreateNetworkInterface", "AWS makes the interfaces with AWSServiceRoleForVPCTransitGateway", linkedTransitGateway},
	},
	"ec2:ModifyVpcEndpoint": {
		{"ec2:CreateNetworkInterface", "PrivateLink makes the interfaces of an endpoint itself, and manages them", "https://docs.aws.amazon.com/vpc/latest/privatelink/interface-endpoints.html"},
		{"route53:AssociateVPCWithHostedZone", "Drawbridge adds subnets; private DNS is on since the endpoint was made", "https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_ModifyVpcEndpoint.html"},
	},
	"events:PutEvents": {{"kms:GenerateDataKey", "the bus has no key of its own: EventBridge encrypts with one that AWS owns", "https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-encryption-at-rest-key-options.html"}},
	"iam:CreatePolicy": {{"iam:TagPolicy", "", taggingIAM}},
	"iam:CreateRole": {
		{"iam:TagRole", "the roles get no tags, or the step has the right", taggingIAM},
		{"iam:PutRolePermissionsBoundary", "the boundary that comes with a new role is a condition of iam:CreateRole", "https://docs.aws.amazon.com/IAM/latest/UserGuide/access_policies_boundaries.html"},
	},
	"iam:CreateServiceLinkedRole": {{"iam:AttachRolePolicy", "IAM attaches the service's policy itself; AWS's own policies have this action alone", "https://docs.aws.amazon.com/aws-managed-policy/latest/reference/AmazonRDSFullAccess.html"}},
	"lambda:InvokeFunction":       {{"kms:Decrypt", "the functions' environments are encrypted with the key that AWS manages for Lambda", "https://docs.aws.amazon.com/lambda/latest/dg/configuration-envvars-encryption.html"}},
	"ram:AcceptResourceShareInvitation": {
		{"iam:CreateServiceLinkedRole", "RAM's role is made where sharing within the organization is turned on, in the management account", "https://docs.aws.amazon.com/ram/latest/APIReference/API_EnableSharingWithAwsOrganization.html"},
	},
	"rds:DisableHttpEndpoint":                         {{"iam:CreateServiceLinkedRole", "AWSServiceRoleForRDS is made with the account's first cluster, and there is one", linkedRDS}},
	"rds:EnableHttpEndpoint":                          {{"iam:CreateServiceLinkedRole", "AWSServiceRoleForRDS is made with the account's first cluster, and there is one", linkedRDS}},
	"route53:AssociateVPCWithHostedZone":              {{"ec2:DescribeVpcs", "", "https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazonroute53.html"}},
	"sagemaker:CreateNotebookInstanceLifecycleConfig": {{"sagemaker:AddTags", "", authorizationSageMaker}},
	"sagemaker:StartNotebookInstance": {
		{"iam:PassRole", "the notebook has its role since it was made", authorizationSageMaker},
		{"ec2:CreateNetworkInterface", "SageMaker makes the interface of a notebook when the notebook is made, and uses it at each start", "https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_CreateNotebookInstance.html"},
		{"kms:CreateGrant", "AWS lists no dependent action of this call, and asks for the key when the notebook is made", authorizationSageMaker},
	},
	"sagemaker:UpdateDomain":           {{"iam:PassRole", "Drawbridge changes how sessions are named, and gives no role", "https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_UpdateDomain.html"}},
	"sagemaker:UpdateNotebookInstance": {{"iam:PassRole", "Drawbridge changes the lifecycle configuration, and gives no role", "https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_UpdateNotebookInstance.html"}},
	"sns:Publish":                      {{"kms:GenerateDataKey", "the topic is not encrypted with a key of KMS", "https://docs.aws.amazon.com/sns/latest/dg/sns-key-management.html"}},
	"sqs:SendMessage":                  {{"kms:GenerateDataKey", "the queue is encrypted with a key that SQS owns", "https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-server-side-encryption.html"}},
	"ssm:GetParameter":                 {{"kms:Decrypt", "the parameters are no SecureString", encryptionParameter}},
	// A Distributed Map starts its own machine, and asks after what it started; what was held back is started and not waited for.
	"states:StartExecution": {
		{"states:DescribeExecution", "only a Distributed Map needs it, and the Sweep machine's role has it", mapRunPolicies},
		{"states:StopExecution", "only a Distributed Map needs it, and the Sweep machine's role has it", mapRunPolicies},
		{"states:RedriveExecution", "only a Distributed Map needs it, and the Sweep machine's role has it", mapRunPolicies},
	},
}

// alone are the calls that change something and for which AWS does nothing on the caller's behalf: the Service
// Authorization Reference lists no dependent action of theirs, and they make nothing that AWS keeps a role, a network
// interface, a hosted zone or a grant for.
// https://docs.aws.amazon.com/service-authorization/latest/reference/reference_policies_actions-resources-contextkeys.html
var alone = []string{
	// A table with AWS's own key asks its callers for no permission on a key.
	"dynamodb:DeleteItem",
	"dynamodb:PutItem",
	"ec2:AcceptVpcPeeringConnection",
	"ec2:AssociateTransitGatewayRouteTable",
	"ec2:CreateRoute",
	"ec2:CreateTags",
	"ec2:DeleteRoute",
	"ec2:DeleteSecurityGroup",
	"ec2:DeleteTags",
	"ec2:DisableTransitGatewayRouteTablePropagation",
	"ec2:DisassociateTransitGatewayRouteTable",
	"ec2:EnableTransitGatewayRouteTablePropagation",
	"ec2:ModifyVpcPeeringConnectionOptions",
	"ec2:RejectTransitGatewayVpcAttachment",
	"ec2:RejectVpcPeeringConnection",
	"ec2:ReplaceRoute",
	"ec2:RevokeSecurityGroupEgress",
	"ec2:RevokeSecurityGroupIngress",
	"iam:AttachRolePolicy",
	"iam:CreatePolicyVersion",
	"iam:DeletePolicy",
	"iam:DeletePolicyVersion",
	"iam:DeleteRole",
	"iam:DeleteRolePolicy",
	"iam:DetachRolePolicy",
	"iam:PutRolePolicy",
	"iam:TagPolicy",
	"iam:TagRole",
	"iam:UntagRole",
	"iam:UpdateAssumeRolePolicy",
	"kms:CreateGrant",
	"redshift-serverless:TagResource", "redshift-serverless:UntagResource",
	"rds:AddTagsToResource",
	"rds:RemoveTagsFromResource",
	"redshift:CreateTags",
	"redshift:DeleteTags",
	"sagemaker:AddTags",
	"sagemaker:DeleteNotebookInstanceLifecycleConfig",
	"sagemaker:DeleteTags",
	"sagemaker:StopNotebookInstance",
	"sagemaker:UpdateNotebookInstanceLifecycleConfig",
	"states:RedriveExecution",
	"states:StopExecution",
	"sts:AssumeRole",
	// What the functions and machines write of themselves, in their own account.
	"logs:CreateLogDelivery",
	"logs:CreateLogStream",
	"logs:DeleteLogDelivery",
	"logs:PutLogEvents",
	"logs:PutResourcePolicy",
	"logs:UpdateLogDelivery",
	"xray:PutTelemetryRecords",
	"xray:PutTraceSegments",
}
