package viewerapi

import (
	"bytes"
	"encoding/csv"
	"net/http"
	"slices"
	"strconv"
	"time"

	"halley"
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

// listCompleteness lists the completeness of all devices by UTC days, worst first.
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
	places, err := a.placesOf(r.Context(), devicesOf(list))
	if err != nil {
		return err
	}
	if wantsCSV(r.Header.Values("Accept")) {
		return writeDaysCSV(w, list, places)
	}
	view := struct {
		From    string           `json:"from"`
		To      string           `json:"to"`
		Devices []deviceDaysView `json:"devices"`
	}{dayText(from), dayText(to), make([]deviceDaysView, 0, len(list))}
	for i := range list {
		view.Devices = append(view.Devices, viewOfDays(&list[i], places))
	}
	return writeJSON(w, view)
}

func viewOfDays(d *DeviceCompleteness, places map[halley.PlaceID]string) deviceDaysView {
	t := &d.Total
	v := deviceDaysView{
		DeviceID: d.Device.ID, Device: d.Device.Name, Expected: t.Expected, Received: t.Received, Late: t.Late, Missing: t.Missing,
		Uncertain: t.Uncertain, Duplicates: t.Duplicates, Conflicts: t.Conflicts, Extra: t.Extra,
		Days: make([]dayView, 0, len(d.Days)),
	}
	if name, ok := places[d.Device.PlaceID]; ok {
		v.PlaceID, v.Place = &d.Device.PlaceID, name
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

func devicesOf(list []DeviceCompleteness) []halley.Device {
	devices := make([]halley.Device, len(list))
	for i := range list {
		devices[i] = list[i].Device
	}
	return devices
}

// writeDaysCSV answers with a line for each device and day.
func writeDaysCSV(w http.ResponseWriter, list []DeviceCompleteness, places map[halley.PlaceID]string) error {
	var b bytes.Buffer
	out := csv.NewWriter(&b)
	_ = out.Write([]string{
		"device_id", "family", "serial", "device", "place", "day", "expected", "received", "late", "missing", "uncertain",
		"duplicates", "conflicts", "extra",
	}) // A buffer takes everything.
	for i := range list {
		d := &list[i].Device
		head := []string{
			strconv.FormatInt(int64(d.ID), 10), string(d.Family), harmless(d.Serial), harmless(d.Name), harmless(places[d.PlaceID]),
		}
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

// harmless puts an apostrophe in front of a name that a spreadsheet would take for a formula: devices name themselves.
func harmless(name string) string {
	if name != "" {
		switch name[0] {
		case '=', '+', '-', '@', '\t', '\r':
			return "'" + name
		}
	}
	return name
}
