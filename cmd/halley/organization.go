package main

import (
	"context"
	"flag"
	"fmt"
	"strings"
	"text/tabwriter"
	"time"

	"halley"
	"halley/server/directory"
	"halley/storage"
)

func organizationCommand() *command {
	return &command{
		name:    "organization",
		summary: "add, list, rename and close the organizations that places and people belong to",
		about:   "Organizations form a tree. A path names one by all names from the highest one down, such as /Acme/Brno; the highest one is /.",
		commands: []*command{
			{
				name:    "add",
				summary: "add an organization below one that is there",
				about:   "Prints its path. Without --time-zone its times show in the zone of the organization above.",
				example: "halley organization add --path /Acme/Brno --time-zone Europe/Prague --data /var/lib/halley",
				prepare: prepareOrganizationAdd,
			},
			{
				name:    "list",
				summary: "list the organizations that are open",
				example: "halley organization list --data /var/lib/halley",
				prepare: prepareOrganizationList,
			},
			{
				name:    "rename",
				summary: "give an organization another name, or the highest one its first",
				example: "halley organization rename --path /Acme/Brno --name Ostrava --reason \"the site has moved\" --data /var/lib/halley",
				prepare: prepareOrganizationRename,
			},
			{
				name:    "close",
				summary: "close an organization that holds nothing open any more; its history stays",
				example: "halley organization close --path /Acme/Brno --reason \"the site was sold\" --data /var/lib/halley",
				prepare: prepareOrganizationClose,
			},
		},
		example: "halley organization add --path /Acme/Brno --time-zone Europe/Prague",
	}
}

const organizationPathUsage = "the `PATH` of the organization, such as /Acme/Brno"

func prepareOrganizationAdd(fs *flag.FlagSet) action {
	st := addSettings(fs, dataAndStore)
	path := fs.String("path", "", "the `PATH` that it gets, such as /Acme/Brno")
	zone := fs.String("time-zone", "", "the time `ZONE` of its places, such as Europe/Prague")
	reason := fs.String("reason", "", "`WHY`, for the audit")
	return func(ctx context.Context, io streams, _ []string) error {
		above, name := splitPath(*path)
		if name == "" {
			return misuse("--path is missing")
		}
		if err := checkZone(*zone); err != nil {
			return err
		}
		return withTree(ctx, st, io, func(o opened, s *directory.State) error {
			parent, err := openOrganization(s, above)
			if err != nil {
				return err
			}
			if _, err = o.store.AddOrganization(ctx, halley.Organization{ParentID: parent.ID, Name: name, TimeZone: *zone}, change(*reason)); err != nil {
				return err
			}
			_, err = fmt.Fprintln(io.out, cell(strings.TrimSuffix(s.Path(parent.ID), "/")+"/"+name))
			return err
		})
	}
}

// splitPath gives the path of the organization above and the last name.
func splitPath(path string) (above, name string) {
	path = strings.Trim(path, "/")
	if i := strings.LastIndex(path, "/"); i >= 0 {
		return "/" + path[:i], path[i+1:]
	}
	return "/", path
}

// checkZone refuses a name that is no time zone; "" is that of the organization above.
func checkZone(zone string) error {
	if zone == "" {
		return nil
	}
	if _, err := time.LoadLocation(zone); err != nil || zone == "Local" {
		return misuse("--time-zone is a name such as Europe/Prague; %q is none", zone)
	}
	return nil
}

func prepareOrganizationList(fs *flag.FlagSet) action {
	st := addSettings(fs, dataAndStore)
	return func(ctx context.Context, io streams, _ []string) error {
		return withTree(ctx, st, io, func(_ opened, s *directory.State) error {
			places := make(map[halley.OrganizationID]int)
			for _, p := range s.Places() {
				if !p.Closed {
					places[p.OrganizationID]++
				}
			}
			table := tabwriter.NewWriter(io.out, 0, 0, 2, ' ', 0)
			fmt.Fprintln(table, "PATH\tTIME ZONE\tPLACES")
			for _, id := range s.Below(halley.RootOrganization) {
				if node, _ := s.Organization(id); !node.Closed {
					fmt.Fprintf(table, "%s\t%s\t%d\n", cell(s.Path(id)), cell(s.Zone(id)), places[id])
				}
			}
			return table.Flush()
		})
	}
}

func prepareOrganizationRename(fs *flag.FlagSet) action {
	name := fs.String("name", "", "the new `NAME`")
	return changeOrganization(fs, func() (storage.OrganizationUpdate, error) {
		if strings.TrimSpace(*name) == "" {
			return storage.OrganizationUpdate{}, misuse("--name is missing")
		}
		return storage.OrganizationUpdate{Name: name}, nil
	})
}

func prepareOrganizationClose(fs *flag.FlagSet) action {
	closed := true
	return changeOrganization(fs, func() (storage.OrganizationUpdate, error) {
		return storage.OrganizationUpdate{Closed: &closed}, nil
	})
}

// changeOrganization adds the options of a change of one organization and gives what makes it.
func changeOrganization(fs *flag.FlagSet, update func() (storage.OrganizationUpdate, error)) action {
	st := addSettings(fs, dataAndStore)
	path := fs.String("path", "", organizationPathUsage)
	reason := fs.String("reason", "", "`WHY`, for the audit; it must be given")
	return func(ctx context.Context, io streams, _ []string) error {
		if *path == "" {
			return misuse("--path is missing")
		}
		if strings.TrimSpace(*reason) == "" {
			return misuse("--reason is missing")
		}
		u, err := update()
		if err != nil {
			return err
		}
		return withTree(ctx, st, io, func(o opened, s *directory.State) error {
			node, err := openOrganization(s, *path)
			if err != nil {
				return err
			}
			_, err = o.store.ChangeOrganization(ctx, node.ID, u, change(*reason))
			return err
		})
	}
}
