package main

import (
	"context"
	"flag"
	"fmt"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"halley"
	"halley/server/access"
	"halley/server/directory"
	"halley/server/people"
	"halley/storage"
)

func prepareUserReset(fs *flag.FlagSet) action {
	st := addSettings(fs, []string{"data", "store", "viewer"})
	name := fs.String("name", "", "the `NAME` of the account")
	factors := fs.Bool("second-factor", false, "remove the second factors as well")
	reason := fs.String("reason", "", "`WHY`, for the audit")
	return func(ctx context.Context, io streams, _ []string) error {
		return withPerson(ctx, st, io, *name, func(o opened, _ *directory.State, p halley.Person) error {
			c := change(*reason)
			link, err := access.NewLink(ctx, o.store, viewerURL(o.config.Viewer), p, c)
			if err != nil {
				return err
			}
			if *factors {
				if err := removeFactors(ctx, o.store, p.ID, c); err != nil {
					return err
				}
			}
			_, err = fmt.Fprintln(io.out, link.URL.Reveal())
			return err
		})
	}
}

// withPerson does something with the account of a name.
func withPerson(
	ctx context.Context, st *settings, io streams, name string, do func(opened, *directory.State, halley.Person) error,
) error {
	if name == "" {
		return misuse("--name is missing")
	}
	return withDirectory(ctx, st, io, func(o opened, s *directory.State) error {
		p, ok := s.PersonNamed(name)
		if !ok || p.State == halley.PersonDeleted {
			return &halley.Error{
				Kind: halley.NotFound, Op: "find an account", Message: "there is no account " + cell(name) + ": halley user list shows those that there are",
			}
		}
		return do(o, s, p)
	})
}

// removeFactors removes authenticator, passkeys and recovery codes, with one audit row.
func removeFactors(ctx context.Context, store storage.Store, id halley.PersonID, c halley.Change) error {
	list, err := store.Secrets(ctx, id)
	if err != nil {
		return err
	}
	what := "person.factor"
	for _, s := range list {
		if !slices.Contains([]storage.SecretKind{storage.SecretTOTP, storage.SecretPasskey, storage.SecretRecovery}, s.Kind) {
			continue
		}
		if err := store.RemoveSecret(ctx, s.Kind, s.Key, what, c); err != nil {
			return err
		}
		what = ""
	}
	return nil
}

func prepareUserDisable(fs *flag.FlagSet) action {
	st := addSettings(fs, dataAndStore)
	name := fs.String("name", "", "the `NAME` of the account")
	reason := fs.String("reason", "", "`WHY`, for the audit")
	return func(ctx context.Context, io streams, _ []string) error {
		return withPerson(ctx, st, io, *name, func(o opened, s *directory.State, p halley.Person) error {
			if lastAdministrator(s, p) {
				return &halley.Error{
					Kind: halley.Conflict, Op: "disable an account",
					Message: "this is the last administrator of the highest organization: make somebody else one first",
				}
			}
			if _, err := o.store.ChangePerson(ctx, p.ID, storage.PersonUpdate{State: new(halley.PersonDisabled)}, change(*reason)); err != nil {
				return err
			}
			if err := endSessions(ctx, o.store, p.ID); err != nil {
				return err
			}
			return tellTokens(ctx, io, o.store, s, p)
		})
	}
}

// tellTokens says which tokens work on that somebody made, or a token of theirs.
func tellTokens(ctx context.Context, io streams, store storage.Store, s *directory.State, p halley.Person) error {
	all, err := store.Tokens(ctx)
	if err != nil {
		return err
	}
	for _, t := range people.TokensOf(s, all, p.ID, halley.MillisOf(time.Now())) {
		if _, err := fmt.Fprintf(io.out, "the token %s, which %s made, still works: halley token revoke ends it\n", cell(t.Name), cell(p.Name)); err != nil {
			return err
		}
	}
	return nil
}

// endSessions ends the sessions of a person; running servers see it within seconds.
func endSessions(ctx context.Context, store storage.Store, id halley.PersonID) error {
	list, err := store.PersonSessions(ctx, id, halley.MillisOf(time.Now()))
	if err != nil {
		return err
	}
	for _, s := range list {
		if err := store.DeleteSession(ctx, s.Hash); err != nil {
			return err
		}
	}
	return nil
}

// lastAdministrator says that nobody else may do everything.
func lastAdministrator(s *directory.State, p halley.Person) bool {
	others := 0
	own := false
	for _, each := range s.People() {
		top := slices.ContainsFunc(s.Grants(each.ID), func(g halley.Grant) bool {
			return g.Role == halley.Administrator && g.OrganizationID == halley.RootOrganization
		})
		switch {
		case !top || each.State != halley.PersonActive || each.Shared:
		case each.ID == p.ID:
			own = true
		default:
			others++
		}
	}
	return own && others == 0
}

func prepareUserList(fs *flag.FlagSet) action {
	st := addSettings(fs, dataAndStore)
	return func(ctx context.Context, io streams, _ []string) error {
		return withDirectory(ctx, st, io, func(_ opened, s *directory.State) error {
			table := tabwriter.NewWriter(io.out, 0, 0, 2, ' ', 0)
			fmt.Fprintln(table, "NAME\tSTATE\tSIGN-IN\tSECOND FACTOR\tLAST SIGN-IN\tROLES")
			for _, p := range s.People() {
				last := "never"
				if at := s.Detail(p.ID).LastSignInAt; at != 0 {
					last = at.String()
				}
				fmt.Fprintf(table, "%s\t%s\t%s\t%s\t%s\t%s\n", cell(p.Name), stateOf(p), p.Source, factorsOf(s, p.ID), last, rolesOf(s, p.ID))
			}
			return table.Flush()
		})
	}
}

func stateOf(p halley.Person) string {
	if p.Shared {
		return string(p.State) + ", shared"
	}
	return string(p.State)
}

// factorsOf says in words what second factors are set up.
func factorsOf(s *directory.State, id halley.PersonID) string {
	var list []string
	if len(s.Secrets(id, storage.SecretTOTP)) > 0 {
		list = append(list, "authenticator")
	}
	if len(s.Secrets(id, storage.SecretPasskey)) > 0 {
		list = append(list, "passkey")
	}
	if len(list) == 0 {
		return "none"
	}
	return strings.Join(list, ", ")
}

// rolesOf lists a person's roles and where they count.
func rolesOf(s *directory.State, id halley.PersonID) string {
	var list []string
	for _, g := range s.Grants(id) {
		text := string(g.Role) + " of " + s.Path(g.OrganizationID)
		if place, ok := s.Place(g.PlaceID); ok {
			text += " (" + place.Name + ")"
		}
		list = append(list, cell(text))
	}
	return strings.Join(list, "; ")
}
