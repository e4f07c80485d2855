package main

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"os"
	"strings"

	"github.com/alecthomas/kong"
	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	"github.com/aws/smithy-go"
	smithyhttp "github.com/aws/smithy-go/transport/http"
	"golang.org/x/term"

	"github.com/drawbridge-cloud/drawbridge/pkg/answer"
	"github.com/drawbridge-cloud/drawbridge/pkg/event"
	"github.com/drawbridge-cloud/drawbridge/pkg/local"
)

// reach is how a command that answers a question reaches AWS, and how it prints.
type reach struct {
	access
	Output string `help:"Print as ${enum}." short:"o" enum:"table,json,yaml" default:"table" placeholder:"FORMAT"`
}

// access is how a command reaches AWS.
type access struct {
	Profile string       `help:"Profile of your AWS configuration." placeholder:"NAME"`
	Region  string       `help:"Region; by default that of your AWS configuration." placeholder:"REGION"`
	Local   localAddress `help:"Ask a running drawbridge local, at its listen address (127.0.0.1:4566)." placeholder:"[HOST:PORT]"`
}

// localAddress is the address of a running engine; the flag alone means the one that it listens at by default.
type localAddress string

// Decode implements [kong.MapperValue].
func (l *localAddress) Decode(c *kong.DecodeContext) error {
	*l = usualAddress
	if c.Scan.Peek().Type == kong.FlagValueToken {
		return c.Scan.PopValueInto("address", (*string)(l))
	}
	return nil
}

// IsBool implements [kong.BoolMapperValue]: the flag needs no value.
func (*localAddress) IsBool() bool { return true }

// accountID is an account, as people write it.
type accountID string

// UnmarshalText implements [encoding.TextUnmarshaler].
func (a *accountID) UnmarshalText(text []byte) error {
	if *a = accountID(text); !event.IsAccount(string(text)) {
		return fmt.Errorf("%q is no account: its id has twelve digits", text)
	}
	return nil
}

func (l localAddress) url() string {
	if strings.Contains(string(l), "://") {
		return string(l)
	}
	return "http://" + string(l)
}

// base is the configuration of whoever asks. account is theirs in the engine, where anybody may be anyone.
func (r access) base(ctx context.Context, account string) (aws.Config, error) {
	if r.Local != "" {
		region := r.Region
		if region == "" {
			region = local.DefaultRegion
		}
		return working.count(local.ClientConfig(r.Local.url(), account, region)), nil
	}
	return r.profile(ctx, r.Profile)
}

// profile is the configuration of one profile, by the SDK's chain of credentials: environment, profile, SSO, role of the machine.
// https://docs.aws.amazon.com/sdkref/latest/guide/standardized-credentials.html
func (r access) profile(ctx context.Context, name string) (aws.Config, error) {
	options := []func(*config.LoadOptions) error{config.WithRegion(r.Region)}
	if name != "" {
		options = append(options, config.WithSharedConfigProfile(name))
	}
	c, err := config.LoadDefaultConfig(ctx, options...)
	if err != nil {
		var none config.SharedConfigProfileNotExistError
		if errors.As(err, &none) {
			return c, fmt.Errorf("loading your AWS configuration: there is no profile %s: aws configure list-profiles names yours", none.Profile)
		}
		return c, fmt.Errorf("loading your AWS configuration: %w", err)
	}
	if c.Region == "" {
		return c, errors.New("no Region is set: name it with --region, AWS_REGION or in your profile")
	}
	return working.count(c), nil
}

// whose says which account a configuration is of. What keeps it from the answer is one of three things, each with its own remedy:
//
//	nothing answers at the address             it is started, or reached
//	what answers there does not speak as AWS   the address is another
//	anything else                              whoever asks is not signed in, or is not known there
func whose(ctx context.Context, c aws.Config) (string, error) {
	_, err := c.Credentials.Retrieve(ctx)
	var got *sts.GetCallerIdentityOutput
	if err == nil {
		if got, err = sts.NewFromConfig(c).GetCallerIdentity(ctx, nil); err == nil {
			return aws.ToString(got.Account), nil
		}
	}
	by, signIn := signedIn(c)
	var operation *smithy.OperationError
	nowhere := errors.As(err, &operation) && operation.ServiceID == imds
	if nowhere {
		err = errors.New("no credentials are found")
	}
	var unsent *smithyhttp.RequestSendError
	silent := !nowhere && errors.As(err, &unsent)
	var sent *url.Error
	if silent && errors.As(err, &sent) {
		err = sent.Err // which attempt it was, and of what, tells nobody anything
	}
	var answered smithy.APIError
	foreign := errors.As(err, &answered) && answered.ErrorCode() == codeless
	if foreign {
		err = fmt.Errorf("what answers there does not speak as AWS does: %w", err)
	}
	switch {
	case (silent || foreign) && c.BaseEndpoint != nil:
		return "", fmt.Errorf("asking the engine at %s: %w: start drawbridge local, or drawbridge demo --stay, and name its address if it is another: --local=HOST:PORT", *c.BaseEndpoint, err)
	case silent || foreign:
		return "", fmt.Errorf("asking who you are%s: %w: see whether this machine reaches AWS, and by which proxy: HTTPS_PROXY", by, err)
	case c.BaseEndpoint != nil:
		signIn += fmt.Sprintf("; if AWS_ENDPOINT_URL is that of drawbridge local, --local=%s needs none", strings.TrimPrefix(*c.BaseEndpoint, "http://"))
	}
	return "", fmt.Errorf("asking who you are%s: %w: %s", by, err, signIn)
}

// imds is the service that the SDK asks last for credentials: whatever this machine is may have a role.
const imds = "ec2imds"

// codeless is the code that the SDK gives to an error which has none, since it is not in AWS's shape.
const codeless = "UnknownError"

// signedIn says by which profile somebody is signed in, and how they do that: for SSO by the profile that has its session, which another may take its credentials from.
func signedIn(c aws.Config) (by, how string) {
	how = "sign in, or name a profile with --profile"
	for _, source := range c.ConfigSources {
		shared, ok := source.(config.SharedConfig)
		if !ok || shared.Profile == "" {
			continue
		}
		by = " by the profile " + shared.Profile
		for of := &shared; of != nil; of = of.Source {
			if of.SSOSessionName != "" || of.SSOStartURL != "" {
				how = "sign in by aws sso login --profile " + of.Profile
			}
		}
	}
	return by, how
}

// print writes an answer to stdout, as wide as the terminal, in colour only there.
func (r reach) print(d answer.Document) error { return show(d, r.Output) }

func show(d answer.Document, format string) error {
	text, err := printed(d, format)
	if err != nil {
		return err
	}
	working.done()
	_, err = os.Stdout.WriteString(text)
	return err
}

// printed is an answer as stdout shows it.
func printed(d answer.Document, format string) (string, error) {
	var b strings.Builder
	p := answer.Printer{Out: &b, Format: format, Color: terminal(os.Stdout)}
	if width, _, err := term.GetSize(int(os.Stdout.Fd())); err == nil {
		p.Width = width
	}
	err := p.Print(d)
	return b.String(), err
}

// talk says something that is no data.
func talk(format string, args ...any) {
	working.aside()
	fmt.Fprintf(os.Stderr, "drawbridge: "+format+"\n", args...)
}

// errNo says that the answer is no: nothing went wrong, and what was asked does not hold. The answer was printed.
var errNo = errors.New("the answer is no")

// yes returns nil if what was asked holds, else the error that makes the command exit with 2.
func yes(holds bool) error {
	if holds {
		return nil
	}
	return errNo
}
