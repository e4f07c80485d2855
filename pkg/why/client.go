package why

import (
	"bytes"
	"cmp"
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/sagemaker"
	sagemakertypes "github.com/aws/aws-sdk-go-v2/service/sagemaker/types"

	"github.com/drawbridge-cloud/drawbridge/pkg/deed"
	"github.com/drawbridge-cloud/drawbridge/pkg/event"
	"github.com/drawbridge-cloud/drawbridge/pkg/fault"
	"github.com/drawbridge-cloud/drawbridge/pkg/lifecycle"
	"github.com/drawbridge-cloud/drawbridge/pkg/network"
	"github.com/drawbridge-cloud/drawbridge/pkg/notebook"
	"github.com/drawbridge-cloud/drawbridge/pkg/tag"
	"github.com/drawbridge-cloud/drawbridge/pkg/workflow"
)

// found is a client with its VPC.
type found struct {
	client network.Client
	end    End
	vpc    workflow.VPC
	at     event.Place // where the VPC's owner has it
	script Script
	words  []Word // that its owner says of it by its tags
}

// client finds what somebody named: in the account that they named, else at home and, if it is not there, in the other places that are known.
func (f *Finder) client(ctx context.Context, r Ref) (found, error) {
	places := []event.Place{f.place(r)}
	if r.Account == "" {
		places = f.also(places, r)
	}
	var all []found
	var looked []string
	for n, at := range places {
		one, err := f.clientAt(ctx, r, at)
		switch {
		case err != nil && len(places) > 1:
			f.note(fmt.Sprintf("account %s, %s", at.Account, at.Region), err)
			continue
		case err != nil:
			return found{}, err
		case one != nil && n == 0:
			return *one, nil
		case one != nil:
			all = append(all, *one)
		}
		looked = append(looked, at.Account+" "+at.Region)
	}
	what := cmp.Or(r.Kind, "notebook or function")
	switch len(all) {
	case 0:
		message := fmt.Sprintf("finding the client: %s %s is not there, or in no VPC, in %s", what, r.Name, strings.Join(looked, ", "))
		if len(f.unread) > 0 {
			message += "; not read: " + strings.Join(f.unread, "; ")
		}
		return found{}, &fault.Error{Kind: fault.Invalid, Message: message, Remedy: "correct the name, or name it with its account, ACCOUNT/NAME or ACCOUNT/REGION/NAME, or by its ARN"}
	case 1:
		return all[0], nil
	}
	var names []string
	for _, one := range all {
		names = append(names, one.end.Account+"/"+one.end.Name)
	}
	return found{}, &fault.Error{Kind: fault.Invalid, Message: fmt.Sprintf("finding the client: there are %d called %s: %s", len(all), r.Name, strings.Join(names, ", ")), Remedy: "name one of them so"}
}

// also are places with those that are known besides, in the Region that was named.
func (f *Finder) also(places []event.Place, r Ref) []event.Place {
	for _, p := range f.Places {
		p.Region = cmp.Or(r.Region, p.Region)
		if !slices.Contains(places, p) {
			places = append(places, p)
		}
	}
	return places
}

// clientAt finds what somebody named in one place; nil if it is not there. A bare name is that of a notebook or, if there is none, of a function.
func (f *Finder) clientAt(ctx context.Context, r Ref, at event.Place) (*found, error) {
	cfg, err := f.Enter(at)
	if err != nil {
		return nil, err
	}
	in := clientIn{cfg: cfg, ec2: ec2.NewFromConfig(cfg), at: at, name: r.Name}
	var out *found
	switch r.Kind {
	case "notebook":
		out, err = in.notebook(ctx)
	case "function":
		out, err = in.function(ctx)
	case "domain":
		out, err = in.domain(ctx)
	case "interface":
		out, err = in.networkInterface(ctx, "network-interface-id", r.Name)
	case "address":
		out, err = in.networkInterface(ctx, "addresses.private-ip-address", r.Address.String())
	default:
		if out, err = in.notebook(ctx); err == nil && out == nil {
			out, err = in.function(ctx)
		}
	}
	if err != nil || out == nil {
		return nil, err
	}
	out.end.Name, out.end.Account, out.end.Region = out.client.Name, at.Account, at.Region
	if out.vpc, err = readVPC(ctx, in.ec2, at, out.client.Subnets); err != nil {
		return nil, err
	}
	out.at = event.Place{Account: out.vpc.Account, Region: at.Region}
	out.client.VPC = out.vpc.ID
	out.end.VPC, out.end.Subnets, out.end.Groups = out.vpc.ID, append([]string{}, out.client.Subnets...), append([]string{}, out.client.Groups...)
	return out, nil
}

