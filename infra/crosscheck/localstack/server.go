package localstack

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"

	"github.com/drawbridge-cloud/drawbridge/pkg/local"
	"github.com/drawbridge-cloud/drawbridge/pkg/local/process"
)

// server is a running LocalStack.
type server struct {
	child   *process.Child
	folder  string // all that it writes
	url     string
	version string
}

// startServer starts LocalStack on a loopback address and waits until it serves. It hands invocations to engine.
func startServer(ctx context.Context, o Options, address, engine string) (_ *server, err error) {
	folder, err := os.MkdirTemp("", "drawbridge-localstack-")
	if err != nil {
		return nil, err
	}
	s := &server{folder: folder, url: "http://" + address}
	defer func() {
		if err != nil {
			s.stop()
			err = fmt.Errorf("starting LocalStack: %w", err)
		}
	}()
	python, err := filepath.Abs(o.Python)
	if err != nil {
		return nil, err
	}
	cmd := exec.Command(python, filepath.Join(o.Root, "infra", "crosscheck", "localstack", "serve.py"))
	cmd.Dir = folder
	// https://docs.localstack.cloud/references/configuration/
	cmd.Env = []string{
		"PATH=" + os.Getenv("PATH"), "HOME=" + folder, "TMPDIR=" + folder, "PYTHONUNBUFFERED=1",
		"GATEWAY_LISTEN=" + address, "FILESYSTEM_ROOT=" + folder, "LOCALSTACK_VOLUME_DIR=" + folder,
		// It asks nobody outside: no usage reports, no certificate, no name server, no metadata service.
		"DISABLE_EVENTS=1", "SKIP_SSL_CERT_DOWNLOAD=1", "DNS_ADDRESS=0", "AWS_EC2_METADATA_DISABLED=true",
		// A type of resource that it does not know fails, instead of counting as created.
		"CFN_IGNORE_UNSUPPORTED_RESOURCE_TYPES=0",
		"DRAWBRIDGE_ENGINE=" + engine, "DRAWBRIDGE_HUB=" + local.HubAccount,
	}
	cmd.Stdout, cmd.Stderr = o.Log, o.Log
	// It ends when its standard input does.
	if _, err := cmd.StdinPipe(); err != nil {
		return nil, err
	}
	if s.child, err = process.Start(cmd); err != nil {
		return nil, err
	}
	return s, s.serving(ctx)
}

// serving waits until LocalStack answers, and learns its version.
func (s *server) serving(ctx context.Context) error {
	late := time.After(2 * time.Minute)
	for {
		answer, err := http.Get(s.url + "/_localstack/health")
		if err == nil {
			var health struct{ Version string }
			err = json.NewDecoder(answer.Body).Decode(&health)
			_ = answer.Body.Close()
			if err == nil && answer.StatusCode == http.StatusOK && health.Version != "" {
				s.version = health.Version
				return nil
			}
		}
		select {
		case <-s.child.Exited():
			return fmt.Errorf("it ended by itself: %v", s.child.Err())
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-late:
			return errors.New("it is not ready after two minutes")
		case <-time.After(200 * time.Millisecond):
		}
	}
}

// config makes the AWS SDK work as an account of LocalStack.
func (s *server) config(account, region string) aws.Config {
	return local.ClientConfig(s.url, account, region)
}

// stop ends LocalStack with all its children and takes away what it wrote.
func (s *server) stop() {
	if s.child != nil {
		s.child.Kill() // there is nothing that it should keep
	}
	_ = os.RemoveAll(s.folder)
}
