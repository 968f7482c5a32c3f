package main

import (
	"encoding/json"
	"errors"
	"go/ast"
	"go/parser"
	"go/token"
	"io"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// dialling are the names with which Go code opens a connection, asks for a name, or starts another program, by import path.
var dialling = map[string]*regexp.Regexp{
	"net":                          regexp.MustCompile(`^(Dial|Lookup|Resolver|DefaultResolver|ListenPacket|ListenUDP|ListenIP|ListenMulticast|FileConn)`),
	"net/http":                     regexp.MustCompile(`^(Get|Head|Post|PostForm|Client|DefaultClient|Transport|DefaultTransport|NewClientConn)$`),
	"crypto/tls":                   regexp.MustCompile(`^(Dial.*|Client)$`),
	"os/exec":                      regexp.MustCompile(`^(Command.*|Cmd)$`),
	"os":                           regexp.MustCompile(`^StartProcess$`),
	"syscall":                      regexp.MustCompile(`^(Connect|Socket|Sendto|ForkExec|Exec|StartProcess)`),
	"golang.org/x/sys/unix":        regexp.MustCompile(`^(Connect|Socket|Sendto|Exec)`),
	"golang.org/x/sys/windows":     regexp.MustCompile(`^(Connect|Socket|Sendto|WSASendto|CreateProcess|ShellExecute)`),
	"net/rpc":                      regexp.MustCompile(`.`),
	"net/smtp":                     regexp.MustCompile(`.`),
	"log/syslog":                   regexp.MustCompile(`.`),
	"golang.org/x/net/websocket":   regexp.MustCompile(`.`),
	"net/http/httputil":            regexp.MustCompile(`^(ReverseProxy|NewSingleHostReverseProxy)`),
	"github.com/kardianos/service": regexp.MustCompile(`^Logger$`),
}

// mayDial are the files of the program that use such names, and why.
var mayDial = map[string]string{
	"halley/cmd/halley/internal/fleet/client.go": "the simulated devices connect to the server that --to names",
	"halley/cmd/halley/machine.go":               "installing the service starts commands of the system",
	"halley/cmd/halley/service_windows.go":       "what goes wrong is told to the event log of this machine",
	"halley/cmd/halley/notify.go":                "systemd is told through a socket file of this machine",
	"halley/server/mail/dial.go":                 "the mail server that [mail] server names",
	"halley/server/syslog/syslog.go":             "the syslog servers that [ledger] outside names",
	"halley/server/clock/source.go":              "the time source that [clock] ntp names is asked for the time",
	"halley/server/ldapsignin/connect.go":        "the servers that [ldap] servers names",
	"halley/server/oidcsignin/client.go":         "the hosts that [oidc] issuer and [oidc] hosts name, and no other, whatever the issuer or the environment say",
	"halley/server/backup/s3.go":                 "the S3-compatible store that [backup] s3-endpoint names, and no other, whatever proxy the environment names",
	"halley/storage/sqlserver/connector.go":      "the database that [store] dsn names, the browser service of its host, and the names of both",
}

// foreign are the packages of others that can reach the network or start programs, and why they are part of the program.
var foreign = map[string]string{
	"github.com/wneessen/go-mail":                  "e-mail: it connects through server/mail/dial.go alone",
	"github.com/wneessen/go-mail/smtp":             "part of it",
	"github.com/alexedwards/scs/v2":                "sessions: it only wraps the answers of net/http",
	"github.com/beevik/ntp":                        "asks the time source over the connection that server/clock/source.go makes",
	"golang.org/x/net/ipv4":                        "part of that: it could set how far its packets go, which is not used",
	"golang.org/x/net/internal/socket":             "part of that too",
	"github.com/minio/minio-go/v7":                 "backups: it connects over the transport of server/backup/s3.go alone",
	"github.com/minio/minio-go/v7/pkg/credentials": "part of it: only static keys are used, no service is asked for any",
	"github.com/minio/minio-go/v7/pkg/encrypt":     "part of it: headers",
	"github.com/minio/minio-go/v7/pkg/s3utils":     "part of it: names",
	"github.com/minio/minio-go/v7/pkg/signer":      "part of it: signs requests",
	"golang.org/x/net/http/httpguts":               "part of it: looks at headers",
	"github.com/go-ldap/ldap/v3":                   "sign-in with a directory service: it speaks over the connection that server/ldapsignin/connect.go makes",
	"github.com/Azure/go-ntlmssp":                  "part of it: a way of signing in that is not used",
	"github.com/coreos/go-oidc/v3/oidc":            "sign-in with OpenID Connect: it asks over the client of server/oidcsignin/client.go alone",
	"golang.org/x/oauth2":                          "part of it",
	"golang.org/x/oauth2/internal":                 "part of it",
	"github.com/go-webauthn/webauthn/webauthn":     "passkeys: it reads requests of net/http, which is not used, and asks nobody",
	"github.com/go-webauthn/webauthn/protocol":     "part of it: reads requests and addresses",
	"github.com/go-webauthn/webauthn/metadata":     "part of it: a list of authenticators that could be fetched, which is not used",
	"github.com/go-webauthn/x/revoke":              "part of that: asks about certificates of that list, which is not used",
	"github.com/go-viper/mapstructure/v2":          "part of it: reads addresses",
	"github.com/google/go-tpm/tpmutil":             "part of it: reads what a TPM signed; it opens none",
	"github.com/gorilla/mux":                       "routes: it only dispatches requests of net/http",
	"github.com/klauspost/compress/gzhttp":         "compression: it only wraps the answers of net/http",
	"github.com/google/uuid":                       "part of SQLite's C library: it reads the names of network cards",
	"github.com/kardianos/service":                 "installs the service; its logger, which could use syslog, is not used",
	"golang.org/x/sys/windows":                     "the system's own interface; what uses it is looked at here",
	"modernc.org/libc":                             "SQLite's C library",

	"github.com/microsoft/go-mssqldb":                                      "SQL Server: it goes where storage/sqlserver/connector.go lets it",
	"github.com/microsoft/go-mssqldb/msdsn":                                "SQL Server: it only reads DSNs",
	"github.com/microsoft/go-mssqldb/integratedauth/krb5":                  "Kerberos: only where the DSN says authenticator=krb5",
	"github.com/microsoft/go-mssqldb/namedpipe":                            "named pipes: only where the DSN says protocol=np",
	"github.com/microsoft/go-mssqldb/sharedmemory":                         "memory of this machine: only where the DSN says protocol=lpc",
	"github.com/microsoft/go-mssqldb/internal/np":                          "used by both of these",
	"github.com/microsoft/go-mssqldb/internal/gopkg.in/natefinch/npipe.v2": "used by both of these",
	"github.com/jcmturner/dnsutils/v2":                                     "Kerberos: asks for the servers of a realm",
	"github.com/jcmturner/goidentity/v6":                                   "Kerberos: for servers of HTTP, which is not used",
	"github.com/jcmturner/gokrb5/v8/client":                                "Kerberos: connects to the servers that its configuration names",
	"github.com/jcmturner/gokrb5/v8/config":                                "Kerberos: reads its configuration",
	"github.com/jcmturner/gokrb5/v8/service":                               "Kerberos: for servers, which is not used",
	"github.com/jcmturner/gokrb5/v8/spnego":                                "Kerberos: makes tokens; its client of HTTP is not used",
	"github.com/jcmturner/gokrb5/v8/types":                                 "Kerberos: writes addresses",
}

// aPackage is what go list says of a package.
type aPackage struct {
	ImportPath, Dir                  string
	Standard                         bool
	GoFiles, IgnoredGoFiles, Imports []string
}

// programPackages gives the packages of which the program is made on a system, but for the standard library's.
func programPackages(t *testing.T, system string) []aPackage {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "go", "list", "-deps", "-json=ImportPath,Dir,Standard,GoFiles,IgnoredGoFiles,Imports", ".")
	cmd.Env = append(os.Environ(), "GOOS="+system, "CGO_ENABLED=0")
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("go list: %v", err)
	}
	var packages []aPackage
	for decoder := json.NewDecoder(strings.NewReader(string(out))); ; {
		var p aPackage
		err := decoder.Decode(&p)
		if errors.Is(err, io.EOF) {
			return packages
		}
		if err != nil {
			t.Fatal(err)
		}
		if !p.Standard {
			packages = append(packages, p)
		}
	}
}