// clientIn looks for a client in one place.
type clientIn struct {
	cfg  aws.Config
	ec2  *ec2.Client
	at   event.Place
	name string
}

func (in clientIn) notebook(ctx context.Context) (*found, error) {
	api := sagemaker.NewFromConfig(in.cfg)
	n, err := notebook.Describe(ctx, api, in.name)
	if err != nil || n == nil {
		return nil, err
	}
	out := &found{client: network.Client{Name: n.Name, Subnets: []string{n.Subnet}, Groups: n.Groups}, end: End{Kind: "notebook"}}
	if !n.DirectInternet {
		return out, nil
	}
	tags, err := notebook.ReadTags(ctx, api, n.ARN)
	if err != nil {
		return nil, err
	}
	out.words = WordsOf(deed.Thing{Kind: tag.Notebook, ID: n.ARN, Account: in.at.Account, Region: in.at.Region}, n.Name, tags)
	out.client.Host = &network.Host{}
	if n.LifecycleConfig == "" {
		return out, nil
	}
	got, err := in.ec2.DescribeSubnets(ctx, &ec2.DescribeSubnetsInput{SubnetIds: []string{n.Subnet}})
	if err != nil {
		return nil, fmt.Errorf("reading the subnet %s of %s: %w", n.Subnet, n.Name, err)
	}
	if out.script, err = readScript(ctx, api, *n); err != nil {
		return nil, err
	}
	script, err := lifecycle.Saved(ctx, api, n.LifecycleConfig)
	if fault.Of(err) == fault.Conflict { // its block was edited: nobody knows what it sets
		out.client.Host.Unread = err.Error()
		return out, nil
	}
	if err != nil {
		return nil, err
	}
	if out.script.unfit(script); out.script.Unfit != "" {
		return out, nil
	}
	for _, word := range []string{"ip route", "ip r ", "route add"} {
		if strings.Contains(string(script.Owner), word) {
			out.client.Host.Unread = "its owner's own lines set routes"
		}
	}
	for _, l := range script.Lines {
		for _, s := range got.Subnets {
			if p, err := netip.ParsePrefix(aws.ToString(s.CidrBlock)); err == nil && p.Masked() == l.Subnet {
				out.script.Routes = append(out.script.Routes, l.Destinations...)
			}
		}
	}
	if !out.script.Stale {
		out.client.Host.Routes = slices.Clone(out.script.Routes)
	}
	return out, nil
}

// unfit notes why no shell runs a script, and what it is with line ends that a shell understands, if that is all.
func (s *Script) unfit(script lifecycle.Script) {
	var why *fault.Error
	if !errors.As(lifecycle.Usable(s.Config, script.Owner), &why) {
		return
	}
	s.Unfit, s.Remedy = why.Message, why.Remedy
	if mended := bytes.ReplaceAll(script.Bytes(), []byte("\r\n"), []byte("\n")); lifecycle.Usable(s.Config, mended) == nil {
		s.Mended = base64.StdEncoding.EncodeToString(mended)
	}
}

// readScript says whether a notebook runs, and whether its configuration was changed since it changed its state last: its script runs at the next start.
// https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_DescribeNotebookInstance.html
func readScript(ctx context.Context, api *sagemaker.Client, n notebook.Instance) (Script, error) {
	out := Script{Config: n.LifecycleConfig, Running: n.Status == string(sagemakertypes.NotebookInstanceStatusInService)}
	one, err := api.DescribeNotebookInstance(ctx, &sagemaker.DescribeNotebookInstanceInput{NotebookInstanceName: &n.Name})
	if err != nil {
		return out, fmt.Errorf("describing notebook instance %s: %w", n.Name, err)
	}
	configuration, err := api.DescribeNotebookInstanceLifecycleConfig(ctx, &sagemaker.DescribeNotebookInstanceLifecycleConfigInput{NotebookInstanceLifecycleConfigName: &n.LifecycleConfig})
	if fault.NoRecord(err) {
		return out, nil
	}
	if err != nil {
		return out, fmt.Errorf("reading lifecycle configuration %s: %w", n.LifecycleConfig, err)
	}
	out.Stale = out.Running && aws.ToTime(configuration.LastModifiedTime).After(aws.ToTime(one.LastModifiedTime))
	return out, nil
}

