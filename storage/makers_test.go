package storage_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"halley"
	"halley/storage"
)

func TestMakers(t *testing.T) {
	t.Parallel()
	eva := halley.Actor{Kind: "session", Name: "eva", Session: "s"}
	first, second := halley.Actor{Kind: "token", Name: "first", Session: "token 1"}, halley.Actor{Kind: "token", Name: "second", Session: "token 2"}
	loop := halley.Actor{Kind: "token", Name: "loop", Session: "token 3"}
	tokens := []storage.Token{{ID: 1, Name: "first", By: eva}, {ID: 2, Name: "second", By: first}, {ID: 3, Name: "loop", By: loop}}
	for name, tt := range map[string]struct {
		of   halley.Actor
		want []halley.Actor
	}{
		"a person is behind themselves":       {eva, []halley.Actor{eva}},
		"a person is behind their token":      {first, []halley.Actor{first, eva}},
		"and behind the tokens of that token": {second, []halley.Actor{second, first, eva}},
		"a command named as a token is none": {
			halley.Actor{Kind: "command", Name: "x", Session: "token 1"}, []halley.Actor{{Kind: "command", Name: "x", Session: "token 1"}},
		},
		"nobody is behind a token that is not there": {
			halley.Actor{Kind: "token", Session: "token 9"}, []halley.Actor{{Kind: "token", Session: "token 9"}},
		},
		"what cannot be ends all the same": {loop, []halley.Actor{loop, loop, loop, loop}},
	} {
		if diff := cmp.Diff(tt.want, storage.Makers(tokens, tt.of)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
}
