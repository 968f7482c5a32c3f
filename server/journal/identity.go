package journal

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"time"

	"halley"
	"halley/server/durable"
)

const (
	// identityName is the file that says by which id the journal goes, where that is not the one it began with.
	identityName = "journal-identity.json"
	// identityFormat is the version of that file.
	identityFormat = 1
	// keptRenewals is how many changes of the id are kept in it, for people.
	keptRenewals = 100

	opRenew = "give the journal a new identity"
)

var idForm = regexp.MustCompile(`^[0-9a-f]{32}$`)

// identity is the content of the file identityName. It stands apart from the journal's files, which keep the id that the journal
// began with, so that a change of the id is one rename: there is no moment at which two ids are mixed. Where the file is lost the
// journal goes by its first id again; its recorder then finds out as it did before.
type identity struct {
	Format int `json:"format"`
	// Origin is the id in the journal's files: the file counts only for those.
	Origin   string    `json:"origin"`
	ID       string    `json:"id"`
	Renewals []renewal `json:"renewals"`
}

// renewal is one change of the id.
type renewal struct {
	At  string `json:"at"`
	Old string `json:"old"`
	New string `json:"new"`
	Why string `json:"why"`
}

// newID gives a random id.
func newID() (string, error) {
	id := make([]byte, 16)
	if _, err := rand.Read(id); err != nil {
		return "", fmt.Errorf("making the journal's id: %w", err)
	}
	return hex.EncodeToString(id), nil
}

// readIdentity gives by which id the journal goes whose files carry origin, and removes what an interrupted Renew left.
func readIdentity(ctx context.Context, options *Options, origin string) (identity, error) {
	own := identity{Format: identityFormat, Origin: origin, ID: origin}
	path := filepath.Join(options.Dir, identityName)
	_ = os.Remove(path + newSuffix) // what cannot be removed is written over by the next Renew, or stops that
	content, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return own, nil
	}
	if err != nil {
		return identity{}, fmt.Errorf("reading the journal's identity: %w", err)
	}
	var i identity
	err = json.Unmarshal(content, &i)
	switch {
	case err == nil && i.Format > identityFormat:
		return identity{}, &halley.Error{
			Kind: halley.Unavailable, Op: opOpen, Code: "journal-newer",
			Message: fmt.Sprintf("%s has format %d and this program knows %d: start the version that wrote it", path, i.Format, identityFormat),
		}
	case err != nil || !idForm.MatchString(i.ID):
		options.Log.LogAttrs(ctx, slog.LevelError, "the file with the journal's identity cannot be read; the journal goes by its first one",
			slog.String("file", path), slog.String("id", origin), slog.Any("error", err))
		return own, nil
	case i.Origin != origin:
		options.Log.LogAttrs(ctx, slog.LevelWarn, "the file with the journal's identity belongs to another journal; remove it",
			slog.String("file", path), slog.String("id", origin))
		return own, nil
	}
	return i, nil
}

// Renew gives the journal a new random id, for good: the same entries under the same sequence numbers and hashes, as another
// journal. It is for a journal whose id another one uses as well, because a machine was cloned or a disk restored. why is kept
// beside the id, and noted in the journal as an event; where that cannot be written the id is new all the same. Unavailable where
// the id cannot be kept: then it stays as it is, at most until the next Open.
func (j *Journal) Renew(ctx context.Context, why string) (oldID, freshID string, err error) {
	j.renewing.Lock()
	defer j.renewing.Unlock()
	if j.isClosed() {
		return "", "", errClosed(opRenew)
	}
	freshID, err = newID()
	if err != nil {
		return "", "", &halley.Error{Kind: halley.Internal, Op: opRenew, Err: err}
	}
	j.mu.Lock()
	next := j.identity
	j.mu.Unlock()
	oldID = next.ID
	next.ID = freshID
	step := renewal{At: halley.MillisOf(time.Now()).String(), Old: oldID, New: freshID, Why: why}
	next.Renewals = append(slices.Clone(next.Renewals[max(len(next.Renewals)-keptRenewals+1, 0):]), step)
	if err := writeIdentity(j.options.Dir, &next); err != nil {
		return "", "", renewError(err)
	}
	j.mu.Lock()
	j.identity = next
	j.mu.Unlock()
	if err := j.noteRenewal(ctx, &step); err != nil {
		j.log.LogAttrs(ctx, slog.LevelWarn, "the journal's new identity could not be noted in it", slog.Any("error", err))
	}
	return oldID, freshID, nil
}

func (j *Journal) noteRenewal(ctx context.Context, r *renewal) error {
	body, err := json.Marshal(struct {
		Event string `json:"event"`
		Old   string `json:"old"`
		New   string `json:"new"`
		Why   string `json:"why"`
	}{"journal-renewed", r.Old, r.New, r.Why})
	if err != nil {
		return fmt.Errorf("describing the journal's new identity: %w", err)
	}
	_, err = j.Append(ctx, Entry{Kind: Event, Body: body})
	return err
}

// writeIdentity replaces the file in one step, and returns when it is on stable storage.
func writeIdentity(dir string, i *identity) error {
	content, err := json.MarshalIndent(i, "", "  ")
	if err != nil {
		return fmt.Errorf("describing the journal's identity: %w", err)
	}
	path := filepath.Join(dir, identityName)
	f, err := os.OpenFile(path+newSuffix, os.O_CREATE|os.O_TRUNC|os.O_WRONLY, 0o600)
	if err != nil {
		return fmt.Errorf("writing the journal's identity: %w", err)
	}
	_, err = f.Write(append(content, '\n'))
	if err == nil {
		err = f.Sync()
	}
	if err = errors.Join(err, f.Close()); err == nil {
		err = os.Rename(path+newSuffix, path)
	}
	if err != nil {
		_ = os.Remove(path + newSuffix) // it is no use; the next Open removes what stays
		return fmt.Errorf("writing the journal's identity: %w", err)
	}
	return durable.SyncFolder(dir)
}

func renewError(err error) error {
	e := &halley.Error{
		Kind: halley.Unavailable, Op: opRenew, Code: "journal-failing", Message: "the journal's folder cannot be written", Err: err,
	}
	if severityOf(err) == diskFull {
		e.Code, e.Message = "journal-full", "the journal's disk is full"
	}
	return e
}
