package maintenance_test

import (
	"context"
	"log/slog"
	"strconv"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"halley"
	"halley/server/completeness"
	"halley/server/maintenance"
	"halley/storage"
)

// database is what servers share: one lease, their rows, marks and days. It also says whether two worked at a time.
type database struct {
	completeness.Series
	mu    sync.Mutex
	nodes map[string]storage.Node
	lease storage.Lease
	marks int
	due   []storage.DeviceDay
	// rolled and counted say who did pieces of work, under which fence.
	rolled  []string
	counted []storage.DayCount
	// stays are days that stay due whatever is put.
	stays  bool
	fail   func(op string) error
	counts map[string]int
}

func newDatabase() *database {
	return &database{nodes: map[string]storage.Node{}, counts: map[string]int{}}
}

func (d *database) enter(op string) error {
	d.mu.Lock()
	d.counts[op]++
	if d.fail != nil {
		return d.fail(op)
	}
	return nil
}

func (d *database) Attend(_ context.Context, n storage.Node) ([]storage.Node, error) {
	defer d.mu.Unlock()
	if err := d.enter("attend"); err != nil {
		return nil, err
	}
	n.SeenAt = halley.MillisOf(time.Now())
	d.nodes[n.Name+n.JournalID] = n
	var all []storage.Node
	for _, n := range d.nodes {
		all = append(all, n)
	}
	return all, nil
}

func (d *database) TakeLease(_ context.Context, name, holder string, lasting time.Duration) (storage.Lease, bool, error) {
	defer d.mu.Unlock()
	if err := d.enter("take"); err != nil {
		return storage.Lease{}, false, err
	}
	now := halley.MillisOf(time.Now())
	if d.lease.Holder != holder {
		if d.lease.Until > now {
			return d.lease, false, nil
		}
		d.lease = storage.Lease{Name: name, Holder: holder, Fence: d.lease.Fence + 1}
	}
	d.lease.Until = now + halley.Millis(lasting.Milliseconds())
	return d.lease, true, nil
}

func (d *database) ReleaseLease(_ context.Context, l storage.Lease) error {
	defer d.mu.Unlock()
	if err := d.enter("release"); err != nil {
		return err
	}
	if d.lease.Fence == l.Fence {
		d.lease.Until = 0
	}
	return nil
}

// under refuses work under a lease that is not in force.
func (d *database) under(l storage.Lease) error {
	if l.Fence != d.lease.Fence {
		return &halley.Error{Kind: halley.Conflict, Op: "work", Code: storage.CodeLeaseLost}
	}
	return nil
}

func (d *database) RollUp(_ context.Context, l storage.Lease, limit int) (int, error) {
	defer d.mu.Unlock()
	if err := d.enter("roll up"); err != nil {
		return 0, err
	}
	if err := d.under(l); err != nil {
		return 0, err
	}
	if d.marks > 0 {
		d.rolled = append(d.rolled, l.Holder)
	}
	d.marks = max(d.marks-limit, 0)
	return d.marks, nil
}

func (d *database) DaysDue(_ context.Context, before int64, limit int) ([]storage.DeviceDay, error) {
	defer d.mu.Unlock()
	if err := d.enter("due"); err != nil {
		return nil, err
	}
	var list []storage.DeviceDay
	for _, day := range d.due {
		if day.Day < before && len(list) < limit {
			list = append(list, day)
		}
	}
	return list, nil
}

func (d *database) PutDays(_ context.Context, l storage.Lease, days []storage.DayCount) error {
	defer d.mu.Unlock()
	if err := d.enter("put"); err != nil {
		return err
	}
	if err := d.under(l); err != nil {
		return err
	}
	d.counted = append(d.counted, days...)
	if d.stays {
		return nil
	}
	for _, c := range days {
		for i, day := range d.due {
			if day == c.DeviceDay {
				d.due = append(d.due[:i:i], d.due[i+1:]...)
				break
			}
		}
	}
	return nil
}

// Heads gives every device a message every six hours.
func (d *database) Heads(_ context.Context, q storage.HeadQuery) ([]storage.Head, error) {
	var list []storage.Head
	const every = 6 * halley.Hour
	for at := max(q.From, q.After+1).Ceil(every); at < q.To && at <= halley.MillisOf(time.Now()) && len(list) < q.Limit; at += every {
		list = append(list, storage.Head{MeasuredAt: at, ReceivedAt: at, Interval: int(every / halley.Second), Kind: halley.Periodic, Order: int64(at / every)})
	}
	return list, nil
}

func (d *database) Tally(context.Context, halley.DeviceID, halley.Millis, halley.Millis) (duplicates, conflicts int64, err error) {
	return 3, 1, nil
}

