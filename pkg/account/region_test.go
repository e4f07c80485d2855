package account

import (
	"context"
	"errors"
	"net"
	"net/http"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/redshift"

	"github.com/drawbridge-cloud/drawbridge/pkg/fault"
)

// wire is a network in which only some hosts exist; without a name in it, DNS does not answer.
type wire map[string]bool

func (w wire) lookup(_ context.Context, host string) error {
	if exists, asked := w[host]; !asked {
		return &net.DNSError{Err: "server misbehaving", Name: host, IsTemporary: true}
	} else if !exists {
		return &net.DNSError{Err: "no such host", Name: host, IsNotFound: true}
	}
	return nil
}

func (w wire) Do(r *http.Request) (*http.Response, error) {
	if err := w.lookup(r.Context(), r.URL.Hostname()); err != nil {
		return nil, &net.OpError{Op: "dial", Err: err}
	}
	return nil, errors.New("connection reset")
}

func TestAServiceThatARegionDoesNotHave(t *testing.T) {
	const (
		asked     = "redshift.eusc-de-east-1.amazonaws.eu"
		neighbour = "ec2.eusc-de-east-1.amazonaws.eu"
		hub       = "ec2.us-east-1.amazonaws.com"
	)
	for name, c := range map[string]struct {
		dns              wire
		absent, noRegion bool
		kind             fault.Kind
	}{
		"the service alone has no host":              {wire{asked: false, neighbour: true}, true, false, fault.Conflict},
		"no service of the Region has a host":        {wire{asked: false, neighbour: false, hub: true}, false, true, fault.Refused},
		"no host exists anywhere":                    {wire{asked: false, neighbour: false, hub: false}, false, false, fault.Transient},
		"DNS says nothing of the Region's EC2":       {wire{asked: false, hub: true}, false, false, fault.Transient},
		"DNS says nothing at all":                    {wire{}, false, false, fault.Transient},
		"the host exists, and the connection breaks": {wire{asked: true, neighbour: true}, false, false, fault.Transient},
	} {
		t.Run(name, func(t *testing.T) {
			d := door(&assumer{}, "us-east-1")
			d.lookup = c.dns.lookup
			in := d.Enter("run", "111111111111", "eusc-de-east-1")
			in.HTTPClient, in.RetryMaxAttempts = c.dns, 1
			_, err := redshift.NewFromConfig(in).DescribeClusters(t.Context(), nil)
			if err == nil || fault.Absent(err) != c.absent || errors.Is(err, fault.ErrNoRegion) != c.noRegion || fault.Of(err) != c.kind {
				t.Errorf("%s: %v", fault.Of(err), err)
			}
		})
	}
}

// One wrong answer of DNS does not make a service absent.
func TestAHostThatExistsByNowIsNotAbsent(t *testing.T) {
	const host = "redshift.us-east-1.amazonaws.com"
	d, dns := door(&assumer{}, "us-east-1"), wire{host: false, "ec2.us-east-1.amazonaws.com": true}
	d.lookup = func(ctx context.Context, host string) error { return wire{host: true}.lookup(ctx, host) }
	in := d.Enter("run", "111111111111", "us-east-1")
	in.HTTPClient, in.RetryMaxAttempts = dns, 1
	if _, err := redshift.NewFromConfig(in).DescribeClusters(t.Context(), nil); fault.NoHost(err) != host || fault.Absent(err) {
		t.Error(err)
	}
}

// Where all services are at one place, that place is the neighbour.
func TestTheNeighbourIsWhereCallsGo(t *testing.T) {
	d := door(&assumer{}, "us-east-1")
	d.hub.BaseEndpoint = aws.String("http://127.0.0.1:4566")
	if got := d.neighbour("eu-west-1"); got != "127.0.0.1" {
		t.Error(got)
	}
}
