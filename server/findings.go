package server

import (
	"fmt"
	"strings"

	"halley"
	"halley/server/journal"
	"halley/storage"
)

// findings says in words what a person should know.
func findings(st *Status) []Finding {
	var list []Finding
	add := func(code string, severity Severity, format string, args ...any) {
		list = append(list, Finding{Code: code, Severity: severity, Text: fmt.Sprintf(format, args...)})
	}
	switch st.Journal.State {
	case journal.StateOK:
	case journal.StateFull:
		add("journal-full", Failing, "The disk of the data folder is full: devices are told that nothing is stored. Free some space; nothing else is needed.")
	case journal.StateFailing:
		add("journal-failing", Failing, "The journal cannot be written: devices are told that nothing is stored. Look at the disk of the data folder.")
	}
	switch {
	case st.Recorder.Stopped:
		add("recorder-stopped", Failing, "%s", st.Recorder.Problem)
	case st.Store.State != storage.OK:
		add("store-"+string(st.Store.State), Degraded, "%s %s", st.Store.Problem, whatToDo(st))
	case st.Recorder.Problem != "":
		add(orWord(st.Recorder.Code, "recorder-waits"), Failing, "%s %s", st.Recorder.Problem, waitingWords(st))
	}
	if r := st.Recorder.Renewed; r != nil {
		add("journal-renewed", Degraded, "%s The journal goes on under a new identity since %s, and all of it is recorded again; nothing is stored twice.",
			r.Why, words(r.At))
	}
	if st.Recorder.Parked > 0 {
		add("uploads-parked", Degraded, "The database refused the content of %d uploads since the start. They are kept in quarantine.", st.Recorder.Parked)
	}
	if st.Quarantine.Refused > 0 {
		add("quarantine-full", Degraded, "The quarantine has no room: %d uploads of devices that nobody has accepted were refused since the start. Accept or reject the new devices.", st.Quarantine.Refused)
	}
	if f, ok := growthFinding(st); ok {
		list = append(list, f)
	}
	return list
}

// whatToDo says since when a store takes nothing, what that means and what helps.
func whatToDo(st *Status) string {
	s, since := &st.Store, words(st.Store.Since)
	switch s.State {
	case storage.ReadOnly:
		return fmt.Sprintf("The database can only be read since %s. Let the database be written again, or switch back to the server where it can be; nothing else is needed. %s",
			since, waitingWords(st))
	case storage.Full:
		return fmt.Sprintf("The database takes nothing more since %s. Free some space on its disk or let its files grow%s; nothing else is needed. %s",
			since, orElse(s.Limit == limitEdition, ", or move it to an edition of SQL Server without this limit"), waitingWords(st))
	case storage.OK, storage.Away:
	}
	return fmt.Sprintf("The database is away since %s. %s", since, waitingWords(st))
}

// waitingWords says how much waits.
func waitingWords(st *Status) string {
	switch n := st.Journal.Last - st.Journal.Recorded; n {
	case 0:
		return "Nothing waits in the journal now; nothing is lost."
	case 1:
		return "1 entry waits in the journal and is recorded afterwards; nothing is lost."
	default:
		return fmt.Sprintf("%d entries wait in the journal and are recorded afterwards; nothing is lost.", n)
	}
}

// words gives an instant for a sentence.
func words(at halley.Millis) string {
	if at == 0 {
		return "an unknown time"
	}
	return at.Time().Format("2006-01-02 15:04 UTC")
}

func orWord(word, other string) string {
	if word == "" {
		return other
	}
	return word
}

func orElse(is bool, text string) string {
	if is {
		return text
	}
	return ""
}

// quoted gives a name for a sentence, on one line.
func quoted(name string) string { return `"` + strings.Join(strings.Fields(name), " ") + `"` }
