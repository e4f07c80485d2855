package doctor

import (
	"context"
	"fmt"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation"
	cfntypes "github.com/aws/aws-sdk-go-v2/service/cloudformation/types"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/servicequotas"
	quotatypes "github.com/aws/aws-sdk-go-v2/service/servicequotas/types"

	"github.com/drawbridge-cloud/drawbridge/infra/template"
	"github.com/drawbridge-cloud/drawbridge/pkg/fault"
)

// stackSet carries the member template.
const stackSet = "drawbridge-member"

// instances says which instances of the StackSet are not current. Who owns it calls as themselves, a delegated administrator as one.
func instances(ctx context.Context, s seat) (string, string, error) {
	var total int
	var bad []string
	list := func(as cfntypes.CallAs) error {
		total, bad = 0, nil
		pages := cloudformation.NewListStackInstancesPaginator(cloudformation.NewFromConfig(s.cfg), &cloudformation.ListStackInstancesInput{StackSetName: aws.String(stackSet), CallAs: as})
		for pages.HasMorePages() {
			page, err := pages.NextPage(ctx)
			if err != nil {
				return err
			}
			for _, i := range page.Summaries {
				total++
				if one := instance(i); one != "" {
					bad = append(bad, one)
				}
			}
		}
		return nil
	}
	err := list(cfntypes.CallAsDelegatedAdmin)
	if err != nil {
		if other := list(cfntypes.CallAsSelf); other == nil {
			err = nil
		}
	}
	switch {
	case fault.HasCode(err, "StackSetNotFoundException", "StackSetNotFound"):
		return No, "there is no StackSet " + stackSet, nil
	case err != nil:
		return "", "", err
	case total == 0:
		return No, "it has no instances", nil
	case len(bad) > 0:
		return No, fmt.Sprintf("%d of %d are not: %s", len(bad), total, some(bad)), nil
	}
	return Yes, fmt.Sprintf("%d instances", total), nil
}

// instance says what is wrong with an instance; "" if nothing is.
func instance(i cfntypes.StackInstanceSummary) string {
	detailed := cfntypes.StackInstanceDetailedStatusSucceeded
	if i.StackInstanceStatus != nil {
		detailed = i.StackInstanceStatus.DetailedStatus
	}
	if i.Status == cfntypes.StackInstanceStatusCurrent && detailed == cfntypes.StackInstanceDetailedStatusSucceeded {
		return ""
	}
	out := fmt.Sprintf("%s %s is %s", aws.ToString(i.Account), aws.ToString(i.Region), i.Status)
	if reason := aws.ToString(i.StatusReason); reason != "" {
		out += " (" + reason + ")"
	}
	return out
}

// roles compares the roles of a template with those of the account.
func roles(ctx context.Context, s seat, text string) (string, string, error) {
	there := map[string]bool{}
	pages := iam.NewListRolesPaginator(iam.NewFromConfig(s.cfg), &iam.ListRolesInput{})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return "", "", err
		}
		for _, r := range page.Roles {
			there[aws.ToString(r.RoleName)] = true
		}
	}
	a, detail := compared("roles", names(resources(text, "AWS::IAM::Role"), func(r resource) any { return r.Properties.RoleName }), there)
	return a, detail, nil
}

func memberRoles(ctx context.Context, s seat) (string, string, error) {
	return roles(ctx, s, template.Member)
}

func hubRoles(ctx context.Context, s seat) (string, string, error) {
	return roles(ctx, s, template.Hub)
}

func memberRules(ctx context.Context, s seat) (string, string, error) {
	there, err := ruleStates(ctx, s, "")
	if err != nil {
		return "", "", err
	}
	a, detail := compared("rules", names(resources(template.Member, "AWS::Events::Rule"), func(r resource) any { return r.Properties.Name }), there)
	return a, detail, nil
}