// set changes the database as something else would.
func (d *database) set(change func(*database)) {
	d.mu.Lock()
	defer d.mu.Unlock()
	change(d)
}

// get reads something of it.
func get[T any](d *database, what func(*database) T) T {
	d.mu.Lock()
	defer d.mu.Unlock()
	return what(d)
}

// server is a Maintenance with what a test sets.
type server struct {
	*maintenance.Maintenance
	mu      sync.Mutex
	uploads int
	busy    bool
	stop    func()
}

// begin runs a server of this name until it is stopped.
func begin(t *testing.T, d *database, name string) *server {
	t.Helper()
	s := &server{}
	s.Maintenance = maintenance.New(maintenance.Options{
		Node: name, Version: "1.2", JournalID: func() string { return "journal of " + name },
		Waiting: func() (int64, halley.Millis) { return 5, 77 },
		Family:  func(id halley.DeviceID) (halley.Family, bool) { return halley.WiFi, id < 100 },
		Uploads: func() int { s.mu.Lock(); defer s.mu.Unlock(); return s.uploads },
		Busy:    func() bool { s.mu.Lock(); defer s.mu.Unlock(); return s.busy },
		Store:   d, Log: slog.New(slog.DiscardHandler),
	})
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- s.Run(ctx) }()
	s.stop = sync.OnceFunc(func() {
		cancel()
		if err := <-done; err != nil {
			t.Errorf("Run ended with %v", err)
		}
	})
	synctest.Wait()
	return s
}

func (s *server) set(change func(*server)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	change(s)
}

func (s *server) leads() bool {
	st := s.State()
	return st.Leader == st.Holder
}

// pass lets fake time pass and everything come to rest.
func pass(d time.Duration) {
	t := time.NewTimer(d)
	<-t.C
	synctest.Wait()
}

func marks(n int) func(*database) { return func(d *database) { d.marks = n } }

func marksOf(d *database) int { return get(d, func(d *database) int { return d.marks }) }

func TestAServerAttendsAndIsKnown(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		d := newDatabase()
		s := begin(t, d, "north")
		defer s.stop()
		began := halley.MillisOf(time.Now())
		pass(25 * time.Second)
		st := s.State()
		want := []storage.Node{{
			Name: "north", JournalID: "journal of north", Holder: st.Holder, Version: "1.2", Waiting: 5, OldestWaiting: 77,
			SeenAt: began + 20*halley.Second,
		}}
		if diff := cmp.Diff(want, st.Nodes); diff != "" {
			t.Errorf("servers (-want +got):\n%s", diff)
		}
		if st.Since != began || st.At != began+20*halley.Second || !s.leads() {
			t.Errorf("state: %+v", st)
		}
	})
}

func TestLateDataAreRolledUpAtOnce(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		d := newDatabase()
		s := begin(t, d, "north")
		defer s.stop()
		pass(time.Second)
		d.set(marks(1000))
		s.Wake()
		synctest.Wait()
		if left := marksOf(d); left != 0 {
			t.Errorf("%d marks are left", left)
		}
		d.set(marks(1)) // of another server, that leads not
		pass(10 * time.Second)
		if left := marksOf(d); left != 0 {
			t.Errorf("%d marks of another server are left", left)
		}
	})
}

func TestTheWorkMakesRoom(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		d := newDatabase()
		s := begin(t, d, "north")
		defer s.stop()
		s.set(func(s *server) { s.busy = true })
		d.set(marks(1000))
		pass(time.Minute)
		if left := marksOf(d); left != 1000 {
			t.Errorf("%d marks are left while the recorder needs the database, want all", left)
		}
		s.set(func(s *server) { s.busy = false })
		s.Wake()
		synctest.Wait()
		if left := marksOf(d); left != 0 {
			t.Errorf("%d marks are left", left)
		}
		if attended := get(d, func(d *database) int { return d.counts["attend"] }); attended < 6 {
			t.Errorf("the server attended %d times in a minute", attended)
		}
	})
}

func TestOneServerWorksAtATime(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		d := newDatabase()
		north := begin(t, d, "north")
		south := begin(t, d, "south")
		defer south.stop()
		pass(time.Minute)
		if !north.leads() || south.leads() || south.State().Leader != north.State().Holder || len(south.State().Nodes) != 2 {
			t.Errorf("north %+v, south %+v", north.State(), south.State())
		}
		north.stop() // gives the lease back
		pass(10 * time.Second)
		if !south.leads() {
			t.Errorf("south does not lead after north stopped: %+v", south.State())
		}
		d.set(marks(10))
		south.Wake()
		synctest.Wait()
		if left := marksOf(d); left != 0 {
			t.Errorf("%d marks are left", left)
		}
	})
}

