package main

import (
	"context"
	"flag"
	"fmt"
	"slices"
	"strings"
	"text/tabwriter"

	"halley"
	"halley/storage"
)

// knownFamilies are the words for --family.
func knownFamilies() []halley.Family {
	return []halley.Family{halley.WebSensor, halley.WiFi, halley.TAx6xx, halley.Modem}
}

func deviceCommand() *command {
	return &command{
		name:    "device",
		summary: "list devices, decide about them, give them entry points",
		about:   "Every command works whether the server runs or not, and leaves an audit row under your name.",
		commands: []*command{
			{
				name: "list", summary: "list the devices", example: "halley device list --state new",
				prepare: prepareDeviceList,
			},
			decision{
				word: "accept", state: halley.DeviceAccepted,
				summary: "accept a device: what lies in quarantine of it is recorded, and a place of its name is made",
			}.command(),
			decision{
				word: "reject", state: halley.DeviceRejected, reason: true,
				summary: "reject a device: it hears \"not stored\" from now on",
			}.command(),
			decision{
				word: "suspend", state: halley.DeviceSuspended, reason: true,
				summary: "keep what a device sends in quarantine for a while",
			}.command(),
			decision{
				word: "retire", state: halley.DeviceRetired, reason: true,
				summary: "take a device out of service; its history stays",
			}.command(),
			{
				name: "rename", arguments: "SERIAL NAME", summary: "give a device another name",
				example: "halley device rename 15961234 \"Cold room 3\"",
				prepare: prepareDeviceRename,
			},
			{
				name: "entry-point", arguments: "SERIAL", summary: "make a secret address for a device and print it, this once",
				about: "What reaches this server under the address comes from this device. Only a hash of it is kept. A former address of\n" +
					"the device ends. A device that is not known yet is registered and accepted.",
				example: "halley device entry-point 15961234 --name \"Cold room 3\"",
				prepare: prepareEntryPoint,
			},
			{
				name: "customer-key", arguments: "SERIAL", summary: "set the key that a modem logger must send, read from standard input",
				about: "The key is the logger's CustomerUid. Messages of this device without it, or with another, go to quarantine. Only a\n" +
					"hash of it is kept.",
				example: "halley device customer-key 22960001 <key.txt",
				prepare: prepareCustomerKey,
			},
		},
		example: "halley device accept 15961234 --name \"Cold room 3\"",
	}
}

// addFamily adds --family.
func addFamily(fs *flag.FlagSet, value halley.Family) *string {
	usage := "the `FAMILY`: websensor, wifi, tax6xx or modem"
	if value == "" {
		usage += "; needed where two families have this serial number"
	} else {
		usage += " (default " + string(value) + ")"
	}
	return fs.String("family", string(value), usage)
}

func checkFamily(word string) error {
	if word != "" && !slices.Contains(knownFamilies(), halley.Family(word)) {
		return misuse("--family is websensor, wifi, tax6xx or modem; %q is none", word)
	}
	return nil
}

func prepareDeviceList(fs *flag.FlagSet) action {
	st := addSettings(fs, dataAndStore)
	family := addFamily(fs, "")
	state := fs.String("state", "", "only those in this `STATE`: new, accepted, suspended, rejected or retired")
	return func(ctx context.Context, io streams, _ []string) error {
		if err := checkFamily(*family); err != nil {
			return err
		}
		states := []halley.DeviceState{
			"", halley.DeviceNew, halley.DeviceAccepted, halley.DeviceSuspended, halley.DeviceRejected, halley.DeviceRetired,
		}
		if !slices.Contains(states, halley.DeviceState(*state)) {
			return misuse("--state is new, accepted, suspended, rejected or retired; %q is none", *state)
		}
		return withStore(ctx, st, io, func(o opened) error {
			devices, err := o.store.Devices(ctx, storage.DeviceFilter{
				Family: halley.Family(*family), State: halley.DeviceState(*state),
			})
			if err != nil {
				return err
			}
			table := tabwriter.NewWriter(io.out, 0, 0, 2, ' ', 0)
			fmt.Fprintln(table, "SERIAL\tFAMILY\tMODEL\tSTATE\tFIRST SEEN\tNAME")
			for _, d := range devices {
				fmt.Fprintf(table, "%s\t%s\t%s\t%s\t%s\t%s\n", cell(d.Serial), d.Family, cell(d.Model), d.State, d.FirstSeenAt, cell(d.Name))
			}
			return table.Flush()
		})
	}
}

