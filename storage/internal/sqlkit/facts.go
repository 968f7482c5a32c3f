package sqlkit

import (
	"context"
	"database/sql"
	"fmt"
	"strconv"
	"strings"
)

// fact is a table of the registry whose rows a change gathers, so that a hundred new devices do not cost a hundred times the
// statements of one. No statement of a change reads what it has gathered.
type fact int

// The tables, in an order in which no row names one that is not there yet.
const (
	factAudit fact = iota
	factPlace
	factPlaceDescription
	factDevice
	factDeviceDescription
	factChannel
	factChannelDescription
	factAttachment
	factLayout
	factLayoutSlot
	factCount
)

// columns gives the table's name and its columns.
func (f fact) columns() (table string, columns []string) {
	switch f {
	case factAudit:
		return "audit", []string{
			"audit_id", "at", "actor_kind", "actor_name", "actor_session", "what", "subject", "old_value", "new_value", "why", "seq",
		}
	case factPlace:
		return "place", []string{"place_id", "organization_id", "created_at"}
	case factPlaceDescription:
		return "place_description", []string{"place_id", "number", "at", "name", "audit_id"}
	case factDevice:
		return "device", []string{"device_id", "family", "serial", "first_seen_at"}
	case factDeviceDescription:
		return "device_description", []string{
			"device_id", "number", "at", "state", "model", "self_name", "given_name", "place_id", "audit_id",
		}
	case factChannel:
		return "channel", []string{"channel_id", "device_id", "number", "quantity", "unit"}
	case factChannelDescription:
		return "channel_description", []string{"channel_id", "from_at", "name", "decimals"}
	case factAttachment:
		return "attachment", []string{"attachment_id", "channel_id", "from_at", "place_id", "audit_id"}
	case factLayout:
		return "layout", []string{"layout_id", "device_id"}
	case factLayoutSlot:
		return "layout_slot", []string{"layout_id", "part", "slot", "channel_id"}
	case factCount:
	}
	return "", nil
}

// facts are rows that are not written yet, by table, one behind the other.
type facts [factCount][]any

// add gathers a row: a value for each of the table's columns.
func (c *change) add(f fact, values ...any) { c.facts[f] = append(c.facts[f], values...) }

// factsAtOnce is how many rows one statement inserts at most. The largest row has eleven values, and SQL Server takes 2,100
// parameters.
const factsAtOnce = 128

// writeFacts inserts what was gathered. Statements have 1, 2, 4, ... rows, so that there are few different ones.
func (c *change) writeFacts(ctx context.Context) error {
	for f := range factCount {
		values := c.facts[f]
		if len(values) == 0 {
			continue
		}
		c.facts[f] = nil
		table, columns := f.columns()
		for width, rows := len(columns), factsAtOnce; len(values) > 0; {
			if len(values) < rows*width {
				rows /= 2
				continue
			}
			if err := c.insertRows(ctx, "INSERT INTO "+table+" ("+strings.Join(columns, ", ")+") VALUES ", rows, values[:rows*width]); err != nil {
				return fmt.Errorf("writing to %s: %w", table, err)
			}
			values = values[rows*width:]
		}
	}
	return nil
}

// insertRows runs one insertion of some rows of equal length.
func (c *change) insertRows(ctx context.Context, insert string, rows int, values []any) error {
	var text strings.Builder
	text.WriteString(insert)
	named := make([]any, 0, len(values))
	for i, v := range values {
		name := "v" + strconv.Itoa(i)
		switch {
		case i == 0:
			text.WriteString("(@")
		case i%(len(values)/rows) == 0:
			text.WriteString("), (@")
		default:
			text.WriteString(", @")
		}
		text.WriteString(name)
		named = append(named, sql.Named(name, v))
	}
	text.WriteString(")")
	st, err := c.statement(ctx, text.String()) //nolint:sqlclosecheck // the transaction closes it
	if err != nil {
		return err
	}
	_, err = st.ExecContext(ctx, named...)
	return err
}
