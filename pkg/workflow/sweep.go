package workflow

// Sweep is the input of an execution of the Sweep machine. An empty one sweeps every account of the organization in
// every Region that Drawbridge listens to.
type Sweep struct {
	Accounts []string `json:"accounts,omitempty"`
	Regions  []string `json:"regions,omitempty"`
	// Braked is what a person decided about the removals that the brake stopped: "let through" or "dismiss". Empty: nothing.
	Braked string `json:"braked,omitempty"`
}

// ListAccountsInput asks for one page of accounts; the first page is "".
type ListAccountsInput struct {
	Execution string `json:"execution"`
	Sweep     Sweep  `json:"sweep"`
	Page      string `json:"page"`
	Tally     Tally  `json:"tally"`
}

// ListAccountsOutput is one page of accounts.
type ListAccountsOutput struct {
	Sweep    Sweep       `json:"sweep"`
	Page     string      `json:"page"` // the next one; empty if this is the last
	Tally    Tally       `json:"tally"`
	Accounts []Territory `json:"accounts"`
	Regions  []string    `json:"regions"` // to look at in each of them
}

// Territory is an account and the Regions to look at in it, which travel once for all.
type Territory struct {
	Account string   `json:"account"`
	Regions []string `json:"-"`
	// Suspended is the state of an account that is not active, such as SUSPENDED: nothing in it can be read. What is managed there is looked at
	// from elsewhere.
	Suspended string `json:"suspended,omitempty"`
}

// SweepAccountInput names the account to sweep, or to read for a rebuild of the ledger.
type SweepAccountInput struct {
	Execution string    `json:"execution"`
	Territory Territory `json:"territory"`
	Regions   []string  `json:"regions"`
}

// SweepAccountOutput says what a sweep, or a rebuild, found in one account.
type SweepAccountOutput struct {
	Account string  `json:"account"`
	Found   []Found `json:"found"`
	Closed  string  `json:"closed,omitempty"` // why the account could not be entered
	// Managed is how many connections of the ledger begin in this account: each is counted in one account.
	Managed int `json:"managed,omitempty"`
	// Barred are its Regions in which nothing could be read, because the account has not enabled them or a policy of the
	// organization denies them.
	Barred []Barred `json:"barred,omitempty"`
	// Deaf are its Regions whose events do not all reach the hub.
	Deaf []Barred `json:"deaf,omitempty"`
}

// Barred are Regions that are barred from an account, or whose events do not reach the hub, for one reason.
type Barred struct {
	Regions []string `json:"regions"`
	Why     string   `json:"why"`
}

// Found counts the things of one kind in one account, over all its Regions.
type Found struct {
	Kind      string `json:"kind"`      // "peerings"
	Seen      int    `json:"seen"`      // read
	Announced int    `json:"announced"` // those for which a look was asked
	// Unmanaged counts those that are there and were not given to Drawbridge: they are left alone. Names are the first of them.
	Unmanaged int      `json:"unmanaged,omitempty"`
	Names     []string `json:"names,omitempty"`
	// Written and Untold are of a rebuild: Seen are those that can be told to be Drawbridge's, Written those of them that the ledger did not have, and
	// Untold those that may be Drawbridge's, which nobody can tell. Names are the first of the last.
	Written int `json:"written,omitempty"`
	Untold  int `json:"untold,omitempty"`
}

// Visit is what became of the visit to one account: the answer of SweepAccount, or the error with which it failed.
type Visit struct {
	SweepAccountOutput
	// Kept says that the answer has no room among those of a page: it is a row of the ledger.
	Kept  bool   `json:"kept,omitempty"`
	Error string `json:"error,omitempty"` // its name, of fault.Kinds or of AWS
	Cause string `json:"cause,omitempty"`
}

// The room of what a sweep carries, in bytes of JSON: the answer of one visit, of a page of which it carries 20; and each list of a [Tally].
const (
	VisitSize = 600
	TallySize = 3 << 10
)

// Tally is what a sweep came to so far. It stays small however many accounts there are.
type Tally struct {
	Accounts int      `json:"accounts"` // visited
	Managed  int      `json:"managed"`  // connections that stand, as the ledger has them
	Found    []Found  `json:"found"`
	Closed   []Missed `json:"closed"`         // the first ones that could not be entered
	Barred   []Missed `json:"barred"`         // the first ones with Regions that are barred from them; all else of them was swept
	Failed   []Missed `json:"failed"`         // the first ones whose visit failed
	Deaf     []Missed `json:"deaf,omitempty"` // the first ones with Regions whose events do not all reach the hub; all else of them was swept
	// More counts those that are not named.
	More Omitted `json:"more"`
}

// Omitted counts what a [Tally] does not name.
type Omitted struct {
	Closed int `json:"closed"`
	Barred int `json:"barred"`
	Failed int `json:"failed"`
	Deaf   int `json:"deaf,omitempty"`
}

// Missed is an account that was not swept, or not wholly.
type Missed struct {
	Account string   `json:"account"`
	Regions []string `json:"regions,omitempty"` // empty: all
	Why     string   `json:"why"`
}

// TallySweepInput adds the visits of one page to what a sweep came to so far. A visit that left no answer is null, or
// not there at all.
type TallySweepInput struct {
	Execution   string      `json:"execution"`
	ExecutionID string      `json:"executionId"` // its ARN
	Sweep       Sweep       `json:"sweep"`
	Page        string      `json:"page"`
	Tally       Tally       `json:"tally"`
	Accounts    []Territory `json:"accounts"`
	Visits      []*Visit    `json:"visits"`
}

// TallySweepOutput is the input of the next page and, after the last, the output of the sweep.
type TallySweepOutput struct {
	Answer Answer `json:"answer"` // more; after the last page Swept or PartlySwept, of a rebuild Rebuilt or PartlyRebuilt
	Sweep  Sweep  `json:"sweep"`
	Page   string `json:"page"`
	Tally  Tally  `json:"tally"`
	// Reason says in one sentence, after the last page, why a sweep or a rebuild is only a part of one.
	Reason string `json:"reason,omitempty"`
}
