package registry_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"halley"
	"halley/server/directory"
	"halley/server/registry"
	"halley/storage"
)

var key = halley.DeviceKey{Family: halley.WiFi, Serial: "20960050"}

const secretPath = "/e/abcdefghijklmnopqrstuvwxyz"

// source is a store's registry with what the test puts in.
type source struct {
	mu              sync.Mutex
	version         int64
	devices         []halley.Device
	channels        []halley.Channel
	credentials     []storage.Credential
	tokens          []storage.Token
	places          []halley.Place
	organizations   []halley.Organization
	attachments     []halley.Attachment
	attachmentsRead int
	names           []halley.ChannelName
	people          []halley.Person
	grants          []halley.Grant
	secrets         []storage.Secret
	err             error
	reads           int
}

func (s *source) set(change func(*source)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.version++
	change(s)
}

func (s *source) RegistryVersion(context.Context) (int64, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.version, s.err
}

func (s *source) Devices(context.Context, storage.DeviceFilter) ([]halley.Device, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.reads++
	return append([]halley.Device(nil), s.devices...), s.err
}

func (s *source) Channels(context.Context, storage.ChannelFilter) ([]halley.Channel, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]halley.Channel(nil), s.channels...), s.err
}

func (s *source) Credentials(context.Context) ([]storage.Credential, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]storage.Credential(nil), s.credentials...), s.err
}

func (s *source) Tokens(context.Context) ([]storage.Token, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]storage.Token(nil), s.tokens...), s.err
}

func (s *source) Organizations(context.Context) ([]halley.Organization, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]halley.Organization(nil), s.organizations...), s.err
}

func (s *source) PlaceStates(_ context.Context, after halley.PlaceID, _ int) ([]halley.Place, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	list := []halley.Place{}
	for _, p := range s.places {
		if p.ID > after {
			list = append(list, p)
		}
	}
	return list, s.err
}

func (s *source) AllAttachments(_ context.Context, after int64, limit int) ([]halley.Attachment, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	list := []halley.Attachment{}
	for _, a := range s.attachments {
		if a.ID > after && len(list) < limit {
			list = append(list, a)
			s.attachmentsRead++
		}
	}
	return list, s.err
}

func (s *source) FormerChannelNames(_ context.Context, after halley.ChannelName, limit int) ([]halley.ChannelName, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	list := []halley.ChannelName{}
	for _, n := range s.names {
		if (n.ChannelID > after.ChannelID || n.ChannelID == after.ChannelID && n.From > after.From) && len(list) < limit {
			list = append(list, n)
		}
	}
	return list, s.err
}

func (s *source) People(context.Context) ([]halley.Person, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]halley.Person(nil), s.people...), s.err
}

func (s *source) PersonDetails(context.Context) ([]halley.PersonDetail, error) {
	return nil, s.failure()
}

func (s *source) Grants(context.Context) ([]halley.Grant, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]halley.Grant(nil), s.grants...), s.err
}

func (s *source) Roles(context.Context) ([]halley.CustomRole, error) { return nil, s.failure() }

func (s *source) Secrets(context.Context, halley.PersonID) ([]storage.Secret, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]storage.Secret(nil), s.secrets...), s.err
}

func (s *source) failure() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.err
}

func hash(secret string) []byte {
	h := sha256.Sum256([]byte(secret))
	return h[:]
}

