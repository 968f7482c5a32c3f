package main

import (
	"context"
	"errors"
	"fmt"
	"os"

	"github.com/kardianos/service"
)

// asService does the work in the foreground or, where the service control of Windows started this program, under it.
func asService(ctx context.Context, work func(ctx context.Context, running func()) error) error {
	if service.Interactive() {
		return work(ctx, func() {})
	}
	p := &windowsProgram{parent: ctx, work: work}
	s, err := service.New(p, &service.Config{Name: serviceName})
	if err != nil {
		return err
	}
	p.log, err = s.Logger(nil)
	if err != nil {
		return err
	}
	return s.Run()
}

// windowsProgram is what the service control starts and stops.
type windowsProgram struct {
	// parent is the context of the whole program; the service control calls Start and Stop without one.
	parent context.Context
	work   func(ctx context.Context, running func()) error
	log    service.Logger
	cancel context.CancelFunc
	ended  chan error
}

// Start returns when the server accepts, so that "running" means it, or when it could not start.
func (p *windowsProgram) Start(service.Service) error {
	ctx, cancel := context.WithCancel(p.parent)
	p.cancel, p.ended = cancel, make(chan error, 1)
	running := make(chan struct{})
	go func() {
		err := p.work(ctx, func() { close(running) })
		select {
		case <-running:
			if ctx.Err() == nil {
				// Nobody asked it to stop: ending the process lets the service control start it again.
				p.tell(fmt.Errorf("the server ended: %w", err))
				os.Exit(exitFailed)
			}
		default:
		}
		p.ended <- err
	}()
	select {
	case <-running:
		return p.log.Info("Halley is ready")
	case err := <-p.ended:
		if err == nil {
			err = errors.New("the server ended before it was ready")
		}
		p.tell(err)
		return err
	}
}

// Stop ends the server and waits for it.
func (p *windowsProgram) Stop(service.Service) error {
	p.cancel()
	return <-p.ended
}

// tell writes an error to the event log.
func (p *windowsProgram) tell(err error) {
	if logErr := p.log.Error(err); logErr != nil {
		fmt.Fprintln(os.Stderr, err)
	}
}
