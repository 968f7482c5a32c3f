// Package cometjson holds what the device families that send JSON share: a strict and quick reader of JSON values, the maker's
// coding of values, times, texts and alarms, and the message object of the WiFi sensors (JsonType 2) and of the TAx6xx and
// PAx6xx Web Sensors (JsonType 5), whose differences are a Dialect.
//
// It exists because a protocol never imports another. Nothing in it keeps a reference to the body it reads.
package cometjson