// concurrency is how many functions may run at once, and how many of them nobody reserved.
func concurrency(ctx context.Context, s seat) (string, string, error) {
	got, err := lambda.NewFromConfig(s.cfg).GetAccountSettings(ctx, nil)
	if err != nil {
		return "", "", err
	}
	if got.AccountLimit == nil {
		return Unknown, "Lambda tells no limit", nil
	}
	all, free := got.AccountLimit.ConcurrentExecutions, aws.ToInt32(got.AccountLimit.UnreservedConcurrentExecutions)
	detail := fmt.Sprintf("%d executions at once, %d of them not reserved", all, free)
	if free < 100 {
		return No, detail, nil
	}
	return Yes, detail, nil
}

// quota returns the value of a quota of the account, by its name; that of a fresh account if it has none of its own.
func quota(ctx context.Context, s seat, service, name string) (float64, error) {
	api := servicequotas.NewFromConfig(s.cfg)
	find := func(all []quotatypes.ServiceQuota) (float64, bool) {
		for _, q := range all {
			if strings.EqualFold(aws.ToString(q.QuotaName), name) && q.Value != nil {
				return *q.Value, true
			}
		}
		return 0, false
	}
	own := servicequotas.NewListServiceQuotasPaginator(api, &servicequotas.ListServiceQuotasInput{ServiceCode: &service})
	for own.HasMorePages() {
		page, err := own.NextPage(ctx)
		if err != nil {
			return 0, err
		}
		if v, ok := find(page.Quotas); ok {
			return v, nil
		}
	}
	defaults := servicequotas.NewListAWSDefaultServiceQuotasPaginator(api, &servicequotas.ListAWSDefaultServiceQuotasInput{ServiceCode: &service})
	for defaults.HasMorePages() {
		page, err := defaults.NextPage(ctx)
		if err != nil {
			return 0, err
		}
		if v, ok := find(page.Quotas); ok {
			return v, nil
		}
	}
	return 0, fmt.Errorf("service %s has no quota %q in %s", service, name, s.at.Region)
}

func rulesRoom(ctx context.Context, s seat) (string, string, error) {
	all, err := ruleStates(ctx, s, busName)
	if fault.HasCode(err, "ResourceNotFoundException") {
		return No, "there is no bus " + busName, nil
	}
	if err != nil {
		return "", "", err
	}
	most, err := quota(ctx, s, "events", "Rules")
	if err != nil {
		return "", "", err
	}
	a, detail := room("rules of the bus", len(all), most)
	return a, detail, nil
}

func routesRoom(ctx context.Context, s seat) (string, string, error) {
	fullest, table := 0, "no table"
	pages := ec2.NewDescribeRouteTablesPaginator(ec2.NewFromConfig(s.cfg), &ec2.DescribeRouteTablesInput{})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return "", "", err
		}
		for _, t := range page.RouteTables {
			if len(t.Routes) > fullest {
				fullest, table = len(t.Routes), aws.ToString(t.RouteTableId)
			}
		}
	}
	most, err := quota(ctx, s, "vpc", "Routes per route table")
	if err != nil {
		return "", "", err
	}
	a, detail := room("the fullest, "+table, fullest, most)
	return a, detail, nil
}

func groupsRoom(ctx context.Context, s seat) (string, string, error) {
	counts := map[string]int{}
	pages := ec2.NewDescribeSecurityGroupRulesPaginator(ec2.NewFromConfig(s.cfg), &ec2.DescribeSecurityGroupRulesInput{})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return "", "", err
		}
		for _, r := range page.SecurityGroupRules { // each direction counts for itself
			counts[fmt.Sprintf("%s egress %v", aws.ToString(r.GroupId), aws.ToBool(r.IsEgress))]++
		}
	}
	fullest, group := 0, "no group"
	for name, n := range counts {
		if n > fullest || n == fullest && name < group {
			fullest, group = n, strings.NewReplacer(" egress true", ", outbound", " egress false", ", inbound").Replace(name)
		}
	}
	most, err := quota(ctx, s, "vpc", "Inbound or outbound rules per security group")
	if err != nil {
		return "", "", err
	}
	a, detail := room("the fullest, "+group, fullest, most)
	return a, detail, nil
}