func filled() *source {
	return &source{
		version: 5,
		devices: []halley.Device{{ID: 1, DeviceKey: key, Name: "Cold room 3", State: halley.DeviceAccepted, PlaceID: 7}},
		channels: []halley.Channel{
			{ID: 12, DeviceID: 1, Number: 2, Quantity: halley.Humidity},
			{ID: 11, DeviceID: 1, Number: 1, Quantity: halley.Temperature},
			{ID: 10, DeviceID: 1, Number: 1, Quantity: halley.Temperature, Unit: "°F", Ended: true},
		},
		credentials: []storage.Credential{
			{ID: 3, DeviceID: 1, Kind: storage.EntryPoint, Hash: hash(secretPath)},
			{ID: 4, DeviceID: 1, Kind: storage.CustomerKey, Hash: hash("key")},
		},
		tokens: []storage.Token{
			{ID: 1, Name: "wall", Hash: hash("one"), Role: halley.Reader, ExpiresAt: 77},
			{ID: 2, Name: "old", Hash: hash("two"), Role: halley.Administrator, RevokedAt: 55},
		},
		places: []halley.Place{
			{ID: 7, OrganizationID: 1, Name: "Store"},
			{ID: 7, OrganizationID: 2, Name: "Cold store", From: 10},
			{ID: 8, OrganizationID: 1, Name: "of no device"},
		},
		organizations: []halley.Organization{{ID: 1, TimeZone: "UTC"}, {ID: 2, ParentID: 1, Name: "Acme"}},
		attachments:   []halley.Attachment{{ID: 1, ChannelID: 11, PlaceID: 7, From: 5}, {ID: 2, ChannelID: 12, PlaceID: 7, From: 5}},
		names:         []halley.ChannelName{{ChannelID: 11, From: 5, Name: "Theirs", Decimals: 2}, {ChannelID: 11, From: 9, Name: "Ours"}},
		people: []halley.Person{
			{ID: 1, Name: "Eva", State: halley.PersonInvited, OrganizationID: 2}, {ID: 1, Name: "Eva", State: halley.PersonActive, OrganizationID: 2, From: 9},
		},
		grants:  []halley.Grant{{ID: 1, PersonID: 1, Role: halley.User, OrganizationID: 2}},
		secrets: []storage.Secret{{Kind: storage.SecretPassword, Key: "1", PersonID: 1, Data: []byte("hash")}},
	}
}

func options(src registry.Source, file string) registry.Options {
	return registry.Options{
		Source: src, File: file, Log: slog.New(slog.DiscardHandler),
		Write: func(path string, content func(io.Writer) error) error {
			var b bytes.Buffer
			if err := content(&b); err != nil {
				return err
			}
			return os.WriteFile(path, b.Bytes(), 0o600)
		},
	}
}

func open(t *testing.T, src registry.Source, file string) *registry.Registry {
	t.Helper()
	r, err := registry.Open(t.Context(), options(src, file))
	if err != nil {
		t.Fatalf("opening the registry: %v", err)
	}
	return r
}

// checkFilled looks for what filled holds.
func checkFilled(t *testing.T, r *registry.Registry) {
	t.Helper()
	if !r.Known() {
		t.Error("it does not count as a copy of a store")
	}
	d, ok := r.Device(key)
	if !ok || d.Name != "Cold room 3" {
		t.Errorf("Device(%v) = %+v, %v", key, d, ok)
	}
	if d, ok := r.DeviceByID(1); !ok || d.DeviceKey != key {
		t.Errorf("DeviceByID(1) = %+v, %v", d, ok)
	}
	var numbers []int
	for _, c := range r.Channels(1) {
		numbers = append(numbers, int(c.ID))
	}
	if diff := cmp.Diff([]int{11, 12}, numbers); diff != "" {
		t.Errorf("channels that have not ended, by number (-want +got):\n%s", diff)
	}
	if c, ok := r.EntryPoint(secretPath); !ok || c.ID != 3 {
		t.Errorf("EntryPoint of the secret path = %+v, %v", c, ok)
	}
	if _, ok := r.EntryPoint(secretPath + "x"); ok {
		t.Error("EntryPoint knows a path that nobody made")
	}
	if c, ok := r.HasCredential(1, storage.CustomerKey); !ok || c.ID != 4 {
		t.Errorf("HasCredential(customer key) = %+v, %v", c, ok)
	}
	if name, ok := r.PlaceName(7); !ok || name != "Cold store" {
		t.Errorf("PlaceName(7) = %q, %v", name, ok)
	}
	if _, ok := r.PlaceName(9); ok {
		t.Error("PlaceName knows a place that is not there")
	}
	checkDirectory(t, r.Directory())
	if c, ok := r.Directory().ChannelThen(11, 9); !ok || c.Name != "Theirs" || c.Decimals != 2 {
		t.Errorf("ChannelThen = %+v, %v", c, ok)
	}
	for text, want := range map[string]storage.Token{"one": filled().tokens[0], "two": filled().tokens[1], "three": {}} {
		got, ok := r.Token([32]byte(hash(text)))
		if diff := cmp.Diff(want, got); diff != "" || ok != (want.ID != 0) {
			t.Errorf("Token(%s), known %v (-want +got):\n%s", text, ok, diff)
		}
	}
	if c, ok := r.Channel(11); !ok || c.Quantity != halley.Temperature {
		t.Errorf("Channel(11) = %+v, %v", c, ok)
	}
	if _, ok := r.Channel(10); ok {
		t.Error("Channel gives one that has ended")
	}
}

