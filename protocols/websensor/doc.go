// Package websensor speaks the SOAP 1.1 messages of COMET Web Sensors: T-line with and without CO2 (Tx5xx, Tx6xx), P2520 in
// full, and H-line (Hx5xx) and P-line (P85xx, P86xx) as far as their forms are documented.
//
// Sources: manual IE-SNC-Tx5xx-28 (firmware 1-5-7-4), SDK texts soap-t+rh+p.txt v1.0 and soap-co2.txt v1.1 (T-line); manual
// IE-SNC-P2520-02, page 22 (P2520); SDK texts soap-t+rh+p.txt v1.2 and soap-co2.txt v1.1 of the H-line and soap.txt v2.0 of the
// P-line, whose beginnings alone are published.
//
// What is read: elements are known by their local names. The name of the message element, namespaces, a missing envelope and
// elements that no document names are accepted; the latter are kept as remarks of the message. A known element that comes twice
// is an error, for nobody can say which of the two is right.
//
// What is not: a message carries no time, no number and no state of a cache; its time is when the server received it. The
// alarms 2, binary inputs and relays of the H-line come as remarks, because no published text says how they are sent.
package websensor
