package cometjson

import (
	"math"
	"strconv"
	"strings"

	"halley"
)

// sensorErrors is the upper part of a value that is an error: FF8100NN is sensor error number NN (WiFi and TAx6xx documents,
// field Val; modem document, field Value).
const sensorErrors = 0xFF8100

// Value is what eight hexadecimal digits say.
type Value struct {
	// Number is finite, never minus zero, and 0 where Quality has no value. It is the float64 of the shortest decimal that
	// gives the same float32: 20.3, not 20.299999237060547.
	Number  float64
	Quality halley.Quality
	// Odd says that the bits are a NaN or an infinity other than the documented errors; Quality is then sensor error 0.
	Odd bool
}

// ValueOf decodes the bits of an IEEE 754 single.
func ValueOf(bits uint32) Value {
	if bits>>8 == sensorErrors {
		return Value{Quality: halley.QualityOf(halley.SensorError, uint8(bits&0xFF))}
	}
	f := math.Float32frombits(bits)
	if f != f || math.IsInf(float64(f), 0) {
		return Value{Quality: halley.QualityOf(halley.SensorError, 0), Odd: true}
	}
	return Value{Number: shortest(f)}
}

// shortest gives the float64 of the shortest decimal that reads back as f.
func shortest(f float32) float64 {
	wide := float64(f)
	if wide == math.Trunc(wide) && wide > -1<<24 && wide < 1<<24 {
		return wide + 0 // adding zero makes minus zero zero
	}
	var buffer [32]byte
	v, err := strconv.ParseFloat(string(strconv.AppendFloat(buffer[:0], wide, 'g', -1, 32)), 64)
	if err != nil {
		return wide
	}
	return v
}

// AppendValue appends what a device sends for a value or a sensor error: eight hexadecimal digits. It says false where the
// quality is one that these devices cannot express.
func AppendValue(b []byte, v float64, q halley.Quality) ([]byte, bool) {
	bits := math.Float32bits(float32(v))
	switch q.Reason() {
	case halley.Good:
		if f := float32(v); f != f || math.IsInf(float64(f), 0) {
			return b, false
		}
	case halley.SensorError:
		bits = sensorErrors<<8 | uint32(q.Number())
	case halley.AboveRange, halley.BelowRange, halley.NotReady, halley.NotAvailable:
		return b, false
	default:
		return b, false
	}
	const digits = "0123456789ABCDEF"
	for shift := 28; shift >= 0; shift -= 4 {
		b = append(b, digits[bits>>shift&0xF])
	}
	return b, true
}

// Agrees says whether the text that a device shows (ValStr) says the same as the value it sends (Val): a number to the decimals
// that are printed, "n/a" any error, "Error4" or "Error 4" the error of that number, decimal or hexadecimal (both documents
// leave open which). An empty text says nothing.
func Agrees(shown []byte, v Value) bool {
	if len(shown) == 0 {
		return true
	}
	if v.Quality.HasValue() {
		return printedAs(shown, v.Number)
	}
	s := strings.TrimSpace(string(shown))
	if strings.EqualFold(s, "n/a") {
		return true
	}
	const word = "error"
	if len(s) < len(word) || !strings.EqualFold(s[:len(word)], word) {
		return false
	}
	s = strings.TrimSpace(s[len(word):])
	for _, base := range []int{10, 16} {
		if n, err := strconv.ParseUint(s, base, 8); err == nil && n == uint64(v.Quality.Number()) {
			return true
		}
	}
	return false
}

// printedAs says whether text is v rounded to the decimals that text has.
func printedAs(text []byte, v float64) bool {
	digits, decimals, point := 0, 0, false
	negative := false
	var whole int64
	for i, c := range text {
		switch {
		case c >= '0' && c <= '9' && digits < 15:
			whole = whole*10 + int64(c-'0')
			digits++
			if point {
				decimals++
			}
		case (c == '.' || c == ',') && !point:
			point = true
		case (c == '-' || c == '+') && i == 0:
			negative = c == '-'
		default:
			return equalText(text, v)
		}
	}
	if digits == 0 {
		return false
	}
	if negative {
		whole = -whole
	}
	step := 1 / powersOfTen[decimals]
	// Half a step is rounding; the rest is what the device's own arithmetic with singles may lose.
	return math.Abs(float64(whole)*step-v) <= step*0.5001+math.Abs(v)*1e-6
}

var powersOfTen = [16]float64{1, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15}

// equalText compares with a number in any other form, such as "1.2e+10", to six digits.
func equalText(text []byte, v float64) bool {
	n, err := strconv.ParseFloat(strings.TrimSpace(string(text)), 64)
	return err == nil && math.Abs(n-v) <= math.Abs(v)*1e-6
}
