package sqlserver

import (
	"fmt"
	"log/slog"
	"maps"
	"net"
	"net/netip"
	"net/url"
	"runtime"
	"slices"
	"strconv"
	"strings"

	"github.com/microsoft/go-mssqldb/msdsn"

	"halley"
)

// Scheme begins every DSN of this store.
const Scheme = "sqlserver"

// Options say which database to use, and how to sign in.
type Options struct {
	// DSN is sqlserver://[USER[:PASSWORD]@]HOST[:PORT][/INSTANCE][?database=NAME&...]. Without a user the account of this process
	// signs in (Windows), or the one that authenticator=krb5 describes.
	DSN halley.Secret
	// PasswordFile holds the password, on one line; empty for none. It is read at every new connection, so that a changed
	// password works without a restart.
	PasswordFile string
	// CertificateFile holds, as PEM or DER, the certificate of the server itself, which is then the only one that is believed, or
	// those of the authorities that may have signed it. Empty for the authorities that the system trusts.
	CertificateFile string
	// Log gets what an administrator should know of; nil for none.
	Log *slog.Logger
}

// The ways of encryption, as the parameter encrypt takes them.
const (
	encryptTrue    = "true"
	encryptStrict  = "strict"
	encryptDisable = "disable"
)

// The protocols, as the parameter protocol takes them.
const (
	protocolTCP    = "tcp"
	protocolAdmin  = "admin"
	protocolPipe   = "np"
	protocolMemory = "lpc"
)

// The defaults of a DSN that does not say otherwise.
const (
	defaultDatabase = "halley"
	defaultPort     = 1433
	// dialSeconds bounds reaching the server; readSeconds how long one call waits for the next bytes of an answer.
	dialSeconds = 5
	readSeconds = 30
	// aliveSeconds is how long a connection may be silent before it is asked for a sign of life.
	aliveSeconds = 15
	// packetBytes is the most that SQL Server takes on an encrypted connection (SQL Server documentation, "network packet size").
	packetBytes = 16_383
)

// target is a DSN taken apart and made safe.
type target struct {
	// config is for the driver, without a password from a file and without TLS settings.
	config msdsn.Config
	// password is the one in the DSN, "" where there is none.
	password halley.Secret
	// integrated says that an account signs in which the DSN does not name a password for.
	integrated bool
	encrypt    string
	protocol   string
	// certificateFile is what the server's certificate is held against; certificateName the name that must stand in it, "" for
	// the name of the host.
	certificateFile, certificateName string
	// warnings are sentences for the administrator.
	warnings []string
}

// use says what a parameter of a DSN is to Halley.
type use struct {
	// refused says in words why it is not taken, "" where it is.
	refused string
	// own says that Halley looks at it and the driver does not see it.
	own bool
}

// parameters are all that a DSN may hold, in lower case.
func parameters() map[string]use {
	const (
		inAddress = "write user, password, host and port as sqlserver://USER:PASSWORD@HOST:PORT"
		fixed     = "Halley sets this itself; leave it out"
	)
	p := map[string]use{
		msdsn.Encrypt: {own: true}, msdsn.TrustServerCertificate: {own: true}, msdsn.TLSMin: {own: true},
		msdsn.Certificate: {own: true}, msdsn.ServerCertificate: {own: true}, msdsn.HostNameInCertificate: {own: true},
		msdsn.UserID: {refused: inAddress}, msdsn.Password: {refused: inAddress}, msdsn.Server: {refused: inAddress},
		msdsn.Port:           {refused: inAddress},
		msdsn.ChangePassword: {refused: "change the password in SQL Server, and then here"},
		msdsn.ApplicationIntent: {
			refused: "Halley writes, which a readable secondary does not take; leave it out",
		},
		msdsn.LogParam: {refused: "the log of Halley has its own settings, in [log]; leave it out"},
	}
	for _, name := range []string{msdsn.GuidConversion, msdsn.Timezone, msdsn.DisableRetry, "columnencryption"} {
		p[name] = use{refused: fixed}
	}
	for _, name := range []string{
		msdsn.Database, msdsn.PacketSize, msdsn.ConnectionTimeout, msdsn.DialTimeout, msdsn.KeepAlive, msdsn.ServerSpn,
		msdsn.WorkstationID, msdsn.AppName, msdsn.FailoverPartner, msdsn.FailOverPort, msdsn.FailoverPartnerSpn, msdsn.Protocol,
		msdsn.Pipe, msdsn.MultiSubnetFailover, msdsn.NoTraceID, msdsn.EpaEnabled, "authenticator", "krb5-configfile",
		"krb5-keytabfile", "krb5-credcachefile", "krb5-realm", "krb5-dnslookupkdc", "krb5-udppreferencelimit",
	} {
		p[name] = use{}
	}
	return p
}

