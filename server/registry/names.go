package registry

import (
	"context"
	"fmt"

	"halley"
)

// readNames reads what channels were called that are not where they always were, so that who had one before does not learn what its
// device calls it now.
func readNames(ctx context.Context, src Source) ([]halley.ChannelName, error) {
	var list []halley.ChannelName
	for after := (halley.ChannelName{}); ; {
		page, err := src.FormerChannelNames(ctx, after, pageRows)
		if err != nil {
			return nil, fmt.Errorf("reading what channels were called: %w", err)
		}
		list = append(list, page...)
		if len(page) < pageRows {
			return list, nil
		}
		after = page[len(page)-1]
	}
}
