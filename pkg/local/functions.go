package local

import (
	"context"
	"fmt"
	"maps"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/sts"

	"github.com/drawbridge-cloud/drawbridge/pkg/arn"
	"github.com/drawbridge-cloud/drawbridge/pkg/local/lambdahost"
)

// functions are those that the hub's template deployed.
type functions struct {
	byName map[string]function
	assume func(ctx context.Context, role, session string) (map[string]string, error)
}

type function struct {
	lambdahost.Function
	role string
}

// functionPrefix begins the name of every function of Drawbridge.
const functionPrefix = "drawbridge-"

// loadFunctions reads what was deployed and finds the executable of each
// function.
func loadFunctions(ctx context.Context, backend string, o Options) (*functions, error) {
	client := lambda.NewFromConfig(ClientConfig(backend, HubAccount, o.Region))
	f := &functions{byName: map[string]function{}}
	pages := lambda.NewListFunctionsPaginator(client, &lambda.ListFunctionsInput{})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return nil, fmt.Errorf("listing the functions of the hub: %w", err)
		}
		for _, c := range page.Functions {
			name := aws.ToString(c.FunctionName)
			if !strings.HasPrefix(name, functionPrefix) {
				continue
			}
			bootstrap := filepath.Join(o.functions(), strings.TrimPrefix(name, functionPrefix), "bootstrap")
			if _, err := os.Stat(bootstrap); err != nil && !o.Partly {
				return nil, fmt.Errorf("function %s has no executable (%s): run `make build`", name, bootstrap)
			}
			one := function{role: aws.ToString(c.Role), Function: lambdahost.Function{
				Name: name, ARN: aws.ToString(c.FunctionArn), Region: o.Region, Bootstrap: bootstrap,
				Timeout:  time.Duration(aws.ToInt32(c.Timeout)) * time.Second,
				MemoryMB: int(aws.ToInt32(c.MemorySize)),
			}}
			if c.Environment != nil {
				one.Environment = c.Environment.Variables
			}
			if len(o.Environment) > 0 {
				one.Environment = maps.Clone(one.Environment)
				if one.Environment == nil {
					one.Environment = map[string]string{}
				}
				maps.Copy(one.Environment, o.Environment)
			}
			f.byName[name] = one
		}
	}
	if len(f.byName) == 0 {
		return nil, fmt.Errorf("listing the functions of the hub: the template deployed none")
	}
	f.assume = once(assumeAsLambda(backend, o.Region))
	return f, nil
}

// lookup finds a function by name or ARN.
func (f *functions) lookup(name string) (lambdahost.Function, error) {
	one, ok := f.byName[name]
	if !ok {
		return lambdahost.Function{}, lambdahost.ErrNotFound
	}
	return one.Function, nil
}

// credentials make a process of the function act under the function's own role
// and find the engine, as the environment does on Lambda.
func (f *functions) credentials(endpoint string, known *accounts) func(context.Context, lambdahost.Function) (map[string]string, error) {
	return func(ctx context.Context, fn lambdahost.Function) (map[string]string, error) {
		env, err := f.assume(ctx, f.byName[fn.Name].role, fn.Name)
		if err != nil {
			return nil, err
		}
		if role := roleARN.FindStringSubmatch(f.byName[fn.Name].role); role != nil {
			known.own(env["AWS_ACCESS_KEY_ID"], owner{account: role[1], role: role[2]})
		}
		env["AWS_ENDPOINT_URL"] = endpoint
		env["AWS_SDK_UA_APP_ID"] = fn.Name
		return env, nil
	}
}

// serviceHeader makes the emulation take a call as an AWS service's own. The
// front door lets no client send it.
const serviceHeader = "X-Drawbridge-Service"

// assumeAsLambda assumes a function's role as the Lambda service does.
func assumeAsLambda(backend, region string) func(context.Context, string, string) (map[string]string, error) {
	config := ClientConfig(backend, HubAccount, region)
	config.HTTPClient = &http.Client{Transport: asService(arn.ServicePrincipal("lambda"))}
	client := sts.NewFromConfig(config)
	return func(ctx context.Context, role, session string) (map[string]string, error) {
		out, err := client.AssumeRole(ctx, &sts.AssumeRoleInput{RoleArn: aws.String(role), RoleSessionName: aws.String(session)})
		if err != nil {
			return nil, fmt.Errorf("assuming %s for %s: %w", role, session, err)
		}
		return map[string]string{
			"AWS_ACCESS_KEY_ID":     aws.ToString(out.Credentials.AccessKeyId),
			"AWS_SECRET_ACCESS_KEY": aws.ToString(out.Credentials.SecretAccessKey),
			"AWS_SESSION_TOKEN":     aws.ToString(out.Credentials.SessionToken),
		}, nil
	}
}

// once assumes each role once: here credentials stay good as long as the emulation runs, and a process of a function is started hundreds of times.
func once(assume func(context.Context, string, string) (map[string]string, error)) func(context.Context, string, string) (map[string]string, error) {
	type who struct{ role, session string }
	var mu sync.Mutex
	known := map[who]map[string]string{}
	return func(ctx context.Context, role, session string) (map[string]string, error) {
		mu.Lock()
		have := known[who{role, session}]
		mu.Unlock()
		if have != nil {
			return maps.Clone(have), nil
		}
		out, err := assume(ctx, role, session)
		if err != nil {
			return nil, err
		}
		mu.Lock()
		defer mu.Unlock()
		known[who{role, session}] = maps.Clone(out)
		return out, nil
	}
}

// functionName takes the name out of what a client may call a function: its
// name, its ARN or a partial ARN, each with or without a version.
// https://docs.aws.amazon.com/lambda/latest/api/API_Invoke.html
func functionName(s string) string {
	if i := strings.LastIndex(s, "function:"); i >= 0 {
		s = s[i+len("function:"):]
	}
	s, _, _ = strings.Cut(s, ":")
	return s
}
