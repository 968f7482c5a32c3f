// Package modem speaks the protocol of the COMET U-line data loggers with modem (UxxxxM and UxxxxG): positional JSON arrays of
// type 1 in HTTP POSTs.
//
// Source: "Mobile Datalogger JSON PHP Parser Documentation" (ULoggerJsonDoc.txt) and the maker's example, called the modem
// document here. What it leaves open was decided so:
//
//   - Only version 6 is written out. Versions 5 and 4 follow from the version history without doubt; 3, 2 and 1 are inference.
//     A message that does not fit its own version but fits another is read as that, with a remark.
//   - A body may hold one message, an array of messages, or several of either one after another. All must be of one logger.
//   - Whether Time is local or UTC is not said: the clock is halley.ClockLocalOrUTC with Timezone as its offset. Timezone -128 or
//     128 ("not used") makes it UTC.
//   - The codes of Kind are not known, so no upload has a model.
//   - The table of JsonVersion says UTF-8 since version 2; what is not UTF-8 in version 1 is read as windows-1250, the code page
//     of the maker's country.
//   - RawKind is IsAsync plus two times RstOk. A message with both is the first after a restart.
//   - Alarm limits, texts of binary states, AlarmsEvalOffDueTimeLimit and the interval that is not in force are read but not
//     kept; they stay in the raw body.
//   - No answer is documented: status 200 and "OK" is what a public receiver of these messages gives.
//
// CustomerUid is the only thing like a credential. It goes to Upload.CustomerKey and nowhere else: errors and remarks of this
// package show no part of a body but single characters.
package modem