// invalid is a DSN, or an option beside it, that cannot be right. The text never repeats what may be a secret.
func invalid(field, format string, values ...any) error {
	return &halley.Error{
		Kind: halley.Invalid, Op: "read the connection to SQL Server", Field: field, Message: fmt.Sprintf(format, values...),
	}
}

// parse takes the DSN apart, fills in what it leaves open and refuses what is not safe.
func parse(o Options) (*target, error) {
	u, query, err := split(o.DSN)
	if err != nil {
		return nil, err
	}
	t := &target{certificateFile: o.CertificateFile}
	if err := t.security(u, query); err != nil {
		return nil, err
	}
	t.defaults(query)
	t.protocol = query.Get(msdsn.Protocol)
	if err := t.known(query); err != nil {
		return nil, err
	}
	// The driver's own reading gets neither user nor password, so that its errors cannot repeat them.
	bare := url.URL{Scheme: Scheme, Host: u.Host, Path: u.Path, RawQuery: query.Encode()}
	if t.config, err = msdsn.Parse(bare.String()); err != nil {
		return nil, invalid("dsn", "%v", err)
	}
	if err := t.account(u, o); err != nil {
		return nil, err
	}
	t.advise(o)
	return t, nil
}

// split reads the DSN as an address and its parameters in lower case.
func split(dsn halley.Secret) (*url.URL, url.Values, error) {
	const form = "write sqlserver://USER:PASSWORD@HOST:PORT?database=NAME"
	u, err := url.Parse(strings.TrimSpace(dsn.Reveal()))
	if err != nil || u.Scheme == Scheme && u.Fragment != "" {
		return nil, nil, invalid("dsn", "this cannot be read; %s, with signs such as @ : / # %% in user or password as %%40 %%3A %%2F %%23 %%25", form)
	}
	if u.Scheme != Scheme || u.Opaque != "" {
		return nil, nil, invalid("dsn", form)
	}
	if u.Hostname() == "" {
		return nil, nil, invalid("dsn", "the host is missing; %s", form)
	}
	if strings.Contains(strings.Trim(u.Path, "/"), "/") {
		return nil, nil, invalid("dsn", "what follows the host is the name of an instance, without a slash; the database goes behind ?database=")
	}
	u.Path = strings.TrimSuffix(u.Path, "/")
	raw, err := url.ParseQuery(u.RawQuery)
	if err != nil {
		return nil, nil, invalid("dsn", "what follows the question mark cannot be read; write NAME=VALUE, separated by &, as in ?database=halley&encrypt=strict")
	}
	query := url.Values{}
	for name, values := range raw {
		lower := strings.ToLower(name)
		if _, twice := query[lower]; twice || len(values) > 1 {
			return nil, nil, invalid("dsn", "the parameter %s stands there twice; keep one", shown(name))
		}
		if why := judge(lower); why != "" {
			return nil, nil, invalid("dsn", "%s: %s", shown(name), why)
		}
		query.Set(lower, strings.TrimSpace(values[0]))
	}
	return u, query, nil
}

