package sqlserver

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"strings"

	mssql "github.com/microsoft/go-mssqldb"

	"halley"
)

// The codes of a connection that could not be made, besides those of error.go. With all of them the database counts as away.
const (
	CodeNameUnknown     = "name-unknown"
	CodeInstanceUnknown = "instance-unknown"
	CodeRefused         = "refused"
	CodeNoAnswer        = "no-answer"
	CodeNoEncryption    = "no-encryption"
	CodeKerberos        = "kerberos"
	// CodeFiles is a password or certificate file that cannot be used any more.
	CodeFiles = "files"
	// CodeCertificate goes before the reason, as in "certificate-expired".
	CodeCertificate = "certificate-"
)

// page is where an administrator reads on.
const page = "docs/sqlserver.md"

// explain says why the connection could not be made. Which error the driver gives counts less than how far it came, for it keeps
// of most only the text.
func (a *attempt) explain(err error) error {
	p := a.problem(err)
	cause := err
	if e, ok := errors.AsType[mssql.Error](err); ok {
		first, _ := problemOf(e)
		cause = &engineError{err: first, quiet: true}
	} else if a.distrust != nil {
		cause = a.distrust
	}
	return &halley.Error{Kind: halley.Unavailable, Op: "connect to SQL Server", Code: p.code, Message: p.message, Err: cause}
}

// problem finds the first thing on the way that went wrong.
func (a *attempt) problem(err error) problem {
	if wrong, ok := errors.AsType[*certificateError](a.distrust); ok {
		return problem{code: CodeCertificate + string(wrong.reason), message: wrong.words(a.where())}
	}
	if e, ok := errors.AsType[mssql.Error](err); ok {
		_, p := problemOf(e)
		if p.code == CodeNoDatabase {
			p.message = fmt.Sprintf("the database %s is not there on %s, or this login may not use it", a.target.config.Database, a.where())
		}
		if p.code == "" {
			p.code, p.message = CodeAway, "SQL Server at "+a.where()+" refused the connection; its error log says why"
		}
		return p
	}
	if a.asked {
		return a.instanceProblem()
	}
	if isTCP(a.target) && !a.reached {
		return a.dialProblem(err)
	}
	return a.talkProblem(err)
}

func isTCP(t *target) bool { return t.protocol == protocolTCP || t.protocol == protocolAdmin }

// where is the host that was dialled last, for people.
func (a *attempt) where() string {
	if strings.EqualFold(a.host, a.target.config.Host) {
		return a.target.address()
	}
	return a.host
}

// instanceProblem is an instance whose port nobody told.
func (a *attempt) instanceProblem() problem {
	if p := a.dialProblem(a.dialError); p.code == CodeNameUnknown {
		return p
	}
	return problem{code: CodeInstanceUnknown, message: fmt.Sprintf(
		"SQL Server Browser on %s does not answer, or does not know the instance %s; start it (UDP 1434), or name the port instead of the instance",
		a.host, a.target.config.Instance)}
}

// dialProblem is a host that could not be reached.
func (a *attempt) dialProblem(err error) problem {
	if a.dialError != nil {
		err = a.dialError
	}
	where := a.where()
	if _, ok := errors.AsType[*net.DNSError](err); ok {
		return problem{code: CodeNameUnknown, message: "this machine cannot find the address of " + a.host + "; check the name, and the name server"}
	}
	switch {
	case isRefused(err):
		return problem{code: CodeRefused, message: "nothing listens at " + where + "; SQL Server is stopped, listens on another port, or its TCP/IP is off"}
	case isTimeout(err):
		return problem{code: CodeNoAnswer, message: where + " does not answer; the machine is off, or a firewall is in between"}
	}
	return problem{code: CodeNoAnswer, message: where + " cannot be reached from this machine"}
}

// talkProblem is a host that was reached, and then did not speak as it should.
func (a *attempt) talkProblem(err error) problem {
	encrypted := a.target.encrypt != encryptDisable
	switch {
	case isTimeout(err):
		return problem{code: CodeNoAnswer, message: a.where() + " takes the connection but does not answer as SQL Server does"}
	case encrypted && !a.secured && a.target.encrypt == encryptStrict:
		return problem{code: CodeNoEncryption, message: "there is no encrypted connection to " + a.where() + "; encrypt=strict needs SQL Server 2022 or newer with a certificate, older ones take encrypt=true"}
	case encrypted && !a.secured:
		return problem{code: CodeNoEncryption, message: "there is no encrypted connection to " + a.where() + "; it offers no TLS 1.2, or is no SQL Server"}
	case a.target.config.Parameters["authenticator"] == "krb5":
		return problem{code: CodeKerberos, message: "Kerberos gave no ticket for " + a.where() + "; check the keytab or ticket cache, the realm, the clock and the service principal name"}
	case !encrypted:
		return problem{code: CodeAway, message: a.where() + " ended the connection; it demands encryption (leave out encrypt=disable), or is no SQL Server"}
	}
	return problem{code: CodeAway, message: "the connection to " + a.where() + " broke while signing in"}
}

// isTimeout says whether a failure is that of waiting.
func isTimeout(err error) bool {
	if errors.Is(err, context.DeadlineExceeded) || errors.Is(err, os.ErrDeadlineExceeded) || errors.Is(err, net.ErrClosed) {
		return true // what waits too long is closed
	}
	timeout, ok := errors.AsType[net.Error](err)
	return ok && timeout.Timeout()
}

// words says why the certificate of a server is not believed.
func (e *certificateError) words(where string) string {
	const day = "2006-01-02"
	switch c := e.certificate; e.reason {
	case fallbackCertificate:
		return where + " shows a certificate that SQL Server makes anew at every start, which cannot be verified or pinned; give it a real one (" + page + ")"
	case wrongName:
		return fmt.Sprintf("the certificate of %s is for %s and not for %s; connect by that name, or pin the certificate in [store] certificate", where, printable(names(c)), e.host)
	case unknownAuthority:
		return fmt.Sprintf("the certificate of %s is signed by %s, which this machine does not trust; name the server's certificate in [store] certificate", where, printable(c.Issuer.CommonName))
	case expired:
		return fmt.Sprintf("the certificate of %s, or of its authority, has expired (%s); renew it", where, c.NotAfter.Format(day))
	case notYetValid:
		return fmt.Sprintf("the certificate of %s is not valid before %s; check the clocks of both machines", where, c.NotBefore.Format(day))
	case notPinned:
		return where + " shows another certificate than the file in [store] certificate; if it was renewed, put the new one there, else somebody is in between"
	case otherwiseWrong:
	}
	return "the certificate of " + where + " cannot be verified"
}

// printable keeps what a certificate says about itself on one line, and short.
func printable(s string) string {
	const most = 120
	s = strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f || r >= 0x80 && r < 0xa0 || r >= 0x200b && r <= 0x200f || r >= 0x2028 && r <= 0x202e || r >= 0x2066 && r <= 0x2069 {
			return '?'
		}
		return r
	}, s)
	if r := []rune(s); len(r) > most {
		s = string(r[:most]) + "…"
	}
	if s == "" {
		return "nobody"
	}
	return s
}
