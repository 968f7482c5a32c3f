package directory_test

import (
	"testing"

	"halley"
	"halley/server/directory"
	"halley/storage"
)

// The tree of the tests:
//
//	/            1   place 10 (Hall)
//	  /Acme      2   place 20 (Cold room)
//	    /Brno    3   place 30 (Freezer), place 31 (Lab)
//	  /Zenith    4   place 40 (Store)
//	  /Old       5   closed
//
// Device 1 is at place 20, device 2 at places 30 and 40, device 3 of /Acme at none, device 4 is new. Channel 11 of device 1 came
// from place 40 at 1000; channel 12 of device 3 was at place 30 until 2000.
func data() *directory.Data {
	return &directory.Data{
		Organizations: []halley.Organization{
			{ID: 1},
			{ID: 2, ParentID: 1, Name: "Acme", TimeZone: "Europe/Prague", From: 10},
			{ID: 3, ParentID: 4, Name: "Brno", From: 10},
			{ID: 3, ParentID: 2, Name: "Brno", From: 500},
			{ID: 4, ParentID: 1, Name: "Zenith", From: 10},
			{ID: 5, ParentID: 1, Name: "Old", From: 10},
			{ID: 5, ParentID: 1, Name: "Old", Closed: true, From: 20},
		},
		Places: []halley.Place{
			{ID: 10, OrganizationID: 1, Name: "Hall", From: 10},
			{ID: 20, OrganizationID: 2, Name: "Cold room", From: 10},
			{ID: 30, OrganizationID: 3, Name: "Freezer", From: 10},
			{ID: 31, OrganizationID: 4, Name: "Lab", From: 10},
			{ID: 31, OrganizationID: 3, Name: "Lab", From: 700},
			{ID: 40, OrganizationID: 4, Name: "Store", From: 10},
		},
		Devices: []halley.Device{
			{ID: 1, PlaceID: 20, State: halley.DeviceAccepted},
			{ID: 2, State: halley.DeviceAccepted},
			{ID: 3, OrganizationID: 2, State: halley.DeviceAccepted},
			{ID: 4, State: halley.DeviceNew},
		},
		Channels: []halley.Channel{
			{ID: 11, DeviceID: 1}, {ID: 21, DeviceID: 2}, {ID: 22, DeviceID: 2}, {ID: 12, DeviceID: 3}, {ID: 13, DeviceID: 4},
		},
		Attachments: []halley.Attachment{
			{ID: 1, ChannelID: 11, PlaceID: 40, From: halley.EarliestMillis},
			{ID: 2, ChannelID: 21, PlaceID: 30, From: halley.EarliestMillis},
			{ID: 3, ChannelID: 22, PlaceID: 40, From: halley.EarliestMillis},
			{ID: 4, ChannelID: 12, PlaceID: 30, From: halley.EarliestMillis},
			{ID: 5, ChannelID: 11, PlaceID: 20, From: halley.EarliestMillis + 1000, Series: 9},
			{ID: 6, ChannelID: 12, PlaceID: 0, From: halley.EarliestMillis + 2000},
		},
		People: []halley.Person{
			{ID: 1, Name: "Eva", State: halley.PersonActive, OrganizationID: 2, From: 10},
			{ID: 2, Name: "Wall", State: halley.PersonActive, OrganizationID: 2, Shared: true, From: 10},
			{ID: 3, Name: "Gone", State: halley.PersonActive, OrganizationID: 2, From: 10},
			{ID: 3, Name: "Gone", State: halley.PersonDisabled, OrganizationID: 2, From: 900},
		},
		Grants: []halley.Grant{
			{ID: 1, PersonID: 1, Role: halley.Administrator, OrganizationID: 2, From: 100, To: 200},
			{ID: 2, PersonID: 1, Role: halley.User, OrganizationID: 2, From: 200},
			{ID: 3, PersonID: 2, Role: halley.Administrator, OrganizationID: 2, From: 100},
			{ID: 4, PersonID: 3, Role: halley.User, OrganizationID: 2, From: 100},
			{ID: 5, PersonID: 1, Role: "tester", OrganizationID: 4, From: 100},
		},
		Roles: []halley.CustomRole{
			{ID: 1, Name: "tester", OrganizationID: 1, Permissions: []halley.Permission{halley.PermitGapExplain}, From: 50},
			{ID: 1, Name: "tester", OrganizationID: 1, Permissions: []halley.Permission{halley.PermitUploadRead}, From: 300},
		},
	}
}