// judge says what is wrong with the name of a parameter, or "".
func judge(name string) string {
	all := parameters()
	if p, known := all[name]; known {
		return p.refused
	}
	why := "there is no such parameter"
	// What other drivers call it.
	if ours, ok := map[string]string{
		"initial catalog": msdsn.Database, "dbname": msdsn.Database, "sslmode": msdsn.Encrypt, "ssl": msdsn.Encrypt,
		"encryption":       msdsn.Encrypt,
		"application name": msdsn.AppName, "timeout": msdsn.ConnectionTimeout, "connect timeout": msdsn.DialTimeout,
		"trust server certificate": msdsn.TrustServerCertificate, "multi subnet failover": msdsn.MultiSubnetFailover,
		"failover partner": msdsn.FailoverPartner, "wsid": msdsn.WorkstationID,
	}[name]; ok {
		return why + "; did you mean " + ours + "?"
	}
	if strings.Contains(name, "integrated") || strings.Contains(name, "trusted") {
		return why + "; leave the user out of the DSN to sign in with the account of the service"
	}
	if near := nearest(name, slices.Sorted(maps.Keys(all))); near != "" {
		why += "; did you mean " + near + "?"
	}
	return why
}

// shown quotes the name of a parameter, cut, for it may be anything.
func shown(name string) string {
	const most = 40
	if r := []rune(name); len(r) > most {
		name = string(r[:most]) + "…"
	}
	return strconv.Quote(name)
}

// security settles encryption and what the certificate is held against, and takes both out of query.
func (t *target) security(u *url.URL, query url.Values) error {
	for _, name := range []string{msdsn.Certificate, msdsn.ServerCertificate} {
		file := query.Get(name)
		if file == "" {
			continue
		}
		if t.certificateFile != "" && t.certificateFile != file {
			return invalid("dsn", "%s and the setting certificate name two files; keep one", name)
		}
		t.certificateFile = file
	}
	t.certificateName = query.Get(msdsn.HostNameInCertificate)
	if trust := strings.ToLower(query.Get(msdsn.TrustServerCertificate)); trust != "" && !slices.Contains([]string{"false", "no", "0"}, trust) {
		return invalid("dsn", "TrustServerCertificate lets anyone on the network pretend to be the database, so Halley does not take it: "+
			"leave it out and name the server's certificate in [store] certificate")
	}
	if least := query.Get(msdsn.TLSMin); least != "" && least != "1.2" && least != "1.3" {
		return invalid("dsn", "tlsmin is 1.2 or 1.3")
	}
	switch word := strings.ToLower(query.Get(msdsn.Encrypt)); word {
	case "":
		t.encrypt = encryptTrue
		if query.Get(msdsn.Protocol) == protocolMemory {
			// Shared memory never leaves the machine, and the certificate of a default installation cannot be verified.
			t.encrypt = encryptDisable
		}
	case "true", "yes", "1", "mandatory":
		t.encrypt = encryptTrue
	case encryptStrict, encryptDisable:
		t.encrypt = word
	default:
		return invalid("dsn", "encrypt is true, strict (TDS 8, SQL Server 2022) or disable; anything else would leave the samples readable on the way")
	}
	if t.encrypt == encryptDisable && t.certificateFile != "" {
		return invalid("dsn", "a certificate is named, but encrypt=disable does not look at it; leave one of them out")
	}
	if t.encrypt == encryptDisable && query.Get(msdsn.Protocol) != protocolMemory && !isLoopback(u.Hostname()) {
		t.warnings = append(t.warnings, "the connection to "+u.Hostname()+" is not encrypted (encrypt=disable): anyone on the way can read and change what Halley stores, and its password")
	}
	least := query.Get(msdsn.TLSMin)
	for name, p := range parameters() {
		if p.own {
			query.Del(name)
		}
	}
	query.Set(msdsn.Encrypt, t.encrypt)
	if least != "" {
		query.Set(msdsn.TLSMin, least)
	}
	return nil
}

// defaults fills in what the DSN leaves open.
func (t *target) defaults(query url.Values) {
	for name, value := range map[string]string{
		msdsn.Database: defaultDatabase, msdsn.AppName: "Halley", msdsn.Protocol: protocolTCP,
		msdsn.DialTimeout: strconv.Itoa(dialSeconds), msdsn.ConnectionTimeout: strconv.Itoa(readSeconds),
		msdsn.KeepAlive: strconv.Itoa(aliveSeconds), msdsn.PacketSize: strconv.Itoa(packetBytes),
	} {
		if query.Get(name) == "" {
			query.Set(name, value)
		}
	}
}

