package viewerapi

import (
	"cmp"
	"context"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"halley"
	"halley/server/directory"
	"halley/server/quarantine"
)

const (
	// quarantinedUsual and quarantinedMost are how many uploads a list holds.
	quarantinedUsual = 50
	quarantinedMost  = 200
)

// heldView sums up what quarantine holds of a device.
type heldView struct {
	Uploads     int            `json:"uploads"`
	Bytes       int64          `json:"bytes"`
	FirstAt     Time           `json:"first_at"`
	LastAt      Time           `json:"last_at"`
	Reasons     []reasonView   `json:"reasons"`
	FirstValues []firstReading `json:"first_values"`
}

// reasonView counts the uploads that are held for one reason.
type reasonView struct {
	Reason  quarantine.Reason `json:"reason"`
	Text    string            `json:"text"`
	Uploads int               `json:"uploads"`
}

// firstReading is a reading of a device that has no channels yet.
type firstReading struct {
	Number   int      `json:"number"`
	Name     string   `json:"name"`
	Quantity string   `json:"quantity"`
	Unit     string   `json:"unit"`
	Decimals int      `json:"decimals"`
	Value    *float64 `json:"value"`
	Quality  string   `json:"quality"`
}

// heldView gives what quarantine holds of a device, reasons by falling count.
func (a *API) heldView(ctx context.Context, key halley.DeviceKey, h Held) (*heldView, error) {
	v := &heldView{
		Uploads: h.Uploads, Bytes: h.Bytes, FirstAt: Time(h.FirstAt), LastAt: Time(h.LastAt),
		Reasons: make([]reasonView, 0, len(h.Reasons)), FirstValues: []firstReading{},
	}
	for reason, n := range h.Reasons {
		v.Reasons = append(v.Reasons, reasonView{Reason: reason, Text: reason.Text(), Uploads: n})
	}
	slices.SortFunc(v.Reasons, func(x, y reasonView) int {
		return cmp.Or(cmp.Compare(y.Uploads, x.Uploads), cmp.Compare(x.Reason, y.Reason))
	})
	readings, err := a.Uploads.FirstValues(ctx, key)
	if err != nil {
		return nil, err
	}
	for i := range readings {
		rd := &readings[i]
		v.FirstValues = append(v.FirstValues, firstReading{
			Number: rd.Number, Name: rd.Name, Quantity: rd.Quantity, Unit: rd.Unit, Decimals: rd.Decimals,
			Value: valueOrNull(rd.Value, rd.Quality), Quality: rd.Quality.Words(false),
		})
	}
	return v, nil
}

// seesHeld says whether what quarantine holds of a device may be summed up: the device was where devices may be seen when all of it came.
// What came of one that was never anywhere is seen with it.
func seesHeld(rights directory.Rights, d *halley.Device, h *Held) bool {
	all := halley.Span{From: h.FirstAt, To: h.LastAt + 1}
	return all.Within(deviceSpans(rights, halley.PermitDeviceRead, d.ID, all))
}

// valueOrNull gives a value where its quality has one.
func valueOrNull(value float64, q halley.Quality) *float64 {
	if !q.HasValue() {
		return nil
	}
	return &value
}

// quarantinedView is a page of held uploads.
type quarantinedView struct {
	Uploads []quarantinedUpload `json:"uploads"`
	Next    *string             `json:"next"`
}

// quarantinedUpload is a held upload.
type quarantinedUpload struct {
	ID         int64             `json:"id"`
	ReceivedAt Time              `json:"received_at"`
	Reason     quarantine.Reason `json:"reason"`
	Text       string            `json:"text"`
	Bytes      int               `json:"bytes"`
	Body       string            `json:"body"`
}

// listQuarantined lists what is held of a device and came while it was where the caller may see what devices sent. 404 where the device
// is not there.
func (a *API) listQuarantined(w http.ResponseWriter, r *http.Request) error {
	q := newQuery(r, "after", "limit")
	after := q.number("after", 0, 1<<62, 0)
	limit := int(q.number("limit", 1, quarantinedMost, quarantinedUsual))
	if q.err != nil {
		return q.err
	}
	d, err := a.pathDevice(r)
	if err != nil {
		return err
	}
	uploads, err := a.Uploads.Quarantined(r.Context(), d.DeviceKey, after, limit+1)
	if err != nil {
		return err
	}
	if err := a.noteView(r, "device "+strconv.FormatInt(int64(d.ID), 10), `{"which":"quarantine"}`); err != nil {
		return err
	}
	page := quarantinedView{Uploads: make([]quarantinedUpload, 0, len(uploads))}
	if len(uploads) > limit {
		uploads = uploads[:limit]
		next := strconv.FormatInt(uploads[limit-1].ID, 10)
		page.Next = &next
	}
	rights := rightsOf(r)
	for i := range uploads {
		u := &uploads[i]
		if !seesUpload(rights, d.ID, u.ReceivedAt) {
			continue
		}
		page.Uploads = append(page.Uploads, quarantinedUpload{
			ID: u.ID, ReceivedAt: Time(u.ReceivedAt), Reason: u.Reason, Text: strings.TrimSpace(u.Reason.Text() + " " + u.Note), Bytes: u.Bytes, Body: u.Body,
		})
	}
	return writeJSON(w, page)
}
