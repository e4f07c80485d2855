package doctor

import (
	"context"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation"
	cfntypes "github.com/aws/aws-sdk-go-v2/service/cloudformation/types"
	"github.com/aws/aws-sdk-go-v2/service/cloudtrail"
	trailtypes "github.com/aws/aws-sdk-go-v2/service/cloudtrail/types"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	dynamotypes "github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge"
	"github.com/aws/aws-sdk-go-v2/service/organizations"
	orgtypes "github.com/aws/aws-sdk-go-v2/service/organizations/types"
	"github.com/aws/aws-sdk-go-v2/service/sfn"
	"github.com/aws/aws-sdk-go-v2/service/sns"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	sqstypes "github.com/aws/aws-sdk-go-v2/service/sqs/types"
	"github.com/aws/aws-sdk-go-v2/service/ssm"

	"github.com/drawbridge-cloud/drawbridge/infra/template"
	"github.com/drawbridge-cloud/drawbridge/pkg/answer"
	"github.com/drawbridge-cloud/drawbridge/pkg/arn"
	"github.com/drawbridge-cloud/drawbridge/pkg/board"
	"github.com/drawbridge-cloud/drawbridge/pkg/deed"
	"github.com/drawbridge-cloud/drawbridge/pkg/fault"
	"github.com/drawbridge-cloud/drawbridge/pkg/mode"
	"github.com/drawbridge-cloud/drawbridge/pkg/policy/parameter"
	"github.com/drawbridge-cloud/drawbridge/pkg/sweep"
)

// Look does all checks.
func Look(ctx context.Context, p Patient, now time.Time) Report {
	r := Report{Head: answer.HeadOf("Doctor"), Account: p.At.Account, Region: p.At.Region, At: now.UTC(), Before: p.Before, Findings: []Finding{}}
	r.Findings = append(r.Findings, p.find(ctx, func(c Check) bool { return c.Before || !p.Before })...)
	r.Answer = judged(r.Findings)
	return r
}

// find does those checks that are wanted, from wherever each looks.
func (p Patient) find(ctx context.Context, wanted func(Check) bool) (out []Finding) {
	for _, c := range Checks {
		if !wanted(c) {
			continue
		}
		for _, s := range p.seats(c.Where) {
			if ctx.Err() != nil {
				return out
			}
			out = append(out, c.find(ctx, p, s))
		}
	}
	return out
}

// seats are from where a check looks.
func (p Patient) seats(where string) []seat {
	hub := seat{cfg: p.Hub, at: p.At, hub: p.At, table: p.Table}
	switch {
	case where == Management && p.Management != nil:
		return []seat{{cfg: *p.Management, at: p.ManagementAt, hub: p.At, table: p.Table}}
	case where != Member:
		return []seat{hub}
	}
	var out []seat
	for at, cfg := range p.Members {
		out = append(out, seat{cfg: cfg, at: at, hub: p.At, table: p.Table})
	}
	slices.SortFunc(out, func(a, b seat) int { return strings.Compare(a.at.Account+a.at.Region, b.at.Account+b.at.Region) })
	return out
}

// transport is what the SDK says of a call's way, which tells nobody what to do.
var transport = regexp.MustCompile(`https response error StatusCode: \d+, RequestID: [^,]*, (?:api error )?`)

func (c Check) find(ctx context.Context, p Patient, s seat) Finding {
	f := Finding{Code: c.Code, Title: c.Title, Account: s.at.Account, Region: s.at.Region}
	var err error
	if f.Answer, f.Detail, err = c.look(ctx, s); err != nil {
		f.Answer, f.Detail = Unknown, transport.ReplaceAllString(err.Error(), "")
		if fault.HasCode(err, "AccessDenied", "AccessDeniedException", "UnauthorizedOperation", "AuthorizationError") {
			f.Remedy = "look with credentials that may read it: ReadOnlyAccess is enough"
		}
	}
	if f.Answer == No {
		f.Remedy = c.Remedy
		for _, m := range c.Mends {
			f.Mends = append(f.Mends, filled(m, p, s.at))
		}
	}
	return f
}

