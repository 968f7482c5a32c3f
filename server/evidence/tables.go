package evidence

import (
	"context"
	"strconv"

	"halley"
)

// writeTables writes what is small, each as a file of its own.
func (e *Evidence) writeTables(_ context.Context, b *bundle) error {
	for _, t := range []struct {
		name   string
		header []string
		rows   func(add func(...string))
	}{
		{"devices.csv", []string{
			"device_serial", "device_family", "device_id", "model", "name", "channel_number", "quantity", "unit", "channel_id",
			"at_place_from", "at_place_to", "samples", "without_value", "late", "device_alarm", "test",
		}, e.deviceRows},
		{"device-history.csv", []string{"device_serial", "device_id", "at", "state", "model", "name"}, e.historyRows},
		{"channel-names.csv", []string{"channel_id", "device_serial", "channel_number", "from", "name", "decimals"}, e.nameRows},
		{"limits.csv", []string{"quantity", "unit", "side", "rank", "from", "value", "hysteresis", "delay_s"}, e.limitRows},
		{"completeness.csv", []string{
			"from", "to", "expected", "received", "late", "missing", "uncertain", "duplicates", "conflicts", "extra",
		}, e.completenessRows},
		{"gaps.csv", []string{"from", "to", "messages", "cause", "said_by", "said_at", "note"}, e.gapRows},
		{"explanations.csv", []string{"device_serial", "from", "to", "cause", "note", "said_by", "said_at"}, e.causeRows},
		{"audit.csv", auditHeader(), func(add func(...string)) { auditRows(e.trail.acts, add) }},
		{"server-acts.csv", auditHeader(), func(add func(...string)) { auditRows(e.trail.programs, add) }},
		{"clock.csv", auditHeader(), func(add func(...string)) { auditRows(e.trail.clock, add) }},
		{"interruptions.csv", []string{"server", "kind", "from", "to"}, e.stopRows},
		{"checks.csv", []string{"kind", "at", "ok", "what", "problem"}, e.checkRows},
	} {
		if err := b.table(t.name, t.header, t.rows); err != nil {
			return err
		}
	}
	return nil
}

func (e *Evidence) deviceRows(add func(...string)) {
	for i := range e.stays {
		s, n := &e.stays[i], &e.counted.stays[i]
		d := e.deviceOf(s.Device)
		add(field(d.Serial), string(d.Family), whole(d.ID), field(d.Model), field(d.Name), strconv.Itoa(s.channel.Number),
			field(s.channel.Quantity), field(s.channel.Unit), whole(s.Channel), s.wholeFrom.String(), until(s.wholeTo),
			whole(n.samples), whole(n.valueless), whole(n.late), whole(n.alarms), whole(n.tests))
	}
}

func (e *Evidence) historyRows(add func(...string)) {
	for i := range e.devices {
		d := &e.devices[i]
		for _, s := range d.said {
			add(field(d.Serial), whole(d.ID), s.at.String(), s.state, field(s.model), field(s.name))
		}
	}
}

func (e *Evidence) nameRows(add func(...string)) {
	seen := map[halley.ChannelID]bool{}
	for i := range e.stays {
		s := &e.stays[i]
		if seen[s.Channel] {
			continue
		}
		seen[s.Channel] = true
		for _, n := range s.names {
			add(whole(s.Channel), field(e.deviceOf(s.Device).Serial), strconv.Itoa(s.channel.Number), n.from.String(), field(n.name), whole(n.decimals))
		}
	}
}

func (e *Evidence) limitRows(add func(...string)) {
	for i := range e.limits {
		l := &e.limits[i]
		value := ""
		if l.value != nil {
			value = number(*l.value)
		}
		add(field(l.quantity), field(l.unit), l.side, l.rank, l.from.String(), value, number(l.hysteresis), number(float64(l.delay)/1000))
	}
}

func (e *Evidence) completenessRows(add func(...string)) {
	r := &e.complete
	add(e.req.From.String(), e.req.To.String(), whole(r.Expected), whole(r.Received), whole(r.Late), whole(r.Missing),
		whole(r.Uncertain), whole(r.Duplicates), whole(r.Conflicts), whole(r.Extra))
}

func (e *Evidence) gapRows(add func(...string)) {
	for i := range e.complete.Gaps {
		g := &e.complete.Gaps[i]
		add(g.From.String(), g.To.String(), whole(g.Messages), string(g.Cause), field(g.By), g.At.String(), field(g.Note))
	}
}

func (e *Evidence) causeRows(add func(...string)) {
	for _, c := range e.causes {
		add(field(c.device), c.From.String(), c.To.String(), c.Cause, field(c.Note), field(c.By), c.At.String())
	}
}

func (e *Evidence) stopRows(add func(...string)) {
	for _, s := range e.stops {
		add(field(s.Node), string(s.Kind), s.From.String(), s.To.String())
	}
}

func (e *Evidence) checkRows(add func(...string)) {
	if v := &e.checks.verified; v.at != 0 {
		add("verification of the period", v.at.String(), yesNo(v.ok), field(v.words()), field(v.Problem))
	}
	for i := range e.checks.backups {
		b := &e.checks.backups[i]
		add("backup", b.at.String(), yesNo(b.ok), field(b.Name), field(b.Problem))
	}
	for i := range e.checks.drills {
		d := &e.checks.drills[i]
		add("restore for trial", d.at.String(), yesNo(d.ok), field(d.Backup), field(d.Problem))
	}
	for _, s := range e.checks.setBack {
		add("set back", s.at.String(), yesNo(false), field(s.What), field(s.Text))
	}
}

func auditHeader() []string {
	return []string{"id", "at", "who", "kind", "session", "what", "on", "old", "new", "why"}
}

func auditRows(list []halley.AuditEntry, add func(...string)) {
	for i := range list {
		a := &list[i]
		by := &a.Change.Actor
		add(whole(a.ID), a.Change.At.String(), field(by.Name), by.Kind, field(by.Session), field(a.What), field(a.On), field(a.Old),
			field(a.New), field(a.Change.Why))
	}
}
