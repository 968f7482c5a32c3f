package sqlserver

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"net"
	"slices"
	"strings"
	"time"

	"halley"
	"halley/storage"
)

// Outcome is how a step of a Report ended.
type Outcome string

// The outcomes of a step.
const (
	// Passed is a step that is as it should be, Noted one that works and could be better.
	Passed Outcome = "ok"
	Noted  Outcome = "note"
	Failed Outcome = "failed"
	// Skipped is a step that could not be tried because of one before it.
	Skipped Outcome = "skipped"
)

// Step is one thing that Diagnose looked at.
type Step struct {
	Outcome Outcome
	// Code is the stable word for what failed, as an error of the store has it; empty elsewhere.
	Code string
	// Text is one sentence.
	Text string
	// Advice says what to do, a line for each thing; empty where nothing is to be done.
	Advice []string
}

// Report is what Diagnose found, in the order of the way to the database.
type Report struct {
	Steps []Step
}

// OK says whether nothing failed and nothing was skipped.
func (r Report) OK() bool {
	return !slices.ContainsFunc(r.Steps, func(s Step) bool { return s.Outcome == Failed || s.Outcome == Skipped })
}

// Diagnose goes the whole way to the database, one step after the other, and says of each how it went and what to do. It changes
// nothing. It shows the names of host and database, and never a user or a password.
func Diagnose(ctx context.Context, o Options) Report {
	return diagnose(ctx, o, nil)
}

// diagnose is Diagnose over another network, or over the machine's own where n is nil.
func diagnose(ctx context.Context, o Options, n *network) Report {
	d := &diagnosis{options: o}
	names := []string{"the DSN", "the password", "the certificate file", "the name of the host", "the instance", "the port", "the connection", "the database", "the tables"}
	for i, step := range []func(context.Context) bool{
		func(context.Context) bool { return d.dsn(n) }, d.password, d.certificate, d.name, d.instance, d.port, d.connect, d.engine, d.schema,
	} {
		if !step(ctx) {
			if left := names[i+1:]; len(left) > 0 {
				d.add(Skipped, "not tried: "+strings.Join(left, ", "))
			}
			break
		}
	}
	if d.db != nil {
		_ = d.db.Close()
	}
	return d.report
}

// diagnosis is one run of Diagnose. Its steps say whether to go on.
type diagnosis struct {
	options Options
	report  Report
	target  *target
	network network
	// addresses are those of the host, dialPort where it listens.
	addresses []string
	dialPort  string
	db        *sql.DB
}

func (d *diagnosis) add(o Outcome, text string, advice ...string) {
	d.report.Steps = append(d.report.Steps, Step{Outcome: o, Text: text, Advice: advice})
}

// failed adds a step that failed, with what its code advises, and gives false.
func (d *diagnosis) failed(code, text string) bool {
	d.report.Steps = append(d.report.Steps, Step{Outcome: Failed, Code: code, Text: text, Advice: d.advice(code)})
	return false
}

// fail adds a step from an error, with what it advises, and gives false.
func (d *diagnosis) fail(err error) bool {
	text, code := err.Error(), ""
	if e, ok := errors.AsType[*halley.Error](err); ok {
		text, code = e.Message, e.Code
		if e.Field != "" {
			text = e.Field + ": " + text
		}
		if engine, ok := errors.AsType[*engineError](e.Err); ok {
			text += " (" + engine.Error() + ")"
		}
	}
	return d.failed(code, text)
}

func (d *diagnosis) dsn(n *network) bool {
	t, err := parse(d.options)
	if err != nil {
		return d.fail(err)
	}
	d.target, d.dialPort = t, t.port()
	d.network = realNetwork(t.config.KeepAlive)
	if n != nil {
		d.network = *n
	}
	d.add(Passed, fmt.Sprintf("the DSN means the database %s on %s", t.config.Database, t.address()))
	for _, w := range t.warnings {
		d.add(Noted, w)
	}
	return true
}

func (d *diagnosis) password(context.Context) bool {
	switch t := d.target; {
	case d.options.PasswordFile != "":
		if _, err := readPassword(d.options.PasswordFile); err != nil {
			return d.fail(err)
		}
		d.add(Passed, "the password is read from "+d.options.PasswordFile)
	case t.password != "":
		d.add(Passed, "the password stands in the DSN")
	case t.config.Parameters["authenticator"] == "krb5":
		d.add(Passed, "Kerberos signs in; no password is needed")
	case t.integrated:
		d.add(Passed, "the account that runs this program signs in; the service may run under another one")
	default:
		d.add(Noted, "there is no password; name a file in [store] password-file")
	}
	return true
}

func (d *diagnosis) certificate(context.Context) bool {
	file := d.target.certificateFile
	if file == "" {
		return true
	}
	found, err := readTrust(file, d.target.certificateName)
	if err != nil {
		return d.fail(err)
	}
	for _, c := range found.named {
		what := "the certificate of the server"
		if c.IsCA {
			what = "an authority"
		}
		d.add(Passed, fmt.Sprintf("%s names %s: %s, valid until %s", file, what, printable(names(c)), c.NotAfter.Format(time.DateOnly)))
	}
	return true
}

