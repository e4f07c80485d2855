package plan

import (
	"context"

	runtime "github.com/aws/aws-lambda-go/lambda"
	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/sagemaker"

	"github.com/drawbridge-cloud/drawbridge/pkg/connection"
	"github.com/drawbridge-cloud/drawbridge/pkg/database"
	"github.com/drawbridge-cloud/drawbridge/pkg/dnsoption"
	"github.com/drawbridge-cloud/drawbridge/pkg/event"
	"github.com/drawbridge-cloud/drawbridge/pkg/fact"
	"github.com/drawbridge-cloud/drawbridge/pkg/firewall"
	"github.com/drawbridge-cloud/drawbridge/pkg/hold"
	"github.com/drawbridge-cloud/drawbridge/pkg/lease"
	"github.com/drawbridge-cloud/drawbridge/pkg/lifecycle"
	"github.com/drawbridge-cloud/drawbridge/pkg/network/discover"
	"github.com/drawbridge-cloud/drawbridge/pkg/notebook"
	"github.com/drawbridge-cloud/drawbridge/pkg/owner"
	"github.com/drawbridge-cloud/drawbridge/pkg/peering"
	"github.com/drawbridge-cloud/drawbridge/pkg/preview"
	"github.com/drawbridge-cloud/drawbridge/pkg/route"
	"github.com/drawbridge-cloud/drawbridge/pkg/survey"
	"github.com/drawbridge-cloud/drawbridge/pkg/transit"
	"github.com/drawbridge-cloud/drawbridge/pkg/workflow"
)

// step makes a handler of a step.
func step[I, O any](f workflow.Step[I, O]) runtime.Handler { return workflow.Rehearsed(f) }

// steps are the functions of the machines that are rehearsed, by the names of their states, wired as in functions/.
func (r *rehearsal) steps() map[string]runtime.Handler {
	out := map[string]runtime.Handler{
		"HoldExecution": step(hold.Holder{Ledger: r.book, Mode: r.Mode, Brake: r.brake, Bus: r.bus, Topic: r.topic}.Hold),
	}
	for _, some := range []map[string]runtime.Handler{r.inspections(), r.connecting(), r.answering(), r.leaving(), r.attaching(), r.sharing(), r.notebooks(), r.accesses()} {
		for name, handler := range some {
			out[name] = handler
		}
	}
	return out
}

// in enters the account of a VPC.
func (r *rehearsal) in(execution string, v workflow.VPC) aws.Config {
	return r.Enter(execution, v.Account, v.Region)
}

func (r *rehearsal) inspections() map[string]runtime.Handler {
	enter := func(execution string, p event.Place) peering.Clients {
		c := r.Enter(execution, p.Account, p.Region)
		return peering.Clients{EC2: ec2.NewFromConfig(c), Databases: database.In(c), SageMaker: sagemaker.NewFromConfig(c), Lambda: lambda.NewFromConfig(c)}
	}
	of := peering.Inspector{Enter: enter, Account: r.organization.Account, Units: r.organization.Units, Policy: r.policy, Ledger: r.book, Now: r.now, Brake: r.brake.Asker(r.Mode)}
	pair := transit.Inspector{Policy: r.policy, Ledger: r.book, Brake: r.brake.Asker(r.Mode), Account: r.organization.Account, Units: r.organization.Units,
		Enter: func(execution string, at event.Place) transit.Clients {
			c := r.Enter(execution, at.Account, at.Region)
			return transit.Clients{Clients: survey.Clients{Databases: database.In(c), SageMaker: sagemaker.NewFromConfig(c), Lambda: lambda.NewFromConfig(c)}, EC2: ec2.NewFromConfig(c)}
		}}
	return map[string]runtime.Handler{
		"InspectPeering": step(of.Turn().One(r.keeper, preview.Peering(r, of.Inspect))),
		"InspectTransit": step(pair.Turn().One(r.keeper, preview.Transit(r, pair.Inspect))),
	}
}

