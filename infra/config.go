package main

import (
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"github.com/agnivade/levenshtein"

	arns "github.com/drawbridge-cloud/drawbridge/pkg/arn"
)

// Config is all that differs between one organization's Drawbridge and another's. It comes from the context in
// cdk.json, or from -c key=value on the command line, under the names in [fields].
type Config struct {
	HubAccount     string // the account that runs Drawbridge
	HubRegion      string // the Region of the hub's bus and machines
	OrganizationID string // whose accounts may send events and be connected
	ExternalID     string // what the hub's functions say when they enter a member account
	HomeRegion     string // the one Region in which a member account's roles are created
	StackSetOwner  string // the account that owns the StackSet; empty: the hub
	CallAs         string // DELEGATED_ADMIN, or SELF if that account is the management account

	TargetOrganizationalUnits []string // whose accounts become members
	ExcludedAccounts          []string // accounts of these units that do not
	Regions                   []string // in which the members' events are listened to, and which a sweep looks at

	ApprovalPatience   string   // after how many days a request that waits for its owner is called stuck
	SweepSchedule      string   // when every account is swept
	PrivateAccessCIDRs []string // the ranges from which private notebooks are reached, beside their VPCs
	LedgerTable        string   // the table that says what is Drawbridge's
	ObserveOnly        string   // whether the members' roles hold no right to change anything
	BrakeConnections   string   // how many connections go within a day before a person is asked
	BrakePercent       string   // the same, of all connections
	Mode               string   // how far Drawbridge goes, until somebody changes the parameter

	Policy    string // path of the Cedar file, from the root of the repository
	Functions string // path of the built functions, from the root of the repository
}

// field is one value of the configuration: under which key of the context it stands, what it must look like, what it is
// when nobody says, how to find the right one, and where it goes. One without a fallback must be given before deploying,
// unless it may be left out.
type field struct {
	key, form, fallback, remedy string
	optional                    bool
	text                        func(*Config) *string
	list                        func(*Config) *[]string
}

