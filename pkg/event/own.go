package event

import "encoding/json"

// own are Drawbridge's own events, by their detail-type, each with what reads it: strictly, since only Drawbridge sends it.
var own = map[string]func(Event, json.RawMessage) (Event, error){
	ToInspect:                 toInspect,
	NotebookToInspect:         notebookToInspect,
	NotebookToRestart:         notebookToRestart,
	StudioToInspect:           studioToInspect,
	ShareToInspect:            shareToInspect,
	AttachmentToInspect:       attachmentToInspect,
	TransitToInspect:          transitToInspect,
	DataAPIToInspect:          dataAPIToInspect,
	DataAPIEndpointToInspect:  dataAPIEndpointToInspect,
	PrivateNotebooksToInspect: privateNotebooksToInspect,
	ContestToReport:           contestToReport,
	FailureToReport:           failureToReport,
}

// Own reports whether a detail-type is that of one of Drawbridge's own events.
func Own(detailType string) bool { return own[detailType] != nil }

// DetailType returns the detail-type of the event.
func (Inspection) DetailType() string { return ToInspect }

// DetailType returns the detail-type of the event.
func (NotebookInspection) DetailType() string { return NotebookToInspect }

// DetailType returns the detail-type of the event.
func (NotebookRestart) DetailType() string { return NotebookToRestart }

// DetailType returns the detail-type of the event.
func (StudioInspection) DetailType() string { return StudioToInspect }

// DetailType returns the detail-type of the event.
func (ShareInspection) DetailType() string { return ShareToInspect }

// DetailType returns the detail-type of the event.
func (AttachmentInspection) DetailType() string { return AttachmentToInspect }

// DetailType returns the detail-type of the event.
func (TransitInspection) DetailType() string { return TransitToInspect }

// DetailType returns the detail-type of the event.
func (DataAPIInspection) DetailType() string { return DataAPIToInspect }

// DetailType returns the detail-type of the event.
func (DataAPIEndpointInspection) DetailType() string { return DataAPIEndpointToInspect }

// DetailType returns the detail-type of the event.
func (PrivateNotebooksInspection) DetailType() string { return PrivateNotebooksToInspect }
