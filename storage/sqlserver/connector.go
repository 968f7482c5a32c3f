package sqlserver

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"net"
	"sync"
	"sync/atomic"
	"time"

	mssql "github.com/microsoft/go-mssqldb"

	"halley"
)

const (
	// connectTime bounds making a connection, from the name of the host to the end of the sign-in.
	connectTime = 15 * time.Second
	// A connection that rests for idleTime is closed, and none is kept longer than lifeTime, so that after a failover or a change
	// of rights all are new before long.
	idleTime = 10 * time.Minute
	lifeTime = time.Hour
)

// sessionOptions are set on every session, also after the reset that each use of a pooled connection begins with. A failed
// statement ends its transaction; a lock is waited for 10 s, less than what a call waits for an answer.
const sessionOptions = "SET XACT_ABORT ON; SET LOCK_TIMEOUT 10000;"

// network is how names are looked up and hosts are reached.
type network struct {
	lookup func(ctx context.Context, host string) ([]string, error)
	dial   func(ctx context.Context, network, address string) (net.Conn, error)
}

// realNetwork is the machine's own. A connection that was silent for idle is asked for a sign of life, so that one whose server
// vanished is found out while it rests.
func realNetwork(idle time.Duration) network {
	d := &net.Dialer{KeepAliveConfig: net.KeepAliveConfig{Enable: true, Idle: idle, Interval: 5 * time.Second, Count: 3}}
	return network{lookup: net.DefaultResolver.LookupHost, dial: d.DialContext}
}

// connector makes connections for a pool of database/sql.
type connector struct {
	target       *target
	passwordFile string
	network      network
	generation   atomic.Int64
}

func newConnector(t *target, passwordFile string) *connector {
	return &connector{target: t, passwordFile: passwordFile, network: realNetwork(t.config.KeepAlive)}
}

// Generation counts the connections that were made so far: where it has changed, what a session knew is gone.
func (c *connector) Generation() int64 { return c.generation.Load() }

// Connect makes a connection. All its errors but those of ctx are a *halley.Error.
func (c *connector) Connect(ctx context.Context) (driver.Conn, error) {
	a, err := c.attempt()
	if err != nil {
		return nil, unusable(err)
	}
	conn, err := a.connect(ctx)
	if err != nil {
		return nil, err
	}
	c.generation.Add(1)
	return conn, nil
}

// unusable makes a file that cannot be used a reason why the database is away. Invalid would mean that what is to be stored is
// wrong.
func unusable(err error) error {
	e, ok := errors.AsType[*halley.Error](err)
	if !ok {
		return err
	}
	return &halley.Error{Kind: halley.Unavailable, Op: e.Op, Code: CodeFiles, Field: e.Field, Message: e.Message, Err: e.Err}
}

// Driver gives the driver behind the connections.
func (c *connector) Driver() driver.Driver { return mssql.NewConnectorConfig(c.target.config).Driver() }

// pool opens a pool of at most this many connections, which it keeps.
func (c *connector) pool(most int) *sql.DB {
	db := sql.OpenDB(c)
	db.SetMaxOpenConns(most)
	db.SetMaxIdleConns(most)
	db.SetConnMaxIdleTime(idleTime)
	db.SetConnMaxLifetime(lifeTime)
	return db
}

// attempt prepares one connection: the files of password and certificate are read anew, so that changed ones count at once.
func (c *connector) attempt() (*attempt, error) {
	t := c.target
	a := &attempt{target: t, network: c.network, host: t.config.Host}
	var err error
	if a.trust, err = readTrust(t.certificateFile, t.certificateName); err != nil {
		return nil, err
	}
	a.password = t.password
	if c.passwordFile != "" {
		if a.password, err = readPassword(c.passwordFile); err != nil {
			return nil, err
		}
	}
	return a, nil
}

// attempt is one connection that is being made, and what became known on the way.
type attempt struct {
	target   *target
	trust    trust
	password halley.Secret
	network  network
	// database overrides the target's where it is not "".
	database string

	// host is the one that was dialled last: also a failover partner, or where the server sent us.
	host string
	// certificate is what the server showed, secured whether it is believed.
	certificate *x509.Certificate
	secured     bool
	// distrust is why it is not believed. The driver gives its text only.
	distrust error
	// dialError is why the last host could not be reached; reached says that one could. asked says that SQL Browser was the
	// last that was dialled, and not the server.
	dialError error
	reached   bool
	asked     bool

	mu   sync.Mutex
	open []net.Conn
}

