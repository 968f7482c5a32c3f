package server_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/beevik/ntp"

	"halley/config"
	"halley/storage"
)

// acts lists what the audit trail has of acts that begin so, oldest first.
func (r *rig) acts(tb testing.TB, what string) []string {
	tb.Helper()
	r.flush(tb)
	list, err := r.Store().AuditWhere(tb.Context(), storage.AuditFilter{What: what, Limit: 100})
	if err != nil {
		tb.Fatal(err)
	}
	var out []string
	for _, e := range slices.Backward(list) {
		out = append(out, e.What+" "+e.Old+" "+e.New)
	}
	return out
}

func TestStartsStopsAndChangesOfTheConfigurationAreAudited(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	first := start(t, folder, nil)
	if got := first.acts(t, "program.*"); len(got) != 1 || !strings.Contains(got[0], `"last_stop":"none known"`) {
		t.Errorf("after the first start: %q", got)
	}
	if err := first.stop(); err != nil {
		t.Fatal(err)
	}
	second := start(t, folder, func(c *config.Config) { c.Devices.MessagesPerMinute = 77 })
	got := second.acts(t, "program.*")
	if len(got) != 3 || !strings.HasPrefix(got[1], "program.stop ") || !strings.Contains(got[2], `"last_stop":"clean"`) {
		t.Errorf("after the second start: %q", got)
	}
	want := `config.change {"devices.messages-per-minute":"0"} {"devices.messages-per-minute":"77"}`
	if got := second.acts(t, "config.*"); len(got) != 1 || got[0] != want {
		t.Errorf("changes: %q, want %q", got, want)
	}
}

func TestTheServerGivesTheTimeWhereThatIsConfigured(t *testing.T) {
	t.Parallel()
	r := start(t, t.TempDir(), func(c *config.Config) { c.Clock.Serve = "127.0.0.1:0" })
	answer, err := ntp.Query(r.TimeService())
	if err != nil || answer.Validate() != nil || answer.Stratum != 10 {
		t.Errorf("answer %+v, %v", answer, err)
	}
	if st := r.Status(); st.Clock.State != "not-checked" || st.Clock.Source != "" {
		t.Errorf("clock %+v", st.Clock)
	}
}

func TestATimeServiceThatCannotListenKeepsNothingElseFromWorking(t *testing.T) {
	t.Parallel()
	taken := start(t, t.TempDir(), func(c *config.Config) { c.Clock.Serve = "127.0.0.1:0" })
	r := start(t, t.TempDir(), func(c *config.Config) { c.Clock.Serve = taken.TimeService() })
	for _, f := range r.Status().Findings {
		if f.Code == "clock-not-served" && strings.Contains(f.Text, taken.TimeService()) {
			return
		}
	}
	t.Errorf("no finding says it: %+v", r.Status().Findings)
}