func features(ctx context.Context, s seat) (string, string, error) {
	got, err := organizations.NewFromConfig(s.cfg).DescribeOrganization(ctx, nil)
	switch {
	case fault.HasCode(err, "AWSOrganizationsNotInUseException"):
		return No, "the account is in no organization", nil
	case err != nil:
		return "", "", err
	case got.Organization.FeatureSet != orgtypes.OrganizationFeatureSetAll:
		return No, fmt.Sprintf("%s has %s", aws.ToString(got.Organization.Id), got.Organization.FeatureSet), nil
	}
	return Yes, aws.ToString(got.Organization.Id), nil
}

// trusts reports whether the organization trusts a service.
func trusts(ctx context.Context, s seat, principal string) (bool, error) {
	pages := organizations.NewListAWSServiceAccessForOrganizationPaginator(organizations.NewFromConfig(s.cfg), nil)
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return false, err
		}
		for _, e := range page.EnabledServicePrincipals {
			if aws.ToString(e.ServicePrincipal) == principal {
				return true, nil
			}
		}
	}
	return false, nil
}

func trust(ctx context.Context, s seat, principal string) (string, string, error) {
	ok, err := trusts(ctx, s, principal)
	if err != nil {
		return "", "", err
	}
	return map[bool]string{true: Yes, false: No}[ok], principal, nil
}

func trustedAccess(ctx context.Context, s seat) (string, string, error) {
	return trust(ctx, s, stackSetTrust)
}

func sharing(ctx context.Context, s seat) (string, string, error) {
	return trust(ctx, s, arn.ServicePrincipal("ram"))
}

func delegated(ctx context.Context, s seat) (string, string, error) {
	api := organizations.NewFromConfig(s.cfg)
	pages := organizations.NewListDelegatedAdministratorsPaginator(api, &organizations.ListDelegatedAdministratorsInput{ServicePrincipal: aws.String(stackSetTrust)})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return "", "", err
		}
		for _, a := range page.DelegatedAdministrators {
			if aws.ToString(a.Id) == s.hub.Account {
				return Yes, "account " + s.hub.Account + " is a delegated administrator", nil
			}
		}
	}
	if s.at.Account == s.hub.Account { // as itself it can try
		if _, err := api.ListAccounts(ctx, nil); err == nil {
			return Yes, "account " + s.hub.Account + " reads the organization; the StackSet belongs to another account", nil
		}
	}
	return No, "account " + s.hub.Account + " is none", nil
}

// organizationTrail finds the trail that logs all of the organization. The answer is Yes only if there is one; it is empty with an error.
func organizationTrail(ctx context.Context, api *cloudtrail.Client) (one trailtypes.Trail, answer, detail string, err error) {
	got, err := api.DescribeTrails(ctx, &cloudtrail.DescribeTrailsInput{})
	if err != nil {
		return one, "", "", err
	}
	one, answer, detail = logs(got.TrailList)
	return one, answer, detail, nil
}

func trail(ctx context.Context, s seat) (string, string, error) {
	api := cloudtrail.NewFromConfig(s.cfg)
	one, a, detail, err := organizationTrail(ctx, api)
	if a != Yes {
		return a, detail, err
	}
	status, err := api.GetTrailStatus(ctx, &cloudtrail.GetTrailStatusInput{Name: one.TrailARN})
	if err != nil {
		return "", "", fmt.Errorf("%s is there, and whether it logs is not known: %w", detail, err)
	}
	if !aws.ToBool(status.IsLogging) {
		return No, detail + " is stopped", nil
	}
	return Yes, detail, nil
}

