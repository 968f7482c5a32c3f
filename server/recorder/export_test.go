package recorder

import (
	"time"

	"halley"
)

// Sizing lets tests see how large batches become.
type Sizing struct{ sizing }

// NewSizing begins with batches of most samples.
func NewSizing(most int) *Sizing { return &Sizing{newSizing(most)} }

// Stored notes a batch that was stored, and gives how many samples the next one takes.
func (s *Sizing) Stored(samples int, took time.Duration) int {
	s.stored(samples, took)
	return s.now
}

// Refused notes a batch that failed, and gives how many samples the next one takes.
func (s *Sizing) Refused(took time.Duration, busy bool) int {
	s.refused(took, busy)
	return s.now
}

// Describe gives what people are told about a failure.
func Describe(err error) State { return describe(err) }

// Silence is how long the store may take to answer.
const Silence = silence

// LookAgain is how often the store is asked while there is nothing to record.
const LookAgain = lookAgain

// Instant gives now as a State has it.
func Instant() halley.Millis { return halley.MillisOf(time.Now()) }
