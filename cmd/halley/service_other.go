//go:build !windows

package main

import "context"

// asService does the work in the foreground: systemd and people need no more than that.
func asService(ctx context.Context, work func(ctx context.Context, running func()) error) error {
	return work(ctx, func() {})
}
