package server

import "context"

// Further is a part that is built over a server and belongs to its run, such as the one that signs people in.
type Further struct {
	// Run works until its context ends; nil where there is nothing to do.
	Run func(ctx context.Context) error
	// Findings says what a person should know of it; nil for nothing.
	Findings func() []Finding
}

// Add has Run run a part, and Status ask it. It must not be called once Run was.
func (s *Server) Add(f Further) { s.further = append(s.further, f) }

// furtherFindings gives what the added parts have to say.
func (s *Server) furtherFindings() []Finding {
	var list []Finding
	for _, f := range s.further {
		if f.Findings != nil {
			list = append(list, f.Findings()...)
		}
	}
	return list
}
