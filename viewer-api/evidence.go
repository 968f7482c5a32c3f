package viewerapi

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"time"

	"halley"
)

const (
	// evidenceAtOnce is how many files of evidence are made at one time, evidenceWithin how long one may take.
	evidenceAtOnce = 2
	evidenceWithin = 30 * time.Minute
)

// Evidence makes the file that answers for a place over a period.
type Evidence interface {
	// Evidence gathers what the file says; NotFound where there is no such place.
	Evidence(ctx context.Context, r EvidenceRequest) (EvidenceFile, error)
}

// EvidenceRequest says what to make.
type EvidenceRequest struct {
	Place    halley.PlaceID
	From, To halley.Millis
	// Change says who asks and when.
	Change halley.Change
}

// EvidenceFile is a file that can be written once.
type EvidenceFile interface {
	// FileName is safe on every system and in a header.
	FileName() string
	// Write writes the whole file, reading as it goes.
	Write(ctx context.Context, w io.Writer) error
}

// getEvidence makes the file of evidence of a place. 404 where the place is not there; 429 where others are being made.
func (a *API) getEvidence(w http.ResponseWriter, r *http.Request) error {
	q := newQuery(r, "from", "to")
	now := halley.MillisOf(time.Now())
	from, to := q.span(now)
	if q.err != nil {
		return q.err
	}
	id, err := pathID(r)
	if err != nil {
		return err
	}
	select {
	case a.evidence <- struct{}{}:
		defer func() { <-a.evidence }()
	default:
		return &halley.Error{
			Kind: halley.TooMany, Op: "make a file of evidence", Code: "evidence-busy",
			Message: "others are being made: wait until they are done and try again",
		}
	}
	ctx, cancel := context.WithTimeout(r.Context(), evidenceWithin)
	defer cancel()
	connection := http.NewResponseController(w)
	if err := unhurried(connection); err != nil {
		return err
	}
	if err := allow(connection, evidenceWithin); err != nil {
		return err
	}
	file, err := a.Evidence.Evidence(ctx, EvidenceRequest{Place: halley.PlaceID(id), From: from, To: to, Change: change(r, now, "")})
	if err != nil {
		return err
	}
	if err := a.noteAct(r, "evidence.make", fmt.Sprintf("place %d", id), fmt.Sprintf(`{"from":%q,"to":%q}`, from, to)); err != nil {
		return err
	}
	h := w.Header()
	h.Set("Content-Type", "application/zip")
	h.Set("Content-Disposition", fmt.Sprintf("attachment; filename=%q", file.FileName()))
	h.Set("Cache-Control", "no-store")
	if err := file.Write(ctx, pacedWriter{w, connection}); err != nil {
		return &begunError{cause: err}
	}
	return nil
}

// pacedWriter gives each write its own time.
type pacedWriter struct {
	to         http.ResponseWriter
	connection *http.ResponseController
}

// Write writes p.
func (p pacedWriter) Write(b []byte) (int, error) {
	if err := allow(p.connection, pageDeadline); err != nil {
		return 0, err
	}
	n, err := p.to.Write(b)
	if err == nil {
		// What is read next may take long: its own time begins with the next write.
		err = allow(p.connection, evidenceWithin)
	}
	return n, err
}