// token gives the rights of a role at a node, at one place where it is given.
func token(role halley.Role, node halley.OrganizationID, places ...halley.PlaceID) directory.Rights {
	return directory.New(data()).RightsOfToken(storage.Token{Role: role, OrganizationID: node, Places: places})
}

func TestRightsReachTheirNodeAndBelow(t *testing.T) {
	t.Parallel()
	const read, change = halley.PermitSampleRead, halley.PermitDeviceChange
	tests := map[string]struct {
		rights directory.Rights
		ask    func(directory.Rights) bool
		want   bool
	}{
		"the own node":                       {token(halley.User, 2), func(r directory.Rights) bool { return r.AtOrganization(read, 2) }, true},
		"a node below":                       {token(halley.User, 2), func(r directory.Rights) bool { return r.AtOrganization(read, 3) }, true},
		"not a node beside":                  {token(halley.User, 2), func(r directory.Rights) bool { return r.AtOrganization(read, 4) }, false},
		"not the node above":                 {token(halley.User, 3), func(r directory.Rights) bool { return r.AtOrganization(read, 2) }, false},
		"not a node that is not there":       {token(halley.User, 1), func(r directory.Rights) bool { return r.AtOrganization(read, 77) }, false},
		"a place of a node below":            {token(halley.User, 2), func(r directory.Rights) bool { return r.AtPlace(read, 31) }, true},
		"not a place beside":                 {token(halley.User, 2), func(r directory.Rights) bool { return r.AtPlace(read, 40) }, false},
		"not a place that is not there":      {token(halley.User, 1), func(r directory.Rights) bool { return r.AtPlace(read, 77) }, false},
		"a device at a place":                {token(halley.User, 2), func(r directory.Rights) bool { return r.AtDevice(read, 1) }, true},
		"a device at two places, to read":    {token(halley.User, 4), func(r directory.Rights) bool { return r.AtDevice(read, 2) }, true},
		"not one at two places, to change":   {token(halley.Administrator, 4), func(r directory.Rights) bool { return r.AtDevice(change, 2) }, false},
		"one at two places by the root":      {token(halley.Administrator, 1), func(r directory.Rights) bool { return r.AtDevice(change, 2) }, true},
		"a device at none, by its node":      {token(halley.User, 2), func(r directory.Rights) bool { return r.AtDevice(read, 3) }, true},
		"not one at none of a node above":    {token(halley.User, 3), func(r directory.Rights) bool { return r.AtDevice(read, 3) }, false},
		"a new device by the root":           {token(halley.Guest, 1), func(r directory.Rights) bool { return r.AtDevice(read, 4) }, true},
		"not a new device below":             {token(halley.Administrator, 2), func(r directory.Rights) bool { return r.AtDevice(read, 4) }, false},
		"a channel that was at a place":      {token(halley.User, 4), func(r directory.Rights) bool { return r.AtChannel(read, 11) }, true},
		"not its device, which went away":    {token(halley.User, 4), func(r directory.Rights) bool { return r.AtDevice(read, 1) }, false},
		"not a channel that was never there": {token(halley.User, 3), func(r directory.Rights) bool { return r.AtChannel(read, 11) }, false},
		"a person of the node":               {token(halley.Administrator, 2), func(r directory.Rights) bool { return r.AtPerson(halley.PermitPersonRead, 1) }, true},
		"not a person of a node above":       {token(halley.Administrator, 3), func(r directory.Rights) bool { return r.AtPerson(halley.PermitPersonRead, 1) }, false},
		"the server by the root":             {token(halley.Administrator, 1), func(r directory.Rights) bool { return r.Holds(halley.PermitServerRead) }, true},
		"not the server below":               {token(halley.Administrator, 2), func(r directory.Rights) bool { return r.Holds(halley.PermitServerRead) }, false},
		"a named place":                      {token(halley.ViewByMeasuredPlaces, 2, 30), func(r directory.Rights) bool { return r.AtPlace(read, 30) }, true},
		"not another place of the node":      {token(halley.ViewByMeasuredPlaces, 2, 30), func(r directory.Rights) bool { return r.AtPlace(read, 31) }, false},
		"a device at the named place":        {token(halley.ViewByMeasuredPlaces, 2, 30), func(r directory.Rights) bool { return r.AtDevice(read, 2) }, true},
		"the name of the place's node": {
			token(halley.ViewByMeasuredPlaces, 2, 30), func(r directory.Rights) bool { return r.AtOrganization(halley.PermitOrganizationRead, 3) }, true,
		},
		"not what else is at that node":        {token(halley.ViewByMeasuredPlaces, 2, 30), func(r directory.Rights) bool { return r.AtOrganization(read, 3) }, false},
		"not a named place that left the node": {token(halley.ViewByMeasuredPlaces, 2, 40), func(r directory.Rights) bool { return r.AtPlace(read, 40) }, false},
		"nothing without a named place":        {token(halley.ViewByMeasuredPlaces, 2), func(r directory.Rights) bool { return r.Holds(read) }, false},
		"nothing by a role that is not there":  {token("king", 1), func(r directory.Rights) bool { return r.Holds(halley.PermitStatusRead) }, false},
		"nothing by no rights": {directory.Rights{}, func(r directory.Rights) bool {
			return r.AtPlace(read, 10) || r.AtDevice(read, 1) || r.AtChannel(read, 11)
		}, false},
		"both of two rights": {
			token(halley.User, 2).Within(token(halley.Administrator, 3)), func(r directory.Rights) bool { return r.AtPlace(read, 30) }, true,
		},
		"not what one of two rights lacks": {
			token(halley.User, 2).Within(token(halley.Administrator, 3)), func(r directory.Rights) bool { return r.AtPlace(read, 20) }, false,
		},
		"not what the second of three lacks": {
			token(halley.User, 2).Within(token(halley.Guest, 3)).Within(token(halley.User, 1)), func(r directory.Rights) bool { return r.AtPlace(read, 20) }, false,
		},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if got := tt.ask(tt.rights); got != tt.want {
				t.Errorf("got %v, want %v", got, tt.want)
			}
		})
	}
}

