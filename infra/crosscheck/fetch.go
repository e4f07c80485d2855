package main

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"time"
)

// jar is a library of Maven Central: its path there, and what it must be.
type jar struct{ path, sha256 string }

const mavenCentral = "https://repo.maven.apache.org/maven2/"

// fetch has the jar in a folder: it downloads it, with three tries, unless it is there. What is not as it must be is not kept.
func (j jar) fetch(ctx context.Context, folder string) error {
	path := filepath.Join(folder, filepath.Base(j.path))
	if have, err := os.ReadFile(path); err == nil && j.is(have) {
		return nil
	}
	if err := os.MkdirAll(folder, 0o755); err != nil {
		return err
	}
	content, err := j.download(ctx)
	for more := 2; err != nil && more > 0; more-- {
		content, err = j.download(ctx)
	}
	if err != nil {
		return err
	}
	return os.WriteFile(path, content, 0o644)
}

func (j jar) download(ctx context.Context) ([]byte, error) {
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, mavenCentral+j.path, nil)
	if err != nil {
		return nil, err
	}
	answer, err := http.DefaultClient.Do(request)
	if err != nil {
		return nil, err
	}
	defer answer.Body.Close()
	if answer.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("getting %s: %s", request.URL, answer.Status)
	}
	content, err := io.ReadAll(answer.Body)
	if err == nil && !j.is(content) {
		err = fmt.Errorf("getting %s: it is not the file whose SHA-256 is %s", request.URL, j.sha256)
	}
	return content, err
}

func (j jar) is(content []byte) bool {
	sum := sha256.Sum256(content)
	return hex.EncodeToString(sum[:]) == j.sha256
}

// npm is a folder with a package.json and its lock, and with the scripts that ask what it installs.
type npm struct{ folder string }

// installed is what became of the one installation that all judges of npm share.
var installed struct {
	sync.Once
	err error
}

// install has the packages ready, in the versions of the lock.
func (n npm) install(ctx context.Context) error {
	installed.Do(func() {
		lock, err := os.ReadFile(filepath.Join(n.folder, "package-lock.json"))
		if err != nil {
			installed.err = err
			return
		}
		stamp := filepath.Join(n.folder, "node_modules", ".ready")
		if was, err := os.ReadFile(stamp); err == nil && bytes.Equal(was, lock) {
			return
		}
		if _, installed.err = command(ctx, n.folder, nil, "npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund"); installed.err == nil {
			installed.err = os.WriteFile(stamp, lock, 0o644)
		}
	})
	return installed.err
}

// data returns a file of a package.
func (n npm) data(name, file string) ([]byte, error) {
	return os.ReadFile(filepath.Join(n.folder, "node_modules", filepath.FromSlash(name), filepath.FromSlash(file)))
}

// version returns the version of a package that is installed.
func (n npm) version(name string) (string, error) {
	text, err := n.data(name, "package.json")
	if err != nil {
		return "", err
	}
	var about struct{ Version string }
	err = json.Unmarshal(text, &about)
	return about.Version, err
}

// ask gives a script of the folder a question and reads its answer.
func (n npm) ask(ctx context.Context, script string, question, answer any) error {
	return ask(ctx, n.folder, question, answer, "node", script)
}

// ask gives a program a question as JSON on its standard input, and reads its answer as JSON from what it prints.
func ask(ctx context.Context, folder string, question, answer any, program ...string) error {
	text, err := json.Marshal(question)
	if err != nil {
		return err
	}
	out, err := command(ctx, folder, text, program...)
	if err != nil {
		return err
	}
	if err := json.Unmarshal(out, answer); err != nil {
		return fmt.Errorf("reading what %s says: %w", strings.Join(program, " "), err)
	}
	return nil
}

// command runs a program in a folder.
func command(ctx context.Context, folder string, input []byte, program ...string) ([]byte, error) {
	cmd := exec.CommandContext(ctx, program[0], program[1:]...)
	cmd.Dir, cmd.Stdin = folder, bytes.NewReader(input)
	var out, complaints bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &complaints
	err := cmd.Run()
	if errors.Is(err, exec.ErrNotFound) {
		return nil, fmt.Errorf("%s is missing on this machine", program[0])
	}
	if err != nil {
		return nil, fmt.Errorf("running %s: %w: %s", strings.Join(program, " "), err, strings.TrimSpace(complaints.String()))
	}
	return out.Bytes(), nil
}