// decision is a command that puts a device into a state.
type decision struct {
	word    string
	state   halley.DeviceState
	summary string
	// reason says that a reason must be given.
	reason bool
}

func (d decision) command() *command {
	example := "halley device " + d.word + " 15961234"
	if d.reason {
		example += " --reason \"lent to the laboratory\""
	}
	return &command{name: d.word, arguments: "SERIAL", summary: d.summary, example: example, prepare: d.prepare}
}

func (d decision) prepare(fs *flag.FlagSet) action {
	st := addSettings(fs, dataAndStore)
	family := addFamily(fs, "")
	var name *string
	if d.state == halley.DeviceAccepted {
		name = fs.String("name", "", "the `NAME` of the device and its place (default what it calls itself)")
	}
	reason := fs.String("reason", "", "`WHY`, for the audit")
	return func(ctx context.Context, io streams, args []string) error {
		if d.reason && strings.TrimSpace(*reason) == "" {
			return misuse("--reason is missing: say why, for the audit")
		}
		update := storage.DeviceUpdate{State: &d.state}
		if name != nil && *name != "" {
			update.Name = name
		}
		return changeDevice(ctx, deviceChange{settings: st, family: *family, serial: args[0], update: update, why: *reason}, io)
	}
}

func prepareDeviceRename(fs *flag.FlagSet) action {
	st := addSettings(fs, dataAndStore)
	family := addFamily(fs, "")
	reason := fs.String("reason", "", "`WHY`, for the audit")
	return func(ctx context.Context, io streams, args []string) error {
		if strings.TrimSpace(args[1]) == "" {
			return misuse("NAME is empty")
		}
		return changeDevice(ctx, deviceChange{
			settings: st, family: *family, serial: args[0], update: storage.DeviceUpdate{Name: &args[1]}, why: *reason,
		}, io)
	}
}

// deviceChange is one change of one device.
type deviceChange struct {
	settings       *settings
	family, serial string
	update         storage.DeviceUpdate
	why            string
}

func changeDevice(ctx context.Context, ch deviceChange, io streams) error {
	if err := checkFamily(ch.family); err != nil {
		return err
	}
	return withStore(ctx, ch.settings, io, func(o opened) error {
		d, err := findDevice(ctx, o.store, halley.DeviceKey{Family: halley.Family(ch.family), Serial: ch.serial})
		if err != nil {
			return err
		}
		d, err = o.store.ChangeDevice(ctx, d.ID, ch.update, change(ch.why))
		if err != nil {
			return err
		}
		_, err = fmt.Fprintf(io.out, "%s %s is %s and called %s\n", d.Family, cell(d.Serial), d.State, cell(d.Name))
		return err
	})
}

// findDevice finds the one device of a serial number; the family may be empty.
func findDevice(ctx context.Context, store storage.Registry, key halley.DeviceKey) (halley.Device, error) {
	found, err := store.Devices(ctx, storage.DeviceFilter{Serial: key.Serial, Family: key.Family})
	switch {
	case err != nil:
		return halley.Device{}, err
	case len(found) == 0:
		return halley.Device{}, &halley.Error{
			Kind: halley.NotFound, Op: "find device " + cell(key.Serial), Message: "there is none; halley device list shows all",
		}
	case len(found) > 1:
		return halley.Device{}, misuse("several families have the serial number %s: say which with --family", cell(key.Serial))
	}
	return found[0], nil
}
