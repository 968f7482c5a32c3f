package config

// Mail says how the server sends e-mail.
type Mail struct {
	// Server is HOST or HOST:PORT of the mail server; empty for no e-mail. Without a port it is 587, where TLS is
	// "from-start" 465 and where it is "none" 25.
	Server string `toml:"server"`
	// From is the sender's address.
	From string `toml:"from"`
	// User signs in with the password in PasswordFile; both empty for a server that asks for none.
	User         string `toml:"user"`
	PasswordFile string `toml:"password-file"`
	// TLS is MailTLSRequired, MailTLSFromStart or MailTLSNone.
	TLS string `toml:"tls"`
	// Certificate is a file with the certificate of the mail server or of its authority; empty for what the system trusts.
	Certificate string `toml:"certificate"`
}

// How a connection to the mail server is protected: Mail.TLS.
const (
	// MailTLSRequired begins in the clear and goes over to TLS before anything is said (STARTTLS); a server that cannot is an error.
	MailTLSRequired = "required"
	// MailTLSFromStart speaks TLS from the first byte, as port 465 does.
	MailTLSFromStart = "from-start"
	// MailTLSNone speaks in the clear. No password is sent so.
	MailTLSNone = "none"
)

func mailDefaults() Mail { return Mail{TLS: MailTLSRequired} }

// mailServer accepts HOST, HOST:PORT or nothing.
func mailServer(s string) string {
	if s == "" || hostName(s) == "" {
		return ""
	}
	if hostPort(s) != "" {
		return "write HOST or HOST:PORT of your mail server; " + quoted(s) + " is neither"
	}
	return ""
}

func sender(s string) string {
	if s == "" {
		return ""
	}
	return mailAddress(s)
}

// mailTogether finds what does not go with what in [mail].
func mailTogether(m *Mail) []Mistake {
	var found []Mistake
	switch {
	case m.User != "" && m.PasswordFile == "":
		found = append(found, Mistake{Key: "mail.user", Why: "a user needs a password: set mail.password-file as well"})
	case m.User == "" && m.PasswordFile != "":
		found = append(found, Mistake{Key: "mail.password-file", Why: "a password needs a user: set mail.user as well"})
	case m.User != "" && m.TLS == MailTLSNone:
		found = append(found, Mistake{Key: "mail.tls", Why: "a password is not sent in the clear: set mail.tls to \"required\" or \"from-start\", or leave out mail.user"})
	}
	if m.Server != "" && m.From == "" {
		found = append(found, Mistake{Key: "mail.server", Why: "e-mail needs a sender: set mail.from as well"})
	}
	return found
}
