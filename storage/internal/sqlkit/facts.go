package sqlkit

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"fmt"
	"strconv"
	"strings"

	"halley/storage/ledger"
)

// fact is a table of the ledger's facts. A change gathers its rows, so that a hundred new devices do not cost a hundred times the
// statements of one, and this is the only way in which rows get into these tables, so that none is missing in the ledger. No
// statement of a change reads what it has gathered.
type fact int

// The tables, in the order of ledger.FactTables, in which no row names one that is not there yet.
const (
	factAudit fact = iota
	factOrganization
	factOrganizationDescription
	factPlace
	factPlaceDescription
	factDevice
	factDeviceDescription
	factChannel
	factChannelDescription
	factAttachment
	factLayout
	factLayoutSlot
	factLimit
	factCredential
	factToken
	factTokenEnd
	factLedgerKey
	factTombstone
	factProof
	factInterruption
	factGapCause
	factPerson
	factPersonDescription
	factRole
	factRoleDescription
	factRoleGrant
	factRoleGrantEnd
	factAuditReview
	factCount
)

// factTables are the tables of the facts; they are not changed.
var factTables = ledger.FactTables()

// table gives the table's name and its columns.
func (f fact) table() *ledger.FactTable { return &factTables[f] }

// facts are rows that are not written yet, by table, one behind the other.
type facts [factCount][]any

// add gathers a row: a value for each of the table's columns.
func (c *change) add(f fact, values ...any) { c.facts[f] = append(c.facts[f], values...) }

// rowsAtOnce is how many rows one statement inserts at most. The largest row has eleven values, and SQL Server takes 2,100
// parameters.
const rowsAtOnce = 128

// writeFacts inserts what was gathered, and keeps it for the ledger.
func (c *change) writeFacts(ctx context.Context) error {
	for f := range factCount {
		values := c.facts[f]
		if len(values) == 0 {
			continue
		}
		c.facts[f] = nil
		t := f.table()
		if err := c.beginChain(ctx); err != nil {
			return err
		}
		if err := c.chain.gather(t, values); err != nil {
			return err
		}
		if err := c.insert(ctx, t.Name, t.Columns, values); err != nil {
			return err
		}
	}
	return nil
}

// gather keeps rows for the ledger as the engines give them back.
func (h *chain) gather(t *ledger.FactTable, values []any) error {
	kept := make([]any, len(values))
	for i, v := range values {
		plain, err := driver.DefaultParameterConverter.ConvertValue(v)
		if err != nil {
			return fmt.Errorf("a value of %s: %w", t.Name, err)
		}
		kept[i] = plain
	}
	for width := len(t.Columns); len(kept) >= width; kept = kept[width:] {
		h.rows = append(h.rows, ledger.FactRow{Table: t.Name, Values: kept[:width:width]})
	}
	return nil
}

// insert adds rows to a table. Statements have 1, 2, 4, ... rows, so that there are few different ones.
func (c *change) insert(ctx context.Context, table string, columns []string, values []any) error {
	text := "INSERT INTO " + quoted(table) + " (" + strings.Join(columns, ", ") + ") VALUES "
	for width, rows := len(columns), rowsAtOnce; len(values) > 0; {
		if len(values) < rows*width {
			rows /= 2
			continue
		}
		if err := c.insertRows(ctx, text, rows, values[:rows*width]); err != nil {
			return fmt.Errorf("writing to %s: %w", table, err)
		}
		values = values[rows*width:]
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