// TestNobodyElseCanDial fails where a part of the program begins to be able to open connections: what may is named above.
func TestNobodyElseCanDial(t *testing.T) {
	t.Parallel()
	seen := map[string]bool{}
	for _, system := range []string{"linux", "windows"} {
		for _, p := range programPackages(t, system) {
			if ours := p.ImportPath == "halley" || strings.HasPrefix(p.ImportPath, "halley/"); !ours {
				if reaches(p.Imports) && foreign[p.ImportPath] == "" {
					t.Errorf("%s became part of the program for %s and imports %v: does it open connections? If not, name it here", p.ImportPath, system, p.Imports)
				}
				continue
			}
			for _, name := range p.GoFiles {
				file := path.Join(p.ImportPath, name)
				for _, used := range diallingIn(t, filepath.Join(p.Dir, name)) {
					seen[file] = true
					if mayDial[file] == "" {
						t.Errorf("%s uses %s on %s: nothing but what is named here may open connections", file, used, system)
					}
				}
			}
		}
	}
	for file := range mayDial {
		if !seen[file] {
			t.Errorf("%s need not be named any more", file)
		}
	}
}

// TestDiallingIsFound makes sure that the look at the code would see what must not be there.
func TestDiallingIsFound(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "x.go")
	code := "package x\n\nimport (\n\tn \"net\"\n\t\"net/http\"\n\t\"os\"\n)\n\n" +
		"var a, b = n.Dial, http.DefaultClient\nvar c n.Dialer\nvar d = http.NewServeMux\nvar e = n.Listen\nvar f = os.Open\n"
	if err := os.WriteFile(file, []byte(code), 0o600); err != nil {
		t.Fatal(err)
	}
	if got, want := diallingIn(t, file), []string{"net.Dial", "net/http.DefaultClient", "net.Dialer"}; !slices.Equal(got, want) {
		t.Errorf("found %v, want %v", got, want)
	}
	if !reaches([]string{"fmt", "net/smtp"}) || reaches([]string{"fmt", "net/url", "net/netip"}) {
		t.Error("a package that imports net/smtp reaches the network, one that imports net/url does not")
	}
}

