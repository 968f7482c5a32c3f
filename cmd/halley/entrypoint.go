package main

import (
	"bufio"
	"context"
	"crypto/rand"
	"crypto/sha256"
	"errors"
	"flag"
	"fmt"
	"io"
	"net"
	"net/netip"
	"os"
	"strings"

	"halley"
	"halley/config"
	"halley/storage"
)

func prepareEntryPoint(fs *flag.FlagSet) action {
	st := addSettings(fs, []string{"data", "store", "devices"})
	family := addFamily(fs, halley.WebSensor)
	name := fs.String("name", "", "the `NAME` of a device that is not known yet (default its serial number)")
	return func(ctx context.Context, io streams, args []string) error {
		key, err := deviceKey(*family, args[0])
		if err != nil {
			return err
		}
		// rand.Text gives at least 128 random bits in base32; devices and people are spared capital letters.
		path := "/e/" + strings.ToLower(rand.Text())
		return withStore(ctx, st, io, func(o opened) error {
			d, err := findOrRegister(ctx, o.store, key, *name)
			if err != nil {
				return err
			}
			if err := setCredential(ctx, o.store, d, storage.EntryPoint, path); err != nil {
				return err
			}
			return printEntryPoint(io, d, deviceURLs(o.config.Devices.Listen, path))
		})
	}
}

// deviceKey checks what the command line says of a device.
func deviceKey(family, serial string) (halley.DeviceKey, error) {
	const longestSerial = 32
	if family == "" {
		return halley.DeviceKey{}, misuse("--family is missing")
	}
	if err := checkFamily(family); err != nil {
		return halley.DeviceKey{}, err
	}
	if serial == "" || len(serial) > longestSerial || strings.ContainsFunc(serial, func(r rune) bool { return r <= ' ' || r > '~' }) {
		return halley.DeviceKey{}, misuse("%q is no serial number: it stands on the device, 8 digits", serial)
	}
	return halley.DeviceKey{Family: halley.Family(family), Serial: serial}, nil
}

// findOrRegister gives the device, which it registers where it is not known.
func findOrRegister(ctx context.Context, store storage.Registry, key halley.DeviceKey, name string) (halley.Device, error) {
	d, err := findDevice(ctx, store, key)
	if halley.KindOf(err) != halley.NotFound {
		return d, err
	}
	if name == "" {
		name = key.Serial
	}
	return store.Register(ctx, key, name, change("registered by a command"))
}

// setCredential gives a device what it must prove itself by; only the hash is kept.
func setCredential(ctx context.Context, store storage.Registry, d halley.Device, kind storage.CredentialKind, secret string) error {
	c := change("")
	sum := sha256.Sum256([]byte(secret))
	return store.SetCredential(ctx, storage.Credential{DeviceID: d.ID, Kind: kind, Hash: sum[:], CreatedAt: c.At}, c)
}

// printEntryPoint prints the addresses, and beside them what to do with them.
func printEntryPoint(io streams, d halley.Device, urls []string) error {
	fmt.Fprintf(io.err, "Type one of these into %s %s. They are shown this once; they are secret.\n", d.Family, cell(d.Serial))
	for _, u := range urls {
		if _, err := fmt.Fprintln(io.out, u); err != nil {
			return err
		}
	}
	if d.Family == halley.WebSensor {
		fmt.Fprintln(io.err, "A Web Sensor has two fields: \"SOAP server address\" gets what stands between http:// and the port together with what\n"+
			"stands behind the port (such as 192.168.1.10/e/...), \"SOAP server port\" gets the port.")
	}
	if d.State != halley.DeviceAccepted {
		fmt.Fprintf(io.err, "The device is %s: halley device accept %s has its messages recorded.\n", d.State, cell(d.Serial))
	}
	return nil
}

// deviceURLs gives the addresses under which devices reach a path, those of this machine where a listener takes every one.
func deviceURLs(listen []string, path string) []string {
	var urls []string
	for _, l := range listen {
		tls, address := config.SplitListen(l)
		scheme := "http://"
		if tls {
			scheme = "https://"
		}
		host, port, err := net.SplitHostPort(address)
		if err != nil {
			continue // Load has refused such a one.
		}
		hosts := []string{host}
		if ip, err := netip.ParseAddr(host); err == nil && ip.IsUnspecified() {
			hosts = ownAddresses()
		}
		for _, h := range hosts {
			urls = append(urls, scheme+net.JoinHostPort(h, port)+path)
		}
	}
	return urls
}

// ownAddresses gives the IPv4 addresses of this machine in its networks, else its name.
func ownAddresses() []string {
	var own []string
	addresses, err := net.InterfaceAddrs()
	if err == nil {
		for _, a := range addresses {
			p, err := netip.ParsePrefix(a.String())
			if err == nil && p.Addr().Is4() && !p.Addr().IsLoopback() && !p.Addr().IsLinkLocalUnicast() {
				own = append(own, p.Addr().String())
			}
		}
	}
	if len(own) > 0 {
		return own
	}
	if name, err := os.Hostname(); err == nil && name != "" {
		return []string{name}
	}
	return []string{"localhost"}
}

func prepareCustomerKey(fs *flag.FlagSet) action {
	st := addSettings(fs, dataAndStore)
	family := addFamily(fs, halley.Modem)
	name := fs.String("name", "", "the `NAME` of a device that is not known yet (default its serial number)")
	remove := fs.Bool("remove", false, "take the key away: every message of this device counts again")
	return func(ctx context.Context, io streams, args []string) error {
		key, err := deviceKey(*family, args[0])
		if err != nil {
			return err
		}
		secret := ""
		if !*remove {
			if secret, err = readKey(io.in); err != nil {
				return err
			}
		}
		return withStore(ctx, st, io, func(o opened) error {
			d, err := findOrRegister(ctx, o.store, key, *name)
			if err != nil {
				return err
			}
			if *remove {
				c := change("")
				err = o.store.SetCredential(ctx, storage.Credential{DeviceID: d.ID, Kind: storage.CustomerKey, CreatedAt: c.At}, c)
			} else {
				err = setCredential(ctx, o.store, d, storage.CustomerKey, secret)
			}
			if err != nil {
				return err
			}
			fmt.Fprintf(io.err, "The key of %s %s is %s.\n", d.Family, cell(d.Serial), map[bool]string{true: "removed", false: "set"}[*remove])
			return nil
		})
	}
}

// readKey reads one line. Loggers send at most 16 characters.
func readKey(in io.Reader) (string, error) {
	const longestKey = 64
	line, err := bufio.NewReader(io.LimitReader(in, longestKey+3)).ReadString('\n')
	if err != nil && !errors.Is(err, io.EOF) {
		return "", fmt.Errorf("reading the key from standard input: %w", err)
	}
	line = strings.TrimRight(line, "\r\n")
	if line == "" {
		return "", misuse("there is no key on standard input: write it there, as in: halley device customer-key SERIAL <key.txt")
	}
	if len(line) > longestKey {
		return "", misuse("the key on standard input is longer than %d bytes", longestKey)
	}
	return line, nil
}
