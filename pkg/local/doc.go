// Package local is the whole of Drawbridge on one machine: no AWS account, no
// containers.
//
// An [Engine] starts an emulation of the AWS APIs (moto, with the extension in
// the folder moto) and puts a front door before it, one HTTP endpoint on a
// loopback address for every AWS client. The front door
//
//   - tells accounts apart: an access key id of twelve digits is that account,
//     the keys of an assumed role belong to the role's account;
//   - runs the compiled functions when the state machine invokes them (package
//     lambdahost), and passes everything else on;
//   - deploys the templates that the CDK app synthesizes: the hub's at the start,
//     a member's when its account is first used in a Region;
//   - records every AWS call that Drawbridge makes (package awscall), makes calls
//     fail when a test asks for it, and lets the story be told (package story).
//
// What runs is what would be deployed: the same templates, machines, functions
// and policies. Only AWS is emulated.
package local
