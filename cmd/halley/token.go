package main

import (
	"context"
	"flag"
	"fmt"
	"text/tabwriter"
	"time"

	"halley"
	"halley/server/access"
	"halley/server/directory"
	"halley/server/people"
	"halley/server/registry"
	"halley/storage"
)

func tokenCommand() *command {
	return &command{
		name:    "token",
		summary: "make, list and revoke the tokens of programs",
		commands: []*command{
			{
				name:    "create",
				summary: "make a token and print it, this once",
				about: "A program sends the token as \"Authorization: Bearer TOKEN\". Without --role it reads everything and changes\n" +
					"nothing; without --organization it reaches the whole tree; without --expires it ends after 90 days. The role\n" +
					"view-by-measured-places needs --place for each place. Works whether the server runs or not.",
				example: "halley token create --data /var/lib/halley --name grafana --role guest --organization /Acme/Brno --expires 365d",
				prepare: prepareTokenCreate,
			},
			{
				name:    "list",
				summary: "list the tokens, without the tokens themselves",
				example: "halley token list --data /var/lib/halley",
				prepare: prepareTokenList,
			},
			{
				name:      "revoke",
				arguments: "NAME",
				summary:   "end a token; a running server refuses it within seconds",
				example:   "halley token revoke grafana --data /var/lib/halley --reason \"moved to another machine\"",
				prepare:   prepareTokenRevoke,
			},
		},
		example: "halley token create --name grafana",
	}
}

func prepareTokenCreate(fs *flag.FlagSet) action {
	st := addSettings(fs, dataAndStore)
	name := fs.String("name", "", "the `NAME` of the program; unique")
	role := fs.String("role", string(halley.Reader), "the `ROLE`, such as reader, guest, user or administrator (default reader)")
	organization := fs.String("organization", "/", "the `PATH` of the organization that it reaches, with all below (default /)")
	var places []string
	fs.Func("place", "the `NAME` of a place that it reaches; may be given again", func(place string) error {
		places = append(places, place)
		return nil
	})
	expires := fs.String("expires", "", "`WHEN` it ends: 24h, 365d or never (default 90d)")
	return func(ctx context.Context, io streams, _ []string) error {
		if *name == "" {
			return misuse("--name is missing")
		}
		if err := possibleRole(halley.Role(*role)); err != nil {
			return err
		}
		if (halley.Role(*role) == halley.ViewByMeasuredPlaces) != (len(places) > 0) {
			return misuse("--place is for the role %s, which needs it", halley.ViewByMeasuredPlaces)
		}
		lifetime, err := access.ParseLifetime(*expires)
		if err != nil {
			return misuse("--expires is never, a number of days such as 90d or a time such as 24h, ten years at most; %q is none", *expires)
		}
		return withStore(ctx, st, io, func(o opened) error {
			n := access.NewToken{Name: *name, Role: halley.Role(*role), Lifetime: lifetime}
			if err := reach(ctx, o.store, &n, *organization, places); err != nil {
				return err
			}
			text, _, err := access.NewTokens(o.store).Create(ctx, n, change(""))
			if err != nil {
				return err
			}
			_, err = fmt.Fprintln(io.out, text)
			return err
		})
	}
}

// reach fills in which node and places a token reaches.
func reach(ctx context.Context, store storage.Store, n *access.NewToken, path string, places []string) error {
	s, err := registry.ReadTree(ctx, store)
	if err != nil {
		return err
	}
	node, err := openOrganization(s, path)
	if err != nil {
		return err
	}
	n.OrganizationID = node.ID
	if err := grantable(s, n.Role, node.ID); err != nil {
		return err
	}
	n.Places, err = placesNamed(s, node.ID, places)
	return err
}

func prepareTokenList(fs *flag.FlagSet) action {
	st := addSettings(fs, dataAndStore)
	return func(ctx context.Context, io streams, _ []string) error {
		return withDirectory(ctx, st, io, func(o opened, s *directory.State) error {
			tokens, err := o.store.Tokens(ctx)
			if err != nil {
				return err
			}
			now := halley.MillisOf(time.Now())
			table := tabwriter.NewWriter(io.out, 0, 0, 2, ' ', 0)
			fmt.Fprintln(table, "NAME\tROLE\tORGANIZATION\tCREATED\tMADE BY\tEXPIRES\tSTATE")
			for _, t := range tokens {
				expires, state := "never", "valid"
				if t.ExpiresAt != 0 {
					expires = t.ExpiresAt.String()
				}
				switch {
				case t.RevokedAt != 0:
					state = "revoked"
				case t.Expired(now):
					state = "expired"
				}
				fmt.Fprintf(table, "%s\t%s\t%s\t%s\t%s\t%s\t%s\n", cell(t.Name), cell(string(t.Role)), reached(s, t), t.CreatedAt, maker(t), expires, state)
			}
			return table.Flush()
		})
	}
}

// maker says in words who made a token.
func maker(t storage.Token) string {
	if t.By.Kind == string(access.ByToken) {
		return "token " + cell(t.By.Name)
	}
	return cell(t.By.Name)
}

// reached says in words what a token reaches.
func reached(s *directory.State, t storage.Token) string {
	text := cell(s.Path(people.NodeOfToken(t)))
	if n := len(t.Places); n > 0 {
		text += fmt.Sprintf(" (places: %d)", n)
	}
	return text
}

func prepareTokenRevoke(fs *flag.FlagSet) action {
	st := addSettings(fs, dataAndStore)
	reason := fs.String("reason", "", "`WHY`, for the audit")
	return func(ctx context.Context, io streams, args []string) error {
		return withStore(ctx, st, io, func(o opened) error {
			return access.NewTokens(o.store).Revoke(ctx, args[0], change(*reason))
		})
	}
}