func (in clientIn) function(ctx context.Context) (*found, error) {
	got, err := lambda.NewFromConfig(in.cfg).GetFunctionConfiguration(ctx, &lambda.GetFunctionConfigurationInput{FunctionName: &in.name})
	if fault.HasCode(err, "ResourceNotFoundException") {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("reading the function %s in %s, %s: %w", in.name, in.at.Account, in.at.Region, err)
	}
	if got.VpcConfig == nil || len(got.VpcConfig.SubnetIds) == 0 {
		return nil, nil
	}
	return &found{end: End{Kind: "function"}, client: network.Client{Name: aws.ToString(got.FunctionName), Subnets: slices.Sorted(slices.Values(got.VpcConfig.SubnetIds)),
		Groups: slices.Sorted(slices.Values(got.VpcConfig.SecurityGroupIds)), Replies: notebook.OfFunctions}}, nil
}

func (in clientIn) domain(ctx context.Context) (*found, error) {
	got, err := sagemaker.NewFromConfig(in.cfg).DescribeDomain(ctx, &sagemaker.DescribeDomainInput{DomainId: &in.name})
	if fault.NoRecord(err) || fault.HasCode(err, "ResourceNotFound") {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("reading the Studio domain %s in %s, %s: %w", in.name, in.at.Account, in.at.Region, err)
	}
	if got.AppNetworkAccessType == sagemakertypes.AppNetworkAccessTypePublicInternetOnly {
		return nil, &fault.Error{Kind: fault.Refused, Message: fmt.Sprintf("the Studio domain %s sends everything through SageMaker's own network (PublicInternetOnly): it reaches nothing in a VPC", in.name),
			Remedy: "set its network access to VpcOnly"}
	}
	out := &found{end: End{Kind: "Studio domain"}, client: network.Client{Name: in.name, Subnets: slices.Sorted(slices.Values(got.SubnetIds))}}
	if s := got.DefaultUserSettings; s != nil {
		out.client.Groups = slices.Sorted(slices.Values(s.SecurityGroups))
	}
	return out, nil
}

func (in clientIn) networkInterface(ctx context.Context, by, value string) (*found, error) {
	e, err := readInterface(ctx, in.ec2, types.Filter{Name: &by, Values: []string{value}})
	if err != nil || e == nil {
		return nil, err
	}
	return &found{end: End{Kind: "interface"}, client: network.Client{Name: in.name, Subnets: []string{e.subnet}, Groups: e.groups, Addresses: e.addresses, Replies: notebook.OfAny}}, nil
}

// card is a network interface.
type card struct {
	subnet    string
	groups    []string
	addresses []netip.Prefix
}

func readInterface(ctx context.Context, api *ec2.Client, by ...types.Filter) (*card, error) {
	got, err := api.DescribeNetworkInterfaces(ctx, &ec2.DescribeNetworkInterfacesInput{Filters: by})
	if err != nil {
		return nil, fmt.Errorf("reading the network interface of %s: %w", strings.Join(by[0].Values, ", "), err)
	}
	if len(got.NetworkInterfaces) == 0 {
		return nil, nil
	}
	n := got.NetworkInterfaces[0]
	out := &card{subnet: aws.ToString(n.SubnetId)}
	for _, g := range n.Groups {
		out.groups = append(out.groups, aws.ToString(g.GroupId))
	}
	slices.Sort(out.groups)
	for _, a := range n.PrivateIpAddresses {
		if ip, err := netip.ParseAddr(aws.ToString(a.PrivateIpAddress)); err == nil {
			out.addresses = append(out.addresses, netip.PrefixFrom(ip, ip.BitLen()))
		}
	}
	return out, nil
}
