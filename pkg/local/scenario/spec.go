// Package scenario builds the reference worlds of Drawbridge in emulated
// accounts, as their owners would, and reads back afterwards whether a packet
// would arrive.
//
// It never asks Drawbridge: what it says about the result, it read from AWS as
// the owner of the account in question.
package scenario

import (
	"context"
	"fmt"
	"maps"
	"net/netip"

	"github.com/aws/aws-sdk-go-v2/aws"
)

// The accounts of the scenarios.
const (
	Alpha = "111111111111" // the consumer
	Beta  = "222222222222" // the producer
)

// Spec says what a world is like. [S1] is the reference; a variation changes
// some of it before it is built.
type Spec struct {
	Consumer, Producer Home
	// Accept is the accepter VPC's tag drawbridge:accept; empty means no tag.
	Accept string
	// Share is the database's tag drawbridge:share; empty means no tag.
	Share string
	// Notebook of the consumer; without a name there is none.
	Notebook Notebook
	// Database of the producer.
	Database Database
	// Function is the name of a VPC function of the consumer; empty means none.
	Function string
	// Studio says that the consumer has a SageMaker Studio domain.
	Studio bool
}

// Home is where one side lives.
type Home struct {
	Account, Region string
	// Name is what the side is called in a story.
	Name string
	CIDR netip.Prefix
	// Subnets have a route table each.
	Subnets []netip.Prefix
}

// Notebook is a SageMaker notebook instance in the first subnet.
type Notebook struct {
	Name string
	// DirectInternet is direct internet access.
	DirectInternet bool
	// Stopped says that it is stopped when the story begins.
	Stopped bool
	// LifecycleConfig is the owner's own configuration; empty means none.
	LifecycleConfig string
	// OnStart is the owner's script in it.
	OnStart string
	// Tags of the instance.
	Tags map[string]string
}

// Database is an RDS instance in the first two subnets, or with the engine redshift a cluster.
type Database struct {
	Name, Engine string
	Port         int32
}

// OwnersScript is the on-start script that the owner of the notebook wrote
// before Drawbridge came.
const OwnersScript = `#!/bin/bash
set -e
# Installs the driver of the sales database for everybody on this notebook.
sudo -u ec2-user -i <<'EOF'
pip install --quiet pymysql
EOF
echo "ready for work"
`

// S1 is the reference world of the first scenario: a notebook instance in one
// account, a MySQL database in another, and nothing between them yet.
func S1() Spec {
	return Spec{
		Consumer: home(Alpha, "alpha", "10.1"),
		Producer: home(Beta, "beta", "10.2"),
		Accept:   "auto",
		Share:    "true",
		Notebook: Notebook{Name: "research", DirectInternet: true, LifecycleConfig: "research-setup", OnStart: OwnersScript},
		Database: Database{Name: "sales", Engine: "mysql", Port: 3306},
	}
}

func home(account, name, two string) Home {
	h := Home{Account: account, Region: "us-east-1", Name: name, CIDR: netip.MustParsePrefix(two + ".0.0/16")}
	for i := range 3 {
		h.Subnets = append(h.Subnets, netip.MustParsePrefix(fmt.Sprintf("%s.%d.0/24", two, i)))
	}
	return h
}

// Clients give an SDK configuration for an account and a Region.
type Clients func(account, region string) aws.Config

// World is a built scenario.
type World struct {
	Spec
	// ConsumerNetwork and ProducerNetwork are what was made for the two sides.
	ConsumerNetwork, ProducerNetwork Network
	// Connection is the id of the peering once it was requested, or of the gateway once a look was asked for.
	Connection string
	// Gateway is the id of the transit gateway once there is one.
	Gateway string
	// FunctionGroup is the security group of the function.
	FunctionGroup string
	// Also are names of more ids, as a story says them.
	Also map[string]string

	clients Clients
}

// Network is what one side has.
type Network struct {
	VPC     string
	Subnets []string // as in the spec
	Tables  []string // of the subnets, in the same order
	Group   string   // security group of the notebook or the database
	// Attachment is the VPC's attachment to the gateway once there is one.
	Attachment string
}

// Names gives each id of the world the name that it has in a story.
func (w *World) Names() map[string]string {
	names := maps.Clone(w.Also)
	if names == nil {
		names = map[string]string{}
	}
	if w.Gateway != "" {
		names[w.Gateway] = "tgw-1"
	}
	if w.FunctionGroup != "" {
		names[w.FunctionGroup] = "sg-" + w.Consumer.Name + "-function"
	}
	for _, side := range []struct {
		home Home
		net  Network
		sg   string
	}{{w.Consumer, w.ConsumerNetwork, "notebook"}, {w.Producer, w.ProducerNetwork, "database"}} {
		names[side.net.VPC] = "vpc-" + side.home.Name
		names[side.net.Group] = "sg-" + side.home.Name + "-" + side.sg
		if side.net.Attachment != "" {
			names[side.net.Attachment] = "tgw-attach-" + side.home.Name
		}
		for i, id := range side.net.Subnets {
			names[id] = fmt.Sprintf("subnet-%s-%d", side.home.Name, i+1)
		}
		for i, id := range side.net.Tables {
			names[id] = fmt.Sprintf("rtb-%s-%d", side.home.Name, i+1)
		}
	}
	return names
}

// Build makes the world, each account's things as that account.
func (s Spec) Build(ctx context.Context, clients Clients) (*World, error) {
	w := &World{Spec: s, clients: clients}
	for _, step := range []struct {
		what string
		do   func(context.Context) error
	}{
		{"network of " + s.Consumer.Name, func(ctx context.Context) (err error) {
			w.ConsumerNetwork, err = w.network(ctx, s.Consumer, "notebook", nil)
			return err
		}},
		{"network of " + s.Producer.Name, func(ctx context.Context) (err error) {
			tags := map[string]string{}
			if s.Accept != "" {
				tags["drawbridge:accept"] = s.Accept
			}
			w.ProducerNetwork, err = w.network(ctx, s.Producer, "database", tags)
			return err
		}},
		{"database " + s.Database.Name, w.database},
		{"notebook " + s.Notebook.Name, w.notebook},
		{"function " + s.Function, w.function},
		{"domain of Studio", w.studio},
	} {
		if err := step.do(ctx); err != nil {
			return nil, fmt.Errorf("building the %s: %w", step.what, err)
		}
	}
	return w, nil
}