// checkDirectory looks for the tree and the people that filled holds.
func checkDirectory(t *testing.T, d *directory.State) {
	t.Helper()
	if got := d.Path(2); got != "/Acme" {
		t.Errorf("the path of the organization is %q", got)
	}
	person, ok := d.PersonNamed("EVA")
	if !ok || person.State != halley.PersonActive || !d.RightsOf(person.ID).AtChannel(halley.PermitSampleRead, 11) {
		t.Errorf("the person is %+v, %v, and cannot see what the place of the organization measures", person, ok)
	}
	if secret, ok := d.Secret(storage.SecretPassword, "1"); !ok || string(secret.Data) != "hash" {
		t.Errorf("the password is %q, %v", secret.Data, ok)
	}
}

func TestAttachmentsAreReadOnce(t *testing.T) {
	t.Parallel()
	src := filled()
	r := open(t, src, "")
	src.set(func(s *source) {
		s.attachmentsRead = 0
		s.attachments = append(s.attachments, halley.Attachment{ID: 3, ChannelID: 12, From: 50})
	})
	if err := r.Refresh(t.Context()); err != nil {
		t.Fatal(err)
	}
	if got := len(r.Directory().ChannelSpans(12)); got != 2 || src.attachmentsRead != 2 {
		t.Errorf("%d spans, %d attachments read; want 2, and 2: the last known and the new one", got, src.attachmentsRead)
	}
	// The store is set back, and others have come since.
	src.set(func(s *source) {
		s.attachments = []halley.Attachment{{ID: 1, ChannelID: 11, PlaceID: 8, From: 5}, {ID: 3, ChannelID: 12, PlaceID: 8, From: 9}}
	})
	if err := r.Refresh(t.Context()); err != nil {
		t.Fatal(err)
	}
	if got := r.Directory().ChannelSpans(11); len(got) != 1 || got[0].Place != 8 {
		t.Errorf("after a store that was set back the channel is at %+v, want at place 8 alone", got)
	}
}

func TestACopyFromBeforeTheTreeBelongsToTheRoot(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "registry.json")
	const before = `{"Version":5,"Devices":[{"ID":1,"Family":"wifi","Serial":"20960050","State":"accepted","PlaceID":7}],"Channels":[],` +
		`"Credentials":[],"Tokens":[],"Places":[{"ID":7,"Name":"Cold store"}]}`
	if err := os.WriteFile(file, []byte(before), 0o600); err != nil {
		t.Fatal(err)
	}
	src := filled()
	src.err = &halley.Error{Kind: halley.Unavailable, Op: "open the store"}
	d := open(t, src, file).Directory()
	if r := d.RightsOfToken(storage.Token{Role: halley.Reader}); !r.AtDevice(halley.PermitDeviceRead, 1) || !r.AtPlace(halley.PermitPlaceRead, 7) {
		t.Error("a token of the whole tree does not reach what an earlier version knew")
	}
}

