package ledger

import (
	"context"
	"log/slog"
	"path/filepath"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"halley"
	"halley/config"
	"halley/server/mail"
	"halley/storage"
	form "halley/storage/ledger"
	"halley/storage/ledger/verify"
)

// Store is the database; storage.Store has these methods. Its calls must not hang.
type Store interface {
	storage.Ledger
	storage.Proofs
	storage.Leases
	RollupStore
}

// Mailer sends e-mail; *mail.Sender does.
type Mailer interface {
	Send(ctx context.Context, m mail.Message) error
}

// Options configure a Ledger. Its functions must not wait.
type Options struct {
	Node, Version string
	Keys          *Keys
	// Trusted gives the public keys by which checkpoints are checked, besides this node's.
	Trusted func() ([]form.Key, error)
	Store   Store
	Config  config.Ledger
	Mailer  Mailer
	// Folder is the data folder with the journal; a copy of the newest checkpoint lies there. Write writes a file in it for its owner alone.
	Folder string
	Write  func(name string, data []byte) error
	// Uploads says how many uploads wait for an acknowledgement now, Busy that the recorder has a batch's worth to record.
	Uploads func() int
	Busy    func() bool
	Log     *slog.Logger
}

// Ledger keeps the proof. Run is called once, and Stop after it; the other methods may be called at any time.
type Ledger struct {
	opts    Options
	results *results
	places  []*place

	mu sync.Mutex
	// newest is this node's newest checkpoint since the start.
	newest form.Checkpoint
	// setBack says that the store or the journal was found set back since the start.
	setBack bool

	verifier *verifier
	// verify is verify.Run; tests put another in its place.
	verify func(ctx context.Context, o verify.Options) (verify.Result, error)
	// soon asks for a checkpoint at once.
	soon chan struct{}
}

// New makes a Ledger.
func New(opts Options) *Ledger {
	l := &Ledger{opts: opts, results: newResults(opts.Store, opts.Log), verify: verify.Run, soon: make(chan struct{}, 1)}
	for _, p := range opts.Config.Places() {
		l.places = append(l.places, newPlace(l, p))
	}
	l.verifier = newVerifier(l)
	return l
}

// Run works until ctx ends.
func (l *Ledger) Run(ctx context.Context) error {
	g, ctx := errgroup.WithContext(ctx)
	parts := []func(context.Context){l.results.run, l.checkpoints, l.verifier.run}
	for _, p := range l.places {
		parts = append(parts, p.run)
	}
	for _, part := range parts {
		g.Go(func() error {
			part(ctx)
			return nil
		})
	}
	return g.Wait()
}

// by says who does what this part does.
func by(why string) halley.Change {
	return halley.Change{Actor: halley.Actor{Kind: "program", Name: "ledger"}, At: now(), Why: why}
}

func now() halley.Millis { return halley.MillisOf(time.Now()) }

func (l *Ledger) copyPath() string { return filepath.Join(l.opts.Folder, CopyName(l.opts.Node)) }

// retry is how long to wait after so many failures in a row.
func retry(failures int, first, longest time.Duration) time.Duration {
	return min(first<<min(failures, 16), longest)
}

// sleep waits so long; it gives false where ctx ended.
func sleep(ctx context.Context, d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-t.C:
		return true
	}
}
