package sqlserver_test

import (
	"context"
	"errors"
	"net"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"halley"
	"halley/storage/sqlserver"
)

// plain gives a server without encryption and the options to reach it.
func plain(t *testing.T, s *fakeServer) (*fakeServer, sqlserver.Options) {
	t.Helper()
	s.start(t)
	return s, sqlserver.Options{DSN: halley.Secret("sqlserver://ferdinand:hunter2@" + s.address() + "?database=samples&encrypt=disable")}
}

func awayCode(err error) string {
	e, ok := errors.AsType[*halley.Error](err)
	if !ok || e.Kind != halley.Unavailable {
		return ""
	}
	return e.Code
}

func TestASessionIsSetUpBeforeItsFirstUse(t *testing.T) {
	t.Parallel()
	s, o := plain(t, &fakeServer{})
	db, generation, err := sqlserver.Pool(o, sqlserver.Network{}, 1)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	for range 2 {
		if _, err := db.ExecContext(t.Context(), "PRINT 'x'"); err != nil {
			t.Fatal(err)
		}
	}
	logins, batches := s.seen()
	if diff := cmp.Diff([]fakeLogin{{User: "ferdinand", Password: "hunter2", App: "Halley", Database: "samples"}}, logins); diff != "" {
		t.Errorf("logins (-want +got):\n%s", diff)
	}
	const options = "SET XACT_ABORT ON; SET LOCK_TIMEOUT 10000;"
	if diff := cmp.Diff([]string{options, "PRINT 'x'", options, "PRINT 'x'"}, batches); diff != "" {
		t.Errorf("batches (-want +got):\n%s", diff)
	}
	if generation() != 1 {
		t.Errorf("%d connections were counted, want 1", generation())
	}
}

func TestEveryNewConnectionIsCounted(t *testing.T) {
	t.Parallel()
	s, o := plain(t, &fakeServer{})
	db, generation, err := sqlserver.Pool(o, sqlserver.Network{}, 1)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	for want := int64(1); want <= 3; want++ {
		if err := db.PingContext(t.Context()); err != nil {
			t.Fatal(err)
		}
		if got := generation(); got != want {
			t.Errorf("%d connections were counted, want %d", got, want)
		}
		s.hangUp()
	}
}

func TestAChangedPasswordCountsAtOnce(t *testing.T) {
	t.Parallel()
	s, o := plain(t, &fakeServer{refuse: func(password string) []refusal {
		if password != "the new one" {
			return []refusal{{18456, 14, "Login failed for user 'ferdinand'."}}
		}
		return nil
	}})
	o.PasswordFile = passwordFile(t, "the old one\n")
	db, _, err := sqlserver.Pool(o, sqlserver.Network{}, 1)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	err = db.PingContext(t.Context())
	if awayCode(err) != sqlserver.CodeLogin {
		t.Fatalf("with the old password: %v", err)
	}
	if strings.Contains(err.Error(), "ferdinand") || !strings.Contains(err.Error(), "18456") {
		t.Errorf("the error is %v", err)
	}
	if err := os.WriteFile(o.PasswordFile, []byte("the new one"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := db.PingContext(t.Context()); err != nil {
		t.Errorf("with the new password: %v", err)
	}
	if err := os.Remove(o.PasswordFile); err != nil {
		t.Fatal(err)
	}
	s.hangUp()
	if err := db.PingContext(t.Context()); awayCode(err) != sqlserver.CodeFiles {
		t.Errorf("without the file: %v", err)
	}
}

func TestARefusedSignInIsExplained(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		refusals []refusal
		code     string
		words    string
	}{
		"a wrong password":         {[]refusal{{18456, 14, "Login failed for user 'ferdinand'."}}, sqlserver.CodeLogin, "name or the password is wrong"},
		"a missing database":       {[]refusal{{4060, 11, "Cannot open database"}, {18456, 14, "Login failed for user 'ferdinand'."}}, sqlserver.CodeNoDatabase, "the database samples is not there"},
		"a database in recovery":   {[]refusal{{922, 14, "x"}, {4060, 11, "x"}, {18456, 14, "x"}}, sqlserver.CodeOffline, "being recovered"},
		"a secondary":              {[]refusal{{976, 14, "x"}, {4060, 11, "x"}}, "read-only", "listener of the availability group"},
		"something new":            {[]refusal{{49999, 16, "x 'ferdinand'"}}, sqlserver.CodeAway, "refused the connection"},
		"a fatal error, not known": {[]refusal{{4242, 21, "x"}}, sqlserver.CodeAway, "a fault of its own"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, o := plain(t, &fakeServer{refuse: func(string) []refusal { return test.refusals }})
			err := try(t, o, sqlserver.Network{})
			if awayCode(err) != test.code || !strings.Contains(err.Error(), test.words) {
				t.Errorf("got code %q: %v", awayCode(err), err)
			}
			if err != nil && strings.Contains(err.Error(), "ferdinand") {
				t.Errorf("the error names the login: %v", err)
			}
		})
	}
}

