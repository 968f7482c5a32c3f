package main

import (
	"context"
	"flag"
	"fmt"
	"text/tabwriter"
	"time"

	"halley"
	"halley/server/access"
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
					"nothing; without --expires it ends after 90 days. Works whether the server runs or not.",
				example: "halley token create --data /var/lib/halley --name grafana --expires 365d",
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
	role := fs.String("role", string(halley.Reader), "the `ROLE`: reader or administrator (default reader)")
	expires := fs.String("expires", "", "`WHEN` it ends: 24h, 365d or never (default 90d)")
	return func(ctx context.Context, io streams, _ []string) error {
		if *name == "" {
			return misuse("--name is missing")
		}
		if !halley.Role(*role).Valid() {
			return misuse("--role is reader or administrator; %q is none", *role)
		}
		lifetime, err := access.ParseLifetime(*expires)
		if err != nil {
			return misuse("--expires is never, a number of days such as 90d or a time such as 24h, ten years at most; %q is none", *expires)
		}
		return withStore(ctx, st, io, func(o opened) error {
			text, _, err := access.NewTokens(o.store).Create(ctx,
				access.NewToken{Name: *name, Role: halley.Role(*role), Lifetime: lifetime}, change(""))
			if err != nil {
				return err
			}
			_, err = fmt.Fprintln(io.out, text)
			return err
		})
	}
}

func prepareTokenList(fs *flag.FlagSet) action {
	st := addSettings(fs, dataAndStore)
	return func(ctx context.Context, io streams, _ []string) error {
		return withStore(ctx, st, io, func(o opened) error {
			tokens, err := o.store.Tokens(ctx)
			if err != nil {
				return err
			}
			now := halley.MillisOf(time.Now())
			table := tabwriter.NewWriter(io.out, 0, 0, 2, ' ', 0)
			fmt.Fprintln(table, "NAME\tROLE\tCREATED\tEXPIRES\tSTATE")
			for _, t := range tokens {
				expires, state := "never", "valid"
				if t.ExpiresAt != 0 {
					expires = t.ExpiresAt.String()
				}
				switch {
				case t.RevokedAt != 0:
					state = "revoked"
				case t.ExpiresAt != 0 && now >= t.ExpiresAt:
					state = "expired"
				}
				fmt.Fprintf(table, "%s\t%s\t%s\t%s\t%s\n", cell(t.Name), t.Role, t.CreatedAt, expires, state)
			}
			return table.Flush()
		})
	}
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