func TestADeviceThatMovedLeavesItsHistoryBehind(t *testing.T) {
	t.Parallel()
	const from, to = halley.EarliestMillis, halley.EarliestMillis + 5000
	at := func(a, b halley.Millis) directory.Span { return directory.Span{From: from + a, To: from + b} }
	tests := map[string]struct {
		rights  directory.Rights
		channel halley.ChannelID
		want    []directory.Span
	}{
		"where it was":          {token(halley.User, 4), 11, []directory.Span{at(0, 1000)}},
		"where it is":           {token(halley.User, 2), 11, []directory.Span{at(1000, 5000)}},
		"the whole by the root": {token(halley.User, 1), 11, []directory.Span{at(0, 5000)}},
		"what was at a place, and the rest by its": {token(halley.User, 2), 12, []directory.Span{at(0, 5000)}},
		"what was at a place alone":                {token(halley.User, 3), 12, []directory.Span{at(0, 2000)}},
		"nothing elsewhere":                        {token(halley.User, 4), 12, nil},
		"nothing without the right":                {token(halley.PaymentAdministrator, 1), 11, nil},
		"nothing of a new device":                  {token(halley.User, 2), 13, nil},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got := tt.rights.Spans(halley.PermitSampleRead, tt.channel, from, to)
			if len(got) != len(tt.want) {
				t.Fatalf("spans %+v, want %+v", got, tt.want)
			}
			for i := range got {
				if got[i].From != tt.want[i].From || got[i].To != tt.want[i].To {
					t.Errorf("span %d is %+v, want %+v", i, got[i], tt.want[i])
				}
			}
		})
	}
}

