package halley_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"

	"halley"
)

func TestASecretNeverShows(t *testing.T) {
	t.Parallel()
	type holder struct{ Key halley.Secret }
	s := holder{Key: "Xyzzy42"}
	data, err := json.Marshal(s)
	if err != nil {
		t.Fatal(err)
	}
	for _, shown := range []string{fmt.Sprint(s), fmt.Sprintf("%+v %#v %s %q", s, s, s.Key, s.Key), string(data)} {
		if strings.Contains(shown, "Xyzzy42") || !strings.Contains(shown, "***") {
			t.Errorf("a secret prints as %s", shown)
		}
	}
	if s.Key.Reveal() != "Xyzzy42" || halley.Secret("").String() != "" {
		t.Error("a secret lost its text, or an empty one has some")
	}
}

func TestErrorsTellWhatWasDone(t *testing.T) {
	t.Parallel()
	err := fmt.Errorf("accepting: %w", &halley.Error{Kind: halley.Conflict, Op: "accept a device", Field: "state", Message: "it is retired", Err: io.EOF})
	if got, want := err.Error(), "accepting: accept a device: state: it is retired: EOF"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	if halley.KindOf(err) != halley.Conflict || halley.KindOf(io.EOF) != halley.Internal || !errors.Is(err, io.EOF) {
		t.Error("the kind or the cause of an error got lost")
	}
}

func TestSimulatedSerials(t *testing.T) {
	t.Parallel()
	for serial, want := range map[string]bool{
		"00000001": true, "00009999": true, "00000000": false, "00010000": false, "20960050": false, "0000001": false, "0000000x": false, "": false,
	} {
		if got := halley.IsSimulated(serial); got != want {
			t.Errorf("IsSimulated(%q) = %v, want %v", serial, got, want)
		}
	}
}
