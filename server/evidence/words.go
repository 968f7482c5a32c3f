package evidence

import (
	"fmt"
	"strings"

	"halley"
)

// words says a verification in a sentence or two.
func (v *verification) words() string {
	over := "everything that was stored"
	if v.From != 0 || v.To != 0 {
		over = "what was measured from " + orWord(v.From.String(), "the beginning") + " to " + orWord(v.To.String(), "then")
	}
	how := "No difference was found"
	if !v.ok || v.FindingCount > 0 {
		how = fmt.Sprintf("%d things were not as they were recorded", v.FindingCount)
		if v.FindingCount == 1 {
			how = "1 thing was not as it was recorded"
		}
	}
	against := "It was checked against this machine only: whoever held the signing key and the database at once could have made both fit."
	if v.Outside {
		against = "It was checked against a checkpoint that was kept outside this machine, of " + v.AnchorAt.String() + "."
	}
	return fmt.Sprintf("Verified on %s by version %s, over %s: %d samples in %d batches, %d checkpoints. %s. %s",
		v.at, plain(v.Version), over, v.Samples, v.Batches, v.Checkpoints, how, against)
}

func orWord(s, other string) string {
	if s == "" {
		return other
	}
	return s
}

// verifiedWords says what was verified of the period.
func (e *Evidence) verifiedWords() string {
	c := &e.checks
	switch {
	case c.verified.at != 0:
		return c.verified.words()
	case c.newest.at == 0:
		return "Not verified: no verification was recorded. Run halley verify, or begin a verification in the viewer, and make this file again."
	case c.newest.Problem != "":
		return fmt.Sprintf("Not verified: the newest verification, of %s, did not come to its end (%s), and none before covers the whole period.",
			c.newest.at, plain(c.newest.Problem))
	}
	return fmt.Sprintf("Not verified: the newest verification, of %s, was made before the period ended or does not cover all of it.", c.newest.at)
}

// backupWords says what was backed up and restored for trial.
func (e *Evidence) backupWords() (backups, drills string) {
	backups, drills = "none recorded", "none recorded"
	for i := range e.checks.backups {
		if b := &e.checks.backups[i]; b.ok {
			backups = fmt.Sprintf("The newest that succeeded was made on %s and holds what was acknowledged before %s", b.at, b.EndAt)
			if b.Encrypted {
				backups += ", encrypted"
			}
			backups += "."
			break
		}
		backups = "None of those that are recorded succeeded."
	}
	for i := range e.checks.drills {
		if d := &e.checks.drills[i]; d.ok {
			drills = fmt.Sprintf("The newest that succeeded was on %s: the backup %s was restored, %d samples in %d batches, and verified.",
				d.at, plain(d.Backup), d.Samples, d.Batches)
			break
		}
		drills = "None of those that are recorded succeeded."
	}
	return backups, drills
}

// alarmWords says what devices marked themselves, for no limits are watched.
func (e *Evidence) alarmWords() string {
	n := int64(0)
	for i := range e.counted.stays {
		n += e.counted.stays[i].alarms
	}
	const none = "None recorded: this version watches no limits."
	if n == 0 {
		return none + " No sample carries an alarm of the device itself."
	}
	return none + fmt.Sprintf(" %d samples carry an alarm that the device itself raised; the column quality of samples.csv says which.", n)
}

// clockWords says how the server's clock stood.
func (e *Evidence) clockWords() string {
	s := "No step and no drift of a server's clock was recorded in the period."
	if n := len(e.trail.clock); n > 0 {
		s = fmt.Sprintf("%d events of a server's clock were recorded in the period; see below.", n)
		if n == 1 {
			s = "1 event of a server's clock was recorded in the period; see below."
		}
	}
	if e.clock == "" {
		return s + " No server was asked how its clock stands now."
	}
	return s + " " + e.clock
}

// zoned gives an instant in the place's zone, for people.
func (e *Evidence) zoned(at halley.Millis) string {
	if at == 0 || at >= halley.LatestMillis {
		return ""
	}
	return at.Time().In(e.zone).Format("2006-01-02 15:04:05")
}

// swaps counts the devices that came to the place or left it within the period.
func (e *Evidence) swapWords() string {
	var said []string
	for i := range e.stays {
		s := &e.stays[i]
		name := fmt.Sprintf("%s channel %d", plain(e.deviceOf(s.Device).Serial), s.channel.Number)
		if s.wholeFrom > e.req.From {
			said = append(said, fmt.Sprintf("%s came to the place at %s", name, e.zoned(s.wholeFrom)))
		}
		if s.wholeTo < e.req.To {
			said = append(said, fmt.Sprintf("%s left it at %s", name, e.zoned(s.wholeTo)))
		}
	}
	if len(said) == 0 {
		return "No swap was recorded in the period."
	}
	return strings.Join(said, "; ") + "."
}