// connect makes the connection.
func (a *attempt) connect(ctx context.Context) (driver.Conn, error) {
	bounded, cancel := context.WithTimeout(ctx, connectTime)
	defer cancel()
	// The driver looks at the context while it dials only: closing what it waits for ends it.
	stop := context.AfterFunc(bounded, a.abandon)
	conn, err := a.connector().Connect(bounded)
	if !stop() && err == nil {
		err = context.Cause(bounded)
	}
	if err == nil {
		return conn, nil
	}
	if c, ok := conn.(*mssql.Conn); ok && c != nil {
		err = errors.Join(err, c.Close())
	}
	if ctx.Err() != nil {
		return nil, fmt.Errorf("connecting to SQL Server: %w", ctx.Err())
	}
	return nil, a.explain(err)
}

// connector is the driver's, for this attempt alone, because the driver changes the TLS settings that it is given.
func (a *attempt) connector() *mssql.Connector {
	config := a.target.config
	config.Password = a.password.Reveal()
	if a.database != "" {
		config.Database = a.database
	}
	if config.TLSConfig != nil {
		config.TLSConfig = &tls.Config{
			ServerName: config.TLSConfig.ServerName,
			MinVersion: max(config.TLSConfig.MinVersion, tls.VersionTLS12),
			// SQL Server wants a TDS packet in one TLS record.
			DynamicRecordSizingDisabled: true,
			// The standard check would leave nothing of its reason behind the driver, and cannot pin: verify does it instead.
			InsecureSkipVerify: true, //nolint:gosec // verify does all that is skipped here
			VerifyConnection:   a.verify,
		}
	}
	c := mssql.NewConnectorConfig(config)
	c.SessionInitSQL = sessionOptions
	c.Dialer = a
	return c
}

// verify holds the certificate of the server against what is trusted.
func (a *attempt) verify(cs tls.ConnectionState) error {
	a.certificate = cs.PeerCertificates[0]
	a.distrust = a.trust.check(cs, a.host)
	a.secured = a.distrust == nil
	return a.distrust
}

// HostName has the driver leave looking up names to DialContext, which ends with the context.
func (a *attempt) HostName() string { return "" }

// DialContext reaches a host, or SQL Browser on it. Behind the name of an availability group's listener are the addresses of all
// its networks, of which only one answers: they are tried at the same time unless the DSN says otherwise.
func (a *attempt) DialContext(ctx context.Context, proto, address string) (net.Conn, error) {
	host, port, err := net.SplitHostPort(address)
	if err != nil {
		return nil, err
	}
	a.host, a.certificate, a.secured, a.distrust = host, nil, false, nil
	a.reached, a.asked = false, proto == "udp"
	addresses := []string{host}
	if net.ParseIP(host) == nil {
		if addresses, err = a.network.lookup(ctx, host); err != nil {
			a.dialError = err
			return nil, err
		}
	}
	conn, err := a.race(ctx, proto, addresses, port)
	a.dialError = err
	if err != nil {
		return nil, err
	}
	a.reached = proto == "tcp"
	a.mu.Lock()
	defer a.mu.Unlock()
	if ctx.Err() != nil {
		return nil, errors.Join(ctx.Err(), conn.Close())
	}
	a.open = append(a.open, conn)
	return conn, nil
}

// race dials several addresses and gives the first connection; the others are closed.
func (a *attempt) race(ctx context.Context, proto string, addresses []string, port string) (net.Conn, error) {
	if len(addresses) > 1 && proto == "tcp" && a.target.config.MultiSubnetFailover {
		return a.together(ctx, addresses, port)
	}
	var all []error
	for _, address := range addresses {
		conn, err := a.network.dial(ctx, proto, net.JoinHostPort(address, port))
		if err == nil {
			return conn, nil
		}
		all = append(all, err)
	}
	return nil, errors.Join(all...)
}

// together dials all addresses at once, and waits until every one has an outcome.
func (a *attempt) together(ctx context.Context, addresses []string, port string) (net.Conn, error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	type outcome struct {
		conn net.Conn
		err  error
	}
	outcomes := make(chan outcome)
	for _, address := range addresses {
		go func() {
			conn, err := a.network.dial(ctx, "tcp", net.JoinHostPort(address, port))
			outcomes <- outcome{conn, err}
		}()
	}
	var first net.Conn
	var all []error
	for range addresses {
		switch o := <-outcomes; {
		case o.err != nil:
			all = append(all, o.err)
		case first != nil:
			all = append(all, o.conn.Close())
		default:
			first = o.conn
			cancel() // the others end at once
		}
	}
	if first != nil {
		return first, nil
	}
	return nil, errors.Join(all...)
}

// abandon closes what was dialled, which ends a driver that waits for it.
func (a *attempt) abandon() {
	a.mu.Lock()
	defer a.mu.Unlock()
	for _, conn := range a.open {
		_ = conn.Close() // the driver closes it too
	}
}

// Interface guards.
var (
	_ driver.Connector = (*connector)(nil)
	_ mssql.HostDialer = (*attempt)(nil)
)
