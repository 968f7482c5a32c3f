package ldapsignin_test

import (
	"context"
	"net"
	"strings"
	"sync"
	"testing"
	"time"

	ber "github.com/go-asn1-ber/asn1-ber"
	"github.com/go-ldap/ldap/v3"
	"github.com/google/go-cmp/cmp"

	"halley"
	"halley/config"
)

// scripted is a server that speaks just enough of LDAP to look like Active Directory, which nobody can start in a test: it names the
// capability, has a person with a binary objectGUID, and knows chains of groups.
type scripted struct {
	address string
	mu      sync.Mutex
	// chains are the filters with the matching rule that were asked; silent has it answer nothing.
	chains []string
	silent bool
}

func startScripted(t *testing.T) *scripted {
	t.Helper()
	l, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s := &scripted{address: l.Addr().String()}
	var serving sync.WaitGroup
	var open sync.Map
	serving.Go(func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			open.Store(conn, true)
			serving.Go(func() { s.serve(conn); _ = conn.Close() })
		}
	})
	t.Cleanup(func() {
		_ = l.Close()
		open.Range(func(conn, _ any) bool { _ = conn.(net.Conn).Close(); return true })
		serving.Wait()
	})
	return s
}

func (s *scripted) serve(conn net.Conn) {
	for {
		request, err := ber.ReadPacket(conn)
		if err != nil || len(request.Children) < 2 {
			return
		}
		s.mu.Lock()
		silent := s.silent
		s.mu.Unlock()
		if silent {
			continue
		}
		id, op := request.Children[0].Value.(int64), request.Children[1]
		switch op.Tag {
		case ldap.ApplicationBindRequest:
			code := uint16(ldap.LDAPResultInvalidCredentials)
			if password := op.Children[2].Data.String(); password == "Jana's password" || password == "service" {
				code = ldap.LDAPResultSuccess
			}
			s.send(conn, id, result(ldap.ApplicationBindResponse, code))
		case ldap.ApplicationSearchRequest:
			for _, e := range s.search(op) {
				s.send(conn, id, e)
			}
			s.send(conn, id, result(ldap.ApplicationSearchResultDone, ldap.LDAPResultSuccess))
		default:
			return
		}
	}
}

const janaDN = "CN=Jana (QA)\\, Brno,OU=People,DC=acme,DC=test"

// search gives the entries that a search finds.
func (s *scripted) search(op *ber.Packet) []*ber.Packet {
	base := op.Children[0].Value.(string)
	filter, err := ldap.DecompileFilter(op.Children[6])
	if err != nil {
		return nil
	}
	switch {
	case base == "":
		return []*ber.Packet{found("", attribute("supportedCapabilities", "1.2.840.113556.1.4.800", "1.2.840.113556.1.4.1670"))}
	case strings.Contains(filter, "1.2.840.113556.1.4.1941"):
		s.mu.Lock()
		s.chains = append(s.chains, base+" "+filter)
		s.mu.Unlock()
		if strings.Contains(filter, "CN=Halley users") {
			return []*ber.Packet{found(base)}
		}
	case strings.Contains(filter, "sAMAccountName=jana"):
		return []*ber.Packet{found(janaDN, attribute("objectGUID", "\x01\x02\xff"), attribute("sAMAccountName", "Jana"))}
	}
	return nil
}

func (*scripted) send(conn net.Conn, id int64, answer *ber.Packet) {
	p := ber.Encode(ber.ClassUniversal, ber.TypeConstructed, ber.TagSequence, nil, "")
	p.AppendChild(ber.NewInteger(ber.ClassUniversal, ber.TypePrimitive, ber.TagInteger, id, ""))
	p.AppendChild(answer)
	_, _ = conn.Write(p.Bytes()) // A client that is gone reads no answer.
}

func result(tag ber.Tag, code uint16) *ber.Packet {
	p := ber.Encode(ber.ClassApplication, ber.TypeConstructed, tag, nil, "")
	p.AppendChild(ber.NewInteger(ber.ClassUniversal, ber.TypePrimitive, ber.TagEnumerated, int64(code), ""))
	p.AppendChild(text(""))
	p.AppendChild(text(""))
	return p
}

func found(dn string, attributes ...*ber.Packet) *ber.Packet {
	p := ber.Encode(ber.ClassApplication, ber.TypeConstructed, ldap.ApplicationSearchResultEntry, nil, "")
	p.AppendChild(text(dn))
	list := ber.Encode(ber.ClassUniversal, ber.TypeConstructed, ber.TagSequence, nil, "")
	for _, a := range attributes {
		list.AppendChild(a)
	}
	p.AppendChild(list)
	return p
}

func attribute(name string, values ...string) *ber.Packet {
	one := ber.Encode(ber.ClassUniversal, ber.TypeConstructed, ber.TagSequence, nil, "")
	one.AppendChild(text(name))
	set := ber.Encode(ber.ClassUniversal, ber.TypeConstructed, ber.TagSet, nil, "")
	for _, v := range values {
		set.AppendChild(text(v))
	}
	one.AppendChild(set)
	return one
}

func text(s string) *ber.Packet {
	return ber.NewString(ber.ClassUniversal, ber.TypePrimitive, ber.TagOctetString, s, "")
}

func (s *scripted) settings(t *testing.T) config.LDAP {
	t.Helper()
	c := config.Defaults().LDAP
	c.Servers, c.People = []string{"ldap://" + s.address}, "OU=People,DC=acme,DC=test"
	c.Groups = []string{
		"CN=Halley users,OU=Groups,DC=acme,DC=test -> user@/Acme/Brno",
		"CN=Halley (admins),OU=Groups,DC=acme,DC=test -> administrator@/",
	}
	return c
}

// TestActiveDirectoryFollowsChainsItself holds what is asked of Active Directory. The real one is not asked anything here.
func TestActiveDirectoryFollowsChainsItself(t *testing.T) {
	t.Parallel()
	s := startScripted(t)
	d, _ := directory(t, s.settings(t))
	jana, err := check(t, d, "jana", "Jana's password")
	if err != nil {
		t.Fatal(err)
	}
	if jana.Subject != "objectGUID:0102ff" || jana.Name != "Jana" {
		t.Errorf("Jana is %q, %q", jana.Subject, jana.Name)
	}
	if diff := cmp.Diff([]halley.Grant{{Role: halley.User, OrganizationID: 3}}, jana.Grants); diff != "" {
		t.Errorf("grants (-want +got):\n%s", diff)
	}
	const rule = "(memberOf:1.2.840.113556.1.4.1941:="
	wantChains := []string{
		janaDN + " " + rule + "CN=Halley users,OU=Groups,DC=acme,DC=test)",
		janaDN + " " + rule + `CN=Halley \28admins\29,OU=Groups,DC=acme,DC=test)`,
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if diff := cmp.Diff(wantChains, s.chains); diff != "" {
		t.Errorf("asked (-want +got):\n%s", diff)
	}
}

func TestServerThatSaysNothingIsGivenUp(t *testing.T) {
	t.Parallel()
	s := startScripted(t)
	s.silent = true
	d, _ := directory(t, s.settings(t))
	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	_, err := d.Check(ctx, "jana", "Jana's password")
	want(t, err, halley.Unavailable, "Jana's password")
}
