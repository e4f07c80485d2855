package connection_test

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/ec2"

	"github.com/drawbridge-cloud/drawbridge/pkg/connection"
	"github.com/drawbridge-cloud/drawbridge/pkg/ledger"
	"github.com/drawbridge-cloud/drawbridge/pkg/ledger/ledgertest"
	"github.com/drawbridge-cloud/drawbridge/pkg/road"
	"github.com/drawbridge-cloud/drawbridge/pkg/tag"
	"github.com/drawbridge-cloud/drawbridge/pkg/workflow"
)

// posts has the tags of carriers, as EC2 holds them: 50 on each, of 256 characters.
// https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/Using_Tags.html#tag-restrictions
type posts map[string]map[string]string

func (p posts) CreateTags(_ context.Context, in *ec2.CreateTagsInput, _ ...func(*ec2.Options)) (*ec2.CreateTagsOutput, error) {
	for _, t := range in.Tags {
		if p[in.Resources[0]] == nil {
			p[in.Resources[0]] = map[string]string{}
		}
		p[in.Resources[0]][*t.Key] = *t.Value
		if len(p[in.Resources[0]]) > 50 || len(*t.Value) > 256 {
			return nil, fmt.Errorf("TagLimitExceeded: %d tags, %q", len(p[in.Resources[0]]), *t.Value)
		}
	}
	return nil, nil
}

// A gateway leads three hundred VPCs to one database. What is known of each stands in the ledger, and the database's attachment has one tag for all.
func TestThreeHundredConsumersOfOneGateway(t *testing.T) {
	const consumers, told = 300, 3 // the last ones are looked at once all are known
	l, _ := ledgertest.New()
	p, producer := posts{}, workflow.VPC{Account: "222222222222", Region: "eu-west-1", ID: "vpc-z"}
	for n := range consumers {
		consumer := workflow.VPC{Account: fmt.Sprintf("1%011d", n), Region: "eu-west-1", ID: fmt.Sprintf("vpc-%03d", n)}
		c := workflow.Connection{ID: "tgw-1:" + consumer.ID + ":" + producer.ID, Target: "tgw-1", Requester: consumer, Accepter: producer}
		if _, err := l.Begin(t.Context(), connection.Entry(c, road.Transit, ledger.Requested)); err != nil {
			t.Fatal(err)
		}
		status := workflow.Connected
		if n%100 == 7 {
			status = connection.Conflict
		}
		entry, err := connection.Note(t.Context(), l, c.ID, status, "because")
		if err != nil {
			t.Fatal(err)
		}
		if n < consumers-told {
			continue
		}
		sides := []workflow.Side{{VPC: consumer, StatusResource: "tgw-attach-" + consumer.ID}, {VPC: producer, StatusResource: "tgw-attach-z"}}
		if err := connection.Leave(t.Context(), l, func(workflow.VPC) connection.Tagger { return p }, c, sides, entry, func(workflow.Side) string { return "because" }); err != nil {
			t.Fatal(err)
		}
	}
	if len(p) != told+1 {
		t.Fatalf("%d carriers have tags", len(p))
	}
	for carrier, tags := range p {
		want := "1 Con"
		if carrier == "tgw-attach-z" {
			want = "3 Conflict 297 Connected at "
		}
		if len(tags) != 1 || !strings.HasPrefix(tags[tag.Pairs], want) {
			t.Errorf("%s has %v, want %q", carrier, tags, want)
		}
	}
	entries, err := l.Connections(t.Context(), producer.Account, producer.Region)
	if err != nil || len(connection.PairsOf(entries, "tgw-1", producer.ID)) != consumers {
		t.Errorf("the ledger has %d, %v", len(entries), err)
	}
	if _, err := time.Parse(time.RFC3339, p["tgw-attach-z"][tag.Pairs][len("3 Conflict 297 Connected at "):]); err != nil {
		t.Error(err)
	}
}
