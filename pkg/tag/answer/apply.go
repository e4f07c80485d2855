package answer

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/rds"

	"github.com/drawbridge-cloud/drawbridge/pkg/database"
	"github.com/drawbridge-cloud/drawbridge/pkg/event"
	"github.com/drawbridge-cloud/drawbridge/pkg/fault"
	"github.com/drawbridge-cloud/drawbridge/pkg/notice"
	"github.com/drawbridge-cloud/drawbridge/pkg/tag"
	"github.com/drawbridge-cloud/drawbridge/pkg/tag/tagger"
	"github.com/drawbridge-cloud/drawbridge/pkg/workflow"
)

// gone are the codes for a thing that is not there any more.
var gone = []string{"InvalidID", "InvalidVpcID.NotFound", "InvalidVpcPeeringConnectionID.NotFound", "InvalidTransitGatewayID.NotFound",
	"InvalidTransitGatewayAttachmentID.NotFound", "InvalidSubnetID.NotFound", "InvalidGroup.NotFound", "DBInstanceNotFound", "DBInstanceNotFoundFault",
	"DBClusterNotFoundFault", "DBProxyNotFoundFault", "ResourceNotFoundException",
	"ResourceNotFoundFault", "ResourceNotFound", "NoSuchEntity"}

// Answer reads the tags of each thing, in its own account, and says what is unclear on it. Who was told of exactly this
// before is not told again. The tag comes last, because it says that they were told: an interrupted Answer rather tells twice
// than not at all. A thing that is gone, or is of an account that lets nobody in, gets no answer.
func (a Answerer) Answer(ctx context.Context, in workflow.AnswerTagsInput) (workflow.AnswerTagsOutput, error) {
	var out workflow.AnswerTagsOutput
	var says []string
	for _, things := range byPlace(in.Things) {
		at := event.Place{Account: things[0].Account, Region: things[0].Region}
		clients := a.Enter(in.Execution, at)
		found, err := read(ctx, clients, things)
		if errors.Is(err, fault.ErrClosed) {
			slog.WarnContext(ctx, "an account lets nobody in; its tags are not answered", "account", at.Account)
			says = append(says, fmt.Sprintf("account %s lets nobody in", at.Account))
			continue
		}
		if err != nil {
			return out, fmt.Errorf("in %s, %s: %w", at.Account, at.Region, err)
		}
		for _, t := range found {
			change := Plan(t.Kind, t.tags, t.kind)
			switch {
			case change.Set != "":
				if err := a.tell(ctx, told(in.Execution, t, change.Problems)); err != nil {
					return out, err
				}
				slog.InfoContext(ctx, "tagging", "thing", t.ID, "tag", tag.Unclear, "value", change.Set)
				err = clients.Set(ctx, t.Kind, t.name, tag.Unclear, change.Set)
				out.Told++
				says = append(says, fmt.Sprintf("%s: %s", t.ID, change.Set))
			case change.Clear:
				slog.InfoContext(ctx, "untagging", "thing", t.ID, "tag", tag.Unclear)
				err = clients.Remove(ctx, t.Kind, t.name, tag.Unclear)
				out.Cleared++
				says = append(says, t.ID+" is clear again")
			}
			if err != nil && !fault.HasCode(err, gone...) && !fault.NoRecord(err) {
				return out, fmt.Errorf("answering the tags of %s in %s, %s: %w", t.ID, at.Account, at.Region, err)
			}
		}
	}
	out.Reason = reason(says)
	slog.InfoContext(ctx, "answered", "told", out.Told, "cleared", out.Cleared, "reason", out.Reason)
	return out, nil
}

// reason is what the execution's output says; of many answers, the first.
func reason(says []string) string {
	const few = 3
	if len(says) == 0 {
		return "nothing is to be said about the tags"
	}
	out := strings.Join(says[:min(few, len(says))], "; ")
	if more := len(says) - few; more > 0 {
		out += fmt.Sprintf("; and %d more", more)
	}
	return out
}

// byPlace sorts things by account, Region, kind and id, each once.
func byPlace(things []workflow.TaggedThing) [][]workflow.TaggedThing {
	things = slices.Clone(things)
	slices.SortFunc(things, func(a, b workflow.TaggedThing) int {
		return cmp.Or(strings.Compare(a.Account, b.Account), strings.Compare(a.Region, b.Region), strings.Compare(string(a.Kind), string(b.Kind)), strings.Compare(a.ID, b.ID))
	})
	var out [][]workflow.TaggedThing
	for n, t := range slices.Compact(things) {
		if n == 0 || t.Account != out[len(out)-1][0].Account || t.Region != out[len(out)-1][0].Region {
			out = append(out, nil)
		}
		out[len(out)-1] = append(out[len(out)-1], t)
	}
	return out
}

func (a Answerer) tell(ctx context.Context, u notice.Unclear) error {
	if err := a.Bus.Put(ctx, u); err != nil {
		return err
	}
	if err := a.Topic.Publish(ctx, notice.UnclearMessage(u)); err != nil {
		return fmt.Errorf("telling of the tags of %s: %w", u.ID, err)
	}
	return nil
}

// read returns the things of one place that are there, with their tags.
func read(ctx context.Context, clients Clients, things []workflow.TaggedThing) ([]thing, error) {
	var out []thing
	var ids []string
	for _, t := range things {
		if t.Kind.Service() == "ec2" {
			ids = append(ids, t.ID)
		}
	}
	tags, err := tagger.ReadEC2(ctx, clients.EC2, ids)
	if err != nil {
		return nil, err
	}
	for _, t := range things {
		one := thing{TaggedThing: t, name: t.ID, tags: tags[t.ID]}
		if t.Kind.Service() != "ec2" {
			var err error
			if one.name, one.tags, err = clients.Read(ctx, t); err == nil {
				err = one.readEngine(ctx, clients.Engines)
			}
			if fault.HasCode(err, gone...) || fault.NoRecord(err) {
				continue
			}
			if err != nil {
				return nil, fmt.Errorf("reading the tags of %s: %w", t.ID, err)
			}
		}
		out = append(out, one)
	}
	return out, nil
}

// readEngine tells whether a database that is shared is of an engine that is not served: RDS describes others' databases as its own.
func (t *thing) readEngine(ctx context.Context, api Engines) error {
	if t.Kind != tag.DBInstance && t.Kind != tag.DBCluster || tag.Clean(t.Kind, t.tags)[tag.Share] == "" {
		return nil
	}
	id, engine := t.name[strings.LastIndexByte(t.name, ':')+1:], ""
	if t.Kind == tag.DBCluster {
		got, err := api.DescribeDBClusters(ctx, &rds.DescribeDBClustersInput{DBClusterIdentifier: &id})
		if err != nil {
			return err
		}
		for _, c := range got.DBClusters {
			engine = aws.ToString(c.Engine)
		}
	} else {
		got, err := api.DescribeDBInstances(ctx, &rds.DescribeDBInstancesInput{DBInstanceIdentifier: &id})
		if err != nil {
			return err
		}
		for _, i := range got.DBInstances {
			engine = aws.ToString(i.Engine)
		}
	}
	t.kind, _ = database.OfEngine(engine)
	return nil
}
