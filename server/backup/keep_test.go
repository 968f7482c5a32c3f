package backup_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"halley/server/backup"
)

func TestRuleKeeps(t *testing.T) {
	t.Parallel()
	all := []string{
		"2026-11-22T02:00:00Z", "2026-11-21T14:00:00Z", "2026-11-21T02:00:00Z", "2026-11-20T02:00:00Z",
		"2026-11-16T02:00:00Z", "2026-11-15T02:00:00Z", "2026-10-31T02:00:00Z", "2026-10-01T02:00:00Z", "2025-11-22T02:00:00Z",
	}
	for name, c := range map[string]struct {
		rule backup.Rule
		at   []string
		want []string
	}{
		"everything where nothing is said":   {backup.Rule{}, all, all},
		"the newest of each day":             {backup.Rule{Daily: 3}, all, []string{all[0], all[1], all[3]}},
		"the newest of each week":            {backup.Rule{Weekly: 2}, all, []string{all[0], all[5]}},
		"the newest of each month":           {backup.Rule{Monthly: 3}, all, []string{all[0], all[6], all[8]}},
		"what any of the rules keeps":        {backup.Rule{Daily: 1, Weekly: 2, Monthly: 2}, all, []string{all[0], all[5], all[6]}},
		"the newest in whatever order":       {backup.Rule{Daily: 1}, []string{all[3], all[0], all[2]}, []string{all[0]}},
		"days with a backup, however far":    {backup.Rule{Daily: 2}, []string{all[0], all[8]}, []string{all[0], all[8]}},
		"nothing of nothing":                 {backup.Rule{Daily: 1}, nil, nil},
		"weeks across the turn of the year":  {backup.Rule{Weekly: 1}, []string{"2027-01-02T02:00:00Z", "2026-12-30T02:00:00Z"}, []string{"2027-01-02T02:00:00Z"}},
		"a day by UTC, whatever the zone":    {backup.Rule{Daily: 2}, []string{"2026-11-22T00:30:00+01:00", "2026-11-21T12:00:00Z"}, []string{"2026-11-22T00:30:00+01:00"}},
		"the same instant twice, only once":  {backup.Rule{Daily: 1}, []string{all[0], all[0]}, []string{all[0]}},
		"more than there are, then all days": {backup.Rule{Daily: 100}, all, []string{all[0], all[1], all[3], all[4], all[5], all[6], all[7], all[8]}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var at []time.Time
			for _, s := range c.at {
				v, err := time.Parse(time.RFC3339, s)
				if err != nil {
					t.Fatal(err)
				}
				at = append(at, v)
			}
			var got []string
			for i, keep := range c.rule.Keep(at) {
				if keep {
					got = append(got, c.at[i])
				}
			}
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Errorf("kept (-want +got):\n%s", diff)
			}
		})
	}
}
