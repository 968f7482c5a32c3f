package main

import (
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// The plan says how many messages arrive, and that is how many do.
func TestSimulateWritesWhatItLoses(t *testing.T) {
	t.Parallel()
	s := newSink(t, http.StatusOK, false)
	file := filepath.Join(t.TempDir(), "plan.json")
	code, out, errs := simulated(t, "--to", s.URL, "--family", "all", "--devices", "8", "--interval", "10ms", "--messages", "100",
		"--losses", "1", "--seed", "3", "--plan-file", file)
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatalf("exit code %d, %q, %q: %v", code, out, errs, err)
	}
	var plan struct {
		Devices []struct {
			Serial, Family string
			Messages       int
			Losses         []struct {
				From, To, Cause, What string
				Missing, Uncertain    int
			}
		}
	}
	if err := json.Unmarshal(text, &plan); err != nil {
		t.Fatal(err)
	}
	messages, losses := 0, 0
	for _, d := range plan.Devices {
		messages += d.Messages
		losses += len(d.Losses)
		for _, l := range d.Losses {
			if l.From == "" || l.To < l.From || l.Cause == "" || l.What == "" || l.Missing+l.Uncertain < 1 {
				t.Errorf("%s: a loss that says too little: %+v", d.Serial, l)
			}
		}
	}
	want := fmt.Sprintf("sent=%d acknowledged=%d refused=0\n", messages, messages)
	if code != exitDone || out != want || errs != "" || len(plan.Devices) != 8 || losses < 8 {
		t.Errorf("exit code %d, %q, %q; want %q for %d devices with %d losses", code, out, errs, want, len(plan.Devices), losses)
	}
}

func TestSimulatePlansOnlyWhatHasAnEnd(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "plan.json")
	for args, want := range map[string]string{
		"--plan-file " + file: "--plan-file needs --messages",
		"--plan-file " + file + " --messages 100 --interval 0":    "--plan-file needs --messages",
		"--plan-file " + file + " --messages 100 --devices 99999": "--devices",
		"--losses 1.5 --messages 1":                               "--losses: give a share from 0 to 1",
		"--losses 0.5 --interval 0":                               "--losses: give an interval too",
	} {
		code, _, errs := simulated(t, append([]string{"--to", "http://127.0.0.1:0"}, strings.Fields(args)...)...)
		if code != exitMisused || !strings.Contains(errs, want) {
			t.Errorf("%s: exit code %d, %q; want %q", args, code, errs, want)
		}
	}
	if _, err := os.Stat(file); !os.IsNotExist(err) {
		t.Errorf("a plan was written all the same: %v", err)
	}
}
