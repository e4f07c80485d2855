// Package stories plays Drawbridge's stories on the local engine: real
// templates, machines, functions and AWS calls, from the one call that somebody
// makes to what is true in the accounts afterwards.
//
// Each story is an entry of a table and leaves a golden text in docs/stories.
// `go test ./pkg/local/stories -update` rewrites those texts.
package stories
