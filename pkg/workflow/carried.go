package workflow

import (
	"cmp"
	"encoding/json"
	"net/netip"
	"slices"
)

// carriedTable is a [Table] as it travels: its plain routes by their targets, so that 1,000 routes, as many as a table may have, take some 20 KB.
// https://docs.aws.amazon.com/vpc/latest/userguide/amazon-vpc-limits.html
type carriedTable struct {
	Table
	Routes []Route `json:"routes,omitempty"` // of which more is to be said than where they lead
	To     []leads `json:"to,omitempty"`
}

type leads struct {
	Target       string         `json:"target"`
	Destinations []netip.Prefix `json:"destinations"`
}

// plain is an [AddRoutesOutput] without its methods.
type plain AddRoutesOutput

// MarshalJSON implements [json.Marshaler].
func (o AddRoutesOutput) MarshalJSON() ([]byte, error) {
	out := struct {
		plain
		Tables []carriedTable `json:"tables"`
	}{plain: plain(o)}
	if o.Tables != nil {
		out.Tables = []carriedTable{}
	}
	for _, t := range o.Tables {
		c := carriedTable{Table: t}
		for _, r := range t.Routes {
			if r != (Route{Destination: r.Destination, Target: r.Target}) {
				c.Routes = append(c.Routes, r)
				continue
			}
			n := slices.IndexFunc(c.To, func(l leads) bool { return l.Target == r.Target })
			if n < 0 {
				n = len(c.To)
				c.To = append(c.To, leads{Target: r.Target})
			}
			c.To[n].Destinations = append(c.To[n].Destinations, r.Destination)
		}
		out.Tables = append(out.Tables, c)
	}
	return json.Marshal(out)
}

// UnmarshalJSON implements [json.Unmarshaler].
func (o *AddRoutesOutput) UnmarshalJSON(text []byte) error {
	var in struct {
		plain
		Tables []carriedTable `json:"tables"`
	}
	if err := json.Unmarshal(text, &in); err != nil {
		return err
	}
	*o = AddRoutesOutput(in.plain)
	if in.Tables != nil {
		o.Tables = []Table{}
	}
	for _, c := range in.Tables {
		c.Table.Routes = c.Routes
		for _, l := range c.To {
			for _, d := range l.Destinations {
				c.Table.Routes = append(c.Table.Routes, Route{Destination: d, Target: l.Target})
			}
		}
		slices.SortStableFunc(c.Table.Routes, func(a, b Route) int {
			return cmp.Or(a.Destination.Compare(b.Destination), cmp.Compare(a.Target, b.Target))
		})
		o.Tables = append(o.Tables, c.Table)
	}
	return nil
}
