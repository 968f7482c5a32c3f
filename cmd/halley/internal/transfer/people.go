package transfer

import (
	"context"
	"fmt"

	"halley/storage"
)

// The tables of what is kept of people besides the facts. What an error says of a row is the first column and no more, for others are
// personal.
var (
	detailTable = storage.TransferTable{Name: "person_detail", Key: 1, Columns: []string{
		"person_id", "full_name", "email", "sign_out_minutes", "last_sign_in_at",
	}}
	secretTable = storage.TransferTable{Name: "person_secret", Key: 1, Columns: []string{
		"kind", "secret_key", "person_id", "data", "at", "expires_at",
	}}
)

// movePeople brings over what is kept of people besides the facts, and compares it. It changes and is erased as time goes by, so that
// it moves whole while nobody writes: what was erased meanwhile is not in the new database either.
func (m *mover) movePeople(ctx context.Context) error {
	m.Tell(Progress{Step: "moving what is known of people"})
	ours, err := m.Source.Personal(ctx)
	if err != nil {
		return fmt.Errorf("reading what is known of people: %w", err)
	}
	if err := m.Target.ReplacePersonal(ctx, ours); err != nil {
		return fmt.Errorf("writing what is known of people: %w", err)
	}
	theirs, err := m.Target.Personal(ctx)
	if err != nil {
		return fmt.Errorf("reading what is known of people in the new database: %w", err)
	}
	if err := m.sums.compare(detailTable, detailRows(ours), detailRows(theirs)); err != nil {
		return err
	}
	m.report.Rows += int64(len(ours.Details) + len(ours.Secrets))
	return m.sums.compare(secretTable, secretRows(ours), secretRows(theirs))
}

func detailRows(p storage.Personal) [][]any {
	rows := make([][]any, 0, len(p.Details))
	for _, d := range p.Details {
		rows = append(rows, []any{int64(d.PersonID), d.FullName, d.Email, int64(d.SignOutMinutes), int64(d.LastSignInAt)})
	}
	return rows
}

func secretRows(p storage.Personal) [][]any {
	rows := make([][]any, 0, len(p.Secrets))
	for _, x := range p.Secrets {
		rows = append(rows, []any{string(x.Kind), x.Key, int64(x.PersonID), x.Data, int64(x.At), int64(x.ExpiresAt)})
	}
	return rows
}
