package stories

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge"
	eventbridgetypes "github.com/aws/aws-sdk-go-v2/service/eventbridge/types"

	"github.com/drawbridge-cloud/drawbridge/pkg/local/scenario"
	"github.com/drawbridge-cloud/drawbridge/pkg/local/story"
)

// dataAPITale is one story of the Data API: a world, what its owners do, and who gets through at the end.
type dataAPITale struct {
	name, title, about string
	change             func(*scenario.DataAPISpec)
	acts               []dataAPIAct
	// queried says whether the consumer gets through at the end, and nobody else.
	queried bool
	// restored says that at the end everything of the owner's is byte for byte what it was at the beginning, apart from
	// what the owner changed.
	restored bool
	// unruly says that two machines take one event, in an order that is not the same in every run.
	unruly bool
	also   func(context.Context, *testing.T, *scenario.DataAPIWorld)
}

type dataAPIAct struct {
	says string
	do   func(context.Context, *scenario.DataAPIWorld) error
	ends []string
}

// shareWith tags the cluster with accounts of the world.
func shareWith(who func(*scenario.DataAPIWorld) []string) func(context.Context, *scenario.DataAPIWorld) error {
	return func(ctx context.Context, w *scenario.DataAPIWorld) error { return w.Share(ctx, who(w)...) }
}

func onlyAlpha(w *scenario.DataAPIWorld) []string     { return []string{w.Consumer} }
func alphaAndGamma(w *scenario.DataAPIWorld) []string { return []string{w.Consumer, w.Third} }
func onlyGamma(w *scenario.DataAPIWorld) []string     { return []string{w.Third} }

// told are the ends of executions with that of drawbridge-change, which hears of a tag and asks for the look.
func told(ends []string) []string { return append([]string{"Announced"}, ends...) }

func exposed(ends ...string) dataAPIAct {
	return dataAPIAct{"The owner of beta tags the cluster with alpha's account and the secret's name.", shareWith(onlyAlpha), told(ends)}
}

func retracted(ends ...string) dataAPIAct {
	return dataAPIAct{"The owner of beta takes both tags away.", func(ctx context.Context, w *scenario.DataAPIWorld) error { return w.Unshare(ctx) }, told(ends)}
}

