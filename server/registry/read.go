package registry

import (
	"context"
	"fmt"
	"slices"

	"halley"
	"halley/server/directory"
	"halley/storage"
)

// pageRows is how many places or attachments are read at once.
const pageRows = 10_000

// Read gives the directory of a store as it is now, for what has no copy of it.
func Read(ctx context.Context, src Source) (*directory.State, error) {
	c, err := read(ctx, src, nil)
	if err != nil {
		return nil, err
	}
	return newSnapshot(c).directory, nil
}

// ReadTree gives of the directory of a store the organizations, the places and the roles that people made, and nothing else: for what asks
// for no device and no person, or by a login that may read nothing of people.
func ReadTree(ctx context.Context, src TreeSource) (*directory.State, error) {
	var c copied
	if err := readTree(ctx, src, &c); err != nil {
		return nil, err
	}
	return newSnapshot(c).directory, nil
}

// attachments gives those that the copy has of the store, for they are only added to; none where the copy is not the store's or a
// later one.
func (r *Registry) attachments(version int64) []halley.Attachment {
	if c := r.current.Load(); r.loaded && version > c.Version {
		return c.Attachments
	}
	return nil
}

// read reads everything from the store, except its version.
func read(ctx context.Context, src Source, attachments []halley.Attachment) (c copied, err error) {
	if c.Devices, err = src.Devices(ctx, storage.DeviceFilter{}); err != nil {
		return c, fmt.Errorf("reading the devices: %w", err)
	}
	if c.Channels, err = src.Channels(ctx, storage.ChannelFilter{Ended: true}); err != nil {
		return c, fmt.Errorf("reading the channels: %w", err)
	}
	if c.Credentials, err = src.Credentials(ctx); err != nil {
		return c, fmt.Errorf("reading the credentials of devices: %w", err)
	}
	if c.Tokens, err = src.Tokens(ctx); err != nil {
		return c, fmt.Errorf("reading the tokens: %w", err)
	}
	if err = readTree(ctx, src, &c); err != nil {
		return c, err
	}
	if c.Attachments, err = readAttachments(ctx, src, attachments); err != nil {
		return c, fmt.Errorf("reading what is at the places: %w", err)
	}
	if c.Names, err = readNames(ctx, src); err != nil {
		return c, err
	}
	err = readPeople(ctx, src, &c)
	return c, err
}

// readTree reads the organizations, the places and the roles that people made.
func readTree(ctx context.Context, src TreeSource, c *copied) (err error) {
	if c.Organizations, err = src.Organizations(ctx); err != nil {
		return fmt.Errorf("reading the organizations: %w", err)
	}
	for after := halley.PlaceID(0); ; {
		page, err := src.PlaceStates(ctx, after, pageRows)
		if err != nil {
			return fmt.Errorf("reading the places: %w", err)
		}
		if len(page) == 0 {
			break
		}
		c.Places = append(c.Places, page...)
		after = page[len(page)-1].ID
	}
	if c.Roles, err = src.Roles(ctx); err != nil {
		return fmt.Errorf("reading the roles: %w", err)
	}
	return nil
}

// readAttachments reads what came behind those that are known, or all where the last of these is not in the store any more: it was
// set back.
func readAttachments(ctx context.Context, src Source, known []halley.Attachment) ([]halley.Attachment, error) {
	list := known
	after := int64(0)
	if n := len(known); n > 0 {
		after = known[n-1].ID - 1
	}
	for first := true; ; first = false {
		page, err := src.AllAttachments(ctx, after, pageRows)
		if err != nil {
			return nil, err
		}
		if first && len(known) > 0 {
			if len(page) == 0 || page[0] != known[len(known)-1] {
				return readAttachments(ctx, src, nil)
			}
			page = page[1:]
		}
		if len(page) == 0 {
			return list, nil
		}
		// The copy before this one keeps its own list: appending must not write behind its end.
		list = append(slices.Clip(list), page...)
		after = page[len(page)-1].ID
	}
}

// readPeople reads who there is and what is granted to them.
func readPeople(ctx context.Context, src Source, c *copied) (err error) {
	if c.People, err = src.People(ctx); err != nil {
		return fmt.Errorf("reading the people: %w", err)
	}
	if c.Details, err = src.PersonDetails(ctx); err != nil {
		return fmt.Errorf("reading the details of people: %w", err)
	}
	if c.Grants, err = src.Grants(ctx); err != nil {
		return fmt.Errorf("reading the grants: %w", err)
	}
	if c.Secrets, err = src.Secrets(ctx, 0); err != nil {
		return fmt.Errorf("reading what people prove themselves by: %w", err)
	}
	return nil
}
