// Package stories plays Drawbridge's stories on the local engine: real
// templates, machines, functions and AWS calls, from the one call that somebody
// makes to what is true in the accounts afterwards.
//
// Each story is an entry of a table and leaves a golden text in docs/stories.
// `go test ./pkg/local/stories -update` rewrites those texts.
//
// The same stories are played for every fault that may strike one of their AWS
// calls, and each run is held to the end of the undisturbed one; see
// [TestFaults]. Other tests deliver events twice, late, out of order and all at
// once. `go test` plays a sample that is the same every time; with
// DRAWBRIDGE_FAULTS=all, or `make faults`, it plays all.
package stories
