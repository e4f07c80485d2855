package main

import (
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/drawbridge-cloud/drawbridge/pkg/tag"
	"github.com/drawbridge-cloud/drawbridge/pkg/tag/tagtest"
)

// Case is an event, and the rules that match it, wherever they are: in a member account, on the hub's bus, on the hub
// account's default bus.
type Case struct {
	Name  string
	Event json.RawMessage
	Rules []string // sorted
	// InMember says that only the rules of its account are asked, which must not let it out.
	InMember bool
	// Kept says that its rules stand in matches.json.
	Kept bool
}

// sources are where cases come from. Each must have some.
var sources = []func(root string) ([]Case, error){samples, ownCalls, cells}

// cases returns the cases of all sources.
func cases(root string) ([]Case, error) {
	var all []Case
	for i, source := range sources {
		some, err := source(root)
		if err == nil && len(some) == 0 {
			err = fmt.Errorf("source %d of cases has none", i+1)
		}
		if err != nil {
			return nil, err
		}
		all = append(all, some...)
	}
	return all, nil
}

const (
	// matchesFile says which rules match each sample of events/ and each variant. The tests of this package hold it to
	// what events/README.md and docs/architecture.md say.
	matchesFile = folder + "/matches.json"
	// variantsFile has other forms of samples: what differs, as a JSON merge patch (RFC 7396).
	variantsFile = folder + "/variants.json"
)

// samples are the events of events/ and their variants, with the rules of matches.json.
func samples(root string) ([]Case, error) {
	paths, err := filepath.Glob(filepath.Join(root, "events", "*.json"))
	if err != nil {
		return nil, err
	}
	var all []Case
	events := map[string]json.RawMessage{}
	for _, path := range paths {
		event, err := os.ReadFile(path)
		if err != nil {
			return nil, err
		}
		events[filepath.Base(path)] = event
		all = append(all, Case{Name: filepath.Base(path), Event: event, Kept: true})
	}
	var variants []struct {
		Name, Of string
		With     map[string]any
	}
	if err := readJSON(root, variantsFile, &variants); err != nil {
		return nil, err
	}
	for _, v := range variants {
		var event any
		if err := json.Unmarshal(events[v.Of], &event); err != nil {
			return nil, fmt.Errorf("%s: %q is of %s: %w", variantsFile, v.Name, v.Of, err)
		}
		text, err := json.Marshal(merged(event, v.With))
		if err != nil {
			return nil, err
		}
		all = append(all, Case{Name: v.Of + ": " + v.Name, Event: text, Kept: true})
	}
	rules := map[string][]string{}
	if err := readJSON(root, matchesFile, &rules); err != nil {
		return nil, err
	}
	for i, c := range all {
		want, known := rules[c.Name]
		if !known && !*update {
			return nil, fmt.Errorf("%s does not say which rules match %s: go run ./%s -update ruler", matchesFile, c.Name, folder)
		}
		all[i].Rules = want
		delete(rules, c.Name)
	}
	if len(rules) > 0 && !*update {
		return nil, fmt.Errorf("%s speaks of what is no sample: %v", matchesFile, slices.Sorted(maps.Keys(rules)))
	}
	return all, nil
}

// merged applies a JSON merge patch.
func merged(value, patch any) any {
	p, isObject := patch.(map[string]any)
	if !isObject {
		return patch
	}
	out := map[string]any{}
	if v, ok := value.(map[string]any); ok {
		maps.Copy(out, v)
	}
	for key, one := range p {
		if one == nil {
			delete(out, key)
		} else {
			out[key] = merged(out[key], one)
		}
	}
	return out
}

// cells are the events that announce a tag: every tag, on every kind of thing, by every record and in every shape. One rule of the member
// and one of the hub match each, as docs/architecture.md says.
func cells(string) ([]Case, error) {
	var all []Case
	for _, c := range tagtest.Cells() {
		rule := map[bool]string{true: "tag", false: "database-state"}[strings.HasSuffix(c.Name, "Tag Change on Resource")]
		about := c.Record.Act == tag.Sets || c.Record.Act == tag.Removes
		switch {
		case c.Record.Call == "": // a service's own event
		case c.Record.Machine != "":
			rule = c.Record.Machine
		case c.Record.Service == "tagging":
			rule = "tagging"
		case c.Record.Service == "ec2" && about:
			rule = "ec2-tags"
		case c.Record.Service == "ec2":
			rule = "network"
		case about:
			rule = "service-tags"
		case c.Record.Service == "iam":
			rule = "roles"
		case c.Record.Service == "kms", c.Record.Service == "secretsmanager":
			rule = "secrets"
		default:
			rule = "database"
		}
		all = append(all, Case{Name: c.Name, Event: c.Event, Rules: []string{"drawbridge-" + rule, "drawbridge-forward-" + rule}})
		slices.Sort(all[len(all)-1].Rules)
	}
	return all, nil
}

// readJSON reads a file, from the root.
func readJSON(root, file string, into any) error {
	text, err := os.ReadFile(filepath.Join(root, file))
	if err != nil {
		return err
	}
	if err := json.Unmarshal(text, into); err != nil {
		return fmt.Errorf("reading %s: %w", file, err)
	}
	return nil
}

// ownCalls are the samples of calls once more, as made by Drawbridge: each by another of its member roles. They match
// nothing, or an execution would start the next.
func ownCalls(root string) ([]Case, error) {
	deployed, err := stacks(root, consumer)
	if err != nil {
		return nil, err
	}
	var names []string
	for _, s := range deployed {
		roles, err := s.roles()
		if err != nil {
			return nil, err
		}
		for _, r := range roles {
			if strings.HasPrefix(r.name, memberPrefix) {
				names = append(names, r.name)
			}
		}
	}
	if len(names) == 0 {
		return nil, fmt.Errorf("no role is called %s…", memberPrefix)
	}
	all, err := samples(root)
	if err != nil {
		return nil, err
	}
	var own []Case
	for _, c := range all {
		var event map[string]any
		if err := json.Unmarshal(c.Event, &event); err != nil {
			return nil, fmt.Errorf("%s: %w", c.Name, err)
		}
		if event["detail-type"] != "AWS API Call via CloudTrail" {
			continue
		}
		detail, name, account := event["detail"].(map[string]any), names[len(own)%len(names)], event["account"]
		delete(detail, "errorCode")
		delete(detail, "errorMessage")
		// https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-event-reference-user-identity.html
		detail["userIdentity"] = map[string]any{
			"type": "AssumedRole", "accountId": account,
			"arn": fmt.Sprintf("arn:%s:sts::%s:assumed-role/%s/execution", partition, account, name),
			"sessionContext": map[string]any{"sessionIssuer": map[string]any{
				"type": "Role", "accountId": account, "userName": name, "arn": fmt.Sprintf("arn:%s:iam::%s:role/%s", partition, account, name),
			}},
		}
		text, err := json.Marshal(event)
		if err != nil {
			return nil, err
		}
		own = append(own, Case{Name: "Drawbridge's own " + c.Name + " by " + name, Event: text, InMember: true})
	}
	return own, nil
}

// Roles of functions in the hub are called after their state, those that they assume in a member likewise.
const (
	hubPrefix    = "drawbridge-"
	memberPrefix = "drawbridge-member-"
)