// listen gives an address at which each connection is handed to do, until the test ends.
func listen(t *testing.T, do func(net.Conn)) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var wait sync.WaitGroup
	wait.Go(func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			wait.Go(func() {
				defer c.Close()
				do(c)
			})
		}
	})
	t.Cleanup(func() {
		_ = l.Close()
		wait.Wait()
	})
	return l.Addr().String()
}

// closedPort gives an address at which nothing listens.
func closedPort(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}

// untilClosed reads what comes and answers nothing.
func untilClosed(c net.Conn) {
	b := make([]byte, 1024)
	for {
		if _, err := c.Read(b); err != nil {
			return
		}
	}
}

func TestAServerThatCannotBeReachedIsExplained(t *testing.T) {
	t.Parallel()
	unknown := sqlserver.Network{Lookup: func(_ context.Context, host string) ([]string, error) {
		return nil, &net.DNSError{Err: "no such host", Name: host, IsNotFound: true}
	}}
	garbage := listen(t, func(c net.Conn) { _, _ = c.Write([]byte("SSH-2.0-OpenSSH_9.6\r\n")) })
	closing := listen(t, func(net.Conn) {})
	for name, test := range map[string]struct {
		address, extra string
		network        sqlserver.Network
		code, words    string
	}{
		"nothing listens":             {closedPort(t), "", sqlserver.Network{}, sqlserver.CodeRefused, "nothing listens at 127.0.0.1:"},
		"an unknown name":             {"db.invalid", "", unknown, sqlserver.CodeNameUnknown, "cannot find the address of db.invalid"},
		"another program":             {garbage, "", sqlserver.Network{}, sqlserver.CodeNoEncryption, "is no SQL Server"},
		"another program, strict":     {garbage, "?encrypt=strict", sqlserver.Network{}, sqlserver.CodeNoEncryption, "encrypt=strict needs SQL Server 2022"},
		"another program, plain":      {garbage, "?encrypt=disable", sqlserver.Network{}, sqlserver.CodeAway, "is no SQL Server"},
		"a connection that ends":      {closing, "", sqlserver.Network{}, sqlserver.CodeNoEncryption, "there is no encrypted connection"},
		"a silent program":            {listen(t, untilClosed), "?connection+timeout=1", sqlserver.Network{}, sqlserver.CodeNoAnswer, "takes the connection but does not answer"},
		"a server without encryption": {(&fakeServer{}).start(t).address(), "", sqlserver.Network{}, sqlserver.CodeNoEncryption, "there is no encrypted connection"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			err := try(t, sqlserver.Options{DSN: halley.Secret("sqlserver://ferdinand:hunter2@" + test.address + test.extra)}, test.network)
			if awayCode(err) != test.code || !strings.Contains(err.Error(), test.words) {
				t.Fatalf("got code %q: %v", awayCode(err), err)
			}
			if strings.ContainsAny(err.Error(), "\n") || strings.Contains(err.Error(), "hunter2") || strings.Contains(err.Error(), "ferdinand") {
				t.Errorf("the error is %q", err)
			}
		})
	}
}