func (d *diagnosis) name(ctx context.Context) bool {
	host := d.target.config.Host
	if !isTCP(d.target) {
		return true
	}
	if net.ParseIP(host) != nil {
		d.addresses = []string{host}
		return true
	}
	found, err := d.network.lookup(ctx, host)
	if err != nil {
		return d.failDial(host, err)
	}
	d.addresses = found
	d.add(Passed, fmt.Sprintf("the name %s means %s", host, strings.Join(found, ", ")))
	return true
}

// failDial explains a host that could not be reached.
func (d *diagnosis) failDial(host string, err error) bool {
	a := &attempt{target: d.target, host: host, dialError: err}
	p := a.dialProblem(err)
	return d.failed(p.code, p.message)
}

func (d *diagnosis) instance(ctx context.Context) bool {
	c := d.target.config
	if !isTCP(d.target) || c.Instance == "" || c.Port != 0 {
		return true
	}
	all, err := askBrowser(ctx, d.network, d.addresses[0])
	if err != nil {
		return d.failed(CodeInstanceUnknown,
			fmt.Sprintf("SQL Server Browser on %s (UDP %s) does not answer, so nobody tells the port of %s", c.Host, browserPort, c.Instance))
	}
	found, ok := all[strings.ToLower(c.Instance)]
	switch {
	case !ok:
		d.add(Failed, fmt.Sprintf("%s has no instance %s; it has: %s", c.Host, c.Instance, instanceNames(all)),
			"The name behind the slash is an instance; a database is named by ?database=NAME.")
		return false
	case found.port == "":
		return d.failed(CodeRefused, fmt.Sprintf("the instance %s runs, but its TCP/IP is off", c.Instance))
	}
	d.dialPort = found.port
	d.add(Passed, fmt.Sprintf("SQL Server Browser tells that the instance %s listens on port %s", c.Instance, printable(found.port)))
	return true
}

func (d *diagnosis) port(ctx context.Context) bool {
	if !isTCP(d.target) {
		return true
	}
	var reached, missed []string
	var all []error
	for _, address := range d.addresses {
		bounded, cancel := context.WithTimeout(ctx, dialSeconds*time.Second)
		conn, err := d.network.dial(bounded, "tcp", net.JoinHostPort(address, d.dialPort))
		cancel()
		if err != nil {
			missed, all = append(missed, address), append(all, err)
			continue
		}
		_ = conn.Close()
		reached = append(reached, net.JoinHostPort(address, d.dialPort))
	}
	if len(reached) == 0 {
		return d.failDial(d.target.config.Host, errors.Join(all...))
	}
	text := strings.Join(reached, " and ") + " takes connections"
	if len(missed) > 0 {
		// Of the addresses of an availability group's listener only one answers at a time.
		text += " (not " + strings.Join(missed, ", ") + ")"
	}
	d.add(Passed, text)
	return true
}

// watched is a connector that keeps what the last attempt found out.
type watched struct {
	*connector
	last *attempt
}

// Connect makes a connection.
func (w *watched) Connect(ctx context.Context) (driver.Conn, error) {
	a, err := w.attempt()
	if err != nil {
		return nil, unusable(err)
	}
	w.last = a
	return a.connect(ctx)
}

func (d *diagnosis) connect(ctx context.Context) bool {
	c := newConnector(d.target, d.options.PasswordFile)
	c.network = d.network
	w := &watched{connector: c}
	d.db = sql.OpenDB(w)
	d.db.SetMaxOpenConns(1)
	err := d.db.PingContext(ctx)
	if err == nil {
		d.encryption(w.last)
		d.add(Passed, fmt.Sprintf("SQL Server lets Halley in, and opens the database %s", d.target.config.Database))
		return true
	}
	e, ok := errors.AsType[*halley.Error](err)
	if !ok {
		return d.fail(err)
	}
	// What is refused after the certificate was shown was refused over a connection that is secured.
	if w.last != nil && (w.last.secured || d.target.encrypt == encryptDisable && isAnswer(e)) {
		d.encryption(w.last)
	}
	if slices.Contains([]string{CodeNoDatabase, CodeOffline, CodeDamaged, storage.CodeReadOnly}, e.Code) {
		d.add(Passed, "SQL Server knows this login")
	}
	return d.fail(err)
}

// isAnswer says whether the server itself refused.
func isAnswer(err error) bool {
	_, ok := errors.AsType[*engineError](err)
	return ok
}

// encryption says how the connection is secured.
func (d *diagnosis) encryption(a *attempt) {
	switch c := a.certificate; {
	case d.target.protocol == protocolMemory && d.target.encrypt == encryptDisable:
		d.add(Passed, "the connection goes through the memory of this machine and needs no encryption")
	case d.target.encrypt == encryptDisable:
		d.add(Noted, "the connection is not encrypted (encrypt=disable)")
	case c == nil:
	case slices.ContainsFunc(a.trust.named, c.Equal):
		d.add(Passed, "the connection is encrypted, and the server shows the certificate that "+d.target.certificateFile+" holds")
		if time.Now().After(c.NotAfter) {
			d.add(Noted, "the certificate expired on "+c.NotAfter.Format(time.DateOnly)+"; it counts because it is named, but other programs refuse it")
		}
	default:
		d.add(Passed, fmt.Sprintf("the connection is encrypted; the certificate is for %s, signed by %s, valid until %s",
			printable(names(c)), printable(c.Issuer.CommonName), c.NotAfter.Format(time.DateOnly)))
	}
}