var dataAPITales = []dataAPITale{
	{
		name:  "s3-data-api",
		title: "An account queries the Aurora cluster of another through the Data API",
		about: `
Account 222222222222 (beta) has the Aurora cluster sales and the secret sales/reader, encrypted with a key of its own. In
account 111111111111 (alpha) an analyst may assume roles. No network connects the two.`,
		acts:    []dataAPIAct{exposed("Exposed")},
		queried: true,
	},
	{
		name:   "data-api-managed-key",
		title:  "A secret under the key that AWS manages",
		about:  "As in s3-data-api.md, but the secret is encrypted with aws/secretsmanager, which no other account's people can use.",
		change: func(s *scenario.DataAPISpec) { s.ManagedKey = true },
		acts: []dataAPIAct{
			exposed("Conflict", "Reported"),
			{"The owner of beta moves the secret to a key of their own and tags the cluster again.", func(ctx context.Context, w *scenario.DataAPIWorld) error {
				if err := w.Encrypt(ctx, w.Key); err != nil {
					return err
				}
				return w.Share(ctx, w.Consumer)
			}, []string{"Announced", "Exposed"}},
		},
		queried: true,
	},
	{
		name:   "data-api-no-secret",
		title:  "The cluster does not say which secret",
		about:  "As in s3-data-api.md, but without the tag drawbridge:secret.",
		change: func(s *scenario.DataAPISpec) { s.Secret = "" },
		acts:   []dataAPIAct{exposed("Conflict", "Reported")},
	},
	{
		name:  "data-api-twice",
		title: "A second account is let in, and one is put out",
		about: "As in s3-data-api.md. Then gamma's account joins in the tag, and alpha's goes.",
		acts: []dataAPIAct{
			exposed("Exposed"),
			{"The owner of beta adds gamma's account to the tag.", shareWith(alphaAndGamma), []string{"Announced", "Exposed"}},
			{"The owner of beta takes alpha's account out of the tag.", shareWith(onlyGamma), []string{"Announced", "Exposed"}},
		},
		also: func(ctx context.Context, t *testing.T, w *scenario.DataAPIWorld) {
			ask := scenario.Ask{Account: w.Third, Cluster: w.ClusterARN(), Secret: w.SecretARN, SQL: "SELECT 1"}
			if _, err := w.Query(ctx, ask); err != nil {
				t.Errorf("gamma does not get through: %v", err)
			}
			ask.Account = w.Consumer
			if _, err := w.Query(ctx, ask); err == nil {
				t.Error("alpha still gets through")
			}
		},
	},
	{
		name:  "data-api-removed",
		title: "The tags go, and everything with them",
		about: `
As in s3-data-api.md. Then the tags go: Drawbridge's role goes with them, and the HTTP endpoint that it turned on is
off again. The policies that beta's owners wrote were never touched.`,
		acts:     []dataAPIAct{exposed("Exposed"), retracted("Retracted")},
		restored: true,
	},
	{
		name:     "data-api-endpoint",
		title:    "The HTTP endpoint was on before",
		about:    "As in data-api-removed.md, but beta's owner had turned the HTTP endpoint on: it stays on. The secret had no policy.",
		change:   func(s *scenario.DataAPISpec) { s.Endpoint, s.Unprotected = true, true },
		acts:     []dataAPIAct{exposed("Exposed"), retracted("Retracted")},
		restored: true,
	},
	{
		name:  "data-api-attack",
		title: "Somebody who may only tag clusters names another team's secret",
		about: `
As in s3-data-api.md, but the secret payroll/admin is another team's, who say of none that it is for the cluster. Whoever may tag the
cluster points it at that secret, and lets alpha in. They gain nothing: alpha is not let in, and IAM would let the cluster's role at
no secret whose own tag does not name the cluster. Who had been let in by the right secret before loses it, since the cluster says
otherwise now.`,
		change: func(s *scenario.DataAPISpec) { s.Secret = "payroll/admin" },
		acts: []dataAPIAct{
			exposed("Refused"),
			{"The owner of beta names sales/reader instead, whose owner said that it is for the cluster.", func(ctx context.Context, w *scenario.DataAPIWorld) error {
				w.Secret = "sales/reader"
				return w.Share(ctx, w.Consumer)
			}, []string{"Announced", "Exposed"}},
			{"Somebody names payroll/admin again.", func(ctx context.Context, w *scenario.DataAPIWorld) error {
				w.Secret = "payroll/admin"
				return w.Share(ctx, w.Consumer)
			}, []string{"Announced", "Refused"}},
			retracted("Retracted"),
		},
		restored: true,
	},
	{
		name:  "data-api-consent",
		title: "The owner of the secret takes it back",
		about: `
As in s3-data-api.md. Then the secret's owner takes the tag off the secret. From that call on IAM lets nobody at it; that the role goes as well is
Drawbridge's.`,
		acts: []dataAPIAct{
			exposed("Exposed"),
			{"The owner of the secret takes its tag away.", func(ctx context.Context, w *scenario.DataAPIWorld) error {
				if err := w.Consent(ctx, w.SecretARN); err != nil {
					return err
				}
				if _, err := w.Query(ctx, scenario.Ask{Account: w.Consumer, Cluster: w.ClusterARN(), Secret: w.SecretARN, SQL: "SELECT 1"}); err == nil {
					return errors.New("alpha still gets through")
				}
				return nil
			}, []string{"Announced", "Refused"}},
			{"The owner of the secret says again that it is for the cluster, and for payroll.", func(ctx context.Context, w *scenario.DataAPIWorld) error {
				return w.Consent(ctx, w.SecretARN, "payroll", "sales")
			}, []string{"Announced", "Exposed"}},
			{"The owner of the key says that it is for payroll alone.", func(ctx context.Context, w *scenario.DataAPIWorld) error {
				if err := w.ConsentKey(ctx, "payroll"); err != nil {
					return err
				}
				if _, err := w.Query(ctx, scenario.Ask{Account: w.Consumer, Cluster: w.ClusterARN(), Secret: w.SecretARN, SQL: "SELECT 1"}); err == nil {
					return errors.New("alpha still gets through")
				}
				return nil
			}, []string{"Announced", "Refused"}},
			{"The owner of the key says that it is for sales.", func(ctx context.Context, w *scenario.DataAPIWorld) error {
				return w.ConsentKey(ctx, "sales")
			}, []string{"Announced", "Exposed"}},
		},
		queried: true,
	},
	{
		name:  "data-api-grant",
		title: "The key's policy does not leave it to IAM who decrypts",
		about: `
As in data-api-removed.md, but the key's policy leaves it to IAM who makes grants, not who decrypts. The cluster's role gets a grant, for this one
secret; the policy stays as its owner wrote it. With the tags the grant goes.`,
		change: func(s *scenario.DataAPISpec) { s.KeyPolicy = scenario.OnlyGrants },
		acts: []dataAPIAct{
			exposed("Exposed"),
			{"The owner of beta names alpha and gamma.", shareWith(alphaAndGamma), []string{"Announced", "Exposed"}},
			retracted("Retracted"),
		},
		restored: true,
	},
	{
		name:   "data-api-closed-key",
		title:  "The key's policy leaves nothing to IAM",
		about:  "As in s3-data-api.md, but the key's policy names its administrators alone. Drawbridge says what is missing in it, and changes nothing.",
		change: func(s *scenario.DataAPISpec) { s.KeyPolicy = scenario.OwnersOnly },
		acts: []dataAPIAct{
			exposed("Conflict", "Reported"),
			{"The owner of the key allows what is missing, and the owner of beta tags the cluster again.", func(ctx context.Context, w *scenario.DataAPIWorld) error {
				if err := w.Open(ctx, scenario.OnlyGrants); err != nil {
					return err
				}
				return w.Share(ctx, w.Consumer)
			}, []string{"Announced", "Exposed"}},
		},
		queried: true,
	},
	{
		name:   "data-api-another-secret",
		unruly: true, // both events are looked at, at once
		title:  "The cluster gets another secret",
		about:  "As in data-api-grant.md. Then the owner names another secret, whose owner agreed: the role lets go of the first one, and its grant goes.",
		change: func(s *scenario.DataAPISpec) { s.KeyPolicy = scenario.OnlyGrants },
		acts: []dataAPIAct{
			exposed("Exposed"),
			{"The owner of payroll/admin says that it is for the cluster, and the owner of beta names it instead.", func(ctx context.Context, w *scenario.DataAPIWorld) error {
				if err := w.Consent(ctx, w.OtherSecret, "sales"); err != nil {
					return err
				}
				w.Secret = "payroll/admin"
				return w.Share(ctx, w.Consumer)
			}, []string{"Announced", "Announced", "Exposed", "Exposed"}},
			{"The owner of beta names sales/reader again.", func(ctx context.Context, w *scenario.DataAPIWorld) error {
				w.Secret = "sales/reader"
				return w.Share(ctx, w.Consumer)
			}, []string{"Announced", "Exposed"}},
		},
		queried: true,
	},
	{
		name:     "data-api-refused",
		title:    "The tag names an account outside the organization",
		about:    "As in s3-data-api.md, but alpha's account does not belong to the organization. Nothing is let in.",
		change:   func(s *scenario.DataAPISpec) { s.Consumer = stranger },
		acts:     []dataAPIAct{exposed("Refused"), retracted("Retracted")},
		restored: true,
	},
	{
		name:  "data-api-refused-later",
		title: "Everybody whom the tag still names is refused",
		about: "As in s3-data-api.md. Then the owner replaces alpha's account by a stranger's: what alpha had is taken back.",
		acts: []dataAPIAct{
			exposed("Exposed"),
			{"The owner of beta names a stranger instead.", func(ctx context.Context, w *scenario.DataAPIWorld) error { return w.Share(ctx, stranger) }, []string{"Announced", "Refused"}},
			retracted("Retracted"),
		},
		restored: true,
	},
	{
		name:  "data-api-deleted",
		title: "The cluster is deleted",
		about: "As in s3-data-api.md. Then the cluster is deleted: the role goes.",
		acts: []dataAPIAct{
			exposed("Exposed"),
			{"The owner of beta deletes the cluster.", func(ctx context.Context, w *scenario.DataAPIWorld) error { return w.Delete(ctx) }, []string{"Announced", "Retracted"}},
		},
		unruly: true,
		also: func(ctx context.Context, t *testing.T, w *scenario.DataAPIWorld) {
			owned, err := w.Owned(ctx)
			if err != nil {
				t.Fatal(err)
			}
			if strings.Contains(owned, "Drawbridge") || strings.Contains(owned, "role/drawbridge") {
				t.Errorf("something is left:\n%s", owned)
			}
		},
	},
	{
		name:     "data-api-garbled",
		title:    "An event names a cluster that cannot be",
		about:    "Drawbridge believes AWS, not events. An event that it cannot read fails and waits in the dead-letter queue.",
		acts:     []dataAPIAct{{"The owner of beta puts an event about the cluster $(reboot) on the default bus.", lieOfCluster, []string{"Invalid"}}},
		restored: true,
	},
	{
		name:    "data-api-again",
		title:   "The same tag is set twice",
		about:   "As in s3-data-api.md; the second time there is nothing to do but to look.",
		acts:    []dataAPIAct{exposed("Exposed"), exposed("Exposed")},
		queried: true,
	},
}

