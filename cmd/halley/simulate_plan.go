package main

import (
	"encoding/json"
	"fmt"
	"os"

	"halley/cmd/halley/internal/fleet"
)

// writePlan writes what the fleet has planned to lose, so that it can be held against what a server finds missing. It is written
// before the first message is sent.
func (s *simulation) writePlan() error {
	if s.planFile == "" {
		return nil
	}
	if err := fleet.Check(s.fleet); err != nil {
		return s.refused(err)
	}
	text, err := json.MarshalIndent(struct {
		Devices []fleet.PlannedDevice `json:"devices"`
	}{fleet.Planned(s.fleet)}, "", "  ")
	if err == nil {
		err = os.WriteFile(s.planFile, append(text, '\n'), 0o644) //nolint:gosec // it holds no secret, and others may compare with it
	}
	if err != nil {
		return fmt.Errorf("writing the plan: %w", err)
	}
	return nil
}
