package main

import (
	"context"
	"fmt"
	"net"
	"net/netip"
	"slices"
	"strings"

	"halley/config"
)

// firewallRule is the name of our rule in the firewall of Windows.
const firewallRule = "Halley"

// reachablePorts gives the ports that others than this machine must reach, ascending as texts, each once.
func reachablePorts(c config.Config) []string {
	var ports []string
	for _, l := range append([]string{c.Viewer.Address}, c.Devices.Listen...) {
		_, address := config.SplitListen(l)
		host, port, err := net.SplitHostPort(address)
		if err != nil || port == "0" || host == "localhost" {
			continue
		}
		if ip, err := netip.ParseAddr(host); err == nil && ip.IsLoopback() {
			continue
		}
		if !slices.Contains(ports, port) {
			ports = append(ports, port)
		}
	}
	slices.Sort(ports)
	return ports
}

// openFirewall lets the network reach these TCP ports. Where no firewall is known nothing is done, and said.
func (m *machine) openFirewall(ctx context.Context, io streams, ports []string) error {
	if len(ports) == 0 {
		_, err := fmt.Fprintln(io.out, "firewall: every listener is on this machine alone, nothing to open")
		return err
	}
	name, commands := m.firewallCommands(ctx, ports)
	if name == "" {
		_, err := fmt.Fprintf(io.out, "firewall: neither firewalld nor ufw runs here; where another one does, let it pass TCP %s\n", strings.Join(ports, ", "))
		return err
	}
	for _, c := range commands {
		if err := m.run(ctx, c[0], c[1:]...); err != nil {
			return fmt.Errorf("opening the firewall for TCP %s: %w", strings.Join(ports, ", "), err)
		}
	}
	_, err := fmt.Fprintf(io.out, "firewall: %s lets TCP %s pass\n", name, strings.Join(ports, ", "))
	return err
}

// firewallCommands gives the firewall of this machine and what to run; "" where none is known.
func (m *machine) firewallCommands(ctx context.Context, ports []string) (name string, commands [][]string) {
	switch {
	case m.system == "windows":
		return "Windows Defender Firewall", [][]string{
			{
				"netsh", "advfirewall", "firewall", "add", "rule", "name=" + firewallRule, "dir=in", "action=allow", "protocol=TCP",
				"localport=" + strings.Join(ports, ","), "program=" + m.program, "profile=domain,private",
			},
		}
	// It may be installed and not run; then it neither filters nor takes rules.
	case m.has("firewall-cmd") && m.run(ctx, "firewall-cmd", "--state") == nil:
		add := []string{"firewall-cmd", "--permanent"}
		for _, p := range ports {
			add = append(add, "--add-port="+p+"/tcp")
		}
		return "firewalld", [][]string{add, {"firewall-cmd", "--reload"}}
	case m.has("ufw"):
		for _, p := range ports {
			commands = append(commands, []string{"ufw", "allow", p + "/tcp", "comment", "Halley"})
		}
		return "ufw", commands
	}
	return "", nil
}