// build builds the story's world in accounts of the number's own, and settles it. canonical says which account each is in the story's text.
func (s dataAPITale) build(ctx context.Context, t *testing.T, number int) (world *scenario.DataAPIWorld, canonical []string) {
	t.Helper()
	spec := scenario.S3()
	for _, account := range []*string{&spec.Consumer, &spec.Producer, &spec.Third} {
		own := fmt.Sprintf("%s%04d", (*account)[:8], number)
		canonical = append(canonical, own, *account)
		*account = own
	}
	if s.change != nil {
		s.change(&spec)
	}
	world, err := spec.Build(ctx, engine.Config)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := engine.Settle(ctx, 0); err != nil {
		t.Fatal(err)
	}
	return world, canonical
}

func playDataAPI(t *testing.T, n int, s dataAPITale) {
	ctx := timeout(t)
	unbraked(ctx, t)
	world, canonical := s.build(ctx, t, 3000+n)
	before, err := world.Owned(ctx)
	if err != nil {
		t.Fatal(err)
	}
	var text strings.Builder
	fmt.Fprintf(&text, "# %s\n\n%s\n", s.title, strings.TrimSpace(s.about))
	for _, a := range s.acts {
		engine.Cool()
		engine.Story().Begin()
		if err := a.do(ctx, world); err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, e := range until(ctx, t, len(a.ends)) {
			if e.Status == "SUCCEEDED" {
				got = append(got, e.State)
			} else {
				got = append(got, e.Error)
			}
		}
		slices.Sort(got)
		if !slices.Equal(got, a.ends) {
			t.Errorf("%s The executions ended with %q, want %q:\n%s", a.says, got, a.ends, story.Golden(engine.Story().Facts(), nil))
		}
		counts := engine.Story().Counts()
		fmt.Fprintf(&text, "\n%s\n\n```text\n%s```\n", a.says, story.Golden(engine.Story().Facts(), nil))
		fmt.Fprintf(&text, "\n%d state transitions, %d invocations.\n", counts.Transitions, counts.Invocations)
	}
	verdict, err := world.Verdict(ctx)
	if err != nil {
		t.Fatal(err)
	}
	if scenario.Holds(verdict) != s.queried {
		t.Errorf("the consumer alone gets through is %v, want %v: %+v", !s.queried, s.queried, verdict)
	}
	fmt.Fprintf(&text, "\nWho gets through, tried by real call chains:\n\n%s", story.Table(verdict, nil))
	if s.restored {
		after, err := world.Owned(ctx)
		if err != nil {
			t.Fatal(err)
		}
		if after != before {
			t.Errorf("what the owner has is not what it was: %s", difference(before, after))
		}
	}
	if s.also != nil {
		s.also(ctx, t, world)
	}
	if s.unruly {
		return
	}
	compare(t, s.name, strings.NewReplacer(append(canonical, world.Names()...)...).Replace(text.String()))
}

// lieOfCluster puts an event on the producer's bus that looks like CloudTrail's and names no cluster.
func lieOfCluster(ctx context.Context, w *scenario.DataAPIWorld) error {
	client := eventbridge.NewFromConfig(engine.Config(w.Producer, w.Region))
	out, err := client.PutEvents(ctx, &eventbridge.PutEventsInput{Entries: []eventbridgetypes.PutEventsRequestEntry{{
		Source: aws.String("aws.rds"), DetailType: aws.String("AWS API Call via CloudTrail"),
		Detail: aws.String(`{"eventSource":"rds.amazonaws.com","eventName":"AddTagsToResource","userIdentity":{"type":"Root"},
			"requestParameters":{"resourceName":"arn:aws:rds:` + w.Region + `:` + w.Producer + `:cluster:$(reboot)","tags":[{"key":"drawbridge:data-api"}]}}`),
	}}})
	if err == nil && out.FailedEntryCount > 0 {
		err = fmt.Errorf("the event is not taken: %v", out.Entries)
	}
	return err
}
