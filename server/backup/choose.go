package backup

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"halley"
)

// Choice says which backup is wanted.
type Choice struct {
	// Node is the server that wrote it; "" where only one did.
	Node string
	// Until is the instant to which the state is wanted; the zero time for the newest.
	Until time.Time
}

// chosen is what a state is restored from: everything from one backup, but for the journal where a later one reaches further.
type chosen struct {
	base, journal Found
}

const (
	opChoose = "choose a backup"

	// CodeNone is NotFound: there is no complete backup at a place.
	CodeNone = "no-backup"
)

// choose finds what to restore from.
func choose(ctx context.Context, at Target, c Choice) (chosen, error) {
	all, err := manifests(ctx, at, func(string) bool { return true })
	if err != nil {
		return chosen{}, err
	}
	list, err := usable(at, all, c.Node)
	if err != nil {
		return chosen{}, err
	}
	slices.SortStableFunc(list, func(a, b Found) int { return a.Manifest.StoreAt.Compare(b.Manifest.StoreAt) })
	newest := list[len(list)-1]
	if c.Until.IsZero() {
		return chosen{base: newest, journal: newest}, nil
	}
	before := slices.DeleteFunc(slices.Clone(list), func(f Found) bool { return f.Manifest.StoreAt.After(c.Until) })
	if len(before) == 0 {
		return chosen{}, &halley.Error{
			Kind: halley.Invalid, Op: opChoose, Field: "until", Code: "until-too-early",
			Message: fmt.Sprintf("the oldest backup in %s holds the database as it was at %s already: a state before that needs an older backup",
				at, list[0].Manifest.StoreAt.UTC().Format(time.RFC3339)),
		}
	}
	base := before[len(before)-1]
	return chosen{base: base, journal: reaching(list, base, c.Until)}, nil
}

// usable leaves out what cannot be read and what other servers wrote.
func usable(at Target, all []Found, node string) ([]Found, error) {
	var list []Found
	var damaged error
	nodes := map[string]bool{}
	for _, f := range all {
		switch {
		case f.Problem != nil:
			damaged = f.Problem
		case node == "" || f.Manifest.Node == node:
			list = append(list, f)
			nodes[f.Manifest.Node] = true
		}
	}
	if len(list) == 0 && damaged != nil {
		return nil, damaged
	}
	if len(list) == 0 {
		what := "a backup"
		if node != "" {
			what += " of the server " + node
		}
		return nil, &halley.Error{Kind: halley.NotFound, Op: opChoose, Code: CodeNone, Message: at.String() + " does not hold " + what + " that is complete"}
	}
	if len(nodes) > 1 {
		var names []string
		for n := range nodes {
			names = append(names, n)
		}
		slices.Sort(names)
		return nil, &halley.Error{
			Kind: halley.Invalid, Op: opChoose, Field: "of", Code: "several-servers",
			Message: fmt.Sprintf("%s holds backups of several servers (%s): say which one with --of NAME", at, strings.Join(names, ", ")),
		}
	}
	return list, nil
}

// reaching gives the backup whose journal holds what base lacks up to an instant: base itself where no later one does.
func reaching(list []Found, base Found, until time.Time) Found {
	best := base
	for _, f := range list {
		j := f.Manifest.Journal
		if best.Manifest.End.Before(until) && f.Manifest.End.After(best.Manifest.End) &&
			j.Origin == base.Manifest.Journal.Origin && j.First <= max(base.Manifest.Store.RecordedSeq, base.Manifest.Journal.First-1)+1 {
			best = f
		}
	}
	return best
}