// fields are all the values. Every parameter of the stacks has its default from here.
var fields = []field{
	{key: "hubAccount", form: `\d{12}`,
		remedy: "the 12 digits of the account that runs Drawbridge (aws sts get-caller-identity --query Account)",
		text:   func(c *Config) *string { return &c.HubAccount }},
	{key: "hubRegion", form: arns.RegionForm, fallback: arns.IAMRegion(""),
		remedy: "a Region that every account has enabled, such as " + arns.IAMRegion(""),
		text:   func(c *Config) *string { return &c.HubRegion }},
	{key: "organizationId", form: `o-[a-z0-9]{10,32}`,
		remedy: "the organization's id (aws organizations describe-organization --query Organization.Id)",
		text:   func(c *Config) *string { return &c.OrganizationID }},
	{key: "externalId", form: `[\w+=,.@:/-]{2,200}`, fallback: "drawbridge",
		remedy: "2 to 200 characters of letters, digits and +=,.@:/-_",
		text:   func(c *Config) *string { return &c.ExternalID }},
	{key: "homeRegion", form: arns.RegionForm, fallback: arns.IAMRegion(""),
		remedy: "one of the Regions in \"regions\"; IAM roles are created there, once for each account",
		text:   func(c *Config) *string { return &c.HomeRegion }},
	{key: "stackSetAccount", form: `\d{12}`, optional: true,
		remedy: "the 12 digits of the account that owns the StackSet, or nothing if that is the hub account",
		text:   func(c *Config) *string { return &c.StackSetOwner }},
	{key: "callAs", form: `SELF|DELEGATED_ADMIN`, fallback: "DELEGATED_ADMIN",
		remedy: "DELEGATED_ADMIN, or SELF if the account that owns the StackSet is the management account",
		text:   func(c *Config) *string { return &c.CallAs }},
	{key: "targetOrganizationalUnits", form: `ou-[0-9a-z]{4,32}-[a-z0-9]{8,32}|r-[0-9a-z]{4,32}`,
		remedy: "ids of organizational units, or of the root for every account (aws organizations list-roots --query Roots[].Id)",
		list:   func(c *Config) *[]string { return &c.TargetOrganizationalUnits }},
	{key: "excludedAccounts", form: `\d{12}`, optional: true,
		remedy: "the 12 digits of each account of the target units that does not become a member",
		list:   func(c *Config) *[]string { return &c.ExcludedAccounts }},
	{key: "regions", form: arns.RegionForm, fallback: arns.IAMRegion(""),
		remedy: "the Regions that have VPCs or notebooks to connect, and the home Region",
		list:   func(c *Config) *[]string { return &c.Regions }},
	{key: "approvalPatience", form: patienceForm, fallback: "3",
		remedy: "a number of days from 0 to 6; AWS forgets a request after 7",
		text:   func(c *Config) *string { return &c.ApprovalPatience }},
	{key: "sweepSchedule", form: scheduleForm, fallback: "rate(1 day)",
		remedy: "a schedule of EventBridge, such as rate(1 day) or cron(0 3 * * ? *)",
		text:   func(c *Config) *string { return &c.SweepSchedule }},
	{key: "privateAccessCidrs", form: cidrForm, optional: true,
		remedy: "ranges such as 10.8.0.0/16, or nothing",
		list:   func(c *Config) *[]string { return &c.PrivateAccessCIDRs }},
	{key: "ledgerTable", form: ledgerForm, fallback: ledgerName,
		remedy: ledgerName + ", or the name of a table that was restored from it",
		text:   func(c *Config) *string { return &c.LedgerTable }},
	{key: "observeOnly", form: `true|false`, fallback: "false",
		remedy: "true, if no member shall be changed, or false",
		text:   func(c *Config) *string { return &c.ObserveOnly }},
	{key: "brakeConnections", form: brakeForm, fallback: "5",
		remedy: "a number of connections, from 0 to 999",
		text:   func(c *Config) *string { return &c.BrakeConnections }},
	{key: "brakePercent", form: percentForm, fallback: "5",
		remedy: "a percentage of all connections, from 0 to 100",
		text:   func(c *Config) *string { return &c.BrakePercent }},
	{key: "mode", form: modeForm, fallback: "full",
		remedy: "full, add, observe or paused",
		text:   func(c *Config) *string { return &c.Mode }},
	{key: "policy", form: `.+`, fallback: "pkg/policy/default.cedar",
		remedy: "the path of a Cedar file, from the root of the repository",
		text:   func(c *Config) *string { return &c.Policy }},
	{key: "functions", form: `.+`, fallback: "dist/functions",
		remedy: "the folder that the build writes the functions to",
		text:   func(c *Config) *string { return &c.Functions }},
}

// What values look like that are parameters of a stack too.
const (
	patienceForm = `[0-6]`
	brakeForm    = `[0-9]{1,3}`
	percentForm  = `[0-9]{1,2}|100`
	scheduleForm = `(rate|cron)\(.+\)`
	cidrForm     = `[0-9]{1,3}(\.[0-9]{1,3}){3}/[0-9]{1,2}`
)

// whole anchors a form.
func whole(form string) string { return `^(` + form + `)$` }

