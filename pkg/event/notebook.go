package event

import "encoding/json"

// NotebookToInspect is the detail-type of Drawbridge's own event that a notebook instance wants a look.
const NotebookToInspect = "Notebook To Inspect"

// NotebookInspection is the detail of Drawbridge's own event [NotebookToInspect]: about one notebook instance, or about all whose subnets use a route table.
type NotebookInspection struct {
	Account    string `json:"account"`
	Region     string `json:"region"`
	Notebook   string `json:"notebookInstanceName,omitempty"`
	RouteTable string `json:"routeTableId,omitempty"`
	Reason     string `json:"reason"`
}

// notebookToInspect reads Drawbridge's own event, strictly: only Drawbridge sends it.
func notebookToInspect(out Event, detail json.RawMessage) (Event, error) {
	var d NotebookInspection
	if err := strictly(detail, &d); err != nil {
		return Event{}, err
	}
	where, err := place(d.Account, d.Region)
	if err != nil {
		return Event{}, err
	}
	if d.RouteTable != "" && d.Notebook == "" {
		if !tableForm.MatchString(d.RouteTable) {
			return Event{}, invalid("detail.routeTableId %q is not a route table's id", clip(d.RouteTable))
		}
		out.Kind, out.Place, out.RouteTableID = Routes, where, d.RouteTable
		return out, nil
	}
	if d.RouteTable != "" || !notebookForm.MatchString(d.Notebook) {
		return Event{}, invalid("detail.notebookInstanceName %q is not a notebook's name", clip(d.Notebook))
	}
	out.Kind, out.Place, out.NotebookName = Notebook, where, d.Notebook
	return out, nil
}

// Restart is the kind of event that a notebook instance is owed a restart.
const Restart Kind = "restart"

// NotebookToRestart is the detail-type of Drawbridge's own event that a notebook instance is owed a restart, which the ledger says.
const NotebookToRestart = "Notebook To Restart"

// NotebookRestart is the detail of Drawbridge's own event [NotebookToRestart].
type NotebookRestart NotebookInspection

// notebookToRestart reads Drawbridge's own event, strictly: only Drawbridge sends it.
func notebookToRestart(out Event, detail json.RawMessage) (Event, error) {
	out, err := notebookToInspect(out, detail)
	if err == nil && out.Kind != Notebook {
		err = invalid("detail names no notebook")
	}
	if err == nil {
		out.Kind = Restart
	}
	return out, err
}