func writeEvents(ctx context.Context, s seat) (string, string, error) {
	api := cloudtrail.NewFromConfig(s.cfg)
	one, a, detail, err := organizationTrail(ctx, api)
	if a != Yes {
		return a, detail, err
	}
	selectors, err := api.GetEventSelectors(ctx, &cloudtrail.GetEventSelectorsInput{TrailName: one.TrailARN})
	if err != nil {
		return "", "", err
	}
	missing := lacks(listened(), selectors.EventSelectors, selectors.AdvancedEventSelectors)
	switch {
	case len(missing) == 0:
		return Yes, fmt.Sprintf("%d services", len(listened())), nil
	case slices.Equal(missing, []string{arn.ServicePrincipal("kms")}):
		return Yes, "all but KMS: a key's tag for the Data API is noticed by EventBridge's own event of tags, or by the next sweep", nil
	}
	return No, "it does not log " + some(missing), nil
}

func stack(ctx context.Context, s seat) (string, string, error) {
	got, err := cloudformation.NewFromConfig(s.cfg).DescribeStacks(ctx, &cloudformation.DescribeStacksInput{StackName: aws.String(board.Stack)})
	switch {
	case fault.HasCode(err, "ValidationError"):
		return No, "there is no stack " + board.Stack, nil
	case err != nil:
		return "", "", err
	case len(got.Stacks) == 0:
		return No, "there is no stack " + board.Stack, nil
	}
	status := got.Stacks[0].StackStatus
	well := []cfntypes.StackStatus{cfntypes.StackStatusCreateComplete, cfntypes.StackStatusUpdateComplete, cfntypes.StackStatusUpdateCompleteCleanupInProgress, cfntypes.StackStatusImportComplete}
	if !slices.Contains(well, status) {
		return No, board.Stack + " is " + string(status), nil
	}
	return Yes, string(status), nil
}

// busName is the hub's bus.
const busName = "drawbridge"

func bus(ctx context.Context, s seat) (string, string, error) {
	got, err := eventbridge.NewFromConfig(s.cfg).DescribeEventBus(ctx, &eventbridge.DescribeEventBusInput{Name: aws.String(busName)})
	switch {
	case fault.HasCode(err, "ResourceNotFoundException"):
		return No, "there is no bus " + busName, nil
	case err != nil:
		return "", "", err
	case !strings.Contains(aws.ToString(got.Policy), "aws:PrincipalOrgID"):
		return No, "its policy names no organization", nil
	}
	return Yes, aws.ToString(got.Arn), nil
}

// ruleStates returns which of Drawbridge's rules a bus has, and whether each is on; no name is the account's own bus.
func ruleStates(ctx context.Context, s seat, bus string) (map[string]bool, error) {
	return sweep.RuleStates(ctx, eventbridge.NewFromConfig(s.cfg), bus, "drawbridge-")
}

// hubRules are the rules of both buses in the hub.
func hubRules(ctx context.Context, s seat) (string, string, error) {
	all, err := ruleStates(ctx, s, busName)
	if fault.HasCode(err, "ResourceNotFoundException") {
		return No, "there is no bus " + busName, nil
	}
	if err != nil {
		return "", "", err
	}
	own, err := ruleStates(ctx, s, "")
	if err != nil {
		return "", "", err
	}
	for name, on := range own {
		all[name] = on
	}
	a, detail := compared("rules", names(resources(template.Hub, "AWS::Events::Rule"), func(r resource) any { return r.Properties.Name }), all)
	return a, detail, nil
}

func machines(ctx context.Context, s seat) (string, string, error) {
	there := map[string]bool{}
	pages := sfn.NewListStateMachinesPaginator(sfn.NewFromConfig(s.cfg), &sfn.ListStateMachinesInput{})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return "", "", err
		}
		for _, m := range page.StateMachines {
			there[aws.ToString(m.Name)] = true
		}
	}
	a, detail := compared("machines", names(resources(template.Hub, "AWS::StepFunctions::StateMachine"), func(r resource) any { return r.Properties.StateMachineName }), there)
	return a, detail, nil
}

