package rights

import "github.com/drawbridge-cloud/drawbridge/pkg/tag"

// What the tags of Drawbridge's own say; nobody has to allow them, and no role can write any other.
const (
	says   = "none is needed: the tag only says something to people, and is never read back"
	answer = "the tag that is answered: only a thing with an unclear one of Drawbridge's tags gets it"
)

// What allows the two sides of a connection to be connected.
const (
	bothSides = "the requester asked for the peering, or for the attachment; the accepter's VPC is tagged drawbridge:accept=auto, or its owner " +
		"answered drawbridge:approval=approved; the policy allows Accept and Route (on a gateway Connect and Route)"
	shares   = "the database is tagged drawbridge:share with the consumer's account, and the policy allows Open"
	recorded = "the ledger has the item: Drawbridge made it for this connection and nobody else needs it"
)

// Lines are all there are: the table by kind of thing, and what follows from the kinds of databases.
var Lines = append(table, answersOfDatabases()...)

var table = []Line{
	// Networks: peerings and pairs on a gateway.
	{
		Writes: map[string][]string{"AcceptPeering": {"ec2:AcceptVpcPeeringConnection"}},
		On:     "ec2 vpc/*", Whose: "accepter", OptIn: "drawbridge:accept=auto on the VPC, or drawbridge:approval=approved on the peering; the policy allows Accept",
		Code:  "InspectPeering asks the policy with the VPC's tags; the tag of the answer is on the peering, so that IAM cannot ask for one of two tags of two things",
		Tried: []string{"story approval", "pkg/peering: TestJudgeNeverGoesBeyondThePolicy"},
	},
	{
		Writes: map[string][]string{"AcceptPeering": {"ec2:AcceptVpcPeeringConnection"}},
		On:     "ec2 vpc-peering-connection/*", Whose: "accepter", OptIn: "as for the VPC",
		Code:  "as for the VPC",
		Tried: []string{"story approval"},
	},
	{
		Writes: map[string][]string{"RefusePeering": {"ec2:RejectVpcPeeringConnection"}},
		On:     "ec2 vpc-peering-connection/*", Whose: "accepter", OptIn: "the policy allows Reject; drawbridge:approval=rejected, or the policy refuses",
		Code:  "InspectPeering; AWS rejects only a request that is pending",
		Tried: []string{"story refused"},
	},
	{
		Writes: map[string][]string{"AllowDnsResolution": {"ec2:ModifyVpcPeeringConnectionOptions"}},
		On:     "ec2 vpc-peering-connection/*", Whose: "each side its own option", OptIn: bothSides,
		Code:  "InspectPeering asks the policy; each account can only set its own side",
		Tried: []string{"pkg/peering: TestJudgeNeverGoesBeyondThePolicy"},
	},
	{
		Writes: map[string][]string{"RestoreDnsResolution": {"ec2:ModifyVpcPeeringConnectionOptions"}},
		On:     "ec2 vpc-peering-connection/*", Whose: "each side its own option", OptIn: recorded,
		Code:  "the ledger says that it was off before; each account can only set its own side",
		Tried: []string{"pkg/dnsoption: TestOptionsAreAsBeforeAfterwards"},
	},
	{
		Writes: map[string][]string{"AddRoutes": {"ec2:CreateRoute", "ec2:ReplaceRoute"}},
		On:     "ec2 route-table/*", Whose: "each side its own tables", OptIn: bothSides,
		Code:  "InspectPeering and InspectTransit ask the policy. IAM knows no key for a route's destination or target; only a missing route is added and only a blackhole replaced",
		Tried: []string{"pkg/peering: TestJudgeNeverGoesBeyondThePolicy", "pkg/route: TestPlanProperties"},
	},
	{
		Writes: map[string][]string{"RemoveRoutes": {"ec2:CreateRoute", "ec2:DeleteRoute", "ec2:ReplaceRoute"}},
		On:     "ec2 route-table/*", Whose: "each side its own tables", OptIn: recorded,
		Code:  "the ledger. IAM knows no key for a route",
		Tried: []string{"pkg/route: TestWhatIsNotInTheLedgerIsNotRemoved"},
	},
	{
		Writes: map[string][]string{"OpenFirewall": {"ec2:AuthorizeSecurityGroupIngress", "ec2:AuthorizeSecurityGroupEgress"}},
		On:     "ec2 security-group/*", Whose: "ingress: the database's owner; egress: the consumer; in a shared VPC each participant its own", OptIn: shares,
		Code:  "the policy sees the database's tag; a group that something else has needs drawbridge:open=true of its owner. IAM asks for the tag of the rule, next line",
		Tried: []string{"story not-shared", "story group-shared"},
	},
	{
		Writes: map[string][]string{"OpenFirewall": {"ec2:AuthorizeSecurityGroupIngress", "ec2:AuthorizeSecurityGroupEgress"}},
		On:     "ec2 security-group-rule/*", Whose: "Drawbridge's own rule in a group of the owner's", OptIn: "as for the group: no rule without the tag of its connection",
		IAM: marked("pcx-1"),
	},
	{
		Writes: map[string][]string{"OpenFirewall": {"ec2:CreateTags"}},
		On:     "ec2 security-group-rule/*", Whose: "Drawbridge's own rule", OptIn: "none is needed: only with the call that adds the rule",
		IAM: append(tagged("drawbridge:peer"), Condition{"ec2:CreateAction", "AuthorizeSecurityGroupIngress", true}),
	},
	{
		Writes: map[string][]string{"CloseFirewall": {"ec2:RevokeSecurityGroupIngress", "ec2:RevokeSecurityGroupEgress"}},
		On:     "ec2 security-group/*", Whose: "Drawbridge's own rule in a group of the owner's", OptIn: recorded,
		Code:  "the ledger. IAM asks about the group alone, not about its rules",
		Tried: []string{"pkg/firewall: TestCloseRevokesTheConnectionsRulesAndNoOthers"},
	},
	{
		Writes: map[string][]string{
			"AskApproval": {"ec2:CreateTags"}, "RefusePeering": {"ec2:CreateTags"}, "ReportConflict": {"ec2:CreateTags"}, "ReportUnreadable": {"ec2:CreateTags"},
			"ReportFailure": {"ec2:CreateTags"},
		},
		On: "ec2 vpc-peering-connection/*", Whose: "each side its own tags", OptIn: says, IAM: tagged(tag.Status),
	},
	{
		Writes: map[string][]string{"ConcludeRemoval": {"ec2:DeleteTags"}, "VerifyConnection": {"ec2:CreateTags"}},
		On:     "ec2 vpc-peering-connection/*", Whose: "each side its own tags", OptIn: says, IAM: tagged(tag.Reason),
	},
	{
		Writes: map[string][]string{"ConcludeRemoval": {"ec2:CreateTags", "ec2:DeleteTags"}, "VerifyConnection": {"ec2:CreateTags"}, "ReportUnreadable": {"ec2:CreateTags"},
			"RefuseTransit": {"ec2:CreateTags", "ec2:DeleteTags"}},
		On: "ec2 transit-gateway-attachment/*", Whose: "each side its own tags", OptIn: says, IAM: tagged(tag.Pairs),
	},

	// Host routes of notebooks.
	{
		Writes: map[string][]string{
			"InjectRoutes": {"sagemaker:UpdateNotebookInstance"}, "AttachRoutes": {"sagemaker:UpdateNotebookInstance"}, "WithdrawRoutes": {"sagemaker:UpdateNotebookInstance"},
		},
		On: "sagemaker notebook-instance/*", Whose: "the notebook's owner", OptIn: "drawbridge:routes is not off; the policy allows Inject",
		Code:  "the policy sees the tag, which is an opt-out: a notebook without it is served. A configuration is attached only to a stopped notebook that has none",
		Tried: []string{"pkg/lifecycle: TestInject"},
	},
	{
		Writes: map[string][]string{
			"InjectRoutes":   {"sagemaker:UpdateNotebookInstanceLifecycleConfig"},
			"AttachRoutes":   {"sagemaker:UpdateNotebookInstanceLifecycleConfig"},
			"WithdrawRoutes": {"sagemaker:UpdateNotebookInstanceLifecycleConfig"},
		},
		On: "sagemaker notebook-instance-lifecycle-config/*", Whose: "whose notebooks use it", OptIn: "as for the notebook; only Drawbridge's block is written, all else stays byte for byte",
		Code:  "as for the notebook. IAM knows no key for what is in a script",
		Tried: []string{"pkg/lifecycle: TestInject"},
	},
	{
		Writes: map[string][]string{
			"InjectRoutes":   {"sagemaker:CreateNotebookInstanceLifecycleConfig"},
			"AttachRoutes":   {"sagemaker:CreateNotebookInstanceLifecycleConfig", "sagemaker:DeleteNotebookInstanceLifecycleConfig"},
			"WithdrawRoutes": {"sagemaker:DeleteNotebookInstanceLifecycleConfig"},
		},
		On: "sagemaker notebook-instance-lifecycle-config/drawbridge-*", Whose: "Drawbridge's own configuration", OptIn: "none is needed: the name says whose it is, and IAM knows no other",
		Code:  "the ARN in the role",
		Tried: []string{"pkg/lifecycle: TestReleaseTakesTheStatusAndOurConfiguration"},
	},
	{
		Writes: map[string][]string{"InjectRoutes": {"sagemaker:AddTags"}, "AttachRoutes": {"sagemaker:AddTags"}},
		On:     "sagemaker notebook-instance-lifecycle-config/drawbridge-*", Whose: "Drawbridge's own configuration", OptIn: says, IAM: tagged("drawbridge:subnet"),
	},
	{
		Writes: map[string][]string{"InjectRoutes": {"sagemaker:AddTags"}, "AttachRoutes": {"sagemaker:AddTags"}, "WithdrawRoutes": {"sagemaker:DeleteTags"}, "ReportFailure": {"sagemaker:AddTags"}},
		On:     "sagemaker notebook-instance/*", Whose: "the notebook's owner", OptIn: says, IAM: tagged(tag.Status),
	},
	{
		Writes: map[string][]string{"StopNotebook": {"sagemaker:StopNotebookInstance"}, "StartNotebook": {"sagemaker:StartNotebookInstance"}},
		On:     "sagemaker notebook-instance/*", Whose: "the notebook's owner", OptIn: "drawbridge:restart=allowed on the notebook, and the policy allows Restart",
		Code:  "the policy sees the tag; it may also allow Restart by other facts, so that IAM cannot ask for the tag",
		Tried: []string{"pkg/notebook: TestStopNeedsPermission"},
	},

	// Attachments to a transit gateway.
	{
		Writes: map[string][]string{"AttachVpc": {"ec2:CreateTransitGatewayVpcAttachment"}},
		On:     "ec2 transit-gateway/*", Whose: "the gateway's owner", OptIn: "the gateway is shared with the VPC's account; who accepts the attachment is asked by lines of its own",
		Code:  "AWS: a gateway that is not shared cannot be attached to",
		Tried: []string{"pkg/attachment: TestJudge"},
	},
	{
		Writes: map[string][]string{"AttachVpc": {"ec2:CreateTransitGatewayVpcAttachment"}},
		On:     "ec2 vpc/*", Whose: "the VPC's owner", OptIn: "drawbridge:attach on the VPC names the gateway; the policy allows Attach",
		Code:  "InspectAttachment reads the tag; its value names the gateway by id or by name, so that IAM cannot compare it",
		Tried: []string{"pkg/attachment: TestJudge"},
	},
	{
		Writes: map[string][]string{"AttachVpc": {"ec2:CreateTransitGatewayVpcAttachment", "ec2:ModifyTransitGatewayVpcAttachment"}},
		On:     "ec2 subnet/*", Whose: "the VPC's owner", OptIn: "as for the VPC",
		Code:  "as for the VPC",
		Tried: []string{"pkg/attachment: TestJudge"},
	},
	{
		Writes: map[string][]string{"AttachVpc": {"ec2:CreateTransitGatewayVpcAttachment"}},
		On:     "ec2 transit-gateway-attachment/*", Whose: "Drawbridge's own attachment", OptIn: "as for the VPC: none without the tag that says whose it is",
		IAM: marked("tgw-1"),
	},
	{
		Writes: map[string][]string{"AttachVpc": {"ec2:CreateTags"}},
		On:     "ec2 transit-gateway-attachment/*", Whose: "Drawbridge's own attachment", OptIn: "none is needed: only with the call that makes it",
		IAM: append(tagged("drawbridge:connection"), Condition{"ec2:CreateAction", "CreateTransitGatewayVpcAttachment", true}),
	},
	{
		Writes: map[string][]string{
			"AttachVpc": {"ec2:ModifyTransitGatewayVpcAttachment"},
			"DetachVpc": {"ec2:DeleteTransitGatewayVpcAttachment"},
		},
		On: "ec2 transit-gateway-attachment/*", Whose: "Drawbridge's own attachment", OptIn: "drawbridge:attach was on the VPC when it was made; it goes when the tag is gone",
		IAM: ownOnly("drawbridge:connection", "tgw-1"),
	},
	{
		Writes: map[string][]string{"AttachVpc": {"iam:CreateServiceLinkedRole"}},
		On:     "iam role/aws-service-role/transitgateway.amazonaws.com/AWSServiceRoleForVPCTransitGateway", Whose: "the VPC's account", OptIn: "as for the VPC; AWS asks for the role",
		IAM: []Condition{{"iam:AWSServiceName", "transitgateway.amazonaws.com", true}},
	},
	{
		Writes: map[string][]string{"AcceptAttachment": {"ec2:AcceptTransitGatewayVpcAttachment"}},
		On:     "ec2 transit-gateway-attachment/*", Whose: "the gateway's owner", OptIn: "drawbridge:accept=auto on the gateway, or drawbridge:approval=approved on the attachment; the policy allows AcceptAttachment",
		Code:  "InspectAttachment asks the policy; one of two tags of two things, which IAM cannot ask for",
		Tried: []string{"story attach-approval"},
	},
	{
		Writes: map[string][]string{"RefuseAttachment": {"ec2:RejectTransitGatewayVpcAttachment"}},
		On:     "ec2 transit-gateway-attachment/*", Whose: "the gateway's owner", OptIn: "the policy allows RejectAttachment; drawbridge:approval=rejected, or the policy refuses",
		Code:  "InspectAttachment; AWS rejects only an attachment that is pending",
		Tried: []string{"pkg/attachment: TestRefuse"},
	},
	{
		Writes: map[string][]string{"AssociateAttachment": {"ec2:AssociateTransitGatewayRouteTable", "ec2:EnableTransitGatewayRouteTablePropagation"}},
		On:     "ec2 transit-gateway-attachment/*", Whose: "the gateway's owner", OptIn: "drawbridge:attach was on the VPC when Drawbridge made it, or drawbridge:manage=true on it in the gateway owner's account",
		Code:  "InspectAttachment reads the tag in the gateway owner's account and the ledger; one that Drawbridge made has its mark only in the VPC's account, so that IAM cannot ask for either",
		Tried: []string{"pkg/attachment: TestNobodyElseOpensAQuarantine", "story quarantine"},
	},
	{
		Writes: map[string][]string{"AssociateAttachment": {"ec2:AssociateTransitGatewayRouteTable"}},
		On:     "ec2 transit-gateway-route-table/*", Whose: "the gateway's owner", OptIn: "drawbridge:association=default on the table; the policy allows Associate",
		IAM: []Condition{{Key: "aws:ResourceTag/drawbridge:association", Value: "default", Decides: true}},
	},
	{
		Writes: map[string][]string{"AssociateAttachment": {"ec2:EnableTransitGatewayRouteTablePropagation"}},
		On:     "ec2 transit-gateway-route-table/*", Whose: "the gateway's owner", OptIn: "drawbridge:propagation=default on the table; the policy allows Associate",
		IAM: []Condition{{Key: "aws:ResourceTag/drawbridge:propagation", Value: "default", Decides: true}},
	},
	{
		Writes: map[string][]string{"DisassociateAttachment": {"ec2:DisassociateTransitGatewayRouteTable", "ec2:DisableTransitGatewayRouteTablePropagation"}},
		On:     "ec2 transit-gateway-attachment/*", Whose: "the gateway's owner", OptIn: "an owner takes back, or undoes, what Drawbridge added",
		Code:  "DisassociateAttachment takes away what the ledger says Drawbridge added, as long as it stands so; IAM knows no ledger",
		Tried: []string{"pkg/attachment: TestOnlyWhatTheLedgerHasIsTakenOut"},
	},
	{
		Writes: map[string][]string{"DisassociateAttachment": {"ec2:DisassociateTransitGatewayRouteTable"}},
		On:     "ec2 transit-gateway-route-table/*", Whose: "the gateway's owner", OptIn: "drawbridge:association=default on the table",
		IAM: []Condition{{Key: "aws:ResourceTag/drawbridge:association", Value: "default", Decides: true}},
	},
	{
		Writes: map[string][]string{"DisassociateAttachment": {"ec2:DisableTransitGatewayRouteTablePropagation"}},
		On:     "ec2 transit-gateway-route-table/*", Whose: "the gateway's owner", OptIn: "drawbridge:propagation=default on the table",
		IAM: []Condition{{Key: "aws:ResourceTag/drawbridge:propagation", Value: "default", Decides: true}},
	},
	{
		Writes: map[string][]string{"AskAgain": {"ec2:CreateTags"}},
		On:     "ec2 transit-gateway-attachment/*", Whose: "the gateway's owner their own tags", OptIn: says, IAM: tagged(tag.Reason),
	},
	{
		Writes: map[string][]string{"VerifyAttachment": {"ec2:CreateTags"}, "ReportFailure": {"ec2:CreateTags"}},
		On:     "ec2 transit-gateway-attachment/*", Whose: "each side its own tags", OptIn: says, IAM: tagged(tag.Status),
	},
	{
		Writes: map[string][]string{"AskAttachment": {"ec2:CreateTags"}, "ConcludeDetachment": {"ec2:CreateTags", "ec2:DeleteTags"}, "RefuseAttachment": {"ec2:CreateTags"}},
		On:     "ec2 transit-gateway-attachment/*", Whose: "each side its own tags", OptIn: says, IAM: tagged(tag.Status),
	},
	{
		Writes: map[string][]string{"RefuseAttachment": {"ec2:CreateTags"}},
		On:     "ec2 vpc/*", Whose: "the VPC's owner", OptIn: says, IAM: tagged(tag.Reason),
	},
	{
		Writes: map[string][]string{"AcceptShare": {"ram:AcceptResourceShareInvitation"}},
		On:     "ram resource-share-invitation/*", Whose: "the account that is invited", OptIn: "a VPC of the account is tagged drawbridge:attach; the policy allows AcceptShare",
		Code:  "InspectShare; an invitation has no tags",
		Tried: []string{"pkg/share: TestJudge"},
	},

	// Answers to tags that mean nothing. Those of databases follow from their kinds, in answers.go.
	{
		Writes: map[string][]string{"AnswerTags": {"ec2:CreateTags", "ec2:DeleteTags"}},
		On:     "ec2 transit-gateway/*", Whose: "the gateway's owner", OptIn: answer, IAM: tagged("drawbridge:unclear"),
	},
	{
		Writes: map[string][]string{"AnswerTags": {"ec2:CreateTags", "ec2:DeleteTags"}},
		On:     "ec2 transit-gateway-attachment/*", Whose: "each side its own tags", OptIn: answer, IAM: tagged("drawbridge:unclear"),
	},
	{
		Writes: map[string][]string{"AnswerTags": {"ec2:CreateTags", "ec2:DeleteTags"}},
		On:     "ec2 vpc/*", Whose: "the VPC's owner", OptIn: answer, IAM: tagged("drawbridge:unclear"),
	},
	{
		Writes: map[string][]string{"AnswerTags": {"ec2:CreateTags", "ec2:DeleteTags"}},
		On:     "ec2 subnet/*", Whose: "the VPC's owner", OptIn: answer, IAM: tagged("drawbridge:unclear"),
	},
	{
		Writes: map[string][]string{"AnswerTags": {"ec2:CreateTags", "ec2:DeleteTags"}},
		On:     "ec2 security-group/*", Whose: "the group's owner", OptIn: answer, IAM: tagged("drawbridge:unclear"),
	},
	{
		Writes: map[string][]string{"AnswerTags": {"ec2:CreateTags", "ec2:DeleteTags"}},
		On:     "ec2 route-table/*", Whose: "the table's owner", OptIn: answer, IAM: tagged("drawbridge:unclear"),
	},
	{
		Writes: map[string][]string{"AnswerTags": {"ec2:CreateTags", "ec2:DeleteTags"}},
		On:     "ec2 vpc-peering-connection/*", Whose: "each side its own tags", OptIn: answer, IAM: tagged("drawbridge:unclear"),
	},
	{
		Writes: map[string][]string{"AnswerTags": {"iam:TagRole", "iam:UntagRole"}},
		On:     "iam role/*", Whose: "the role's owner", OptIn: answer, IAM: tagged("drawbridge:unclear"),
	},
	{
		Writes: map[string][]string{"AnswerTags": {"sagemaker:AddTags", "sagemaker:DeleteTags"}},
		On:     "sagemaker notebook-instance/*", Whose: "the notebook's owner", OptIn: answer, IAM: tagged("drawbridge:unclear"),
	},
	{
		Writes: map[string][]string{"AnswerTags": {"sagemaker:AddTags", "sagemaker:DeleteTags"}},
		On:     "sagemaker domain/*", Whose: "the domain's owner", OptIn: answer, IAM: tagged("drawbridge:unclear"),
	},

	// The Data API.
	{
		Writes: map[string][]string{"EnableHttpEndpoint": {"rds:EnableHttpEndpoint"}},
		On:     "rds cluster:*", Whose: "the cluster's owner", OptIn: "drawbridge:data-api on the cluster names accounts; the policy allows Admit",
		IAM: []Condition{{"aws:ResourceTag/drawbridge:data-api", Any, true}},
	},
	{
		Writes: map[string][]string{"RetractDataApi": {"rds:DisableHttpEndpoint"}},
		On:     "rds cluster:*", Whose: "the cluster's owner", OptIn: recorded,
		Code:  "the ledger. The tag may be gone by then, so that IAM cannot ask for it",
		Tried: []string{"pkg/dataapi: TestWhatIsNotOursStays"},
	},
	{
		Writes: map[string][]string{"ConcludeDataApi": {"rds:AddTagsToResource", "rds:RemoveTagsFromResource"}, "ReportFailure": {"rds:AddTagsToResource"}},
		On:     "rds cluster:*", Whose: "the cluster's owner", OptIn: says, IAM: tagged(tag.Status),
	},
	{
		Writes: map[string][]string{"AdmitConsumers": {"iam:CreateRole", "iam:PutRolePolicy"}, "RetractDataApi": {"iam:DeleteRolePolicy"}},
		On:     "iam role/drawbridge/drawbridge-data-api-*", Whose: "Drawbridge's own role",
		OptIn: "as for the cluster; no role without the boundary of the member stack, which reads no secret without the tag drawbridge:data-api of the secret's owner",
		IAM:   []Condition{{"iam:PermissionsBoundary", "arn:aws:iam::111111111111:policy/drawbridge/drawbridge-data-api-boundary", true}},
	},
	{
		Writes: map[string][]string{"AdmitConsumers": {"iam:UpdateAssumeRolePolicy"}, "RetractDataApi": {"iam:DeleteRole"}},
		On:     "iam role/drawbridge/drawbridge-data-api-*", Whose: "Drawbridge's own role", OptIn: "as for the cluster",
		Code:  "the ARN in the role: only under the path /drawbridge/",
		Tried: []string{"infra/template: TestTheDataAPIWritesOnlyItsOwnRolesAndOnlyCheckedPolicies"},
	},
	{
		Writes: map[string][]string{"AdmitConsumers": {"kms:CreateGrant"}},
		On:     "kms key/*", Whose: "the key's owner", OptIn: "drawbridge:data-api on the key names the cluster, and on the secret, too; the policy allows Admit. A grant is retired by RetractDataApi alone, which the grant says",
		IAM: []Condition{
			{"aws:ResourceTag/drawbridge:data-api", Any, true},
			{"kms:GrantOperations", "Decrypt", false},
			{"kms:GrantConstraintType", "EncryptionContextSubset", true},
			{"kms:GranteePrincipal", "arn:aws:iam::111111111111:role/drawbridge/drawbridge-data-api-sales", true},
			{"kms:RetiringPrincipal", "arn:aws:iam::111111111111:role/drawbridge-member-retract-data-api", true},
		},
	},

	// Endpoints for private notebooks and for callers of the Data API.
	{
		Writes: map[string][]string{"PlaceEndpoints": {"ec2:CreateSecurityGroup", "ec2:CreateVpcEndpoint"}},
		On:     "ec2 vpc/*", Whose: "the VPC's owner", OptIn: "drawbridge:private-notebooks=true or drawbridge:data-api=true on the VPC; the policy allows Expose",
		Code:  "InspectPrivateNotebooks and InspectDataApiEndpoint: one of two tags, and which of them allows which service IAM cannot ask",
		Tried: []string{"story private-refused", "pkg/fanout: TestOnlyATaggedVPCHasEndpointsThatFollow"},
	},
	{
		Writes: map[string][]string{"PlaceEndpoints": {"ec2:CreateVpcEndpoint", "ec2:ModifyVpcEndpoint"}},
		On:     "ec2 subnet/*", Whose: "the VPC's owner", OptIn: "as for the VPC",
		Code:  "as for the VPC",
		Tried: []string{"story private-refused"},
	},
	{
		Writes: map[string][]string{"PlaceEndpoints": {"ec2:CreateVpcEndpoint"}},
		On:     "ec2 vpc-endpoint/*", Whose: "Drawbridge's own endpoint", OptIn: "as for the VPC: none without the tag that says for what it is, and of no other service",
		IAM: marked("private-notebooks-vpc-1", Condition{"ec2:VpceServiceName", "com.amazonaws.us-east-1.rds-data", false}),
	},
	{
		Writes: map[string][]string{"PlaceEndpoints": {"ec2:CreateSecurityGroup"}},
		On:     "ec2 security-group/*", Whose: "Drawbridge's own group", OptIn: "as for the VPC: none without the tag that says for what it is",
		IAM: marked("private-notebooks-vpc-1"),
	},
	{
		Writes: map[string][]string{"PlaceEndpoints": {"ec2:CreateTags"}},
		On:     "ec2 vpc-endpoint/*", Whose: "Drawbridge's own endpoint", OptIn: "none is needed: only with the call that makes it",
		IAM: marked("private-notebooks-vpc-1", Condition{"ec2:CreateAction", "CreateVpcEndpoint", true}),
	},
	{
		Writes: map[string][]string{"PlaceEndpoints": {"ec2:CreateTags"}},
		On:     "ec2 security-group/*", Whose: "Drawbridge's own group", OptIn: "none is needed: only with the call that makes it",
		IAM: marked("private-notebooks-vpc-1", Condition{"ec2:CreateAction", "CreateSecurityGroup", true}),
	},
	{
		Writes: map[string][]string{"PlaceEndpoints": {"ec2:CreateTags"}},
		On:     "ec2 security-group-rule/*", Whose: "Drawbridge's own rule", OptIn: "none is needed: only with the call that makes it",
		IAM: marked("private-notebooks-vpc-1", Condition{"ec2:CreateAction", "AuthorizeSecurityGroupIngress", true}),
	},
	{
		Writes: map[string][]string{"PlaceEndpoints": {"ec2:AuthorizeSecurityGroupIngress"}},
		On:     "ec2 security-group-rule/*", Whose: "Drawbridge's own rule", OptIn: "as for the group: none without the tag",
		IAM: marked("private-notebooks-vpc-1"),
	},
	{
		Writes: map[string][]string{
			"PlaceEndpoints":  {"ec2:AuthorizeSecurityGroupIngress", "ec2:CreateVpcEndpoint", "ec2:ModifyVpcEndpoint", "ec2:RevokeSecurityGroupIngress"},
			"RemoveEndpoints": {"ec2:DeleteSecurityGroup"},
		},
		On: "ec2 security-group/*", Whose: "Drawbridge's own group", OptIn: "it was made for the VPC, whose owner asked",
		IAM: ownOnly("drawbridge:connection", "private-notebooks-vpc-1"),
	},
	{
		Writes: map[string][]string{
			"PlaceEndpoints":  {"ec2:DeleteVpcEndpoints", "ec2:ModifyVpcEndpoint"},
			"RemoveEndpoints": {"ec2:DeleteVpcEndpoints"},
		},
		On: "ec2 vpc-endpoint/*", Whose: "Drawbridge's own endpoint", OptIn: "it was made for the VPC, whose owner asked",
		IAM: ownOnly("drawbridge:connection", "data-api-endpoint-vpc-1"),
	},
	{
		Writes: map[string][]string{"PlaceEndpoints": {"route53:AssociateVPCWithHostedZone"}},
		On:     "route53 hostedzone/*", Whose: "AWS's own zone of the endpoint", OptIn: "as for the VPC",
		Code:  "AWS: it is asked for with the endpoint, and of the zone nobody knows more before",
		Tried: []string{"pkg/endpoint: TestADNSNameThatSomethingElseHasIsAConflict"},
	},
	{
		Writes: map[string][]string{"GrantNotebookAccess": {"iam:CreatePolicyVersion", "iam:DeletePolicy", "iam:DeletePolicyVersion"}},
		On:     "iam policy/drawbridge/drawbridge-private-notebooks", Whose: "Drawbridge's own policy", OptIn: "none is needed: it is attached to no role without an opt-in",
		Code:  "GrantNotebookAccess: only the policy that the ledger has; IAM knows its ARN alone",
		Tried: []string{"pkg/privatenotebooks: TestAPolicyOfTheSameNameIsTheirs"},
	},
	{
		Writes: map[string][]string{"GrantNotebookAccess": {"iam:CreatePolicy", "iam:TagPolicy"}},
		On:     "iam policy/drawbridge/drawbridge-private-notebooks", Whose: "Drawbridge's own policy", OptIn: "none is needed: it is attached to no role without an opt-in",
		IAM: tagged("drawbridge:connection"),
	},
	{
		Writes: map[string][]string{"GrantNotebookAccess": {"iam:AttachRolePolicy"}},
		On:     "iam role/*", Whose: "the role's owner", OptIn: "drawbridge:private-notebooks=true on the role",
		IAM: []Condition{
			{"aws:ResourceTag/drawbridge:private-notebooks", "true", true},
			{"iam:PolicyARN", "arn:aws:iam::111111111111:policy/drawbridge/drawbridge-private-notebooks", true},
		},
	},
	{
		Writes: map[string][]string{"GrantNotebookAccess": {"iam:DetachRolePolicy"}},
		On:     "iam role/*", Whose: "the role's owner", OptIn: "none is needed: Drawbridge's own policy and no other can be detached, also when the tag is gone, and only where the ledger says that Drawbridge attached it",
		IAM: []Condition{{"iam:PolicyARN", "arn:aws:iam::111111111111:policy/drawbridge/drawbridge-private-notebooks", true}},
	},

	// Studio.
	{
		Writes: map[string][]string{"WriteStudioRole": {"iam:CreateRole", "iam:PutRolePolicy"}},
		On:     "iam role/drawbridge/drawbridge-studio-*", Whose: "Drawbridge's own role", OptIn: "drawbridge:studio on the cluster names accounts; no role without the boundary of the member stack",
		IAM: []Condition{{"iam:PermissionsBoundary", "arn:aws:iam::111111111111:policy/drawbridge/drawbridge-studio-boundary", true}},
	},
	{
		Writes: map[string][]string{"WriteStudioRole": {"iam:UpdateAssumeRolePolicy", "iam:DeleteRole", "iam:DeleteRolePolicy"}},
		On:     "iam role/drawbridge/drawbridge-studio-*", Whose: "Drawbridge's own role", OptIn: "as for making it: only a role that Drawbridge marked when it made it, and that the ledger has",
		IAM: ownOnly("drawbridge:connection", "studio"),
	},
	{
		Writes: map[string][]string{"WriteStudioRole": {"iam:TagRole"}},
		On:     "iam role/drawbridge/drawbridge-studio-*", Whose: "Drawbridge's own role", OptIn: says, IAM: tagged("drawbridge:connection"),
	},
	{
		Writes: map[string][]string{"AdmitExecutionRole": {"iam:PutRolePolicy", "iam:UpdateAssumeRolePolicy"}},
		On:     "iam role/*", Whose: "the owner of the domain's execution role", OptIn: "drawbridge:studio=true on the role; the policy allows Identify",
		IAM: ownOnly("drawbridge:studio", "true"),
	},
	{
		Writes: map[string][]string{"AdmitExecutionRole": {"iam:TagRole", "iam:UntagRole"}},
		On:     "iam role/*", Whose: "the owner of the domain's execution role", OptIn: "drawbridge:studio=true on the role; the mark and no other tag",
		IAM: append(tagged("drawbridge:connection"), ownOnly("drawbridge:studio", "true")...),
	},
	{
		Writes: map[string][]string{"ReleaseExecutionRole": {"iam:DeleteRolePolicy", "iam:UpdateAssumeRolePolicy"}},
		On:     "iam role/*", Whose: "the owner of the domain's execution role", OptIn: "drawbridge:studio=true was on the role when Drawbridge's mark came on it; what was added can go when the tag is gone",
		IAM: ownOnly("drawbridge:connection", "studio"),
	},
	{
		Writes: map[string][]string{"ReleaseExecutionRole": {"iam:UntagRole"}},
		On:     "iam role/*", Whose: "the owner of the domain's execution role", OptIn: "as for what was added",
		IAM: append(tagged("drawbridge:connection"), ownOnly("drawbridge:connection", "studio")...),
	},
	{
		Writes: map[string][]string{"IdentifyUsers": {"sagemaker:UpdateDomain"}},
		On:     "sagemaker domain/*", Whose: "the domain's owner", OptIn: "drawbridge:studio=true on the domain",
		IAM: ownOnly("drawbridge:studio", "true"),
	},
	{
		Writes: map[string][]string{"IdentifyUsers": {"sagemaker:AddTags"}},
		On:     "sagemaker domain/*", Whose: "the domain's owner", OptIn: "drawbridge:studio=true on the domain; the mark and no other tag",
		IAM: append(tagged("drawbridge:connection"), ownOnly("drawbridge:studio", "true")...),
	},
	{
		Writes: map[string][]string{"IdentifyUsers": {"sagemaker:UpdateDomain"}},
		On:     "sagemaker domain/*", Whose: "the domain's owner", OptIn: "drawbridge:studio=true was on the domain when Drawbridge's mark came on it; its setting can become what it was when the tag is gone",
		IAM: ownOnly("drawbridge:connection", "studio"),
	},
	{
		Writes: map[string][]string{"IdentifyUsers": {"sagemaker:DeleteTags"}},
		On:     "sagemaker domain/*", Whose: "the domain's owner", OptIn: "as for its setting",
		IAM: append(tagged("drawbridge:connection"), ownOnly("drawbridge:connection", "studio")...),
	},
	{
		Writes: map[string][]string{"ConcludeStudio": {"redshift:CreateTags"}, "ReportFailure": {"redshift:CreateTags"}},
		On:     "redshift cluster:*", Whose: "the cluster's owner", OptIn: "drawbridge:studio on the cluster, whatever accounts it names",
		IAM: append(tagged(tag.StudioStatus), Condition{"aws:ResourceTag/drawbridge:studio", Any, true}),
	},
	{
		Writes: map[string][]string{"ConcludeStudio": {"redshift:CreateTags", "redshift:DeleteTags"}, "ReportFailure": {"redshift:CreateTags"}},
		On:     "redshift cluster:*", Whose: "the cluster's owner", OptIn: "as long as the status that the tag allowed is there",
		IAM: append(tagged(tag.StudioStatus), Condition{"aws:ResourceTag/drawbridge:studio-status", Any, true}),
	},
}
