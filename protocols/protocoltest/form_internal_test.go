package protocoltest

import (
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"

	"halley"
	"halley/protocols"
)

func TestReadableHidesTheSecretAndLeavesOutWhatIsUnknown(t *testing.T) {
	t.Parallel()
	up := fakeUpload(t)
	up.Messages[0].Cache = 6
	up.Messages[0].Kind = 9
	up.Messages[0].Readings = append(up.Messages[0].Readings, halley.Reading{
		Number: 2, Name: "<door>", Quality: halley.QualityOf(halley.SensorError, 53).WithAlarms(halley.AlarmLow, halley.AlarmNone),
	})
	want := `{
  "family": "modem",
  "serial": "12345678",
  "name": "Cold room",
  "customer_key": "***",
  "messages": [
    {
      "clock": "valid",
      "sample": "2000-01-01T00:00:00.000Z",
      "now": "2000-01-01T00:00:00.000Z",
      "order": 1,
      "kind": "9",
      "raw_kind": 2,
      "cache": 6,
      "readings": [
        {
          "number": 1,
          "quantity": "temperature",
          "unit": "°C",
          "decimals": 1,
          "value": 20.3,
          "quality": "good"
        },
        {
          "number": 2,
          "name": "<door>",
          "quantity": "",
          "unit": "",
          "decimals": 0,
          "value": null,
          "quality": "error-53 alarm1-low"
        }
      ]
    }
  ]
}
`
	if diff := cmp.Diff(want, readable(&up)); diff != "" {
		t.Errorf("readable (-want +got):\n%s", diff)
	}
}

func TestReadableErrorShowsPlaceAndSerial(t *testing.T) {
	t.Parallel()
	up := halley.Upload{DeviceKey: halley.DeviceKey{Serial: "12345678"}}
	got := readableError(&up, &protocols.DecodeError{At: 7, Field: "temp", Why: "no number"})
	if want := "error: temp: no number\nat: 7\nserial: 12345678\n"; got != want {
		t.Errorf("readableError gives %q, want %q", got, want)
	}
	if got, want := readableError(&up, errors.New("x")), "not a *protocols.DecodeError: x\n"; got != want {
		t.Errorf("readableError gives %q, want %q", got, want)
	}
}