func ledgerKept(ctx context.Context, s seat) (string, string, error) {
	api := dynamodb.NewFromConfig(s.cfg)
	table, err := api.DescribeTable(ctx, &dynamodb.DescribeTableInput{TableName: &s.table})
	if fault.HasCode(err, "ResourceNotFoundException") {
		return No, "there is no table " + s.table, nil
	}
	if err != nil {
		return "", "", err
	}
	backups, err := api.DescribeContinuousBackups(ctx, &dynamodb.DescribeContinuousBackupsInput{TableName: &s.table})
	if err != nil {
		return "", "", err
	}
	var off []string
	if !aws.ToBool(table.Table.DeletionProtectionEnabled) {
		off = append(off, "protection against deletion")
	}
	if d := backups.ContinuousBackupsDescription; d == nil || d.PointInTimeRecoveryDescription == nil || d.PointInTimeRecoveryDescription.PointInTimeRecoveryStatus != dynamotypes.PointInTimeRecoveryStatusEnabled {
		off = append(off, "recovery")
	}
	if len(off) > 0 {
		return No, s.table + " lacks " + strings.Join(off, " and "), nil
	}
	return Yes, s.table, nil
}

func running(ctx context.Context, s seat) (string, string, error) {
	now, err := board.ReadMode(ctx, ssm.NewFromConfig(s.cfg))
	if err != nil {
		return "", "", err
	}
	if now.Mode == string(mode.Stopped) {
		return No, strings.TrimSuffix(now.Mode+": "+now.Why, ": "), nil
	}
	return Yes, now.Mode, nil
}

func policyRead(ctx context.Context, s seat) (string, string, error) {
	set, err := parameter.New(ssm.NewFromConfig(s.cfg), deed.PolicyParameter).Policy(ctx)
	if fault.Of(err) == fault.Conflict {
		return No, err.Error(), nil
	}
	if err != nil {
		return "", "", err
	}
	return Yes, fmt.Sprintf("%d policies", len(set.IDs())), nil
}

func topic(ctx context.Context, s seat) (string, string, error) {
	id := arn.New(arn.Partition(s.hub.Region), "sns", s.hub.Region, s.hub.Account, "drawbridge-notifications")
	confirmed := 0
	pages := sns.NewListSubscriptionsByTopicPaginator(sns.NewFromConfig(s.cfg), &sns.ListSubscriptionsByTopicInput{TopicArn: &id})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if fault.HasCode(err, "NotFound", "NotFoundException") {
			return No, "there is no topic " + id, nil
		}
		if err != nil {
			return "", "", err
		}
		for _, one := range page.Subscriptions {
			if strings.HasPrefix(aws.ToString(one.SubscriptionArn), "arn:") { // else it waits for its confirmation
				confirmed++
			}
		}
	}
	if confirmed == 0 {
		return No, "nobody has subscribed and confirmed", nil
	}
	return Yes, fmt.Sprintf("%d subscriptions", confirmed), nil
}

func deadLetters(ctx context.Context, s seat) (string, string, error) {
	api := sqs.NewFromConfig(s.cfg)
	url, err := api.GetQueueUrl(ctx, &sqs.GetQueueUrlInput{QueueName: aws.String("drawbridge-dead-letters")})
	if fault.HasCode(err, "AWS.SimpleQueueService.NonExistentQueue", "QueueDoesNotExist") {
		return No, "there is no queue drawbridge-dead-letters", nil
	}
	if err != nil {
		return "", "", err
	}
	const count = "ApproximateNumberOfMessages"
	got, err := api.GetQueueAttributes(ctx, &sqs.GetQueueAttributesInput{QueueUrl: url.QueueUrl, AttributeNames: []sqstypes.QueueAttributeName{count}})
	if err != nil {
		return "", "", err
	}
	if n := got.Attributes[count]; n != "0" {
		return No, "some " + n + " wait", nil
	}
	return Yes, "none", nil
}