// known checks the values that the driver would take without a word.
func (t *target) known(query url.Values) error {
	protocols := []string{protocolTCP, protocolAdmin}
	authenticators := []string{"krb5", "ntlm"}
	if runtime.GOOS == "windows" {
		protocols = append(protocols, protocolPipe, protocolMemory)
		authenticators = []string{"winsspi", "ntlm"}
	}
	if !slices.Contains(protocols, t.protocol) {
		return invalid("dsn", "protocol is one of %s on this system", strings.Join(protocols, ", "))
	}
	if a := query.Get("authenticator"); query.Has("authenticator") && !slices.Contains(authenticators, a) {
		return invalid("dsn", "authenticator is one of %s on this system", strings.Join(authenticators, ", "))
	}
	for name, most := range map[string]int{msdsn.DialTimeout: 60, msdsn.ConnectionTimeout: 600, msdsn.KeepAlive: 3600} {
		if n, err := strconv.Atoi(query.Get(name)); err != nil || n < 1 || n > most {
			return invalid("dsn", "%s is a number of seconds from 1 to %d", name, most)
		}
	}
	return nil
}

// account settles who signs in.
func (t *target) account(u *url.URL, o Options) error {
	t.config.User = u.User.Username()
	password, given := u.User.Password()
	t.password = halley.Secret(password)
	if given && t.config.User == "" {
		return invalid("dsn", "there is a password without a user; write sqlserver://USER:PASSWORD@HOST")
	}
	authenticator := t.config.Parameters["authenticator"]
	t.integrated = t.config.User == "" || authenticator == "krb5" && !given && o.PasswordFile == ""
	if t.config.User == "" && authenticator == "" && runtime.GOOS != "windows" {
		return invalid("dsn", "the user is missing: write sqlserver://USER@HOST with the password in [store] password-file, or add authenticator=krb5 to sign in with Kerberos")
	}
	if t.integrated && o.PasswordFile != "" {
		return invalid("password-file", "there is a password but no user; write sqlserver://USER@HOST")
	}
	return nil
}

// advise collects what works and should be different.
func (t *target) advise(o Options) {
	if t.config.Instance != "" && t.config.Port != 0 {
		t.warnings = append(t.warnings, fmt.Sprintf("the port %d is used and the instance %s is not asked for; a database is named by ?database=", t.config.Port, t.config.Instance))
	}
	if t.password != "" && o.PasswordFile != "" {
		t.warnings = append(t.warnings, "the password in [store] password-file is used, the one in the DSN is not; take it out of the DSN")
	}
}

// isLoopback says whether a host is this machine by its name alone.
func isLoopback(host string) bool {
	if strings.EqualFold(host, "localhost") || host == "." || strings.EqualFold(host, "(local)") {
		return true
	}
	ip, err := netip.ParseAddr(host)
	return err == nil && ip.IsLoopback()
}

// address is the host with its port or instance, for people.
func (t *target) address() string {
	switch {
	case t.config.Port != 0:
		return net.JoinHostPort(t.config.Host, strconv.FormatUint(t.config.Port, 10))
	case t.config.Instance != "":
		return t.config.Host + `\` + t.config.Instance
	default:
		return t.config.Host
	}
}

// port is the port to dial where no SQL Browser is asked.
func (t *target) port() string {
	if t.config.Port != 0 {
		return strconv.FormatUint(t.config.Port, 10)
	}
	return strconv.Itoa(defaultPort)
}

// nearest gives the word that was probably meant, or "": at most a third of its letters differ.
func nearest(word string, words []string) string {
	best, least := "", len(word)
	for _, w := range words {
		if d := difference(word, w); d < least && d*3 <= len(w) {
			best, least = w, d
		}
	}
	return best
}

// difference counts the letters to add, drop or change to make one word of the other.
func difference(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			change := diagonal
			if a[i] != b[j] {
				change++
			}
			diagonal = row[j+1]
			row[j+1] = min(change, diagonal+1, row[j]+1)
		}
	}
	return row[len(b)]
}
