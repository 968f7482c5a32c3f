package viewerapi

import "net/http"

// unrecognizedView is what no family recognized.
type unrecognizedView struct {
	Count  int64              `json:"count"`
	Bodies []unrecognizedBody `json:"bodies"`
}

// unrecognizedBody is one body that no family recognized.
type unrecognizedBody struct {
	ReceivedAt Time   `json:"received_at"`
	Reason     string `json:"reason"`
	Bytes      int    `json:"bytes"`
	Body       string `json:"body"`
}

// listUnrecognized gives the last bodies that no family recognized.
func (a *API) listUnrecognized(w http.ResponseWriter, r *http.Request) error {
	count, bodies, err := a.Uploads.Unrecognized(r.Context())
	if err != nil {
		return err
	}
	if err := a.noteView(r, "unrecognized bodies", ""); err != nil {
		return err
	}
	v := unrecognizedView{Count: count, Bodies: make([]unrecognizedBody, 0, len(bodies))}
	for i := range bodies {
		b := &bodies[i]
		v.Bodies = append(v.Bodies, unrecognizedBody{ReceivedAt: Time(b.ReceivedAt), Reason: b.Note, Bytes: b.Bytes, Body: b.Body})
	}
	return writeJSON(w, v)
}
