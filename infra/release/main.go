// Command release writes a release of Drawbridge: the templates, the zipped functions, and a script that deploys them with the AWS CLI
// alone. `make release` calls it once the functions are built, adds what a release says about itself (an SBOM, the answer about known
// vulnerabilities), and calls it again with -sbom.
//
// The templates are those of the package template, which the tests and the local engine run; only where the code lies, and what was filled in for
// the engine, becomes a parameter. Two releases of one version are alike to the byte: nothing in them knows when, where or by whom they were made.
package main

import (
	"crypto/sha256"
	_ "embed"
	"flag"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"github.com/drawbridge-cloud/drawbridge/infra/template"
)

//go:embed deploy.sh
var deployScript string

// versionForm is a version as people write it: a number of semantic versioning, without the v.
var versionForm = regexp.MustCompile(`^\d+\.\d+\.\d+(-[0-9A-Za-z.-]+)?$`)

func main() {
	version := flag.String("version", "", "the version, such as 1.2.0")
	functions := flag.String("functions", "dist/functions", "the folder of the built functions")
	out := flag.String("out", "", "the folder to write to")
	bom := flag.String("sbom", "", "put this bill of materials into the folder, and write SHA256SUMS of what is in it; nothing else")
	flag.Parse()
	var err error
	if *bom != "" {
		if err = addBOM(*bom, *version, filepath.Join(*out, "sbom.cdx.json")); err == nil {
			err = writeSums(*out)
		}
	} else {
		err = write(*version, *functions, *out)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "release:", err)
		os.Exit(1)
	}
}

// write writes templates, functions and script to a folder, which it makes anew.
func write(version, functions, out string) error {
	if !versionForm.MatchString(version) {
		return fmt.Errorf("the version is %q: write three numbers, such as make release VERSION=1.2.0", version)
	}
	if out == "" {
		return fmt.Errorf("no folder is named: -out says where to write")
	}
	if err := os.RemoveAll(out); err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Join(out, "functions"), 0o755); err != nil {
		return err
	}
	keys, err := zipAll(functions, filepath.Join(out, "functions"))
	if err != nil {
		return err
	}
	hub, err := hubTemplate(template.Hub, version, keys)
	if err != nil {
		return err
	}
	organization, err := organizationTemplate(template.Organization, version)
	if err != nil {
		return err
	}
	member, err := memberTemplate(template.Member, version)
	if err != nil {
		return err
	}
	for name, text := range map[string]string{
		"drawbridge-hub.template.json": hub, "drawbridge-organization.template.json": organization, "drawbridge-member.template.json": member,
		"deploy.sh": strings.ReplaceAll(deployScript, "VERSION_OF_THIS_RELEASE", version), "VERSION": version + "\n",
	} {
		mode := fs.FileMode(0o644)
		if name == "deploy.sh" {
			mode = 0o755
		}
		if err := os.WriteFile(filepath.Join(out, name), []byte(text), mode); err != nil {
			return err
		}
	}
	return nil
}

// writeSums writes SHA256SUMS, as sha256sum reads it, about every other file of a folder.
func writeSums(dir string) error {
	var lines []string
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || d.Name() == "SHA256SUMS" {
			return err
		}
		text, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		name, err := filepath.Rel(dir, path)
		lines = append(lines, fmt.Sprintf("%x  %s\n", sha256.Sum256(text), filepath.ToSlash(name)))
		return err
	})
	if err != nil {
		return err
	}
	if len(lines) == 0 {
		return fmt.Errorf("%s is empty", dir)
	}
	slices.SortFunc(lines, func(a, b string) int { return strings.Compare(a[64:], b[64:]) })
	return os.WriteFile(filepath.Join(dir, "SHA256SUMS"), []byte(strings.Join(lines, "")), 0o644)
}
