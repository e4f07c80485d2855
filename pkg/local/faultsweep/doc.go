// Package faultsweep plays the main story once for every fault that may strike
// one of its AWS calls, and holds each run to the end of the undisturbed one.
//
// It also delivers events twice, late, out of order and all at once.
//
// It has only tests. `go test ./pkg/local/faultsweep` plays a sample that is the
// same every time; with DRAWBRIDGE_FAULTS=all, or `make faults`, it plays all.
package faultsweep
