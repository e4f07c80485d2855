package account

import (
	"context"
	"fmt"
	"net"
	"net/url"

	"github.com/aws/aws-sdk-go-v2/aws"
	awsmiddleware "github.com/aws/aws-sdk-go-v2/aws/middleware"
	"github.com/aws/smithy-go/middleware"

	"github.com/drawbridge-cloud/drawbridge/pkg/arn"
	"github.com/drawbridge-cloud/drawbridge/pkg/fault"
)

// absence tells apart what it means that the host of a service does not exist. DNS is asked again, so that one wrong answer
// is none, and about a neighbour that must exist:
//
//	the host exists by now, or DNS does not answer          → the error as it is: it passes
//	no host, and EC2 of the Region has one                  → the Region does not have the service, [fault.ErrAbsent]
//	no host, none of EC2, and EC2 of the hub's Region has one → there is no such Region, [fault.ErrNoRegion]
//	none of these has a host                                → the error as it is: DNS is broken
//
// https://docs.aws.amazon.com/general/latest/gr/rande.html
func (d *Door) absence(region string) func(*middleware.Stack) error {
	return func(stack *middleware.Stack) error {
		return stack.Initialize.Add(middleware.InitializeMiddlewareFunc("Absence", func(ctx context.Context, in middleware.InitializeInput, next middleware.InitializeHandler) (middleware.InitializeOutput, middleware.Metadata, error) {
			out, metadata, err := next.HandleInitialize(ctx, in)
			if host := fault.NoHost(err); host != "" {
				err = d.whyNoHost(ctx, awsmiddleware.GetServiceID(ctx), host, region, err)
			}
			return out, metadata, err
		}), middleware.Before)
	}
}

// Absence tells apart what it means that the host of a service in a Region does not exist, as a [Door] does, for calls that are made with other
// credentials than a door's: with [fault.ErrAbsent] and [fault.ErrNoRegion].
func Absence(hub aws.Config, region string) func(*middleware.Stack) error {
	return (&Door{hub: hub, lookup: lookup}).absence(region)
}

func (d *Door) whyNoHost(ctx context.Context, service, host, region string, err error) error {
	exists := func(host string) bool { return d.lookup(ctx, host) == nil }
	switch {
	case fault.NoHost(d.lookup(ctx, host)) == "":
		return err
	case exists(d.neighbour(region)):
		return &fault.Error{Kind: fault.Conflict, Cause: fault.ErrAbsent,
			Message: fmt.Sprintf("the Region %s does not have the service %s: there is no host %s", region, service, host),
			Remedy:  "take what is asked for to a Region that has it, or, if this one has, mend the DNS of the hub's functions; then redrive the execution"}
	case fault.NoHost(d.lookup(ctx, d.neighbour(region))) != "" && exists(d.neighbour(d.hub.Region)):
		return &fault.Error{Kind: fault.Refused, Cause: fault.ErrNoRegion,
			Message: fmt.Sprintf("there is no Region %s: it has no host %s", region, d.neighbour(region)),
			Remedy:  "correct the Regions in cdk.json, and deploy"}
	}
	return err
}

// neighbour returns a host that exists in every Region.
func (d *Door) neighbour(region string) string {
	if d.hub.BaseEndpoint != nil { // all services are at one place
		if at, err := url.Parse(*d.hub.BaseEndpoint); err == nil {
			return at.Hostname()
		}
	}
	return "ec2." + region + "." + arn.DNSSuffix(region)
}

// lookup asks DNS for a host.
func lookup(ctx context.Context, host string) error {
	_, err := net.DefaultResolver.LookupHost(ctx, host)
	return err
}
