package viewerapi_test

import (
	"encoding/json"
	"testing"

	"github.com/google/go-cmp/cmp"

	"halley"
	"halley/storage"
	"halley/storage/storagetest"
)

// How many places and devices an organization has is known to who may see them, or counts them for licence and cost.
func TestOrganizationsCountWhatTheirReaderMaySee(t *testing.T) {
	t.Parallel()
	k, store := onSQLite(t)
	feed := storagetest.NewFeed(store)
	var places []halley.PlaceID
	for _, serial := range []string{"23960000", "23960001", "23960002"} {
		device := storagetest.WiFi(serial, 1)
		feed.Append(t, device.Upload(0, device.Message(storagetest.Start, 20)))
	}
	devices, err := store.Devices(t.Context(), storage.DeviceFilter{})
	check(t, err)
	for _, d := range devices {
		places = append(places, d.PlaceID)
	}
	root := halley.RootOrganization
	tests := map[string]struct {
		grants []halley.Grant
		want   [2]int
	}{
		"all for a guest":                         {[]halley.Grant{{Role: halley.Guest, OrganizationID: root}}, [2]int{3, 3}},
		"all for who counts them for the licence": {[]halley.Grant{{Role: halley.PaymentAdministrator, OrganizationID: root}}, [2]int{3, 3}},
		"one for who sees one place": {
			[]halley.Grant{{Role: halley.ViewByMeasuredPlaces, OrganizationID: root, PlaceID: places[1]}}, [2]int{1, 1},
		},
		"two for who sees two": {
			[]halley.Grant{
				{Role: halley.ViewByMeasuredPlaces, OrganizationID: root, PlaceID: places[0]},
				{Role: halley.ViewByMeasuredPlaces, OrganizationID: root, PlaceID: places[2]},
			}, [2]int{2, 2},
		},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			header := signInTo(t, k, store, name, tt.grants...)
			for _, target := range []string{"/api/v1/organizations", "/api/v1/organizations/1"} {
				type counted struct{ Places, Devices int }
				var got struct {
					counted
					Organizations []counted
				}
				check(t, json.Unmarshal([]byte(k.do(t, request{target: target, header: header}).body), &got))
				if len(got.Organizations) > 0 {
					got.counted = got.Organizations[0]
				}
				if diff := cmp.Diff(tt.want, [2]int{got.Places, got.Devices}); diff != "" {
					t.Errorf("%s: places and devices (-want +got):\n%s", target, diff)
				}
			}
		})
	}
}
