package backup

import (
	"fmt"
	"slices"
	"time"
)

// Rule says how many backups are kept. A day, a week (from Monday) and a month are those of UTC.
type Rule struct {
	// Daily, Weekly and Monthly are of how many days, weeks and months that have a backup the newest one is kept. All 0 keeps all.
	Daily, Weekly, Monthly int
}

// Keep says of each backup, by the instant at which it was begun, whether it is kept. The newest is kept always.
func (r Rule) Keep(at []time.Time) []bool {
	kept := make([]bool, len(at))
	if r == (Rule{}) {
		for i := range kept {
			kept[i] = true
		}
		return kept
	}
	order := make([]int, len(at))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(a, b int) int { return at[b].Compare(at[a]) }) // newest first
	for _, period := range []struct {
		most int
		of   func(time.Time) string
	}{{r.Daily, dayOf}, {r.Weekly, weekOf}, {r.Monthly, monthOf}} {
		seen := map[string]bool{}
		for _, i := range order {
			name := period.of(at[i].UTC())
			if !seen[name] && len(seen) < period.most {
				seen[name] = true
				kept[i] = true
			}
		}
	}
	if len(order) > 0 {
		kept[order[0]] = true
	}
	return kept
}

func dayOf(t time.Time) string { return t.Format(time.DateOnly) }

func weekOf(t time.Time) string {
	year, week := t.ISOWeek()
	return fmt.Sprintf("%d/%d", year, week)
}

func monthOf(t time.Time) string { return t.Format("2006-01") }
