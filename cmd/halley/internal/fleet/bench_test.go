package fleet_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"testing"

	"halley"
	"halley/cmd/halley/internal/fleet"
)

// BenchmarkFleet sends as fast as a server answers that does nothing; both share the machine. One operation is one message.
func BenchmarkFleet(b *testing.B) {
	for _, family := range []halley.Family{halley.WebSensor, halley.WiFi, halley.TAx6xx, halley.Modem} {
		b.Run(string(family), func(b *testing.B) {
			s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				_, _ = io.Copy(io.Discard, r.Body)
				_, _ = io.WriteString(w, `{"Result":true,"Message":"stored"}`)
			}))
			defer s.Close()
			const devices = 64
			c, err := fleet.Run(b.Context(), fleet.Options{
				To: s.URL, Lines: fleet.LinesOf(string(family)), Devices: devices, First: 1, Messages: b.N/devices + 1, Start: start,
			})
			if err != nil || !c.All() {
				b.Fatalf("%+v, %v", c, err)
			}
		})
	}
}
