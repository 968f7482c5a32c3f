package viewerapi

import (
	"bytes"
	"cmp"
	"context"
	"encoding/csv"
	"net/http"
	"slices"
	"strconv"
	"time"

	"halley"
	"halley/server/directory"
	"halley/storage"
)

const (
	// usualDays is how many finished days a list has with today, mostDays how many it may have.
	usualDays = 30
	mostDays  = 400
)

// dayView is the completeness of a device on a UTC day.
type dayView struct {
	Day       string `json:"day"`
	Expected  int64  `json:"expected"`
	Received  int64  `json:"received"`
	Late      int64  `json:"late"`
	Missing   int64  `json:"missing"`
	Uncertain int64  `json:"uncertain"`
}

// deviceDaysView is the completeness of a device over some UTC days.
type deviceDaysView struct {
	DeviceID   halley.DeviceID `json:"device_id"`
	Device     string          `json:"device"`
	PlaceID    *halley.PlaceID `json:"place_id"`
	Place      string          `json:"place"`
	Expected   int64           `json:"expected"`
	Received   int64           `json:"received"`
	Late       int64           `json:"late"`
	Missing    int64           `json:"missing"`
	Uncertain  int64           `json:"uncertain"`
	Duplicates int64           `json:"duplicates"`
	Conflicts  int64           `json:"conflicts"`
	Extra      int64           `json:"extra"`
	Days       []dayView       `json:"days"`
}

// listCompleteness lists the completeness of all devices by UTC days, worst first. Of a day on which a device
// came or went a caller sees what was counted while it was where the caller may see values.
func (a *API) listCompleteness(w http.ResponseWriter, r *http.Request) error {
	q := newQuery(r, "from", "to")
	from, to := q.days(halley.MillisOf(time.Now()))
	if q.err != nil {
		return q.err
	}
	list, err := a.Completeness.CompletenessDays(r.Context(), from, to)
	if err != nil {
		return err
	}
	rights := rightsOf(r)
	if list, err = a.seenDays(r.Context(), rights, list, halley.Span{From: daySpan(from).From, To: daySpan(to).From}); err != nil {
		return err
	}
	if wantsCSV(r.Header.Values("Accept")) {
		return writeDaysCSV(w, list, rights)
	}
	view := struct {
		From    string           `json:"from"`
		To      string           `json:"to"`
		Devices []deviceDaysView `json:"devices"`
	}{dayText(from), dayText(to), make([]deviceDaysView, 0, len(list))}
	for i := range list {
		view.Devices = append(view.Devices, viewOfDays(&list[i], rights))
	}
	return writeJSON(w, view)
}

// seenDays keeps the days of devices that the rights show, worst first as before: what is left of a device is summed up anew.
func (a *API) seenDays(
	ctx context.Context, rights directory.Rights, list []DeviceCompleteness, in halley.Span,
) ([]DeviceCompleteness, error) {
	if rights.Everywhere(halley.PermitSampleRead) {
		return list, nil
	}
	kept := make([]DeviceCompleteness, 0, len(list))
	for i := range list {
		d := &list[i]
		spans := deviceSpans(rights, halley.PermitSampleRead, d.Device.ID, in)
		if len(spans) == 0 {
			continue
		}
		seen := DeviceCompleteness{Device: d.Device, Total: storage.DayCount{DeviceDay: d.Total.DeviceDay}}
		for _, c := range d.Days {
			day := daySpan(c.Day)
			if !day.Overlaps(spans) {
				continue
			}
			if !day.Within(spans) {
				var err error
				if c, err = a.partOfDay(ctx, &d.Device, c.DeviceDay, spans); err != nil {
					return nil, err
				}
			}
			seen.add(c)
		}
		if len(seen.Days) > 0 {
			kept = append(kept, seen)
		}
	}
	slices.SortStableFunc(kept, worse)
	return kept, nil
}

// partOfDay counts anew what belongs to some spans of a day. Duplicates and conflicts are known by whole days alone, and are left out.
func (a *API) partOfDay(ctx context.Context, d *halley.Device, of storage.DeviceDay, spans []halley.Span) (storage.DayCount, error) {
	day, now := daySpan(of.Day), halley.MillisOf(time.Now())
	part := storage.DayCount{DeviceDay: of}
	for _, s := range spans {
		from, to := max(s.From, day.From), min(s.To, day.To, now)
		if from >= to {
			continue
		}
		c, err := a.Completeness.Completeness(ctx, *d, from, to)
		if err != nil {
			return part, err
		}
		part.Expected, part.Received, part.Late = part.Expected+c.Expected, part.Received+c.Received, part.Late+c.Late
		part.Missing, part.Uncertain, part.Extra = part.Missing+c.Missing, part.Uncertain+c.Uncertain, part.Extra+c.Extra
	}
	return part, nil
}

