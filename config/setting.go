package config

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"halley"
)

// setting is one key: how its value is read from the file and from a text, and what it may be.
type setting struct {
	key string
	// take puts a value, as TOML gives it, into c. It gives what is wrong with it, or "".
	take func(c *Config, value any) (why string)
	// value turns the texts of an environment variable or a flag into what TOML would give. One text unless it is a list.
	value func(texts []string) any
	// list says that the setting holds several values.
	list bool
}

// settings are all keys, in the order of the documented file.
func settings() []setting {
	const (
		kibi = 1 << 10
		mebi = 1 << 20
		gibi = 1 << 30
	)
	return append([]setting{
		text("data", func(c *Config) *string { return &c.Data }, notEmpty("name a folder")),
		text("node", func(c *Config) *string { return &c.Node }, nodeName),
		secret("store.dsn", func(c *Config) *halley.Secret { return &c.Store.DSN }, storeAddress),
		text("store.password-file", func(c *Config) *string { return &c.Store.PasswordFile }, anyText),
		text("store.certificate", func(c *Config) *string { return &c.Store.Certificate }, anyText),
		text("viewer.address", func(c *Config) *string { return &c.Viewer.Address }, hostPort),
		text("viewer.certificate", func(c *Config) *string { return &c.Viewer.Certificate }, anyText),
		text("viewer.key", func(c *Config) *string { return &c.Viewer.Key }, anyText),
		texts("viewer.hosts", func(c *Config) *[]string { return &c.Viewer.Hosts }, hostName),
		yesNo("viewer.plain-on-loopback", func(c *Config) *bool { return &c.Viewer.PlainOnLoopback }),
		texts("devices.listen", func(c *Config) *[]string { return &c.Devices.Listen }, listenAddress),
		text("devices.certificate", func(c *Config) *string { return &c.Devices.Certificate }, anyText),
		text("devices.key", func(c *Config) *string { return &c.Devices.Key }, anyText),
		text("devices.accept", func(c *Config) *string { return &c.Devices.Accept }, oneOf(AcceptApprove, AcceptAny, AcceptEntryPoint)),
		whole("devices.body-bytes", func(c *Config) *int64 { return &c.Devices.BodyBytes }, between[int64](kibi, 64*mebi)),
		whole("devices.array-body-bytes", func(c *Config) *int64 { return &c.Devices.ArrayBodyBytes }, between[int64](kibi, 64*mebi)),
		whole("devices.header-bytes", func(c *Config) *int { return &c.Devices.HeaderBytes }, between(kibi, mebi)),
		length("devices.header-timeout", func(c *Config) *Duration { return &c.Devices.HeaderTimeout }, lasting(time.Second, time.Hour)),
		length("devices.body-timeout", func(c *Config) *Duration { return &c.Devices.BodyTimeout }, lasting(time.Second, time.Hour)),
		length("devices.idle-timeout", func(c *Config) *Duration { return &c.Devices.IdleTimeout }, lasting(time.Second, time.Hour)),
		whole("devices.connections", func(c *Config) *int { return &c.Devices.Connections }, between(1, 1_000_000)),
		whole("devices.messages-per-minute", func(c *Config) *int { return &c.Devices.MessagesPerMinute }, between(0, 1_000_000)),
		length("devices.clock-ahead", func(c *Config) *Duration { return &c.Devices.ClockAhead }, lasting(time.Minute, 31*24*time.Hour)),
		whole("quarantine.devices", func(c *Config) *int { return &c.Quarantine.Devices }, between(0, 100_000)),
		whole("quarantine.device-bytes", func(c *Config) *int64 { return &c.Quarantine.DeviceBytes }, between[int64](0, gibi)),
		whole("quarantine.bytes", func(c *Config) *int64 { return &c.Quarantine.Bytes }, between[int64](0, 1024*gibi)),
		whole("journal.file-bytes", func(c *Config) *int64 { return &c.Journal.FileBytes }, between[int64](mebi, 64*gibi)),
		whole("journal.keep-bytes", func(c *Config) *int64 { return &c.Journal.KeepBytes }, between[int64](0, 1<<20*gibi)),
		whole("journal.reserve-bytes", func(c *Config) *int64 { return &c.Journal.ReserveBytes }, between[int64](0, 1024*gibi)),
		length("journal.sign-of-life", func(c *Config) *Duration { return &c.Journal.SignOfLife }, lasting(time.Second, 10*time.Minute)),
		length("recorder.every", func(c *Config) *Duration { return &c.Recorder.Every }, lasting(100*time.Millisecond, time.Hour)),
		whole("recorder.samples", func(c *Config) *int { return &c.Recorder.Samples }, between(1, 1_000_000)),
		text("keys.path", func(c *Config) *string { return &c.Keys.Path }, anyText),
		text("clock.ntp", func(c *Config) *string { return &c.Clock.NTP }, timeSource),
		length("clock.warn-at", func(c *Config) *Duration { return &c.Clock.WarnAt }, lasting(10*time.Millisecond, time.Hour)),
		text("clock.serve", func(c *Config) *string { return &c.Clock.Serve }, timeService),
		length("ledger.checkpoint-every", func(c *Config) *Duration { return &c.Ledger.CheckpointEvery }, lasting(time.Minute, 24*time.Hour)),
		texts("ledger.outside", func(c *Config) *[]string { return &c.Ledger.Outside }, outsidePlace),
		text("ledger.verify-at", func(c *Config) *string { return &c.Ledger.VerifyAt }, timeOfDayOrNone),
		text("mail.server", func(c *Config) *string { return &c.Mail.Server }, mailServer),
		text("mail.from", func(c *Config) *string { return &c.Mail.From }, sender),
		text("mail.user", func(c *Config) *string { return &c.Mail.User }, anyText),
		text("mail.password-file", func(c *Config) *string { return &c.Mail.PasswordFile }, anyText),
		text("mail.tls", func(c *Config) *string { return &c.Mail.TLS }, oneOf(MailTLSRequired, MailTLSFromStart, MailTLSNone)),
		text("mail.certificate", func(c *Config) *string { return &c.Mail.Certificate }, anyText),
		text("log.level", func(c *Config) *string { return &c.Log.Level }, oneOf("debug", "info", "warn", "error")),
		text("log.file", func(c *Config) *string { return &c.Log.File }, anyText),
		whole("log.file-bytes", func(c *Config) *int64 { return &c.Log.FileBytes }, between[int64](mebi, 64*gibi)),
		whole("log.files", func(c *Config) *int { return &c.Log.Files }, between(1, 10_000)),
	}, slices.Concat(backupSettings(), accountsSettings(), ldapSettings(), oidcSettings())...)
}

