package ledgertest_test

import (
	"testing"

	"github.com/drawbridge-cloud/drawbridge/pkg/ledger/ledgertest"
)

func TestMemory(t *testing.T) { ledgertest.Examples(t, &ledgertest.Memory{}, "") }
