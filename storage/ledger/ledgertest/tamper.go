package ledgertest

import (
	"slices"

	"halley"
	"halley/storage/ledger"
)

// Find finds a row of a device.
func (m *Memory) Find(device halley.DeviceID, hour int) *Stored {
	at := halley.Millis(FirstDay)*halley.Day + halley.Millis(hour)*halley.Hour
	for i := range m.Rows {
		if m.Rows[i].Device == device && m.Rows[i].Row.At == at {
			return &m.Rows[i]
		}
	}
	m.t.Fatalf("there is no row of device %d at hour %d", device, hour)
	return nil
}

// Remove removes a row.
func (m *Memory) Remove(device halley.DeviceID, hour int) {
	x := m.Find(device, hour)
	m.Rows = slices.DeleteFunc(m.Rows, func(s Stored) bool { return s.Device == x.Device && s.Row.At == x.Row.At })
}

// Setting gives a row of a fact table to be altered.
func (m *Memory) Setting(table string, i int) *ledger.FactRow {
	r := &m.Tables[table][i]
	r.Values = slices.Clone(r.Values)
	return r
}

// Cut removes the newest batches with all that they stored.
func (m *Memory) Cut(batches int) {
	last := m.Batches[len(m.Batches)-batches-1].ID
	m.Batches = m.Batches[:len(m.Batches)-batches]
	m.Parts = slices.DeleteFunc(m.Parts, func(p ledger.Part) bool { return p.Batch > last })
	m.Rows = slices.DeleteFunc(m.Rows, func(s Stored) bool { return s.Batch > last })
}

// Forge makes a row that was never recorded, of batch 1.
func (m *Memory) Forge(device, hour int) *Stored {
	s := Sample(device, halley.Millis(FirstDay)*halley.Day+halley.Millis(hour)*halley.Hour+3, 1, 2)
	s.Batch = 1
	return &s
}
