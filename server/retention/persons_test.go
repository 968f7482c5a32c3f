package retention_test

import (
	"testing"

	"halley"
	"halley/server/retention"
	"halley/storage"
)

// One person does not become two by signing in twice or by making tokens.
func TestWhoCountsAsAnotherPerson(t *testing.T) {
	t.Parallel()
	session := func(name, id string) halley.Actor { return halley.Actor{Kind: "session", Name: name, Session: id} }
	token := func(name, id string) halley.Actor {
		return halley.Actor{Kind: "token", Name: name, Session: "token " + id}
	}
	command := func(name string) halley.Actor { return halley.Actor{Kind: "command", Name: name} }
	tokens := []storage.Token{
		{ID: 1, Name: "of eva", By: session("eva", "s1")},
		{ID: 2, Name: "of eva too", By: session("Eva", "s2"), RevokedAt: 5},
		{ID: 3, Name: "of a token", By: token("of eva", "1")},
		{ID: 4, Name: "of adam", By: session("adam", "s3")},
		{ID: 5, Name: "ben", By: command("root")},
		{ID: 6, Name: "cora", By: command("root")},
	}
	for name, tt := range map[string]struct {
		plans, carries halley.Actor
		another        bool
	}{
		"two sessions of one account":                    {session("eva", "s1"), session("eva", "s9"), false},
		"an account in other letters":                    {session("eva", "s1"), session("EVA", "s9"), false},
		"a person and their token":                       {session("eva", "s1"), token("of eva", "1"), false},
		"a token and the person who made it":             {token("of eva", "1"), session("eva", "s9"), false},
		"two tokens of one person":                       {token("of eva", "1"), token("of eva too", "2"), false},
		"a person and the token of their token":          {session("eva", "s1"), token("of a token", "3"), false},
		"a user of the system with the name of a person": {command("eva"), token("of eva", "1"), false},
		"one token":  {token("ben", "5"), token("ben", "5"), false},
		"two people": {session("eva", "s1"), session("adam", "s3"), true},
		"a person and the token of somebody else":          {session("eva", "s1"), token("of adam", "4"), true},
		"tokens of two people":                             {token("of a token", "3"), token("of adam", "4"), true},
		"a user of the system and a token made there":      {command("root"), token("ben", "5"), true},
		"two tokens made on the server for two people":     {token("ben", "5"), token("cora", "6"), true},
		"a person and a token that was made on the server": {session("eva", "s1"), token("ben", "5"), true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			m := &memory{rows: map[int64]int{100: 3}, tokens: tokens}
			r := retention.New(m)
			p, err := r.Plan(t.Context(), 110, halley.Change{Actor: tt.plans, At: now, Why: "x"})
			if err != nil {
				t.Fatal(err)
			}
			_, err = r.CarryOut(t.Context(), retention.Order{Plan: p.ID, Change: halley.Change{Actor: tt.carries, At: now}, Sign: signer(t, m)})
			switch {
			case tt.another && err != nil:
				t.Errorf("refused: %v", err)
			case !tt.another && (halley.KindOf(err) != halley.Forbidden || len(m.stones) != 0 || len(m.rows) != 1):
				t.Errorf("CarryOut = %v, with %d tombstones and %v left", err, len(m.stones), m.rows)
			}
		})
	}
}
