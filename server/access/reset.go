package access

import (
	"context"
	"fmt"
	"time"

	"halley"
)

const (
	// resetsWaiting bounds the requests for a new password that wait to be worked on; beyond it they are dropped, as mail is.
	resetsWaiting = 100
	// resetEvery is how often a person is sent a link on request, so that nobody's letter box is filled.
	resetEvery = 5 * halley.Minute
	// settleEvery is how often what waits is written.
	settleEvery = 10 * time.Second
)

// resetRequest is somebody who says that they have forgotten their password.
type resetRequest struct{ name string }

// RequestReset asks for a link by e-mail. It answers nothing and takes the same time whoever that is: Run does the work.
func (a *Access) RequestReset(name string) {
	select {
	case a.resets <- resetRequest{name: name}:
	default:
	}
}

// Run sends the links that were asked for and writes what waits, until ctx ends.
func (a *Access) Run(ctx context.Context) error {
	tick := time.NewTicker(settleEvery)
	defer tick.Stop()
	sent := make(map[halley.PersonID]halley.Millis)
	for {
		select {
		case <-ctx.Done():
			a.settle(context.WithoutCancel(ctx))
			return nil
		case <-tick.C:
			a.settle(ctx)
		case r := <-a.resets:
			if err := a.reset(ctx, r, sent); err != nil && ctx.Err() == nil {
				a.Log.WarnContext(ctx, "a link for a new password could not be sent", "err", err)
			}
		}
	}
}

// reset sends a link to whoever has that name and an address.
func (a *Access) reset(ctx context.Context, r resetRequest, sent map[halley.PersonID]halley.Millis) error {
	state := a.Directory.Directory()
	person, ok := state.PersonNamed(r.name)
	now := halley.MillisOf(time.Now())
	if !ok || a.Mail == nil || person.Source != halley.Local || person.State != halley.PersonActive || person.Shared ||
		state.Detail(person.ID).Email == "" || now-sent[person.ID] < resetEvery {
		return nil
	}
	for id, at := range sent {
		if now-at >= resetEvery {
			delete(sent, id)
		}
	}
	sent[person.ID] = now
	l, err := NewLink(ctx, a.People, a.Address, person, a.byProgram())
	if err != nil {
		return err
	}
	return a.mail(ctx, state.Detail(person.ID).Email, LinkReset, l)
}

// SendLink mails a link; false where there is no mail server, or it failed, which is logged.
func (a *Access) SendLink(ctx context.Context, to string, purpose LinkPurpose, l Link) bool {
	if a.Mail == nil || to == "" {
		return false
	}
	if err := a.mail(ctx, to, purpose, l); err != nil {
		a.Log.WarnContext(ctx, "a link could not be sent", "err", err)
		return false
	}
	return true
}

func (a *Access) mail(ctx context.Context, to string, purpose LinkPurpose, l Link) error {
	subject, reason := "A new password for Halley", "Somebody, probably you, asked for a new password for your account in Halley"
	if purpose == LinkInvite {
		subject, reason = "Your account in Halley", "There is an account for you in Halley, the server of your measuring instruments"
	}
	text := fmt.Sprintf("%s.\n\nOpen this address to choose a password. It works once, until %s:\n\n%s\n\n"+
		"If you did not expect this, do nothing: without the address nothing changes.\n", reason, l.Until, l.URL.Reveal())
	return a.Mail.Mail(ctx, to, subject, text)
}
