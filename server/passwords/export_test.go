package passwords

// Occupy takes all places at which passwords are looked at, until release.
func Occupy(h *Hasher) (release func()) {
	for range atOnce {
		h.slots <- struct{}{}
	}
	return func() {
		for range atOnce {
			<-h.slots
		}
	}
}
