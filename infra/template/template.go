// Package template holds what the CDK app synthesizes, as plain files: the templates that the local engine deploys and
// that people read and compare, and each machine in readable form.
//
// They are written by `go test ./infra -update` and held equal to the app's output by the same test, so what runs
// locally is what runs in AWS. Only what says nothing about Drawbridge is changed on the way: the hash of a function's
// code is its name, and the notes that tools leave in a template's metadata are gone.
package template

import _ "embed"

// Hub is the CloudFormation template of the hub account.
// Its parameters are OrganizationId and ExternalId.
//
//go:embed hub.template.json
var Hub string

// Member is the CloudFormation template of a member account in one Region. Its parameters are HubAccount, HubBusArn,
// OrganizationId, ExternalId and HomeRegion.
//
//go:embed member.template.json
var Member string

// Organization is the CloudFormation template with the StackSet that carries [Member] into the organization's accounts. The engine does
// without; a release is made from it.
//
//go:embed organization.template.json
var Organization string

// Peering is the machine drawbridge-peering in Amazon States Language. Where the template has the ARN of a function,
// it has the name of the state in ${…}.
//
//go:embed peering.asl.json
var Peering string

// Notebook is the machine drawbridge-notebook, written like [Peering].
//
//go:embed notebook.asl.json
var Notebook string

// Transit is the machine drawbridge-transit, written like [Peering].
//
//go:embed transit.asl.json
var Transit string

// Change is the machine drawbridge-change, written like [Peering].
//
//go:embed change.asl.json
var Change string

// Attachment is the machine drawbridge-attachment, written like [Peering].
//
//go:embed attachment.asl.json
var Attachment string

// Share is the machine drawbridge-share, written like [Peering].
//
//go:embed share.asl.json
var Share string

// Studio is the machine drawbridge-studio, written like [Peering].
//
//go:embed studio.asl.json
var Studio string

// PrivateNotebooks is the machine drawbridge-private-notebooks, written like [Peering].
//
//go:embed private-notebooks.asl.json
var PrivateNotebooks string

// Sweep is the machine drawbridge-sweep, written like [Peering].
//
//go:embed sweep.asl.json
var Sweep string

// Rebuild is the machine drawbridge-rebuild, written like [Peering].
//
//go:embed rebuild.asl.json
var Rebuild string

// DataAPIEndpoint is the machine drawbridge-data-api-endpoint, written like [Peering].
//
//go:embed data-api-endpoint.asl.json
var DataAPIEndpoint string

// DataAPI is the machine drawbridge-data-api, written like [Peering].
//
//go:embed data-api.asl.json
var DataAPI string