func (r *rehearsal) connecting() map[string]runtime.Handler {
	return map[string]runtime.Handler{
		"AcceptPeering": step(func(ctx context.Context, in workflow.AcceptPeeringInput) (workflow.AcceptPeeringOutput, error) {
			return peering.Accept(ctx, ec2.NewFromConfig(r.in(in.Execution, in.Connection.Accepter)), in.Connection)
		}),
		"AllowDnsResolution": step(fact.Connection(r.book, "AllowDnsResolution", func(ctx context.Context, in workflow.AllowDNSResolutionInput) (workflow.HopsOutput, error) {
			enter := func(v workflow.VPC) dnsoption.EC2 { return ec2.NewFromConfig(r.in(in.Execution, v)) }
			return dnsoption.Allow(ctx, enter, r.book.Under(in.Connection.ID, in.Execution), in.Execution, in.Connection, in.Sides)
		})),
		"AddRoutes": step(fact.Side(r.book, "AddRoutes", func(ctx context.Context, in workflow.SideInput) (workflow.AddRoutesOutput, error) {
			return route.Add(ctx, ec2.NewFromConfig(r.in(in.Execution, in.Side.VPC)), r.book.Under(in.Connection.ID, in.Execution), in.Execution, in.Connection, in.Side)
		})),
		"OpenFirewall": step(fact.Side(r.book, "OpenFirewall", func(ctx context.Context, in workflow.SideInput) (workflow.HopsOutput, error) {
			return firewall.Open(ctx, ec2.NewFromConfig(r.in(in.Execution, in.Side.VPC)), r.book.Under(in.Connection.ID, in.Execution), in.Execution, in.Connection.ID, in.Side)
		})),
		"InjectRoutes": step(fact.Inject(r.book, notebook.Injector{
			SageMaker: func(execution string, b workflow.Batch) notebook.InjectionAPI {
				return sagemaker.NewFromConfig(r.Enter(execution, b.Account, b.Region))
			},
			Ledger: r.book, Policy: r.policy, Restarts: r.debts,
		}.Inject)),
		"VerifyConnection": step(lease.Last(r.book, r.looks, peering.LastVerdict, fact.Verify(r.book, func(ctx context.Context, in workflow.VerifyConnectionInput) (workflow.VerifyConnectionOutput, error) {
			v := connection.Verifier{Ledger: r.book, Bus: r.bus, Enter: func(v workflow.VPC) connection.Tagger { return ec2.NewFromConfig(r.in(in.Execution, v)) }}
			v.World = discover.Reader{Enter: func(p event.Place) discover.EC2 { return ec2.NewFromConfig(r.Enter(in.Execution, p.Account, p.Region)) }}
			look := func(v workflow.VPC) peering.Describer { return ec2.NewFromConfig(r.in(in.Execution, v)) }
			v.Still = func(ctx context.Context) error { return peering.StillThere(ctx, look, in.Connection) }
			return owner.After(ctx, r.owners, func() (workflow.VerifyConnectionOutput, error) { return v.Verify(ctx, in) },
				func(out workflow.VerifyConnectionOutput) owner.News { return owner.Stands(in, out) })
		}))),
	}
}

func (r *rehearsal) leaving() map[string]runtime.Handler {
	return map[string]runtime.Handler{
		"CloseFirewall": step(fact.Side(r.book, "CloseFirewall", func(ctx context.Context, in workflow.SideInput) (workflow.HopsOutput, error) {
			return firewall.Close(ctx, ec2.NewFromConfig(r.in(in.Execution, in.Side.VPC)), r.book.Under(in.Connection.ID, in.Execution), in.Execution, in.Connection.ID, in.Side)
		})),
		"RemoveRoutes": step(fact.Side(r.book, "RemoveRoutes", func(ctx context.Context, in workflow.SideInput) (workflow.RemoveRoutesOutput, error) {
			return route.Remove(ctx, ec2.NewFromConfig(r.in(in.Execution, in.Side.VPC)), r.book.Under(in.Connection.ID, in.Execution), in.Execution, in.Connection, in.Side)
		})),
		"WithdrawRoutes": step(fact.Withdraw(r.book, notebook.Withdrawer{
			SageMaker: func(execution string, b workflow.Batch) notebook.WithdrawalAPI {
				return sagemaker.NewFromConfig(r.Enter(execution, b.Account, b.Region))
			},
			EC2: func(execution string, b workflow.Batch) route.NetworkReader {
				return ec2.NewFromConfig(r.Enter(execution, b.Network(), b.Region))
			},
			Ledger: r.book,
		}.Withdraw)),
		"RestoreDnsResolution": step(fact.Connection(r.book, "RestoreDnsResolution", func(ctx context.Context, in workflow.AllowDNSResolutionInput) (workflow.HopsOutput, error) {
			enter := func(v workflow.VPC) dnsoption.EC2 { return ec2.NewFromConfig(r.in(in.Execution, v)) }
			return dnsoption.Restore(ctx, enter, r.book.Under(in.Connection.ID, in.Execution), in.Connection, in.Sides)
		})),
		"ConcludeRemoval": step(lease.Last(r.book, r.looks, peering.LastRemoval, fact.With(r.book, func(ctx context.Context, in workflow.ConcludeRemovalInput) (workflow.ConcludeRemovalOutput, error) {
			enter := func(c workflow.Carrier) connection.Untagger {
				return ec2.NewFromConfig(r.Enter(in.Execution, c.Account, c.Region))
			}
			return owner.Before(ctx, r.owners, owner.Ended(in), func() (workflow.ConcludeRemovalOutput, error) {
				return peering.Conclude(ctx, r.book, enter, r.bus, r.topic, r.looks, in)
			})
		}))),
		"RefuseTransit": step(func(ctx context.Context, in workflow.RefuseTransitInput) (workflow.ConcludeOutput, error) {
			enter := func(c workflow.Carrier) connection.Untagger {
				return ec2.NewFromConfig(r.Enter(in.Execution, c.Account, c.Region))
			}
			return transit.Refuse(ctx, r.book, enter, r.bus, in)
		}),
	}
}

