package viewerapi

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/klauspost/compress/gzip"

	"halley/server/directory"
)

const (
	// sharedFor is how long an answer is given to others as it was made: hundreds of pages ask for the same within a moment, after each
	// change of devices. The directory by which it was made is the newest all that time.
	sharedFor = 2 * time.Second
	// mostShared bounds how many answers are kept, sharedQuery how long the query of one may be, in bytes.
	mostShared, sharedQuery = 8, 256
)

// sharedAnswers are lists for callers who may see all of them, made and compressed once. Their zero value is ready.
type sharedAnswers struct {
	mu   sync.Mutex
	at   time.Time
	kept map[string]*sharedAnswer
}

// sharedAnswer is one of them; body makes it at its first use.
type sharedAnswer struct {
	body   func() ([]byte, error)
	once   sync.Once
	tag    string
	packed []byte
	err    error
}

// of gives the answer to a request, which body makes where there is none.
func (s *sharedAnswers) of(r *http.Request, body func() ([]byte, error)) *sharedAnswer {
	s.mu.Lock()
	defer s.mu.Unlock()
	if now := time.Now(); s.kept == nil || now.Sub(s.at) >= sharedFor || now.Before(s.at) {
		s.at, s.kept = now, map[string]*sharedAnswer{}
	}
	key := r.URL.Path + "?" + r.URL.RawQuery
	if known := s.kept[key]; known != nil {
		return known
	}
	a := &sharedAnswer{body: body}
	if len(s.kept) < mostShared && len(key) <= sharedQuery {
		s.kept[key] = a
	}
	return a
}

// made gives the answer's tag and its compressed body.
func (a *sharedAnswer) made() (tag string, packed []byte, err error) {
	a.once.Do(func() {
		body, err := a.body()
		if err != nil {
			a.err = err
			return
		}
		a.tag, a.body = tagOf(body), nil
		var b bytes.Buffer
		z := gzip.NewWriter(&b)
		_, _ = z.Write(body) // a buffer takes all
		_ = z.Close()
		a.packed = bytes.Clone(b.Bytes())
	})
	return a.tag, a.packed, a.err
}

// tagOf gives the tag of a body. It is weak, for the same body is sent compressed and as it is.
func tagOf(body []byte) string {
	sum := sha256.Sum256(body)
	return `W/"` + hex.EncodeToString(sum[:12]) + `"`
}

// writeForAll answers with a list that is the same for everybody who may see all of it by a state of the directory.
func (a *API) writeForAll(w http.ResponseWriter, r *http.Request, state *directory.State, list func() any) error {
	body := func() ([]byte, error) { return json.Marshal(list()) }
	if !takesGzip(r) {
		return writeTagged(w, r, body)
	}
	tag, packed, err := a.tree.of(state).answers.of(r, body).made()
	if err != nil || isKnown(w, r, tag) {
		return err
	}
	w.Header().Set("Content-Encoding", "gzip")
	return writeBody(w, "application/json", packed)
}

// writeTagged answers with a body, or, where the caller has it already, that it is the same.
func writeTagged(w http.ResponseWriter, r *http.Request, made func() ([]byte, error)) error {
	body, err := made()
	if err != nil || isKnown(w, r, tagOf(body)) {
		return err
	}
	return writeBody(w, "application/json", body)
}

// isKnown sets the tag of an answer, and says by 304 that the caller knows it where that is so.
func isKnown(w http.ResponseWriter, r *http.Request, tag string) bool {
	w.Header().Set("ETag", tag)
	for known := range strings.SplitSeq(r.Header.Get("If-None-Match"), ",") {
		if strings.TrimPrefix(strings.TrimSpace(known), "W/") == strings.TrimPrefix(tag, "W/") {
			w.Header().Set("Cache-Control", "no-store")
			w.WriteHeader(http.StatusNotModified)
			return true
		}
	}
	return false
}

// takesGzip says whether the caller takes an answer that is compressed.
func takesGzip(r *http.Request) bool {
	for coding := range strings.SplitSeq(r.Header.Get("Accept-Encoding"), ",") {
		name, weight, _ := strings.Cut(strings.TrimSpace(coding), ";")
		if strings.EqualFold(strings.TrimSpace(name), "gzip") {
			return strings.Trim(strings.TrimPrefix(strings.TrimSpace(weight), "q="), "0.") != "" || weight == ""
		}
	}
	return false
}
