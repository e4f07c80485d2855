package local

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"strings"

	"github.com/drawbridge-cloud/drawbridge/infra/template"
	"github.com/drawbridge-cloud/drawbridge/pkg/local/awscall"
)

// What the local organization is made of.
const (
	// HubAccount is the account that Drawbridge is deployed in.
	HubAccount = "123456789012"
	// Organization is the id of the organization.
	Organization = "o-drawbridge0"
	// ExternalID is what the hub presents when it assumes a member's role.
	ExternalID = "drawbridge-local"
	// DefaultRegion is the Region of the hub and of the members' roles.
	DefaultRegion = "us-east-1"
)

// Options of an [Engine].
type Options struct {
	// Root is the root of the repository, where .venv and bin/functions are.
	Root string
	// Listen is the loopback address of the front door; port 0 takes a free one.
	Listen string
	// Region of the hub and home Region of the members. It says what partition all
	// is in: cn-north-1 makes an organization of China, us-gov-west-1 one of GovCloud.
	Region string
	// Outside are accounts that do not belong to the organization.
	Outside []string
	// Units are the organizational units of accounts, "111111111111=research,2*=data/production": the account, or how it begins. Other accounts
	// are under the root.
	Units string
	// WaitScale is the fraction of its time that a Wait or a Retry takes; 1 is
	// real time.
	WaitScale float64
	// PendingPolls is how many answers show a peering or a notebook in a passing
	// state before the next; negative means none.
	PendingPolls int
	// Log takes what the emulation and the functions print; nil discards it.
	Log io.Writer
	// Fault may make calls fail; nil never does.
	Fault Injector
	// Environment is added to that of every function, such as AWS_MAX_ATTEMPTS.
	Environment map[string]string
	// Absent are the services that the Regions do not have, by the names that the SDK has for them, such as "Redshift": the
	// functions find no host of theirs. https://docs.aws.amazon.com/sdkref/latest/guide/ss-endpoints-table.html
	Absent []string
	// Observe sees every AWS call that Drawbridge makes together with the request
	// that made it; nil sees none.
	Observe func(awscall.Call, Exchange)
	// Event sees every event that reaches a bus, in its order and as EventBridge writes it, so that another EventBridge can be
	// given a copy; nil sees none. It must return at once.
	Event func(account, region, bus string, event json.RawMessage)
	// Authorizations is a file, by its whole path, that gets a line of JSON for each permission that a role of
	// Drawbridge's asked for and was allowed; empty writes none.
	Authorizations string
	// Partly says that not every function has to be built: one that is not fails when it is invoked.
	Partly bool
	// Hub and Member are the templates to deploy; empty means those that the CDK
	// app synthesizes.
	Hub, Member string
}

func (o Options) withDefaults() Options {
	if root, err := filepath.Abs(o.Root); err == nil {
		o.Root = root // children run in folders of their own
	}
	if o.Listen == "" {
		o.Listen = "127.0.0.1:0"
	}
	if o.Region == "" {
		o.Region = DefaultRegion
	}
	if o.WaitScale == 0 {
		o.WaitScale = 1
	}
	if o.PendingPolls == 0 {
		o.PendingPolls = 1
	}
	if o.Log == nil {
		o.Log = io.Discard
	}
	for _, service := range o.Absent {
		o.Environment = maps.Clone(o.Environment)
		if o.Environment == nil {
			o.Environment = map[string]string{}
		}
		// A label of more than 63 characters is no name: Go says that there is no such host, and asks no DNS for it.
		// https://www.rfc-editor.org/rfc/rfc1035#section-2.3.4
		variable := strings.ToUpper(strings.ReplaceAll(service, " ", "_"))
		o.Environment["AWS_ENDPOINT_URL_"+variable] = "http://" + strings.ToLower(variable) + "." + strings.Repeat("absent", 11)
	}
	if o.Hub == "" {
		o.Hub = template.Hub
	}
	if o.Member == "" {
		o.Member = template.Member
	}
	return o
}

func (o Options) python() string    { return filepath.Join(o.Root, ".venv", "bin", "python") }
func (o Options) functions() string { return filepath.Join(o.Root, "bin", "functions") }
func (o Options) extension() string { return filepath.Join(o.Root, "pkg", "local", "moto") }

// Check says in one sentence what is missing and how to get it.
func (o Options) Check() error {
	o = o.withDefaults()
	if _, err := loopback(o.Listen); err != nil {
		return err
	}
	for _, a := range o.Outside {
		if !awscall.IsAccount(a) {
			return fmt.Errorf("%q is not an account: an account has twelve digits", a)
		}
		if a == HubAccount {
			return fmt.Errorf("account %s is the hub and cannot be outside the organization", a)
		}
	}
	if o.WaitScale < 0 {
		return fmt.Errorf("a wait scale of %v is negative: 1 is real time, 0.01 a hundredth of it", o.WaitScale)
	}
	return o.prerequisites()
}

func (o Options) prerequisites() error {
	for _, need := range []struct{ path, what, remedy string }{
		{o.python(), "the Python environment", "make demo"},
		{o.extension(), "the emulation of AWS", "a complete checkout, or --root with its folder"},
		{o.functions(), "the compiled functions", "make build"},
	} {
		if _, err := os.Stat(need.path); err != nil {
			remedy := need.remedy
			if strings.HasPrefix(remedy, "make ") {
				remedy = "run `" + remedy + "`"
			} else {
				remedy = "use " + remedy
			}
			return fmt.Errorf("%s is missing (%s): %s", need.what, need.path, remedy)
		}
	}
	return o.lookAt()
}

// lookAt looks at every file that other processes of an engine read or run: `go test` takes an earlier result as long as no file has changed that
// the test looked at, and cannot see what its children look at. https://pkg.go.dev/cmd/go#hdr-Test_packages
func (o Options) lookAt() error {
	if _, err := os.Stat(filepath.Join(o.Root, ".venv", "ready")); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	for _, folder := range []string{o.extension(), o.functions()} {
		err := filepath.WalkDir(folder, func(path string, entry fs.DirEntry, err error) error {
			switch {
			case err != nil:
				return err
			case entry.IsDir() && entry.Name() == "__pycache__":
				return fs.SkipDir
			case entry.IsDir():
				return nil
			}
			_, err = os.Stat(path)
			return err
		})
		if err != nil {
			return fmt.Errorf("looking at what the engine is made of: %w", err)
		}
	}
	return nil
}

// loopback checks that the address is one that only this machine can reach: the
// engine believes whatever account number a client gives.
func loopback(address string) (string, error) {
	host, port, err := net.SplitHostPort(address)
	if err != nil {
		return "", fmt.Errorf("%q is not an address: give host and port, such as 127.0.0.1:4566", address)
	}
	if host == "localhost" {
		return net.JoinHostPort("127.0.0.1", port), nil
	}
	ip, err := netip.ParseAddr(host)
	if err != nil || !ip.IsLoopback() {
		return "", fmt.Errorf("%s is not a loopback address: the engine trusts every client, so it listens on this machine only, for example on 127.0.0.1:4566", address)
	}
	return address, nil
}