func TestALostLeaseEndsTheWorkAtOnce(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		d := newDatabase()
		s := begin(t, d, "north")
		defer s.stop()
		// Another took it, for this one seemed to be gone.
		d.set(func(d *database) {
			d.lease = storage.Lease{Name: "maintenance", Holder: "other", Fence: d.lease.Fence + 1, Until: halley.MillisOf(time.Now()) + 35*halley.Second}
			d.marks = 1000
		})
		s.Wake()
		synctest.Wait()
		if s.leads() {
			t.Error("it still counts as leading")
		}
		tries := get(d, func(d *database) int { return d.counts["roll up"] })
		pass(30 * time.Second)
		if again := get(d, func(d *database) int { return d.counts["roll up"] }); again != tries || marksOf(d) != 1000 {
			t.Errorf("worked under a lost lease: %d tries after the first %d, %d marks left", again, tries, marksOf(d))
		}
		pass(20 * time.Second) // it has ended by then
		if left := marksOf(d); left != 0 || !s.leads() {
			t.Errorf("%d marks are left when the lease was taken again", left)
		}
	})
}

func TestAnAwayDatabaseIsAskedLessAndLess(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		d := newDatabase()
		s := begin(t, d, "north")
		defer s.stop()
		d.set(func(d *database) {
			d.fail = func(string) error { return &halley.Error{Kind: halley.Unavailable, Op: "ask the database"} }
			d.counts = map[string]int{}
		})
		pass(10 * time.Minute)
		counts := get(d, func(d *database) map[string]int { return d.counts })
		if n := counts["attend"]; n < 9 || n > 15 || counts["roll up"] != 0 || counts["due"] != 0 {
			t.Errorf("calls in ten minutes: %v, want about one a minute, and no work", counts)
		}
		if s.leads() {
			t.Error("it counts as leading though its lease may be another's by now")
		}
		d.set(func(d *database) { d.fail = nil })
		d.set(marks(1))
		s.Wake() // a batch was recorded
		synctest.Wait()
		if left := marksOf(d); left != 0 {
			t.Errorf("%d marks are left when the database is back", left)
		}
	})
}

func TestFinishedDaysAreCounted(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) { // begins at 2000-01-01
		d := newDatabase()
		today := int64(halley.MillisOf(time.Now()) / halley.Day)
		for i := range 600 {
			d.due = append(d.due, storage.DeviceDay{Device: halley.DeviceID(i%90 + 1), Day: today, Revision: int64(i)})
		}
		s := begin(t, d, "north")
		defer s.stop()
		pass(26*time.Hour + 59*time.Minute)
		if n := get(d, func(d *database) int { return len(d.counted) }); n != 0 {
			t.Fatalf("%d days were counted before what is late can have come", n)
		}
		pass(2 * time.Minute)
		counted := get(d, func(d *database) []storage.DayCount { return d.counted })
		if len(counted) != 600 {
			t.Fatalf("%d days were counted, want 600", len(counted))
		}
		want := storage.DayCount{
			DeviceDay: storage.DeviceDay{Device: 1, Day: today}, Expected: 4, Received: 4, Duplicates: 3, Conflicts: 1,
		}
		if diff := cmp.Diff(want, counted[0]); diff != "" {
			t.Errorf("first day (-want +got):\n%s", diff)
		}
	})
}

func TestADayThatStaysDueIsNotCountedForEver(t *testing.T) {
	t.Parallel()
	for name, device := range map[string]halley.DeviceID{"whatever is written": 1, "of a device that is not known here": 100} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				d := newDatabase()
				d.stays = true
				d.due = []storage.DeviceDay{{Device: device, Day: 10_950, Revision: 1}}
				s := begin(t, d, "north")
				defer s.stop()
				pass(time.Minute)
				if n := get(d, func(d *database) int { return d.counts["due"] }); n > 15 {
					t.Errorf("days were asked for %d times in a minute", n)
				}
				if n := get(d, func(d *database) int { return d.counts["attend"] }); n < 6 {
					t.Errorf("the server attended %d times in a minute", n)
				}
			})
		})
	}
}

func TestHoldersAreUniqueToAProcess(t *testing.T) {
	t.Parallel()
	seen := map[string]bool{}
	for n := range 100 {
		m := maintenance.New(maintenance.Options{Node: "north", JournalID: func() string { return "j" }})
		if h := m.State().Holder; seen[h] {
			t.Fatalf("holder %s was there before, at %s", h, strconv.Itoa(n))
		} else {
			seen[h] = true
		}
	}
}
