package viewerapi

import (
	"net/http"
	"time"

	"halley"
	"halley/server/directory"
	"halley/storage"
)

// usageDays is over how many whole UTC days samples are averaged.
const usageDays = 7

// usageView counts what belongs to a node itself.
type usageView struct {
	Places   int `json:"places"`
	Devices  int `json:"devices"`
	People   int `json:"people"`
	Channels int `json:"channels"`
	// SamplesPerDay is rounded.
	SamplesPerDay int64 `json:"samples_per_day"`
}

func (u *usageView) add(o usageView) {
	u.Places += o.Places
	u.Devices += o.Devices
	u.People += o.People
	u.Channels += o.Channels
	u.SamplesPerDay += o.SamplesPerDay
}

// nodeUsageView is what is counted for one node.
type nodeUsageView struct {
	ID   halley.OrganizationID `json:"organization_id"`
	Path string                `json:"path"`
	usageView
}

// getUsage counts open places, accepted devices with their channels, people and samples for each node, by path. Who was deleted is not
// counted.
func (a *API) getUsage(w http.ResponseWriter, r *http.Request) error {
	q := newQuery(r, "organization_id", "sub")
	rights := rightsOf(r)
	within, err := q.organizations(rights, halley.PermitUsageRead)
	if err != nil {
		return err
	}
	now := halley.MillisOf(time.Now())
	counts, err := a.usage(r, rights.State(), now)
	if err != nil {
		return err
	}
	page := struct {
		At            Time            `json:"at"`
		Organizations []nodeUsageView `json:"organizations"`
		Total         usageView       `json:"total"`
	}{At: Time(now), Organizations: []nodeUsageView{}}
	s := rights.State()
	for _, id := range s.Below(halley.RootOrganization) {
		o, _ := s.Organization(id)
		if o.Closed || within != nil && !within(id) || !rights.AtOrganization(halley.PermitUsageRead, id) {
			continue
		}
		v := nodeUsageView{ID: id, Path: s.Path(id), usageView: counts[id]}
		page.Organizations = append(page.Organizations, v)
		page.Total.add(v.usageView)
	}
	return writeJSON(w, page)
}

// usage counts for each node. Samples are those of the last whole days that were counted: messages times open channels.
func (a *API) usage(r *http.Request, s *directory.State, now halley.Millis) (map[halley.OrganizationID]usageView, error) {
	counts := make(map[halley.OrganizationID]usageView)
	count := func(id halley.OrganizationID, u usageView) {
		sum := counts[id]
		sum.add(u)
		counts[id] = sum
	}
	for _, p := range s.Places() {
		if !p.Closed {
			count(p.OrganizationID, usageView{Places: 1})
		}
	}
	for _, p := range s.People() {
		if p.State != halley.PersonDeleted {
			count(p.OrganizationID, usageView{People: 1})
		}
	}
	devices, err := a.Registry.Devices(r.Context(), storage.DeviceFilter{State: halley.DeviceAccepted})
	if err != nil {
		return nil, err
	}
	channels, err := a.Registry.Channels(r.Context(), storage.ChannelFilter{})
	if err != nil {
		return nil, err
	}
	open := make(map[halley.DeviceID]int, len(devices))
	for i := range channels {
		open[channels[i].DeviceID]++
	}
	daily, err := a.messagesPerDay(r, now)
	if err != nil {
		return nil, err
	}
	for i := range devices {
		d := &devices[i]
		samples := int64(daily[d.ID]*float64(open[d.ID]) + 0.5)
		count(nodeOf(s, d), usageView{Devices: 1, Channels: open[d.ID], SamplesPerDay: samples})
	}
	return counts, nil
}

// messagesPerDay gives how many messages came from each device in a day, on average of the last whole days that were counted.
func (a *API) messagesPerDay(r *http.Request, now halley.Millis) (map[halley.DeviceID]float64, error) {
	today := int64(now / halley.Day)
	list, err := a.Completeness.CompletenessDays(r.Context(), today-usageDays, today)
	if err != nil {
		return nil, err
	}
	daily := make(map[halley.DeviceID]float64, len(list))
	for i := range list {
		if n := len(list[i].Days); n > 0 {
			daily[list[i].Device.ID] = float64(list[i].Total.Received) / float64(n)
		}
	}
	return daily, nil
}
