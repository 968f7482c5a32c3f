package access_test

import (
	"testing"

	"halley"
	"halley/server/access"
	"halley/server/directory"
)

// A request that lasts keeps nothing of the directory of when it began, and its caller is still known.
func TestDroppedRightsHoldNothing(t *testing.T) {
	t.Parallel()
	rights := directory.New(&directory.Data{Organizations: []halley.Organization{{ID: halley.RootOrganization}}}).FullRights()
	ctx := access.WithCaller(t.Context(), access.Caller{Kind: access.BySession, Name: "eva", Rights: rights})
	before, _ := access.CallerFrom(ctx)
	access.DropRights(ctx)
	after, ok := access.CallerFrom(ctx)
	if !ok || after.Name != "eva" || after.Rights.State() != nil || after.Rights.Holds(halley.PermitSampleRead) {
		t.Errorf("afterwards the caller is %q with %v", after.Name, after.Rights.Permissions())
	}
	if !before.Rights.Holds(halley.PermitSampleRead) {
		t.Error("what was taken from the context before has changed")
	}
	access.DropRights(t.Context()) // There is no caller, and nothing to drop.
}