func TestSelectFiltersAsTheStoreDoes(t *testing.T) {
	t.Parallel()
	src := &source{version: 1}
	for i, state := range []halley.DeviceState{halley.DeviceAccepted, halley.DeviceNew, halley.DeviceAccepted, halley.DeviceRetired} {
		src.devices = append(src.devices, halley.Device{
			ID: halley.DeviceID(i + 1), State: state,
			DeviceKey: halley.DeviceKey{Family: []halley.Family{halley.WiFi, halley.Modem}[i%2], Serial: "2096005" + string(rune('0'+i))},
		})
	}
	src.channels = []halley.Channel{{ID: 4, DeviceID: 2, Number: 1}, {ID: 5, DeviceID: 1, Number: 2}, {ID: 6, DeviceID: 1, Number: 1}, {ID: 7, DeviceID: 1, Number: 1, Ended: true}}
	r := open(t, src, "")
	tests := map[string]struct {
		filter storage.DeviceFilter
		want   []halley.DeviceID
	}{
		"all":                  {storage.DeviceFilter{}, []halley.DeviceID{1, 2, 3, 4}},
		"a page":               {storage.DeviceFilter{After: 1, Limit: 2}, []halley.DeviceID{2, 3}},
		"by state":             {storage.DeviceFilter{State: halley.DeviceAccepted}, []halley.DeviceID{1, 3}},
		"by family":            {storage.DeviceFilter{Family: halley.Modem}, []halley.DeviceID{2, 4}},
		"by serial":            {storage.DeviceFilter{Serial: "20960052"}, []halley.DeviceID{3}},
		"none in another case": {storage.DeviceFilter{Serial: "2096005"}, nil},
		"behind the last":      {storage.DeviceFilter{After: 4}, nil},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var got []halley.DeviceID
			for _, d := range r.Select(tt.filter) {
				got = append(got, d.ID)
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("devices (-want +got):\n%s", diff)
			}
		})
	}
	var channels []halley.ChannelID
	for _, c := range r.OpenChannels() {
		channels = append(channels, c.ID)
	}
	if diff := cmp.Diff([]halley.ChannelID{6, 5, 4}, channels); diff != "" {
		t.Errorf("channels by device and number (-want +got):\n%s", diff)
	}
}

func TestOpenStartsWithADamagedCopy(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "registry.json")
	if err := os.WriteFile(file, []byte(`{"Version":5,"Dev`), 0o600); err != nil {
		t.Fatal(err)
	}
	src := filled()
	src.err = &halley.Error{Kind: halley.Unavailable, Op: "open the store"}
	r := open(t, src, file)
	if len(r.Devices()) != 0 || r.Known() {
		t.Errorf("devices of a damaged copy: %+v, which counts as a copy: %v", r.Devices(), r.Known())
	}
	src.set(func(s *source) { s.err = nil })
	if err := r.Refresh(t.Context()); err != nil {
		t.Fatal(err)
	}
	checkFilled(t, r)
}

func TestACopyOfAnotherDatabaseDoesNotStay(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "registry.json")
	if err := os.WriteFile(file, []byte(`{"Version":5,"Devices":[],"Channels":[],"Credentials":[]}`), 0o600); err != nil {
		t.Fatal(err)
	}
	src := filled() // also of version 5
	src.err = &halley.Error{Kind: halley.Unavailable, Op: "open the store"}
	r := open(t, src, file)
	src.err = nil
	if err := r.Refresh(t.Context()); err != nil {
		t.Fatal(err)
	}
	checkFilled(t, r)
}

func TestOpenLoadsTheStore(t *testing.T) {
	t.Parallel()
	r := open(t, filled(), "")
	checkFilled(t, r)
	if _, ok := r.Device(halley.DeviceKey{Family: halley.WebSensor, Serial: key.Serial}); ok {
		t.Error("a device of another family has the same serial number and was found")
	}
}

