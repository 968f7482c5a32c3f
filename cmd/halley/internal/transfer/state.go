package transfer

import (
	"encoding/json"
	"fmt"

	"halley"
)

// state is how far a run has come. It is only a hint where to go on: rows that are there already are left out by their keys.
type state struct {
	Target string `json:"target"`
	// First is the newest batch when the run began, Reached the newest whose messages were brought over.
	First   int64 `json:"first"`
	Reached int64 `json:"reached"`
	// Copied says that everything up to First is there; until then Table and Key say how far it came, and Done how many messages.
	Copied bool    `json:"copied"`
	Table  int     `json:"table"`
	Key    []int64 `json:"key,omitempty"`
	Done   int64   `json:"done"`
	// Settling says that batches may be there.
	Settling bool `json:"settling"`
}

// load takes up what an earlier run left, and says whether there was one.
func (m *mover) load() (bool, error) {
	data, err := m.Load()
	if err != nil || data == nil {
		return false, err
	}
	if err := json.Unmarshal(data, &m.state); err != nil {
		return false, fmt.Errorf("reading how far the last run came: %w", err)
	}
	if m.state.Target != m.TargetName {
		return false, &halley.Error{
			Kind: halley.Conflict, Op: "move the store", Code: "other-target",
			Message: "an earlier run began to move this store to " + m.state.Target + ": go on with that one, or begin anew with --restart",
		}
	}
	return true, nil
}

func (m *mover) save() error {
	data, err := json.Marshal(m.state)
	if err != nil {
		return err
	}
	if err := m.Save(data); err != nil {
		return fmt.Errorf("keeping how far the move has come: %w", err)
	}
	return nil
}
