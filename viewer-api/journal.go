package viewerapi

import "net/http"

// flushedView is the answer to a flush.
type flushedView struct {
	Recorded uint64 `json:"recorded"`
	Last     uint64 `json:"last"`
}

// flushJournal records what waits in the journal now. 503 where the store is away.
func (a *API) flushJournal(w http.ResponseWriter, r *http.Request) error {
	if err := readBody(w, r, &struct{}{}); err != nil {
		return err
	}
	recorded, last, err := a.Journal.Flush(r.Context())
	if err != nil {
		return err
	}
	return writeJSON(w, flushedView{Recorded: recorded, Last: last})
}
