package intake

import (
	"bytes"
	"errors"
	"io"
	"net/http"
)

const (
	// smallBody is what any request may take of the memory without asking. A device's message has 1 to 4 kB.
	smallBody = 64 << 10
	// largeBodies is what all larger bodies that are under way may take together, so that nobody who reaches the listener can
	// use up the memory.
	largeBodies = 64 << 20
)

// errCrowded says that too many large bodies are under way.
var errCrowded = errors.New("too many large bodies are under way")

// readBody reads the whole body within the bound of its sort: a JSON array may hold many messages and may be larger. done must
// be called when the body is no longer used.
func (in *Intake) readBody(r *http.Request) (body []byte, done func(), err error) {
	if n := r.ContentLength; n >= 0 && n <= min(smallBody, in.opts.BodyBytes) {
		body = make([]byte, n)
		_, err = io.ReadFull(r.Body, body)
		return body, func() {}, err
	}
	if r.ContentLength > in.opts.ArrayBodyBytes {
		return nil, func() {}, &http.MaxBytesError{Limit: in.opts.ArrayBodyBytes}
	}
	var buf bytes.Buffer
	if err := fill(&buf, r.Body, smallBody); err != nil {
		return nil, func() {}, err
	}
	limit := in.opts.BodyBytes
	if isArray(buf.Bytes()) {
		limit = in.opts.ArrayBodyBytes
	}
	done = func() {}
	if buf.Len() == smallBody && limit > smallBody {
		if !in.large.TryAcquire(limit) {
			return nil, done, errCrowded
		}
		done = func() { in.large.Release(limit) }
	}
	if err := fill(&buf, r.Body, limit+1-int64(buf.Len())); err != nil {
		return nil, done, err
	}
	if int64(buf.Len()) > limit {
		return nil, done, &http.MaxBytesError{Limit: limit}
	}
	return buf.Bytes(), done, nil
}

// fill reads so many bytes, or fewer where the body ends.
func fill(buf *bytes.Buffer, body io.Reader, n int64) error {
	if n <= 0 {
		return nil
	}
	if _, err := io.CopyN(buf, body, n); err != nil && !errors.Is(err, io.EOF) {
		return err
	}
	return nil
}

func isArray(start []byte) bool {
	start = bytes.TrimLeft(start, " \t\r\n\ufeff")
	return len(start) > 0 && start[0] == '['
}
