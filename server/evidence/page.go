package evidence

import (
	"context"
	_ "embed"
	"fmt"
	"html/template"
	"io"
	"time"

	"halley"
	"halley/server/completeness"
	"halley/storage"
)

//go:embed report.html.tmpl
var reportTemplate string

const (
	// gapsShown and actsShown bound what the page lists; the CSV beside it has more.
	gapsShown, actsShown = 200, 300
)

// page is what the report shows, as texts: whatever a device or a person wrote has passed plain, and the template escapes it.
type page struct {
	Place, Organization, Zone, From, To, FromZone, ToZone string
	MadeAt, MadeBy, Node, Version                         string
	Simulated, Signed, ActsCut                            bool
	Samples, Messages                                     int64
	Channels, Completeness, Verified, Backup, Drill       string
	Clock, Swaps, Alarms                                  string
	Stays                                                 []stayView
	Counts                                                []int64
	Gaps                                                  []gapView
	MoreGaps                                              int
	Limits, Acts, Programs, ClockActs, Stops              [][]string
	Findings                                              []storage.FindingSummary
	SetBacks                                              []string
	Files                                                 []bundledFile
}

type stayView struct {
	Serial, Family, Model, Name, ChannelName, Quantity, Unit, From, To string
	Number                                                             int
	Samples, Valueless, Late, Count                                    int64
	Min, Mean, Max, First, Last                                        string
	Chart                                                              template.HTML
}

type gapView struct {
	From, To, Cause, By string
	Messages            int64
}

// writeReport writes the page that people read.
func (e *Evidence) writeReport(_ context.Context, b *bundle) error {
	t, err := template.New(reportFile).Parse(reportTemplate)
	if err != nil {
		return fmt.Errorf("reading the template: %w", err)
	}
	v := e.page(b.files)
	return b.file(reportFile, func(w io.Writer) error { return t.Execute(w, v) })
}

func (e *Evidence) page(files []bundledFile) *page {
	backup, drill := e.backupWords()
	v := &page{
		Place: plain(e.place), Organization: plain(e.organization), Zone: e.zoneName,
		From: e.req.From.String(), To: e.req.To.String(), FromZone: e.zoned(e.req.From), ToZone: e.zoned(e.req.To),
		MadeAt: e.req.At.String(), MadeBy: e.madeBy(), Node: plain(e.opts.Node), Version: plain(e.opts.Version),
		Simulated: e.simulated, Signed: e.opts.Sign != nil, ActsCut: e.trail.cut || len(e.trail.acts) > actsShown || len(e.trail.programs) > actsShown,
		Samples: e.counted.samples, Messages: e.counted.messages, Channels: nounOf(len(e.stays), "channel", "channels"),
		Completeness: sentence(e.complete.Words()), Verified: e.verifiedWords(), Backup: backup, Drill: drill,
		Clock: e.clockWords(), Swaps: e.swapWords(), Alarms: e.alarmWords(),
		Counts: countsOf(&e.complete), Acts: e.actViews(e.trail.acts), Programs: e.actViews(e.trail.programs), ClockActs: e.actViews(e.trail.clock),
		Files: files,
	}
	e.addStays(v)
	e.addGaps(v)
	e.addLimits(v)
	for _, s := range e.stops {
		why := "the server was not running"
		if s.Kind == storage.ServerRefused {
			why = "the server answered \"not stored\""
		}
		v.Stops = append(v.Stops, []string{plain(s.Node), e.zoned(s.From), e.zoned(s.To), why})
	}
	for _, f := range e.checks.verified.Findings {
		v.Findings = append(v.Findings, storage.FindingSummary{What: plain(f.What), Text: plain(f.Text)})
	}
	for _, s := range e.checks.setBack {
		v.SetBacks = append(v.SetBacks, s.at.String()+": "+plain(s.Text))
	}
	return v
}

func countsOf(r *completeness.Report) []int64 {
	return []int64{r.Expected, r.Received, r.Late, r.Missing, r.Uncertain, r.Duplicates, r.Conflicts, r.Extra}
}

func (e *Evidence) addStays(v *page) {
	drawn := 0
	for i := range e.stays {
		s, n, f := &e.stays[i], &e.counted.stays[i], &e.figures[i]
		d := e.deviceOf(s.Device)
		view := stayView{
			Serial: plain(d.Serial), Family: plain(string(d.Family)), Model: plain(d.Model), Name: plain(d.Name),
			ChannelName: plain(s.nameAt(s.To - 1)), Quantity: plain(s.channel.Quantity), Unit: plain(s.channel.Unit), Number: s.channel.Number,
			From: e.zoned(s.wholeFrom), To: e.zoned(s.wholeTo), Samples: n.samples, Valueless: n.valueless, Late: n.late,
			Count: f.total.count, First: e.zoned(n.first), Last: e.zoned(n.last),
		}
		if view.Count > 0 {
			view.Min, view.Mean, view.Max = number(f.total.min), short(f.total.mean()), number(f.total.max)
			drawn++
			if drawn <= chartsMost {
				view.Chart = e.chart(i)
			}
		}
		v.Stays = append(v.Stays, view)
	}
}

func (e *Evidence) addGaps(v *page) {
	for i := range e.complete.Gaps {
		if len(v.Gaps) == gapsShown {
			v.MoreGaps = len(e.complete.Gaps) - i
			return
		}
		g := &e.complete.Gaps[i]
		by := ""
		if g.By != "" {
			by = plain(g.By) + ", " + g.At.String()
			if g.Note != "" {
				by += ": " + plain(g.Note)
			}
		}
		cause := string(g.Cause)
		if g.Cause == completeness.Unknown {
			cause = "not known: this family reports none"
		}
		v.Gaps = append(v.Gaps, gapView{From: e.zoned(g.From), To: e.zoned(g.To), Messages: g.Messages, Cause: cause, By: by})
	}
}

func (e *Evidence) addLimits(v *page) {
	for i := range e.limits {
		l := &e.limits[i]
		value := "ended"
		if l.value != nil {
			value = number(*l.value)
		}
		v.Limits = append(v.Limits, []string{
			plain(l.quantity) + " " + plain(l.unit), plain(l.rank) + " " + plain(l.side), e.zoned(l.from), value, number(l.hysteresis),
			(time.Duration(l.delay) * time.Millisecond).String(),
		})
	}
}

// actViews gives acts as the page lists them: the last of them, oldest first.
func (e *Evidence) actViews(list []halley.AuditEntry) [][]string {
	list = list[max(0, len(list)-actsShown):]
	rows := make([][]string, len(list))
	for i := range list {
		a := &list[i]
		rows[i] = []string{
			e.zoned(a.Change.At), actorWords(a.Change.Actor), plain(a.What), plain(a.On), plain(a.Old), plain(a.New), plain(a.Change.Why),
		}
	}
	return rows
}

// nounOf gives a number with its noun.
func nounOf(n int, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return fmt.Sprintf("%d %s", n, many)
}

// sentence begins a text with a capital and ends it with a full stop.
func sentence(s string) string {
	s = plain(s)
	if s != "" && s[0] >= 'a' && s[0] <= 'z' {
		s = string(s[0]-'a'+'A') + s[1:]
	}
	return s + "."
}
