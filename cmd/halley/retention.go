package main

import (
	"context"
	"crypto/sha256"
	"flag"
	"fmt"
	"strings"
	"text/tabwriter"
	"time"

	"halley"
	"halley/cmd/halley/internal/transfer"
	"halley/server/access"
	signing "halley/server/ledger"
	"halley/server/namedfile"
	"halley/server/registry"
	"halley/server/retention"
	"halley/storage/ledger"
	"halley/storage/ledger/export"
	"halley/storage/sqlserver"
)

func retentionCommand() *command {
	return &command{
		name:    "retention",
		summary: "remove old days for good, as an act of two people",
		about: "Halley removes nothing by itself. One person plans to remove all UTC days before a date, another one carries the plan\n" +
			"out. The digests of what was removed stay in the ledger, and a signed tombstone says who removed it and why.",
		commands: []*command{
			{
				name:    "plan",
				summary: "propose to remove the days before a date; removes nothing",
				about: "Says what would be removed, and notes the plan in the audit trail. Another person carries it out within 30 days.\n" +
					"Days are removed once they are over for a week.",
				example: "halley retention plan --before 2024-01-01 --why \"kept for two years as our rule 17 says\" --data /var/lib/halley",
				prepare: prepareRetentionPlan,
			},
			{
				name:    "carry-out",
				summary: "remove the days of somebody else's plan for good",
				about: "Writes a signed tombstone and then removes one day after the other. Broken off, it goes on where it was when it is\n" +
					"run again. Whoever carries a plan out is another person than the one who made it: another user of the operating\n" +
					"system, or another token. On SQL Server it needs the keeper's login, which the server does not use.\n" +
					"Run halley verify before and after it, and make a backup before.",
				example: "halley retention carry-out --plan k3f9a2mq --data /var/lib/halley --store 'sqlserver://halley_keeper_login@db.example.net?database=halley'",
				prepare: prepareRetentionCarryOut,
			},
			{
				name:    "list",
				summary: "list the plans and what was removed",
				example: "halley retention list --data /var/lib/halley",
				prepare: prepareRetentionList,
			},
		},
		example: "halley retention plan --before 2024-01-01 --why \"kept for two years as our rule 17 says\"",
	}
}

const tokenFileUsage = "act as the token in `FILE` instead of as the user of the operating system; it must have the right to decide about retention"

func prepareRetentionPlan(fs *flag.FlagSet) action {
	st := addSettings(fs, dataAndStore)
	before := fs.String("before", "", "remove the UTC days before this `DATE`, such as 2024-01-01")
	why := fs.String("why", "", "`WHY`, for the audit trail; it stays there for ever")
	token := fs.String("token-file", "", tokenFileUsage)
	return func(ctx context.Context, io streams, _ []string) error {
		if *before == "" {
			return misuse("--before is missing")
		}
		day, err := ledger.ParseDay(*before)
		if err != nil {
			return misuse("--before is a date such as 2024-01-01; %q is none", *before)
		}
		if strings.TrimSpace(*why) == "" {
			return misuse("--why is missing")
		}
		return withStore(ctx, st, io, func(o opened) error {
			c, err := person(ctx, o, *token, *why)
			if err != nil {
				return err
			}
			p, err := retention.New(o.store).Plan(ctx, day, c)
			if err != nil {
				return err
			}
			_, err = fmt.Fprintf(io.out, "plan %s by %s: remove %s\n"+
				"Nothing is removed yet. Another person carries it out within %d days:\n\nhalley retention carry-out --plan %s\n",
				p.ID, cell(p.By.Name), extent(p), int(retention.PlanLife.Hours()/24), p.ID)
			return err
		})
	}
}

// extent says what a plan removes.
func extent(p retention.Plan) string {
	return fmt.Sprintf("%d UTC days from %s to %s, with %d rows of messages", p.ToDay-p.FromDay, ledger.DayText(p.FromDay),
		ledger.DayText(p.ToDay-1), p.Rows)
}

func prepareRetentionCarryOut(fs *flag.FlagSet) action {
	st := addSettings(fs, []string{"data", "node", "store"})
	plan := fs.String("plan", "", "the `PLAN` to carry out, as halley retention list shows it")
	folder := fs.String("export", "", "before anything is removed write the days to this `FOLDER`, as halley export does")
	token := fs.String("token-file", "", tokenFileUsage)
	return func(ctx context.Context, io streams, _ []string) error {
		if *plan == "" {
			return misuse("--plan is missing")
		}
		return withStore(ctx, st, io, func(o opened) error {
			c, err := person(ctx, o, *token, "")
			if err != nil {
				return err
			}
			order := retention.Order{Plan: *plan, Change: c}
			if *folder != "" {
				order.Export = exportTo(io, o, *folder)
			}
			return carryOut(ctx, io, o, order)
		})
	}
}

// exportTo writes days to a folder with their ledger, so that they can be checked when they are gone from the store.
func exportTo(io streams, o opened, folder string) func(ctx context.Context, from, to int64) error {
	return func(ctx context.Context, from, to int64) error {
		bar := newBar(io.err)
		m, err := export.Write(ctx, export.Options{
			Source: o.store, Folder: folder, From: from, To: to, Version: version, MadeAt: halley.MillisOf(time.Now()),
			Tell: func(done, total int64) { bar.tell(transfer.Progress{Step: "exporting days", Done: done, Total: total}) },
		})
		bar.end()
		if err != nil {
			return err
		}
		_, err = fmt.Fprintf(io.out, "exported %d messages to %s: keep it apart from this machine\n", m.Messages, cell(folder))
		return err
	}
}