// reaches says whether imports let a package of others open connections or start programs.
func reaches(imports []string) bool {
	return slices.ContainsFunc(imports, func(p string) bool {
		return p == "net" || p == "net/http" || p == "net/rpc" || p == "net/smtp" || p == "log/syslog" || p == "os/exec"
	})
}

// diallingIn gives the names of dialling that a file uses.
func diallingIn(t *testing.T, file string) []string {
	t.Helper()
	f, err := parser.ParseFile(token.NewFileSet(), file, nil, parser.SkipObjectResolution)
	if err != nil {
		t.Fatal(err)
	}
	paths := map[string]string{}
	for _, spec := range f.Imports {
		to, err := strconv.Unquote(spec.Path.Value)
		if err != nil {
			t.Fatal(err)
		}
		name := path.Base(to)
		if spec.Name != nil {
			name = spec.Name.Name
		}
		if name == "." && dialling[to] != nil {
			t.Errorf("%s imports %s with a dot, which hides what it uses", file, to)
		}
		paths[name] = to
	}
	var used []string
	ast.Inspect(f, func(n ast.Node) bool {
		if s, ok := n.(*ast.SelectorExpr); ok {
			if x, ok := s.X.(*ast.Ident); ok {
				if to := paths[x.Name]; dialling[to] != nil && dialling[to].MatchString(s.Sel.Name) {
					used = append(used, to+"."+s.Sel.Name)
				}
			}
		}
		return true
	})
	return used
}