// LoadConfig reads the configuration from the app's context. A list may be written as a JSON list or, for the command
// line, as one text with commas. An error names the key, what is wrong with it, and what belongs there. What may be given
// later, as a parameter of the stack, may be missing here: see [Config.Missing].
func LoadConfig(context map[string]any) (Config, error) {
	var c Config
	if err := onlyKnown(context); err != nil {
		return Config{}, err
	}
	for _, f := range fields {
		values, err := texts(context[f.key], f.list != nil)
		if err != nil {
			return Config{}, fmt.Errorf("context %q in cdk.json is %w: it must be %s", f.key, err, f.remedy)
		}
		if len(values) == 0 && f.fallback != "" {
			values = []string{f.fallback}
		}
		for _, v := range values {
			if !regexp.MustCompile(whole(f.form)).MatchString(v) {
				return Config{}, fmt.Errorf("context %q in cdk.json is %q: it must be %s", f.key, v, f.remedy)
			}
			if f.form == arns.RegionForm {
				if _, err := strangeRegion(v); err != nil {
					return Config{}, fmt.Errorf("context %q in cdk.json is %q: %w", f.key, v, err)
				}
			}
		}
		switch {
		case f.list != nil:
			*f.list(&c) = values
		case len(values) > 1:
			return Config{}, fmt.Errorf("context %q in cdk.json is a list of %d: it must be %s", f.key, len(values), f.remedy)
		case len(values) == 1:
			*f.text(&c) = values[0]
		}
	}
	if !slices.Contains(c.Regions, c.HomeRegion) {
		return Config{}, fmt.Errorf("context \"homeRegion\" in cdk.json is %q, which is not among \"regions\" (%s): add it there, or choose one of them",
			c.HomeRegion, strings.Join(c.Regions, ", "))
	}
	return c, onePartition(c)
}

// onlyKnown refuses a key that nobody reads: a value under a misspelt key would count for nothing. Keys of the CDK and
// of libraries have an @, a colon or a slash, but for two of the command line's own.
// https://docs.aws.amazon.com/cdk/v2/guide/context.html
func onlyKnown(context map[string]any) error {
	known := []string{"acknowledged-issue-numbers", "cli-telemetry"}
	for _, f := range fields {
		known = append(known, f.key)
	}
	for _, key := range slices.Sorted(maps.Keys(context)) {
		if !strings.ContainsAny(key, "@:/") && !slices.Contains(known, key) {
			return fmt.Errorf("context %q in cdk.json is none of Drawbridge's: did you mean %q?", key, nearest(key, known))
		}
	}
	return nil
}

// nearest returns the word that takes the fewest edits to get to, whatever its case.
func nearest(word string, words []string) string {
	return slices.MinFunc(words, func(a, b string) int {
		return levenshtein.ComputeDistance(strings.ToLower(word), strings.ToLower(a)) - levenshtein.ComputeDistance(strings.ToLower(word), strings.ToLower(b))
	})
}

// Missing returns one sentence that names what a deployment needs and the configuration does not have, or nothing.
// Without it the templates can be synthesized, linted and compared, but not deployed.
func (c Config) Missing() string {
	var missing []string
	for _, f := range fields {
		if !f.optional && ((f.text != nil && *f.text(&c) == "") || (f.list != nil && len(*f.list(&c)) == 0)) {
			missing = append(missing, fmt.Sprintf("%q: %s", f.key, f.remedy))
		}
	}
	if len(missing) == 0 {
		return ""
	}
	return "before deploying, write into \"context\" of cdk.json " + strings.Join(missing, "; ")
}

// texts returns the non-empty texts of a context value: nil, a text (with commas, if split), or a list of texts.
func texts(value any, split bool) ([]string, error) {
	var all []string
	switch v := value.(type) {
	case nil:
	case string:
		all = []string{v}
		if split {
			all = strings.Split(v, ",")
		}
	case []any:
		for _, each := range v {
			text, ok := each.(string)
			if !ok {
				return nil, fmt.Errorf("a list that holds %v", each)
			}
			all = append(all, text)
		}
	default:
		return nil, fmt.Errorf("%v, not a text", value)
	}
	all = slices.DeleteFunc(all, func(s string) bool { return strings.TrimSpace(s) == "" })
	for i := range all {
		all[i] = strings.TrimSpace(all[i])
	}
	return all, nil
}

// root returns the root of the repository: the nearest folder, from here upwards, that has a go.mod.
func root() (string, error) {
	dir, err := os.Getwd()
	if err != nil {
		return "", err
	}
	for at := dir; ; at = filepath.Dir(at) {
		if _, err := os.Stat(filepath.Join(at, "go.mod")); err == nil {
			return at, nil
		}
		if at == filepath.Dir(at) {
			return "", fmt.Errorf("looking for go.mod in %s and above: not found; run this inside the repository", dir)
		}
	}
}