func TestRefreshReadsOnlyWhatChanged(t *testing.T) {
	t.Parallel()
	src := filled()
	r := open(t, src, "")
	for range 3 {
		if err := r.Refresh(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	if src.reads != 1 {
		t.Errorf("the devices were read %d times without a change, want once", src.reads)
	}
	src.set(func(s *source) { s.devices[0].State = halley.DeviceRejected })
	watch := r.Watch()
	if err := r.Refresh(t.Context()); err != nil {
		t.Fatal(err)
	}
	if d, _ := r.Device(key); d.State != halley.DeviceRejected {
		t.Errorf("state after the change: got %q", d.State)
	}
	select {
	case <-watch:
	default:
		t.Error("the watcher was not told of the change")
	}
}

func TestAwayStoreLeavesWhatIsKnown(t *testing.T) {
	t.Parallel()
	src := filled()
	r := open(t, src, "")
	src.set(func(s *source) { s.err = errors.New("gone") })
	if err := r.Refresh(t.Context()); err == nil {
		t.Error("Refresh said nothing of a store that is away")
	}
	checkFilled(t, r)
}

func TestOpenWithoutTheStoreUsesTheFile(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "registry.json")
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := open(t, filled(), file).Run(ctx); err != nil { // writes the file at its end
		t.Fatalf("running the registry: %v", err)
	}
	away := &source{err: &halley.Error{Kind: halley.Unavailable, Op: "open the store"}}
	checkFilled(t, open(t, away, file))
	data, err := os.ReadFile(file)
	if err != nil || !json.Valid(data) {
		t.Errorf("the durable copy is not JSON: %v", err)
	}
}

func TestOpenFailsOnABrokenStore(t *testing.T) {
	t.Parallel()
	if _, err := registry.Open(t.Context(), options(&source{err: errors.New("schema too new")}, "")); err == nil {
		t.Error("Open took no notice of a store that is there and broken")
	}
}

func TestRunFollowsTheStore(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		src := filled()
		r, err := registry.Open(t.Context(), options(src, ""))
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan error, 1)
		go func() { done <- r.Run(ctx) }()
		synctest.Wait()

		src.set(func(s *source) { s.devices[0].Name = "polled" })
		time.Sleep(time.Second + time.Millisecond) //nolint:forbidigo // fake time
		synctest.Wait()
		if d, _ := r.Device(key); d.Name != "polled" {
			t.Errorf("name one second after the change: got %q", d.Name)
		}

		src.set(func(s *source) { s.devices[0].Name = "poked" })
		r.Poke()
		synctest.Wait()
		if d, _ := r.Device(key); d.Name != "poked" {
			t.Errorf("name after a poke: got %q", d.Name)
		}
		cancel()
		if err := <-done; err != nil {
			t.Errorf("Run ended with %v", err)
		}
	})
}

func TestTheCopyIsWrittenWhenDevicesHaveComeToRest(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		// changes is for how many seconds, from the tenth, a device changes every second.
		changes int
		// written is in which seconds the file is written.
		written []int
	}{
		"nothing changes":                 {0, []int{3}},
		"a few changes":                   {5, []int{3, 33}},
		"changes for a minute":            {60, []int{3, 73}},
		"changes that never come to rest": {300, []int{3, 131, 252}},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				src, began := filled(), time.Now()
				o := options(src, "registry.json")
				var written []int
				o.Write = func(_ string, content func(io.Writer) error) error {
					written = append(written, int(time.Since(began)/time.Second))
					return content(io.Discard)
				}
				r, err := registry.Open(t.Context(), o)
				if err != nil {
					t.Fatal(err)
				}
				ctx, cancel := context.WithCancel(t.Context())
				done := make(chan error, 1)
				go func() { done <- r.Run(ctx) }()
				// Between two looks at the store, so that the order of both is certain.
				time.Sleep(time.Second / 2) //nolint:forbidigo // fake time
				for second := range 310 {
					if second >= 10 && second < 10+tt.changes {
						src.set(func(s *source) { s.devices[0].FirstSeenAt++ })
					}
					time.Sleep(time.Second) //nolint:forbidigo // fake time
				}
				synctest.Wait()
				got := written
				cancel()
				if err := <-done; err != nil {
					t.Errorf("Run ended with %v", err)
				}
				if diff := cmp.Diff(tt.written, got); diff != "" {
					t.Errorf("seconds in which the file was written (-want +got):\n%s", diff)
				}
			})
		})
	}
}