// carryOut carries a plan out with the signing key of this server, and shows how far it is.
func carryOut(ctx context.Context, io streams, o opened, order retention.Order) error {
	if o.config.Store.DSN != "" {
		if err := sqlserver.MayRemove(ctx, sqlServerOptions(o.config, o.log)); err != nil {
			return err
		}
	}
	order.Sign = func(r ledger.Removal) (ledger.Tombstone, error) {
		keys, err := signing.Open(signing.KeysFolder(o.config.Keys.Path, o.config.Data), o.config.Node)
		if err != nil {
			return ledger.Tombstone{}, err
		}
		return keys.SignRemoval(r)
	}
	bar := newBar(io.err)
	order.Tell = func(p retention.Progress) {
		bar.tell(transfer.Progress{Step: "removing days", Done: p.Days, Total: p.Of})
	}
	removed, err := retention.New(o.store).CarryOut(ctx, order)
	bar.end()
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(io.out, "removed %d rows of messages of %d UTC days, %s to %s (plan %s by %s)\n"+
		"The digests of what was removed stay in the ledger: halley verify checks them\n",
		removed.Rows, removed.Days, ledger.DayText(removed.Plan.FromDay), ledger.DayText(removed.Plan.ToDay-1), removed.Plan.ID,
		cell(removed.Plan.By.Name))
	return err
}

func prepareRetentionList(fs *flag.FlagSet) action {
	st := addSettings(fs, dataAndStore)
	return func(ctx context.Context, io streams, _ []string) error {
		return withStore(ctx, st, io, func(o opened) error {
			plans, err := retention.New(o.store).Plans(ctx, halley.MillisOf(time.Now()))
			if err != nil {
				return err
			}
			stones, err := o.store.Tombstones(ctx)
			if err != nil {
				return err
			}
			if len(plans)+len(stones) == 0 {
				_, err = fmt.Fprintln(io.out, "nothing was removed, and nothing is planned to be")
				return err
			}
			table := tabwriter.NewWriter(io.out, 0, 0, 2, ' ', 0)
			fmt.Fprintln(table, "PLAN\tSTATE\tFROM\tBEFORE\tROWS\tMADE\tBY\tWHY")
			for _, p := range plans {
				fmt.Fprintf(table, "%s\t%s\t%s\t%s\t%d\t%s\t%s\t%s\n", p.ID, p.State, ledger.DayText(p.FromDay), ledger.DayText(p.ToDay), p.Rows,
					p.At, cell(p.By.Name), cell(p.Why))
			}
			if err := table.Flush(); err != nil {
				return err
			}
			for _, t := range stones {
				fmt.Fprintf(io.out, "tombstone %d: days from %s and before %s, removed at %s by %s, proposed by %s: %s\n", t.ID,
					ledger.DayText(t.FromDay), ledger.DayText(t.ToDay), t.At, cell(t.CarriedOutBy), cell(t.ProposedBy), cell(t.Why))
			}
			return nil
		})
	}
}

// maxTokenBytes bounds a file that holds a token.
const maxTokenBytes = 4096

// person says who acts: the user of the operating system, or the token in a file.
func person(ctx context.Context, o opened, tokenFile, why string) (halley.Change, error) {
	c := change(why)
	if tokenFile == "" {
		return c, nil
	}
	text, err := namedfile.Read(tokenFile, maxTokenBytes)
	if err != nil {
		return c, fmt.Errorf("the token cannot be read: %w", err)
	}
	caller, err := bearer(ctx, o, strings.TrimSpace(string(text)))
	if err != nil {
		return c, err
	}
	if !caller.Rights.AtOrganization(halley.PermitRetentionDecide, halley.RootOrganization) {
		return c, &halley.Error{
			Kind: halley.Forbidden, Op: "act as a token",
			Message: "the token " + caller.Name + " has no right to decide about retention: its role must hold " +
				string(halley.PermitRetentionDecide) + " for the whole tree",
		}
	}
	c.Actor = caller.Actor()
	return c, nil
}

// bearer finds whose a token is. It waits for the store as long as every command does, which a sign-in would not.
func bearer(ctx context.Context, o opened, text string) (access.Caller, error) {
	refuse := func(why string) (access.Caller, error) {
		return access.Caller{}, &halley.Error{Kind: halley.Unauthenticated, Op: "act as a token", Message: why}
	}
	hash := sha256.Sum256([]byte(text))
	token, err := o.store.Token(ctx, hash[:])
	switch {
	case halley.KindOf(err) == halley.NotFound:
		return refuse("the file holds no token of this store: halley token list shows those that there are")
	case err != nil:
		return access.Caller{}, err
	case token.RevokedAt != 0:
		return refuse("the token " + token.Name + " was revoked")
	case token.Expired(halley.MillisOf(time.Now())):
		return refuse("the token " + token.Name + " has expired: make another with halley token create")
	}
	// The keeper's login reads nothing of people, which a token's rights do not need.
	tree, err := registry.ReadTree(ctx, o.store)
	if err != nil {
		return access.Caller{}, err
	}
	return access.CallerOf(token, tree), nil
}