// shortNames are variables that people may set instead of the one of a key.
func shortNames() map[string]string { return map[string]string{"store.dsn": "HALLEY_STORE"} }

// environmentName gives the variable of a key: HALLEY_DEVICES_BODY_BYTES for devices.body-bytes.
func environmentName(key string) string {
	return "HALLEY_" + strings.ToUpper(strings.NewReplacer(".", "_", "-", "_").Replace(key))
}

// text is a setting that holds one text.
func text(key string, field func(*Config) *string, check func(string) string) setting {
	return setting{
		key: key,
		take: func(c *Config, value any) string {
			s, ok := value.(string)
			if !ok {
				return wanted("a text in quotes", value)
			}
			if strings.ContainsRune(s, 0) {
				return "a text cannot hold the character NUL"
			}
			if why := check(s); why != "" {
				return why
			}
			*field(c) = s
			return ""
		},
		value: func(texts []string) any { return texts[len(texts)-1] },
	}
}

// secret is a setting that holds a text which no message may repeat.
func secret(key string, field func(*Config) *halley.Secret, check func(string) string) setting {
	return setting{
		key: key,
		take: func(c *Config, value any) string {
			s, ok := value.(string)
			if !ok {
				return "write a text in quotes"
			}
			if why := check(s); why != "" {
				return why
			}
			*field(c) = halley.Secret(s)
			return ""
		},
		value: func(texts []string) any { return texts[len(texts)-1] },
	}
}

