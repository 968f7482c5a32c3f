package halley_test

import (
	"slices"
	"strings"
	"testing"

	"halley"
)

// TestWhatRolesMustAndMustNotHold says of each preset what makes it what it is.
func TestWhatRolesMustAndMustNotHold(t *testing.T) {
	t.Parallel()
	tests := map[halley.Role]struct{ must, never string }{
		halley.ServiceAdministrator: {
			"server.read journal.flush proof.run retention.decide", "sample.read upload.read evidence.read place.read device.read person.read audit.read",
		},
		halley.DistributorAdministrator: {
			"organization.change person.change usage.read", "sample.read upload.read evidence.read place.read device.read server.read role.change token.change",
		},
		halley.PaymentAdministrator: {"usage.read organization.read", "sample.read place.read device.read person.read organization.change"},
		halley.Administrator:        {"person.change sample.read server.read audit.review retention.decide limit.change", ""},
		halley.DeviceAdministrator: {
			"device.decide device.change device.attach upload.read place.change", "person.read limit.change organization.change token.read audit.read",
		},
		halley.AlarmAdministrator:   {"limit.change alarm.pause notification.change alarm.acknowledge", "device.decide device.attach person.read"},
		halley.User:                 {"sample.read alarm.acknowledge report.read gap.explain evidence.read", "limit.change device.change person.read"},
		halley.GuestAdministrator:   {"sample.read person.read audit.read server.read token.read", "person.change device.decide proof.run audit.review"},
		halley.Guest:                {"sample.read place.read", "upload.read gap.explain alarm.acknowledge audit.read person.read"},
		halley.ViewByMeasuredPlaces: {"sample.read place.read", "upload.read gap.explain alarm.acknowledge audit.read person.read"},
	}
	if len(tests) != len(halley.PresetRoles()) {
		t.Errorf("%d roles are described, %d are offered", len(tests), len(halley.PresetRoles()))
	}
	for role, want := range tests {
		for p := range strings.FieldsSeq(want.must) {
			if !slices.Contains(role.Permissions(), halley.Permission(p)) {
				t.Errorf("%s does not hold %s", role, p)
			}
		}
		for p := range strings.FieldsSeq(want.never) {
			if slices.Contains(role.Permissions(), halley.Permission(p)) {
				t.Errorf("%s holds %s", role, p)
			}
		}
	}
}

func TestRolesHoldKnownPermissionsInOrder(t *testing.T) {
	t.Parallel()
	all := halley.Permissions()
	for _, role := range append(halley.PresetRoles(), halley.Reader) {
		last := -1
		for _, p := range role.Permissions() {
			i := slices.Index(all, p)
			if i <= last {
				t.Errorf("%s: %s is not known, there twice or out of order", role, p)
			}
			last = i
		}
		if !slices.Contains(role.Permissions(), halley.PermitStatusRead) {
			t.Errorf("%s cannot see how things stand", role)
		}
		if !role.Preset() {
			t.Errorf("%s is no preset", role)
		}
	}
	if halley.Role("king").Preset() || halley.Role("king").Permissions() != nil {
		t.Error("a role that is not there holds something")
	}
	if !slices.Equal(halley.Reader.Permissions(), halley.GuestAdministrator.Permissions()) {
		t.Error("reader and guest-administrator differ")
	}
}

func TestReadingRolesChangeNothing(t *testing.T) {
	t.Parallel()
	for _, role := range []halley.Role{halley.PaymentAdministrator, halley.GuestAdministrator, halley.Reader, halley.Guest, halley.ViewByMeasuredPlaces} {
		for _, p := range role.Permissions() {
			if !p.Reads() {
				t.Errorf("%s holds %s, which changes something", role, p)
			}
		}
	}
}

func TestWellFormedRoles(t *testing.T) {
	t.Parallel()
	for role, want := range map[halley.Role]bool{
		"night-shift":                        true,
		"7":                                  true,
		halley.Role(strings.Repeat("a", 40)): true,
		halley.Role(strings.Repeat("a", 41)): false,
		"":                                   false,
		"Night-shift":                        false,
		"night shift":                        false,
		"night_shift":                        false,
		"night-shift\n":                      false,
		"nächte":                             false,
	} {
		if got := role.WellFormed(); got != want {
			t.Errorf("%q is well-formed: %v, want %v", role, got, want)
		}
	}
	for _, role := range append(halley.PresetRoles(), halley.Reader) {
		if !role.WellFormed() {
			t.Errorf("the preset %s is not well-formed", role)
		}
	}
}
