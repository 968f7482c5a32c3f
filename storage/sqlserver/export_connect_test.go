package sqlserver

import (
	"context"
	"database/sql"
	"net"

	mssql "github.com/microsoft/go-mssqldb"

	"halley"
)

// Target is a DSN taken apart, as tests compare it.
type Target struct {
	Host, Instance, Database, User, Password, Encrypt, Protocol, AppName, Workstation string
	Port                                                                              uint64
	FailOverPartner, ServerSPN, CertificateFile, CertificateName, Keytab              string
	MultiSubnet, Integrated                                                           bool
	DialSeconds, ReadSeconds                                                          int
	Warnings                                                                          []string
}

// ParseDSN takes a DSN apart.
func ParseDSN(o Options) (Target, error) {
	t, err := parse(o)
	if err != nil {
		return Target{}, err
	}
	c := t.config
	return Target{
		Host: c.Host, Instance: c.Instance, Database: c.Database, User: c.User, Password: c.Password + t.password.Reveal(),
		Encrypt: t.encrypt, Protocol: t.protocol, AppName: c.AppName, Workstation: c.Parameters["workstation id"], Port: c.Port,
		FailOverPartner: c.FailOverPartner, ServerSPN: c.ServerSPN, CertificateFile: t.certificateFile,
		CertificateName: t.certificateName, Keytab: c.Parameters["krb5-keytabfile"], MultiSubnet: c.MultiSubnetFailover,
		Integrated: t.integrated, DialSeconds: int(c.DialTimeout.Seconds()), ReadSeconds: int(c.ConnTimeout.Seconds()),
		Warnings: t.warnings,
	}, nil
}

// MapError is mapError, for an error as the driver gives it.
func MapError(err error) error { return mapError("try it", err) }

// EngineError is what the driver gives for errors of the server that came together.
func EngineError(list ...mssql.Error) error {
	last := list[len(list)-1]
	last.All = list
	return last
}

// Network is a network for tests: nil functions are the machine's own.
type Network struct {
	Lookup func(ctx context.Context, host string) ([]string, error)
	Dial   func(ctx context.Context, network, address string) (net.Conn, error)
}

func (n Network) network() network {
	own := realNetwork(0)
	if n.Lookup != nil {
		own.lookup = n.Lookup
	}
	if n.Dial != nil {
		own.dial = n.Dial
	}
	return own
}

// DiagnoseOver is Diagnose over another network.
func DiagnoseOver(ctx context.Context, o Options, n Network) Report {
	own := n.network()
	return diagnose(ctx, o, &own)
}

// Pool opens a pool of connections over a network, and gives its count of connections too.
func Pool(o Options, n Network, most int) (*sql.DB, func() int64, error) {
	t, err := check(o)
	if err != nil {
		return nil, nil, err
	}
	c := newConnector(t, o.PasswordFile)
	c.network = n.network()
	return c.pool(most), c.Generation, nil
}

// ReadPassword is readPassword.
func ReadPassword(name string) (halley.Secret, error) { return readPassword(name) }

// IsSupported is isSupported.
func IsSupported(version string) bool { return isSupported(version) }

// Distrusts lists the reasons why a certificate is not believed.
func Distrusts() []string {
	return []string{
		string(fallbackCertificate), string(wrongName), string(unknownAuthority), string(expired), string(notYetValid), string(notPinned),
		string(otherwiseWrong),
	}
}