// add adds a day.
func (d *DeviceCompleteness) add(c storage.DayCount) {
	t := &d.Total
	t.Expected, t.Received, t.Late, t.Missing = t.Expected+c.Expected, t.Received+c.Received, t.Late+c.Late, t.Missing+c.Missing
	t.Uncertain, t.Duplicates = t.Uncertain+c.Uncertain, t.Duplicates+c.Duplicates
	t.Conflicts, t.Extra = t.Conflicts+c.Conflicts, t.Extra+c.Extra
	d.Days = append(d.Days, c)
}

// worse orders by the share that is missing, then by how many are, the worst first.
func worse(a, b DeviceCompleteness) int {
	share := func(t *storage.DayCount) float64 { return float64(t.Missing) / float64(max(t.Expected, 1)) }
	return cmp.Or(cmp.Compare(share(&b.Total), share(&a.Total)), cmp.Compare(b.Total.Missing, a.Total.Missing))
}

func viewOfDays(d *DeviceCompleteness, rights directory.Rights) deviceDaysView {
	t := &d.Total
	v := deviceDaysView{
		DeviceID: d.Device.ID, Device: deviceName(rights, &d.Device), Expected: t.Expected, Received: t.Received, Late: t.Late, Missing: t.Missing,
		Uncertain: t.Uncertain, Duplicates: t.Duplicates, Conflicts: t.Conflicts, Extra: t.Extra,
		Days: make([]dayView, 0, len(d.Days)),
	}
	if p := seenPlace(rights, d.Device.PlaceID); p != nil {
		v.PlaceID, v.Place = &p.ID, p.Name
	}
	for i := range d.Days {
		c := &d.Days[i]
		v.Days = append(v.Days, dayView{
			Day: dayText(c.Day), Expected: c.Expected, Received: c.Received, Late: c.Late, Missing: c.Missing, Uncertain: c.Uncertain,
		})
	}
	return v
}

// days reads from and to as UTC days: absent, to is tomorrow, from thirty days before today. No day lies beyond what can be stored.
func (q *query) days(now halley.Millis) (from, to int64) {
	today := int64(now / halley.Day)
	to = q.day("to", today+1)
	from = q.day("from", min(to, today+1)-1-usualDays)
	switch {
	case q.err != nil:
	case from >= to:
		q.fail("from", "from must lie before to")
	case to-from > mostDays:
		q.fail("from", "ask for at most "+strconv.Itoa(mostDays)+" days")
	}
	return from, to
}

func (q *query) day(name string, otherwise int64) int64 {
	s := q.values.Get(name)
	if s == "" {
		return otherwise
	}
	t, err := time.Parse(time.DateOnly, s)
	if err != nil || !halley.MillisOf(t).Storable() {
		q.fail(name, "write a day as 2026-11-21")
		return otherwise
	}
	return int64(halley.MillisOf(t) / halley.Day)
}

// dayText writes a UTC day.
func dayText(day int64) string { return (halley.Millis(day) * halley.Day).Time().Format(time.DateOnly) }

// writeDaysCSV answers with a line for each device and day.
func writeDaysCSV(w http.ResponseWriter, list []DeviceCompleteness, rights directory.Rights) error {
	var b bytes.Buffer
	out := csv.NewWriter(&b)
	_ = out.Write([]string{
		"device_id", "family", "serial", "device", "place", "day", "expected", "received", "late", "missing", "uncertain",
		"duplicates", "conflicts", "extra",
	}) // A buffer takes everything.
	for i := range list {
		d, place := &list[i].Device, ""
		if p := seenPlace(rights, d.PlaceID); p != nil {
			place = p.Name
		}
		head := []string{strconv.FormatInt(int64(d.ID), 10), string(d.Family), harmless(d.Serial), harmless(deviceName(rights, d)), harmless(place)}
		for j := range list[i].Days {
			_ = out.Write(append(slices.Clip(head), countTexts(&list[i].Days[j])...))
		}
	}
	out.Flush()
	if err := out.Error(); err != nil {
		return err //nolint:wrapcheck // a buffer takes everything
	}
	h := w.Header()
	h.Set("Content-Type", "text/csv; charset=utf-8; header=present")
	h.Set("Content-Disposition", `attachment; filename="completeness.csv"`)
	h.Set("Cache-Control", "no-store")
	_, _ = w.Write(b.Bytes()) // A caller who does not take it is no failure of ours.
	return nil
}

// countTexts gives a day with its numbers.
func countTexts(c *storage.DayCount) []string {
	texts := []string{dayText(c.Day)}
	for _, n := range [...]int64{c.Expected, c.Received, c.Late, c.Missing, c.Uncertain, c.Duplicates, c.Conflicts, c.Extra} {
		texts = append(texts, strconv.FormatInt(n, 10))
	}
	return texts
}

// harmless gives a name for a field of CSV: devices name themselves.
func harmless(name string) string { return cellText(name) }