func TestPeopleHaveWhatTheirGrantsGive(t *testing.T) {
	t.Parallel()
	s := directory.New(data())
	eva := s.RightsOf(1)
	if !eva.AtPlace(halley.PermitSampleRead, 20) || eva.AtPlace(halley.PermitPlaceChange, 20) {
		t.Error("a grant that ended counts, or the one in its place does not")
	}
	if !eva.AtPlace(halley.PermitUploadRead, 40) || eva.AtPlace(halley.PermitGapExplain, 40) {
		t.Error("a custom role does not hold what it was changed to")
	}
	wall := s.RightsOf(2)
	if !wall.AtPlace(halley.PermitSampleRead, 20) || wall.Holds(halley.PermitPlaceChange) || wall.Holds(halley.PermitPersonChange) {
		t.Error("a shared account cannot read, or can do more")
	}
	if s.RightsOf(3).Holds(halley.PermitStatusRead) || s.RightsOf(77).Holds(halley.PermitStatusRead) {
		t.Error("somebody who is disabled or not there may do something")
	}
}

func TestAsOfAnInstant(t *testing.T) {
	t.Parallel()
	s := directory.New(data())
	then := s.AsOf(150)
	if got := then.Path(3); got != "/Zenith/Brno" {
		t.Errorf("the organization stood at %q", got)
	}
	if s.Path(3) != "/Acme/Brno" {
		t.Errorf("now it stands at %q", s.Path(3))
	}
	eva := then.RightsOf(1)
	if !eva.AtOrganization(halley.PermitPersonChange, 2) || eva.AtOrganization(halley.PermitPersonChange, 3) {
		t.Error("the grants and the tree of then are not those that counted")
	}
	if !eva.AtPlace(halley.PermitGapExplain, 31) {
		t.Error("the role of then, or the owner of the place, is not that which counted")
	}
	if !then.RightsOf(3).Holds(halley.PermitSampleRead) {
		t.Error("who was active then had no rights")
	}
	if len(s.AsOf(5).People()) != 0 {
		t.Error("there were people before the first")
	}
}

func TestTheTreeIsFoundByPath(t *testing.T) {
	t.Parallel()
	s := directory.New(data())
	for path, want := range map[string]halley.OrganizationID{"/": 1, "": 1, "/Acme": 2, "Acme/Brno": 3, "/Acme/Brno/": 3, "/acme": 0, "/Brno": 0, "/Old": 5} {
		if got, ok := s.FindPath(path); got != want || ok != (want != 0) {
			t.Errorf("FindPath(%q) = %d, %v, want %d", path, got, ok, want)
		}
	}
	if got := s.Zone(3); got != "Europe/Prague" {
		t.Errorf("the zone below is %q", got)
	}
	if got := s.Zone(4); got != "UTC" {
		t.Errorf("the zone of none is %q", got)
	}
	if got := len(s.Below(2)); got != 2 || s.Within(2, 3) || !s.Within(3, 2) {
		t.Errorf("%d nodes at and below /Acme", got)
	}
	if got := s.Paths(); len(got) != 4 {
		t.Errorf("open paths: %q", got)
	}
}

func TestWhatIsAtAPlace(t *testing.T) {
	t.Parallel()
	s := directory.New(data())
	spans := s.PlaceSpans(40)
	if len(spans) != 2 || spans[0].Channel != 11 || spans[0].To != halley.EarliestMillis+1000 || spans[1].Series != 22 {
		t.Errorf("what was at the place: %+v", spans)
	}
	if now := s.Attached(40, halley.LatestMillis-1); len(now) != 1 || now[0].Channel != 22 {
		t.Errorf("what is at the place: %+v", now)
	}
	if spans := s.ChannelSpans(11); len(spans) != 2 || spans[1].Series != 9 || spans[1].To != halley.LatestMillis {
		t.Errorf("where the channel was: %+v", spans)
	}
	if d, _ := s.Device(1); d.OrganizationID != 2 {
		t.Errorf("the device belongs to %d", d.OrganizationID)
	}
	if got := s.DevicePlaces(2); len(got) != 2 {
		t.Errorf("the device is at %v", got)
	}
}
