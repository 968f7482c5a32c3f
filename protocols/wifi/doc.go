// Package wifi speaks the protocol of the COMET WiFi sensors (W0710 to W8810): one JSON object of type 2 in each HTTP POST, in
// the mode that the device calls "COMET Database" or "User server".
//
// Sources: the protocol chapter of the ATAL AWP manual (same firmware), pages 46 and 48 to 52, called the WiFi document here; the
// specification json-description.txt v1.4 for firmware 10-0-2-2 and later. What these leave open was decided so:
//
//   - A channel without En is taken as enabled where it has a value, for this family's documents know no channel without it.
//   - The quantity follows from the unit. Only a dew point is told from another temperature by the channel's name, and the
//     quantities in g/kg from one another; see cometjson.QuantityOf.
//   - Channels with En 0, ConfID, LocalIP, AlarmLim and the signal at transmission are read but not kept; they stay in the raw
//     body.
//   - A clock that is not valid and whose times cannot be read makes the time of receiving count.
//
// The mode "COMET Cloud" is not supported: its format is not public.
package wifi