// texts is a setting that holds a list of texts.
func texts(key string, field func(*Config) *[]string, check func(string) string) setting {
	return setting{
		key:  key,
		list: true,
		take: func(c *Config, value any) string {
			items, ok := value.([]any)
			if !ok {
				return wanted(`a list of texts, such as ["one", "two"]`, value)
			}
			list := make([]string, 0, len(items))
			var wrong []string // every one of them, so that one look at the messages is enough
			for _, item := range items {
				s, isText := item.(string)
				if !isText {
					return wanted(`a list of texts, such as ["one", "two"]`, item)
				}
				if why := check(s); why != "" {
					wrong = append(wrong, why)
				}
				list = append(list, s)
			}
			if len(wrong) > 0 {
				return strings.Join(wrong, "; also: ")
			}
			*field(c) = list
			return ""
		},
		value: func(texts []string) any {
			items := make([]any, len(texts))
			for i, t := range texts {
				items[i] = t
			}
			return items
		},
	}
}

// whole is a setting that holds a whole number.
func whole[N int | int64](key string, field func(*Config) *N, check func(N) string) setting {
	return setting{
		key: key,
		take: func(c *Config, value any) string {
			n, ok := value.(int64)
			if !ok {
				return wanted("a whole number without quotes", value)
			}
			if why := check(N(n)); why != "" {
				return why
			}
			*field(c) = N(n)
			return ""
		},
		value: func(texts []string) any {
			s := texts[len(texts)-1]
			if n, err := strconv.ParseInt(strings.ReplaceAll(s, "_", ""), 10, 64); err == nil {
				return n
			}
			return s
		},
	}
}

// yesNo is a setting that holds true or false.
func yesNo(key string, field func(*Config) *bool) setting {
	return setting{
		key: key,
		take: func(c *Config, value any) string {
			b, ok := value.(bool)
			if !ok {
				return wanted("true or false without quotes", value)
			}
			*field(c) = b
			return ""
		},
		value: func(texts []string) any {
			switch s := texts[len(texts)-1]; s {
			case "true":
				return true
			case "false":
				return false
			default:
				return s
			}
		},
	}
}

// length is a setting that holds a length of time.
func length(key string, field func(*Config) *Duration, check func(time.Duration) string) setting {
	const form = `a length of time in quotes with its unit, such as "10s", "2m" or "24h"`
	return setting{
		key: key,
		take: func(c *Config, value any) string {
			s, ok := value.(string)
			if !ok {
				return wanted(form, value)
			}
			d, err := time.ParseDuration(s)
			if err != nil {
				return fmt.Sprintf("write %s; %s is none", form, quoted(s))
			}
			if why := check(d); why != "" {
				return why
			}
			*field(c) = Duration{d}
			return ""
		},
		value: func(texts []string) any { return texts[len(texts)-1] },
	}
}

// wanted says that a value is of another sort than its key takes.
func wanted(form string, value any) string {
	found := "a date"
	switch v := value.(type) {
	case string:
		found = "the text " + quoted(v)
	case int64:
		found = "the number " + strconv.FormatInt(v, 10)
	case float64:
		found = "the number " + strconv.FormatFloat(v, 'g', -1, 64)
	case bool:
		found = strconv.FormatBool(v)
	case []any:
		found = "a list"
	case map[string]any, []map[string]any:
		found = "a table"
	}
	return "write " + form + "; this is " + found
}

// quoted shows a value in a message, cut to what a line can hold.
func quoted(s string) string {
	const most = 60
	if r := []rune(s); len(r) > most {
		s = string(r[:most]) + "…"
	}
	return strconv.Quote(s)
}
