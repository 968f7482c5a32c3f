package main

import (
	"context"
	"fmt"
	"net"
	"strings"
)

// notifySystemd tells systemd, where it started this program with Type=notify, how the service stands: "READY=1" or
// "STOPPING=1" (sd_notify(3)). Elsewhere it does nothing.
func notifySystemd(ctx context.Context, environ []string, state string) error {
	socket := environment(environ, "NOTIFY_SOCKET")
	if socket == "" {
		return nil
	}
	// A name that begins with @ lies in Linux' abstract namespace, where it begins with NUL.
	if rest, ok := strings.CutPrefix(socket, "@"); ok {
		socket = "\x00" + rest
	}
	var d net.Dialer
	conn, err := d.DialContext(ctx, "unixgram", socket)
	if err != nil {
		return fmt.Errorf("telling systemd %s: %w", state, err)
	}
	defer conn.Close()
	if _, err := conn.Write([]byte(state)); err != nil {
		return fmt.Errorf("telling systemd %s: %w", state, err)
	}
	return nil
}
