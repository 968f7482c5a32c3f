package modem

import (
	"strconv"

	"halley"
	"halley/protocols"
	"halley/protocols/internal/cometjson"
)

// The elements of a channel (modem document, analogChannel and binaryChannel). Both kinds begin alike.
const (
	channelNumber   = 0
	channelIsBinary = 1
	channelName     = 2
	analogValue     = 3
	analogUnit      = 4
	analogDecimals  = 5
	analogAlarms    = 6
	analogModes     = 8
	analogElements  = 9
	binaryState     = 4
	binaryAlarms    = 5
	binaryModes     = 6
	binaryElements  = 7
)

// channels reads the array of channels.
func (m *reader) channels() []halley.Reading {
	if m.r.Err() != nil {
		return nil
	}
	r := m.r.Inside(m.at[channels])
	readings := make([]halley.Reading, 0, 4)
	var seen [256]bool
	r.Open('[', "")
	for n := 0; r.Next(']', &n); {
		at := r.At()
		if n > protocols.MaxReadings {
			r.Fail(at, "", "there are more than "+strconv.Itoa(protocols.MaxReadings)+" channels")
			break
		}
		reading := m.channel(r)
		if seen[reading.Number] && r.Err() == nil {
			r.Fail(at, "Number", "channel "+strconv.Itoa(reading.Number)+" is there twice")
		}
		seen[reading.Number] = true
		readings = append(readings, reading)
		if r.Err() != nil {
			r.Within("channels[" + strconv.Itoa(n-1) + "]")
			break
		}
	}
	if err := r.Err(); err != nil {
		m.r.Fail(err.At, err.Field, err.Why)
	}
	return readings
}

// channel reads one channel.
func (m *reader) channel(r *cometjson.Reader) halley.Reading {
	start := r.At()
	var e [analogElements]cometjson.Token
	count := 0
	if !r.Open('[', "") {
		return halley.Reading{}
	}
	for r.Next(']', &count) {
		if t := r.Value(); count <= len(e) {
			e[count-1] = t
		}
	}
	if r.Err() != nil {
		return halley.Reading{}
	}
	number, ok := e[channelNumber].Int(1, 255)
	if !ok {
		r.Fail(start, "Number", "the channel has no number from 1 to 255")
		return halley.Reading{}
	}
	out := halley.Reading{Number: int(number), Name: e[channelName].String(m.limits("Quantity", 16), &m.remarks)}
	binary, ok := e[channelIsBinary].Int(0, 1)
	if !ok {
		r.Fail(start, "IsBinary", "it is neither 0 nor 1")
		return halley.Reading{}
	}
	want := analogElements
	if binary == 1 {
		want = binaryElements
		m.binary(r, &e, &out)
	} else {
		m.analog(r, &e, &out)
	}
	if r.Err() == nil && count != want {
		m.remarks.Add("channel "+strconv.Itoa(out.Number), "it has "+strconv.Itoa(count)+" elements, not "+strconv.Itoa(want))
	}
	return out
}

func (m *reader) analog(r *cometjson.Reader, e *[analogElements]cometjson.Token, out *halley.Reading) {
	bits, ok := e[analogValue].Hex()
	if !ok || len(e[analogValue].Raw) != 8 {
		r.Fail(e[analogValue].At, "Value", "eight hexadecimal digits are expected")
		return
	}
	v := cometjson.ValueOf(bits)
	if v.Odd {
		m.remarks.Add("channel "+strconv.Itoa(out.Number), "the value is neither a number nor a documented error")
	}
	out.Unit = e[analogUnit].String(m.limits("Unit", 8), &m.remarks)
	out.Decimals = e[analogDecimals].Decimals("DecimalPlaces", &m.remarks)
	out.Quantity = cometjson.QuantityOf(out.Unit, out.Name)
	out.Value = v.Number
	out.Quality = m.alarms(r, v.Quality, e[analogAlarms], e[analogModes])
}

func (m *reader) binary(r *cometjson.Reader, e *[analogElements]cometjson.Token, out *halley.Reading) {
	v, ok := e[binaryState].Int(0, 1)
	if !ok {
		r.Fail(e[binaryState].At, "State", "it is neither 0 nor 1")
		return
	}
	out.Quantity = halley.Binary
	out.Value = float64(v)
	out.Quality = m.alarms(r, 0, e[binaryAlarms], e[binaryModes])
}

// alarms sets the device's alarms from the pairs of their states and modes.
func (m *reader) alarms(r *cometjson.Reader, q halley.Quality, states, modes cometjson.Token) halley.Quality {
	s, b := m.pair(r, states, "Alarms", 1), m.pair(r, modes, "AlarmsBehaviors", 2)
	return q.WithAlarms(cometjson.AlarmMark(s[0], b[0]), cometjson.AlarmMark(s[1], b[1]))
}

// pair reads two numbers. One that is not there counts as zeros: the number of elements is remarked on.
func (m *reader) pair(r *cometjson.Reader, t cometjson.Token, name string, highest int64) cometjson.Pair {
	if t.Kind == cometjson.Absent {
		return cometjson.Pair{}
	}
	return r.Inside(t).ReadPair(name, highest, &m.remarks)
}