func (r *rehearsal) answering() map[string]runtime.Handler {
	tagger := func(execution string) func(workflow.VPC) connection.Tagger {
		return func(v workflow.VPC) connection.Tagger { return ec2.NewFromConfig(r.in(execution, v)) }
	}
	return map[string]runtime.Handler{
		"AskAgain": step(fact.With(r.book, func(ctx context.Context, in workflow.AskAgainInput) (workflow.AskAgainOutput, error) {
			return peering.AskAgain(ctx, r.book, tagger(in.Execution), r.bus, r.topic, in)
		})),
		"AskApproval": step(lease.Last(r.book, r.looks, peering.LastAnswer, fact.With(r.book, func(ctx context.Context, in workflow.ConcludeInput) (workflow.ConcludeOutput, error) {
			return peering.Ask(ctx, r.book, tagger(in.Execution), r.bus, r.topic, peering.StuckAfter(r.Patience), in)
		}))),
		"RefusePeering": step(lease.Last(r.book, r.looks, peering.LastAnswer, func(ctx context.Context, in workflow.ConcludeInput) (workflow.ConcludeOutput, error) {
			enter := func(v workflow.VPC) peering.Refuser { return ec2.NewFromConfig(r.in(in.Execution, v)) }
			return owner.After(ctx, r.owners, func() (workflow.ConcludeOutput, error) { return peering.Refuse(ctx, r.book, enter, r.bus, r.looks, in) },
				func(out workflow.ConcludeOutput) owner.News { return owner.Refused(in, out) })
		})),
		"ReportConflict": step(func(ctx context.Context, in workflow.ReportConflictInput) (workflow.ReportConflictOutput, error) {
			enter := func(v workflow.VPC) peering.Reporter { return ec2.NewFromConfig(r.in(in.Execution, v)) }
			return peering.Report(ctx, r.book, enter, in.Connection, in.Members)
		}),
		"ReportUnreadable": step(fact.With(r.book, func(ctx context.Context, in workflow.ReportUnreadableInput) (workflow.Empty, error) {
			tell := func(ctx context.Context) error { return r.owners.Tell(ctx, owner.Unread(in)) }
			return workflow.Empty{}, connection.ReportUnreadable(ctx, r.book, tagger(in.Execution), tell, in)
		})),
	}
}

func (r *rehearsal) notebooks() map[string]runtime.Handler {
	enter := func(execution string, p event.Place) notebook.APIs {
		c := r.Enter(execution, p.Account, p.Region)
		return notebook.APIs{EC2: ec2.NewFromConfig(c), SageMaker: sagemaker.NewFromConfig(c)}
	}
	inspect := notebook.Inspector{Enter: enter, Account: r.organization.Account, Policy: r.policy, Restarts: r.debts, Ended: r.keeper.Ended}.Inspect
	of := func(execution string, n workflow.Notebook) *sagemaker.Client {
		return sagemaker.NewFromConfig(r.Enter(execution, n.Account, n.Region))
	}
	return map[string]runtime.Handler{
		"InspectNotebooks": step(preview.Notebooks(r, inspect)),
		"AttachRoutes": step(func(ctx context.Context, in workflow.AttachRoutesInput) (workflow.AttachRoutesOutput, error) {
			network := r.Enter(in.Execution, in.Notebook.Network().Account, in.Notebook.Region)
			return lifecycle.Attach(ctx, of(in.Execution, in.Notebook), ec2.NewFromConfig(network), r.book, r.debts, in)
		}),
		"StopNotebook": step(func(ctx context.Context, in workflow.NotebookInput) (workflow.NotebookOutput, error) {
			return notebook.Stop(ctx, of(in.Execution, in.Notebook), r.book, in.Execution, in.Notebook)
		}),
		"StartNotebook": step(func(ctx context.Context, in workflow.NotebookInput) (workflow.NotebookOutput, error) {
			return notebook.Start(ctx, of(in.Execution, in.Notebook), in.Notebook)
		}),
	}
}
