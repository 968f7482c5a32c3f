package clock

import (
	"net/netip"
	"testing"
	"time"
)

func TestAnAddressIsAnsweredSomeTimesOnly(t *testing.T) {
	t.Parallel()
	c := newClients()
	now := time.Unix(1_800_000_000, 0)
	one, other := netip.MustParseAddr("192.0.2.1"), netip.MustParseAddr("192.0.2.2")
	for i := range clientBurst {
		if !c.allow(one, now) {
			t.Fatalf("request %d of one address was refused", i+1)
		}
	}
	if c.allow(one, now) {
		t.Error("a request beyond the burst was allowed")
	}
	if !c.allow(other, now) {
		t.Error("one address took another's allowance")
	}
	if !c.allow(one, now.Add(clientEvery)) || c.allow(one, now.Add(clientEvery)) {
		t.Error("after a while an address gets one further answer")
	}
}

func TestAddressesOfANetworkOfIPv6ShareAnAllowance(t *testing.T) {
	t.Parallel()
	c := newClients()
	now := time.Unix(1_800_000_000, 0)
	for range clientBurst {
		c.allow(netip.MustParseAddr("2001:db8::1"), now)
	}
	if c.allow(netip.MustParseAddr("2001:db8::2"), now) {
		t.Error("a neighbour has an allowance of its own")
	}
	if !c.allow(netip.MustParseAddr("2001:db8:0:1::1"), now) {
		t.Error("another network has none")
	}
}

func TestAddressesAreForgotten(t *testing.T) {
	t.Parallel()
	c := newClients()
	now := time.Unix(1_800_000_000, 0)
	from := netip.MustParseAddr("10.0.0.0")
	for range 10 * clientsMost {
		from = from.Next()
		c.allow(from, now)
	}
	if len(c.spent) > clientsMost+1 {
		t.Errorf("%d addresses are remembered", len(c.spent))
	}
	if !c.allow(from.Next(), now.Add(time.Hour)) || len(c.spent) > 2 {
		t.Errorf("%d addresses are remembered after an hour", len(c.spent))
	}
}
