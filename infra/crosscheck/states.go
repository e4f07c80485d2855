package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// states asks a validator of the Amazon States Language about every machine: in its readable form, and as it is deployed
// in the hub. https://states-language.net, https://github.com/ChristopheBougere/asl-validator,
// https://github.com/aws/amazon-states-language-service
type states struct {
	root    string
	npm     npm
	pkg     string // the package that is asked
	version string
}

func (k *states) Name() string { return k.pkg + " " + k.version }

func (k *states) Get(ctx context.Context) error {
	if err := k.npm.install(ctx); err != nil {
		return err
	}
	var err error
	k.version, err = k.npm.version(k.pkg)
	return err
}

type machine struct {
	name string
	Text string `json:"text"`
	ARNs bool   `json:"arns"`
}

func (k *states) Judge(ctx context.Context, r *report) error {
	all, err := machines(k.root)
	if err != nil {
		return err
	}
	var said [][]string
	if err := k.npm.ask(ctx, "states.mjs", map[string]any{"judge": k.pkg, "machines": all}, &said); err != nil {
		return err
	}
	if len(said) != len(all) {
		return fmt.Errorf("it judges %d of %d machines", len(said), len(all))
	}
	for i, m := range all {
		r.Held(len(said[i]) == 0, "%s:\n%s", m.name, strings.Join(said[i], "\n"))
	}
	return nil
}

// machines returns each machine in both its forms.
func machines(root string) ([]machine, error) {
	paths, err := filepath.Glob(filepath.Join(root, "infra", "template", "*.asl.json"))
	if err != nil {
		return nil, err
	}
	var all []machine
	for _, path := range paths {
		text, err := os.ReadFile(path)
		if err != nil {
			return nil, err
		}
		all = append(all, machine{name: "infra/template/" + filepath.Base(path), Text: string(text)})
	}
	deployed, err := stacks(root, consumer)
	if err != nil {
		return nil, err
	}
	definitions := 0
	for _, s := range deployed {
		for _, id := range s.of("AWS::StepFunctions::StateMachine") {
			var about struct{ StateMachineName, DefinitionString string }
			if err := s.tolerant(s.resources[id].Properties, &about); err != nil {
				return nil, fmt.Errorf("the machine %s: %w", id, err)
			}
			// Written again with line breaks, so that a complaint names a line.
			var definition any
			if err := json.Unmarshal([]byte(about.DefinitionString), &definition); err != nil {
				return nil, fmt.Errorf("the definition of %s: %w", about.StateMachineName, err)
			}
			text, err := json.MarshalIndent(definition, "", "  ")
			if err != nil {
				return nil, err
			}
			all = append(all, machine{name: about.StateMachineName + " as the " + s.name + " deploys it", Text: string(text), ARNs: true})
			definitions++
		}
	}
	if len(paths) == 0 || definitions != len(paths) {
		return nil, fmt.Errorf("%d machines in readable form and %d as they are deployed", len(paths), definitions)
	}
	return all, nil
}
