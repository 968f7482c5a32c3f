// Package directory says who may see and do what, and where: it arranges the tree of organizations, its places with what is and
// was attached to them, the people, their grants and the roles, as one copy of the store's facts, and answers from that. It does
// nothing else: package registry makes the copy, package access finds out who asks, package viewerapi asks before it answers.
package directory

import (
	"halley"
	"halley/storage"
)

// Data is what a State is made of, as the store lists it. It must not change any more.
type Data struct {
	// Organizations, Places, People and Roles hold all states, by id, then age.
	Organizations []halley.Organization
	Places        []halley.Place
	// Attachments are by id.
	Attachments []halley.Attachment
	Devices     []halley.Device
	// Channels are all, also those that ended.
	Channels []halley.Channel
	// Names are what channels are and were called that have more than one attachment and more than one name, by channel, then From.
	Names   []halley.ChannelName
	People  []halley.Person
	Details []halley.PersonDetail
	// Grants are all that ever counted, by id.
	Grants []halley.Grant
	Roles  []halley.CustomRole
	// Secrets are those of all people, without links.
	Secrets []storage.Secret
}

// Span is a time in which a channel was at one place, or at none, by measured-at and half-open.
type Span struct {
	// Place is 0 for at none.
	Place halley.PlaceID
	// Series is the line of the place's history that the channel continued there; 0 at none.
	Series   halley.ChannelID
	From, To halley.Millis
}

// PlaceSpan is a time in which a channel was at the place that was asked for.
type PlaceSpan struct {
	Channel, Series halley.ChannelID
	From, To        halley.Millis
}
