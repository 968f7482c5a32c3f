package viewerapi

import (
	"fmt"
	"net/http"

	"halley"
	"halley/server/directory"
	"halley/server/quarantine"
)

// uploadView is an upload as it was received.
type uploadView struct {
	ReceivedAt  Time               `json:"received_at"`
	Family      halley.Family      `json:"family"`
	Bytes       int                `json:"bytes"`
	Body        string             `json:"body"`
	Quarantined bool               `json:"quarantined"`
	Reason      *quarantine.Reason `json:"reason"`
}

// getLastUpload gives the newest upload of a device as it was received, its secrets replaced. 404 where the device is not
// there or has sent nothing that is kept, or nothing since it came to where the caller may see what devices sent.
func (a *API) getLastUpload(w http.ResponseWriter, r *http.Request) error {
	d, err := a.pathDevice(r)
	if err != nil {
		return err
	}
	u, err := a.Uploads.LastUpload(r.Context(), d.DeviceKey)
	if err != nil {
		return err
	}
	if !seesUpload(rightsOf(r), d.ID, u.ReceivedAt) {
		return &halley.Error{Kind: halley.NotFound, Op: "read the last upload", Message: "nothing came of this device since it is here"}
	}
	if err := a.noteView(r, fmt.Sprintf("device %d", d.ID), `{"which":"last upload"}`); err != nil {
		return err
	}
	v := uploadView{ReceivedAt: Time(u.ReceivedAt), Family: u.Family, Bytes: u.Bytes, Body: u.Body}
	if u.Reason != "" {
		v.Quarantined, v.Reason = true, &u.Reason
	}
	return writeJSON(w, v)
}

// seesUpload says whether an upload that a device sent at an instant may be seen: the device was then where the permission is held.
func seesUpload(rights directory.Rights, device halley.DeviceID, at halley.Millis) bool {
	return len(deviceSpans(rights, halley.PermitUploadRead, device, halley.Span{From: at, To: at + 1})) > 0
}
