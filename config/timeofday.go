package config

import (
	"fmt"
	"time"
)

// TimeOfDay is a time of every day.
type TimeOfDay struct{ Hour, Minute int }

// timeOfDayForm is how people write one.
const timeOfDayForm = "15:04"

// ParseTimeOfDay reads a time of day such as "03:30"; ok is false where s is none.
func ParseTimeOfDay(s string) (t TimeOfDay, ok bool) {
	at, err := time.Parse(timeOfDayForm, s)
	return TimeOfDay{Hour: at.Hour(), Minute: at.Minute()}, err == nil && len(s) == len(timeOfDayForm)
}

// Next gives the first instant behind after at which it is this time, in the zone of after. Where the clock of that zone leaves the
// time out it is the instant that takes its place.
func (t TimeOfDay) Next(after time.Time) time.Time {
	at := t.on(after, 0)
	if !at.After(after) {
		at = t.on(after, 1)
	}
	return at
}

// Last gives the newest such instant that is not behind before.
func (t TimeOfDay) Last(before time.Time) time.Time {
	at := t.on(before, 0)
	if at.After(before) {
		at = t.on(before, -1)
	}
	return at
}

func (t TimeOfDay) on(day time.Time, later int) time.Time {
	return time.Date(day.Year(), day.Month(), day.Day()+later, t.Hour, t.Minute, 0, 0, day.Location())
}

// timeOfDay accepts a time of day.
func timeOfDay(s string) string {
	if _, ok := ParseTimeOfDay(s); !ok {
		return fmt.Sprintf(`write a time of day, such as "02:00"; %s is none`, quoted(s))
	}
	return ""
}

// timeOfDayOrNone accepts a time of day, or nothing.
func timeOfDayOrNone(s string) string {
	if s != "" && timeOfDay(s) != "" {
		return fmt.Sprintf(`write a time of day such as "03:30", or nothing; %s is none`, quoted(s))
	}
	return ""
}