func TestASilentServerIsLeftWhenTheCallerGoes(t *testing.T) {
	t.Parallel()
	reached := make(chan struct{}, 1)
	address := listen(t, func(c net.Conn) {
		reached <- struct{}{}
		untilClosed(c)
	})
	db, _, err := sqlserver.Pool(sqlserver.Options{DSN: halley.Secret("sqlserver://u:p@" + address)}, sqlserver.Network{}, 1)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	ctx, cancel := context.WithCancel(t.Context())
	outcome := make(chan error, 1)
	go func() { outcome <- db.PingContext(ctx) }()
	<-reached
	cancel()
	if err := <-outcome; !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
}

func TestBehindOneNameAllAddressesAreTried(t *testing.T) {
	t.Parallel()
	s := (&fakeServer{}).start(t)
	for name, extra := range map[string]string{"together": "", "one after the other": "&multisubnetfailover=false"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var mu sync.Mutex
			var dialled []string
			n := sqlserver.Network{
				Lookup: func(context.Context, string) ([]string, error) { return []string{"10.1.0.1", "10.2.0.1"}, nil },
				Dial: func(ctx context.Context, network, address string) (net.Conn, error) {
					mu.Lock()
					dialled = append(dialled, address)
					mu.Unlock()
					if address != "10.2.0.1:1433" {
						return nil, &net.OpError{Op: "dial", Net: network, Err: errors.New("no route")}
					}
					return (&net.Dialer{}).DialContext(ctx, network, s.address())
				},
			}
			if err := try(t, sqlserver.Options{DSN: halley.Secret("sqlserver://u:p@listener:1433?encrypt=disable" + extra)}, n); err != nil {
				t.Fatal(err)
			}
			slices.Sort(dialled)
			if diff := cmp.Diff([]string{"10.1.0.1:1433", "10.2.0.1:1433"}, dialled); diff != "" {
				t.Errorf("dialled (-want +got):\n%s", diff)
			}
		})
	}
}

func TestOfAddressesThatAllAnswerOneIsKept(t *testing.T) {
	t.Parallel()
	s := (&fakeServer{}).start(t)
	var mu sync.Mutex
	open := map[*counted]bool{}
	n := sqlserver.Network{
		Lookup: func(context.Context, string) ([]string, error) {
			return []string{"10.1.0.1", "10.2.0.1", "10.3.0.1"}, nil
		},
		Dial: func(_ context.Context, network, _ string) (net.Conn, error) {
			// As a dial that is through just when another one was faster.
			c, err := net.Dial(network, s.address())
			if err != nil {
				return nil, err
			}
			w := &counted{Conn: c}
			w.closed = func() {
				mu.Lock()
				defer mu.Unlock()
				delete(open, w)
			}
			mu.Lock()
			defer mu.Unlock()
			open[w] = true
			return w, nil
		},
	}
	db, _, err := sqlserver.Pool(sqlserver.Options{DSN: "sqlserver://u:p@listener:1433?encrypt=disable"}, n, 1)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	if err := db.PingContext(t.Context()); err != nil {
		t.Fatal(err)
	}
	mu.Lock()
	defer mu.Unlock()
	if len(open) != 1 {
		t.Errorf("%d connections are open, want 1", len(open))
	}
}

// counted is a connection that tells when it is closed.
type counted struct {
	net.Conn
	closed func()
}

func (c *counted) Close() error {
	c.closed()
	return c.Conn.Close()
}

func TestAnInstanceIsFoundByBrowser(t *testing.T) {
	t.Parallel()
	s := (&fakeServer{}).start(t)
	browser := startBrowser(t, instances("SQLEXPRESS", portOf(s.address())))
	n := viaBrowser(browser)
	if err := try(t, sqlserver.Options{DSN: "sqlserver://u:p@127.0.0.1/sqlexpress?encrypt=disable"}, n); err != nil {
		t.Error(err)
	}
	err := try(t, sqlserver.Options{DSN: "sqlserver://u:p@127.0.0.1/HALLEY?encrypt=disable"}, n)
	if awayCode(err) != sqlserver.CodeInstanceUnknown {
		t.Errorf("an instance that is not there: %v", err)
	}
}
