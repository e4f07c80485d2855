package main

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	arns "github.com/drawbridge-cloud/drawbridge/pkg/arn"
)

// Config is all that differs between one organization's Drawbridge and another's. It comes from the context in
// cdk.json, or from -c key=value on the command line, under the names given here.
type Config struct {
	HubAccount     string // hubAccount: the account that runs Drawbridge
	HubRegion      string // hubRegion: the Region of the hub's bus and machines
	OrganizationID string // organizationId: whose accounts may send events and be connected
	ExternalID     string // externalId: what the hub's functions say when they enter a member account
	HomeRegion     string // homeRegion: the one Region in which a member account's roles are created
	CallAs         string // callAs: DELEGATED_ADMIN, or SELF if the hub account is the management account
	Policy         string // policy: path of the Cedar file, from the root of the repository
	Functions      string // functions: path of the built functions, from the root of the repository

	TargetOrganizationalUnits []string // targetOrganizationalUnits: whose accounts become members
	Regions                   []string // regions: in which the members' events are listened to
}

// fields says for each value what it must look like, what it is when nobody says, and how to find the right one.
var fields = []struct {
	key, form, fallback, remedy string
	text                        func(*Config) *string
	list                        func(*Config) *[]string
}{
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
	{key: "callAs", form: `SELF|DELEGATED_ADMIN`, fallback: "DELEGATED_ADMIN",
		remedy: "DELEGATED_ADMIN, or SELF if the hub account is the management account",
		text:   func(c *Config) *string { return &c.CallAs }},
	{key: "policy", form: `.+`, fallback: "pkg/policy/default.cedar",
		remedy: "the path of a Cedar file, from the root of the repository",
		text:   func(c *Config) *string { return &c.Policy }},
	{key: "functions", form: `.+`, fallback: "dist/functions",
		remedy: "the folder that the build writes the functions to",
		text:   func(c *Config) *string { return &c.Functions }},
	{key: "targetOrganizationalUnits", form: `ou-[0-9a-z]{4,32}-[a-z0-9]{8,32}|r-[0-9a-z]{4,32}`,
		remedy: "ids of organizational units, or of the root for every account (aws organizations list-roots --query Roots[].Id)",
		list:   func(c *Config) *[]string { return &c.TargetOrganizationalUnits }},
	{key: "regions", form: arns.RegionForm, fallback: arns.IAMRegion(""),
		remedy: "the Regions that have VPCs or notebooks to connect, and the home Region",
		list:   func(c *Config) *[]string { return &c.Regions }},
}

// LoadConfig reads the configuration; lookup returns the context value of a key, or nil. A list may be written as a
// JSON list or, for the command line, as one text with commas. An error names the key, what is wrong with it, and what
// belongs there. What may be given later, as a parameter of the stack, may be missing here: see [Config.Missing].
func LoadConfig(lookup func(key string) any) (Config, error) {
	var c Config
	for _, f := range fields {
		values, err := texts(lookup(f.key), f.list != nil)
		if err != nil {
			return Config{}, fmt.Errorf("context %q in cdk.json is %w: it must be %s", f.key, err, f.remedy)
		}
		if len(values) == 0 && f.fallback != "" {
			values = []string{f.fallback}
		}
		for _, v := range values {
			if !regexp.MustCompile(`^(?:` + f.form + `)$`).MatchString(v) {
				return Config{}, fmt.Errorf("context %q in cdk.json is %q: it must be %s", f.key, v, f.remedy)
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
	return c, nil
}

// Missing returns one sentence for each value that a deployment needs and the configuration does not have. Without
// them the templates can be synthesized, linted and compared, but not deployed.
func (c Config) Missing() []string {
	var missing []string
	for _, f := range fields {
		if (f.text != nil && *f.text(&c) == "") || (f.list != nil && len(*f.list(&c)) == 0) {
			missing = append(missing, fmt.Sprintf("context %q in cdk.json is empty: before deploying, write there %s", f.key, f.remedy))
		}
	}
	return missing
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
