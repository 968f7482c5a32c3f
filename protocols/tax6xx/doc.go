// Package tax6xx speaks the protocol of the COMET Web Sensors TAx6xx and PAx6xx of 2026 (TA0610 to TA7640, PA8610 to PA8652):
// one JSON object of type 5 in each HTTP POST.
//
// Source: json-description.txt v1.0 of 2026-03-11 for firmware 11-0-0-0 and later, from the maker's SDK tax6xx-pax6xx-sdk.zip,
// and its three example messages, called the TAx6xx document here. What it leaves open was decided so:
//
//   - A channel without En is "not enabled, no probe" (example of a PA8652) and gives no reading.
//   - The quantity follows from Type where that says it (temperature, humidity, dew point, binary input), else from the unit;
//     calculated channels (Type 13) in °C or g/kg are told apart by name.
//   - Both LocalIP (text of the document) and LocalIPv4 (its examples) are read. Neither is kept, nor are channels with En 0,
//     ConfID and BinDesc; they stay in the raw body. Text and examples disagree on the order of BinDesc.
//   - Error number 35 hexadecimal (shown as "n/a": no probe) on an enabled channel is sensor error 53 like any other.
//   - A clock that is not valid and whose times cannot be read makes the time of receiving count.
package tax6xx
