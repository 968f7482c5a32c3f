package halley

// OrganizationID names an organization for ever. The root is RootOrganization.
type OrganizationID int64

// RootOrganization is the node above all others. What belongs to no other node belongs to it, and rights granted there reach
// the server itself.
const RootOrganization OrganizationID = 1

// Organization is a node of the tree that owns places, devices and people.
type Organization struct {
	ID OrganizationID
	// ParentID is the node above; 0 for the root.
	ParentID OrganizationID
	// Name is unique among the nodes with the same parent that are not closed, 1 to 200 characters without "/". The root may have
	// none: "".
	Name string
	// TimeZone is an IANA name such as "Europe/Prague", in which times of its places are shown; "" takes that of the node above,
	// and UTC at the root.
	TimeZone string
	// Closed says that it is shown no more. Only a node without open nodes, places, devices and people can be closed.
	Closed bool
	// From is when this state of the node began.
	From Millis
}

// Place is a measuring point that people care about. It owns history, limits and rights; devices only visit it.
type Place struct {
	ID             PlaceID
	OrganizationID OrganizationID
	// Name has 1 to 200 characters.
	Name string
	// Closed says that it is out of use: its history stays, nothing can be attached to it.
	Closed bool
	// From is when this state of the place began.
	From Millis
}

// Attachment says that from From on, by measured-at and up to the channel's next attachment, a channel is at a place. Of two with
// the same From the one with the higher ID counts.
type Attachment struct {
	ID        int64
	ChannelID ChannelID
	// PlaceID is 0 for at no place.
	PlaceID PlaceID
	From    Millis
	// Series is the line of the place's history that it continues, named by the first channel of that line: a sensor that is swapped
	// passes its series on. For a channel that continues none it is the channel itself; 0 where PlaceID is 0.
	Series ChannelID
}
