package sqlserver

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"maps"
	"net"
	"slices"
	"strings"
	"time"
)

// SQL Server Browser tells which instances a machine has, over UDP, as [MC-SQLR] says.
const (
	browserPort = "1434"
	// askAll is CLNT_UCAST_EX (2.2.2), told SVR_RESP (2.2.5).
	askAll, told = 0x03, 0x05
	// browserTime is how long one question is waited for; a datagram may get lost, so it is asked browserTries times.
	browserTime  = 2 * time.Second
	browserTries = 2
	maxDatagram  = 64 << 10
)

// instance is what SQL Server Browser knows of one.
type instance struct {
	name string
	// port is where it listens with TCP/IP, "" where that is off.
	port string
}

// askBrowser lists the instances of a host by their names in lower case.
func askBrowser(ctx context.Context, n network, address string) (map[string]instance, error) {
	conn, err := n.dial(ctx, "udp", net.JoinHostPort(address, browserPort))
	if err != nil {
		return nil, err
	}
	defer conn.Close()
	stop := context.AfterFunc(ctx, func() { _ = conn.SetDeadline(time.Unix(1, 0)) })
	defer stop()
	answer := make([]byte, maxDatagram)
	for range browserTries {
		if err := conn.SetDeadline(time.Now().Add(browserTime)); err != nil {
			return nil, err
		}
		if _, err = conn.Write([]byte{askAll}); err != nil {
			return nil, err
		}
		var read int
		if read, err = conn.Read(answer); err == nil {
			return parseInstances(answer[:read])
		}
		if !isTimeout(err) || ctx.Err() != nil {
			break
		}
	}
	return nil, err
}

// parseInstances reads SVR_RESP: a byte, a length, and NAME;VALUE;...;; for each instance.
func parseInstances(answer []byte) (map[string]instance, error) {
	const head = 3
	if len(answer) < head || answer[0] != told {
		return nil, errors.New("what answers is no SQL Server Browser")
	}
	if size := int(binary.LittleEndian.Uint16(answer[1:head])); size > len(answer)-head {
		return nil, fmt.Errorf("the answer is cut short: %w", io.ErrUnexpectedEOF)
	}
	found := map[string]instance{}
	for text := range strings.SplitSeq(string(answer[head:]), ";;") {
		words := strings.Split(text, ";")
		var one instance
		for i := 0; i+1 < len(words); i += 2 {
			switch strings.ToLower(words[i]) {
			case "instancename":
				one.name = words[i+1]
			case "tcp":
				one.port = words[i+1]
			}
		}
		if one.name != "" {
			found[strings.ToLower(one.name)] = one
		}
	}
	return found, nil
}

// instanceNames lists them for people.
func instanceNames(all map[string]instance) string {
	var list []string
	for _, key := range slices.Sorted(maps.Keys(all)) {
		list = append(list, printable(all[key].name))
	}
	if len(list) == 0 {
		return "none"
	}
	return strings.Join(list, ", ")
}
