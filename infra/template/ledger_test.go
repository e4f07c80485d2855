package template

import (
	"reflect"
	"slices"
	"strings"
	"testing"
)

// The ledger is the one thing of the hub that cannot be made anew: nobody deletes it by the way, and each second of the last 35 days can be restored.
func TestTheLedgerIsKept(t *testing.T) {
	tables := 0
	for id, r := range read(t, Hub).Resources {
		if r.Type != "AWS::DynamoDB::Table" {
			continue
		}
		tables++
		for property, want := range map[string]any{
			"DeletionProtectionEnabled":        true,
			"PointInTimeRecoverySpecification": map[string]any{"PointInTimeRecoveryEnabled": true, "RecoveryPeriodInDays": 35.0},
			"BillingMode":                      "PAY_PER_REQUEST",
			// Not on means that the key is AWS's own: there is no table without encryption.
			// https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/EncryptionAtRest.html
			"SSESpecification":        map[string]any{"SSEEnabled": false},
			"TimeToLiveSpecification": map[string]any{"AttributeName": "expires", "Enabled": true},
		} {
			if got := r.Properties[property]; !reflect.DeepEqual(got, want) {
				t.Errorf("%s of %s is %v, want %v", property, id, got, want)
			}
		}
		if r.DeletionPolicy != "Retain" || r.UpdateReplacePolicy != "Retain" {
			t.Errorf("%s goes with the stack: %q, %q", id, r.DeletionPolicy, r.UpdateReplacePolicy)
		}
	}
	if tables != 1 {
		t.Errorf("the hub has %d tables", tables)
	}
}

// Who uses the ledger reads and writes rows of that one table, by its key, and can do nothing to the table. Nobody in a member knows of it.
func TestTheLedgerIsUsedAndNotChanged(t *testing.T) {
	const table = "arn:${AWS::Partition}:dynamodb:${AWS::Region}:${AWS::AccountId}:table/${LedgerTable}"
	reads, writes := []string{"dynamodb:BatchGetItem", "dynamodb:Query"}, []string{"dynamodb:DeleteItem", "dynamodb:PutItem"}
	all, _ := grants(t, read(t, Hub))
	readers, writers := 0, 0
	for _, s := range all {
		if !slices.ContainsFunc(s.actions, func(a string) bool { return strings.HasPrefix(a, "dynamodb:") }) {
			continue
		}
		switch {
		case !slices.Equal(s.resources, []string{table}):
			t.Errorf("%s may call %v on %v", s.role, s.actions, s.resources)
		case slices.Equal(s.actions, reads):
			readers++
		case slices.Equal(s.actions, slices.Concat(reads, writes)):
			writers++
		default:
			t.Errorf("%s may call %v", s.role, s.actions)
		}
	}
	if readers == 0 || writers < 20 {
		t.Errorf("%d functions read the ledger alone, and %d write it", readers, writers)
	}
	all, _ = grants(t, read(t, Member))
	for _, s := range all {
		for _, a := range s.actions {
			if strings.HasPrefix(a, "dynamodb:") {
				t.Errorf("in members %s may call %s", s.role, a)
			}
		}
	}
}
