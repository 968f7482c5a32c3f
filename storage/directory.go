package storage

import (
	"context"

	"halley"
)

// Directory is the tree of organizations with its places, and what is attached to them.
type Directory interface {
	// Organizations lists all states of all nodes, by id, then From, then age: the last of an id is the node as it is now.
	Organizations(ctx context.Context) ([]halley.Organization, error)
	// AddOrganization adds a node with its audit row "organization.add"; ID and From are given by the store. NotFound where the node
	// above is not there or closed, Conflict where it has an open node of that name.
	AddOrganization(ctx context.Context, o halley.Organization, c halley.Change) (halley.Organization, error)
	// ChangeOrganization changes what u names, with an audit row "organization.change". NotFound; Conflict where the name is used, the
	// node would come below itself, the root would be moved or closed, or a node that is not empty would be closed.
	ChangeOrganization(ctx context.Context, id halley.OrganizationID, u OrganizationUpdate, c halley.Change) (halley.Organization, error)

	// PlaceStates lists all states of the places with ids above after, by id, then From, then age, of at most limit places.
	PlaceStates(ctx context.Context, after halley.PlaceID, limit int) ([]halley.Place, error)
	// AddPlace adds a place with its audit row "place.add"; ID and From are given by the store. NotFound where there is no such open
	// organization.
	AddPlace(ctx context.Context, p halley.Place, c halley.Change) (halley.Place, error)
	// ChangePlace changes what u names, with an audit row "place.change". NotFound; Conflict where something is attached to a place
	// that would be closed.
	ChangePlace(ctx context.Context, id halley.PlaceID, u PlaceUpdate, c halley.Change) (halley.Place, error)

	// AllAttachments lists attachments with ids above after, by id, at most limit.
	AllAttachments(ctx context.Context, after int64, limit int) ([]halley.Attachment, error)
	// FormerChannelNames lists what the channels are and were called that have more than one attachment and had more than one name or
	// number of decimals, behind after (the zero ChannelName begins), by channel, then From, at most limit.
	FormerChannelNames(ctx context.Context, after halley.ChannelName, limit int) ([]halley.ChannelName, error)
	// Attach attaches channels, or takes them from where they are where PlaceID is 0, all in one transaction with an audit row
	// "place.attach" or "place.detach" for each place. A Series of 0 at a place is the channel itself. A device of which all open
	// channels are at one place afterwards has that as its PlaceID, with none anywhere 0, and the organization of its place. NotFound
	// for a channel or place that is not there; Conflict for a closed place, for a channel of a device that is not accepted, and for
	// a From at or before the channel's newest attachment.
	Attach(ctx context.Context, list []halley.Attachment, c halley.Change) ([]halley.Attachment, error)
	// Swap puts one device in the place of another: a single transaction with one audit row "device.swap" that names both. Its On is
	// the place ("place 3"), Old is {"device_id","serial","state"} of the device before, New is {"device_id","serial","at",
	// "channels":[{"old","new"}],"retired"} of the one after. NotFound and Conflict as for Attach.
	Swap(ctx context.Context, s Swap, c halley.Change) ([]halley.Attachment, error)
	// MoveDevice gives a device that is at no place to an organization, with an audit row "device.move". Its open channels get an
	// attachment to no place from then on, so that what it measured before stays with the former node. Conflict where it is at a
	// place, for it belongs to that one's organization.
	MoveDevice(ctx context.Context, id halley.DeviceID, to halley.OrganizationID, c halley.Change) (halley.Device, error)
}

// OrganizationUpdate says what to change; nil fields stay.
type OrganizationUpdate struct {
	ParentID *halley.OrganizationID
	Name     *string
	TimeZone *string
	Closed   *bool
}

// PlaceUpdate says what to change; nil fields stay.
type PlaceUpdate struct {
	OrganizationID *halley.OrganizationID
	Name           *string
	Closed         *bool
}

// Swap says that from an instant on a device stands where another did.
type Swap struct {
	PlaceID  halley.PlaceID
	Old, New halley.DeviceID
	// At is by measured-at.
	At halley.Millis
	// Channels says which channel of the new device continues which of the old one. Channels of the old device that are not in it
	// end at the place, those of the new one that are not in it begin a series of their own.
	Channels []SwappedChannel
	// Retire says that the old device is out of service; otherwise it stays accepted, at no place.
	Retire bool
}

// SwappedChannel is a channel that continues the series of another.
type SwappedChannel struct{ Old, New halley.ChannelID }
