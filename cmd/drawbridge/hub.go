package main

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"

	"github.com/drawbridge-cloud/drawbridge/pkg/board"
	"github.com/drawbridge-cloud/drawbridge/pkg/local"
)

// hubFlags say which hub to read.
type hubFlags struct {
	Table string `help:"Table of the ledger; by default what the stack drawbridge-hub says." placeholder:"NAME"`
}

// hub is the hub that a command reads, with the credentials of whoever asks.
type hub struct {
	aws.Config
	at board.Hub
}

// open finds the hub in the account and Region of whoever asks; in the engine it is the engine's.
func (f hubFlags) open(ctx context.Context, r access) (hub, error) {
	c, err := r.base(ctx, local.HubAccount)
	if err != nil {
		return hub{}, err
	}
	return f.in(ctx, c)
}

// in finds the hub that a configuration is of.
func (f hubFlags) in(ctx context.Context, c aws.Config) (hub, error) {
	account, err := whose(ctx, c)
	if err != nil {
		return hub{}, err
	}
	at, err := board.Find(ctx, cloudformation.NewFromConfig(c), account, c.Region, f.Table)
	return hub{Config: c, at: at}, err
}

// rows reads the whole ledger.
func (h hub) rows(ctx context.Context) (board.Rows, error) {
	return board.Read(ctx, dynamodb.NewFromConfig(h.Config), h.at)
}
