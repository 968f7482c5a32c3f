package verify

import (
	"bytes"
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"

	"halley"
	"halley/storage/ledger"
)

func isForm(err error) bool { return errors.Is(err, ledger.ErrForm) }

// sameValue compares two values of a column to the bit.
func sameValue(a, b any) bool {
	switch a := a.(type) {
	case float64:
		f, ok := b.(float64)
		return ok && math.Float64bits(a) == math.Float64bits(f)
	case []byte:
		o, ok := b.([]byte)
		return ok && bytes.Equal(a, o)
	}
	return a == b
}

// longest bounds a text within a finding.
const longest = 120

// valueText writes a value of a column for people.
func valueText(v any) string {
	switch v := v.(type) {
	case nil:
		return "empty"
	case int64:
		return strconv.FormatInt(v, 10)
	case float64:
		return numberText(v)
	case string:
		return strconv.Quote(shortened(v))
	case []byte:
		return hex.EncodeToString(v[:min(len(v), longest/2)])
	case ledger.Hashed:
		return "a hash (SHA-256 " + ledger.Digest(v).String()[:16] + ")"
	}
	return "something else"
}

func shortened(s string) string {
	if len(s) <= longest {
		return s
	}
	return strings.ToValidUTF8(s[:longest], "") + "..."
}

// numberText writes a number with the digits that tell it from every other.
func numberText(f float64) string {
	if a := math.Abs(f); a != 0 && (a < 1e-6 || a >= 1e15) {
		return strconv.FormatFloat(f, 'g', -1, 64)
	}
	return strconv.FormatFloat(f, 'f', -1, 64)
}

// rowText writes a row's columns behind its key.
func rowText(t ledger.FactTable, row ledger.FactRow) string {
	var b strings.Builder
	for i, v := range row.Values {
		if v == nil || i >= len(t.Columns) || i < t.Key && t.Key == 1 {
			continue
		}
		if b.Len() > 0 {
			b.WriteString(", ")
		}
		b.WriteString(t.Columns[i] + " " + valueText(v))
	}
	return b.String()
}

// nouns name the rows of tables for people; others go by their table.
var nouns = map[string]string{
	"audit": "the entry of the audit trail", "organization_description": "the description of an organization",
	"place_description": "the description of a place", "device_description": "the description of a device",
	"channel_description": "the description of a channel", "layout_slot": "the slot of a layout", "token_end": "the end of a token",
	"ledger_key": "the public key", "proof": "the result of a check", "gap_cause": "the cause of a gap",
	"person_description": "the description of a person", "role_description": "the description of a role",
	"role_grant": "the grant of a role", "role_grant_end": "the end of a grant", "audit_review": "the review of the audit trail",
}

// about names a row of a fact table: its noun, its key, and the device, channel or place that it concerns.
func (r *run) about(ctx context.Context, t ledger.FactTable, row ledger.FactRow) (string, error) {
	noun := nouns[t.Name]
	if noun == "" {
		noun = "the " + t.Name
	}
	key, _ := row.KeyOf(t)
	names := []string{noun + " " + strings.Trim(strings.ReplaceAll(fmt.Sprint(key), " ", "/"), "[]")}
	if t.Name == "audit" {
		at, _ := valueOf(t, row, "at").(int64)
		what, _ := valueOf(t, row, "what").(string)
		who, _ := valueOf(t, row, "actor_name").(string)
		return fmt.Sprintf("%s (%s, %s by %s)", names[0], halley.Millis(at), strconv.Quote(shortened(what)), strconv.Quote(shortened(who))), nil
	}
	for _, concern := range []struct {
		column string
		name   func(context.Context, int64) (string, error)
	}{{"channel_id", r.channelName}, {"device_id", r.deviceName}, {"place_id", r.placeName}} {
		id, ok := valueOf(t, row, concern.column).(int64)
		if !ok {
			continue
		}
		name, err := concern.name(ctx, id)
		if err != nil {
			return "", err
		}
		names = append(names, name)
	}
	return strings.Join(names, ", "), nil
}

// factRow reads a row by its table and key.
func (r *run) factRow(ctx context.Context, table string, key ...int64) (ledger.FactTable, ledger.FactRow, bool, error) {
	t, _ := ledger.FactTableOf(table)
	row, found, err := r.Source.FactRow(ctx, t, key)
	if err != nil {
		return t, row, false, fmt.Errorf("reading %s: %w", table, err)
	}
	return t, row, found, nil
}

func (r *run) deviceName(ctx context.Context, id int64) (string, error) {
	t, row, found, err := r.factRow(ctx, "device", id)
	if err != nil || !found {
		return fmt.Sprintf("device %d", id), err
	}
	return fmt.Sprintf("device %v %v", valueOf(t, row, "family"), valueOf(t, row, "serial")), nil
}

func (r *run) channelName(ctx context.Context, id int64) (string, error) {
	t, row, found, err := r.factRow(ctx, "channel", id)
	if err != nil || !found {
		return fmt.Sprintf("channel %d", id), err
	}
	device, _ := valueOf(t, row, "device_id").(int64)
	name, err := r.deviceName(ctx, device)
	return fmt.Sprintf("%s channel %v %v %v", name, valueOf(t, row, "number"), valueOf(t, row, "quantity"), valueOf(t, row, "unit")), err
}

// placeName gives the newest name of a place.
func (r *run) placeName(ctx context.Context, id int64) (string, error) {
	t, _ := ledger.FactTableOf("place_description")
	name := fmt.Sprintf("place %d", id)
	for after := []int64{id, math.MinInt64}; ; {
		page, err := r.Source.FactRows(ctx, t, after, pageSize)
		if err != nil {
			return "", fmt.Errorf("reading place_description: %w", err)
		}
		for _, row := range page {
			if row.Values[0] != any(id) {
				return name, nil
			}
			name = fmt.Sprintf("place %v", valueText(valueOf(t, row, "name")))
			after, _ = row.KeyOf(t)
		}
		if len(page) == 0 {
			return name, nil
		}
	}
}

// deviceText names a device in a finding.
func deviceText(d ledger.Device) string { return string(d.Family) + " " + d.Serial }

// channelText names a channel in a finding.
func channelText(c ledger.Channel) string {
	return strings.TrimRight(fmt.Sprintf("channel %d %s %s", c.Number, c.Quantity, c.Unit), " ")
}
