package main

import (
	"context"
	"fmt"
	"path/filepath"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"halley"
	"halley/server/registry"
	"halley/storage"
	"halley/storage/sqlite"
	"halley/storage/sqlserver"
)

// placesAtOnce is the size of the pages in which places are read, as servers do.
const placesAtOnce = 1000

// TestSQLServerOfALargeTree moves a store of HALLEY_TREE_PLACES places (some where it says nothing), ten for each organization, and
// reads the tree there. It prints how long that takes.
func TestSQLServerOfALargeTree(t *testing.T) {
	t.Parallel()
	places := numberFrom(t, "HALLEY_TREE_PLACES", 200)
	s := newSite(t, onEngine(t), "north")
	s.init(t)
	administrator(t, s.data)
	from, err := sqlite.Open(t.Context(), sqlite.Options{Path: filepath.Join(s.data, storeFile)})
	if err != nil {
		t.Fatal(err)
	}
	began := time.Now()
	grow(t, from, places/10, places)
	t.Logf("organizations=%d places=%d made in %v", places/10, places, time.Since(began))
	want := treeOf(t, from)
	if err := from.Close(); err != nil {
		t.Fatal(err)
	}
	began = time.Now()
	if out, errs, code := s.run(t, "migrate", "--from", "sqlite", "--to", "sqlserver", "--data", s.data); code != exitDone {
		t.Fatalf("migrate ends with %d and says\n%s%s", code, out, errs)
	}
	t.Logf("moved in %v", time.Since(began))
	to, err := sqlserver.Open(t.Context(), sqlserver.Options{DSN: halley.Secret(s.database.String())})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := to.Close(); err != nil {
			t.Error(err)
		}
	})
	began = time.Now()
	if _, err := to.RegistryVersion(t.Context()); err != nil {
		t.Fatal(err)
	}
	t.Logf("a first answer of the database in %v", time.Since(began))
	if diff := cmp.Diff(want, treeOf(t, to)); diff != "" {
		t.Errorf("the tree (-before +after it moved):\n%s", diff)
	}
	began = time.Now()
	state, err := registry.Read(t.Context(), to)
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("read as servers do in %v", time.Since(began))
	if n := len(state.Organizations()); n != places/10+1 {
		t.Errorf("a server sees %d organizations, want %d", n, places/10+1)
	}
	changesTree(t, to)
}

// forTree says who grows a tree, and why.
func forTree() halley.Change {
	return halley.Change{Actor: halley.Actor{Kind: "cli", Name: "test"}, At: halley.MillisOf(time.Now()), Why: "a large customer"}
}

// grow adds organizations, each below the one of half its number, and places to them in turn.
func grow(t *testing.T, s storage.Store, organizations, places int) {
	t.Helper()
	nodes := []halley.OrganizationID{halley.RootOrganization}
	for i := range organizations {
		o, err := s.AddOrganization(t.Context(), halley.Organization{ParentID: nodes[i/2], Name: fmt.Sprintf("Organization %d", i)}, forTree())
		if err != nil {
			t.Fatal(err)
		}
		nodes = append(nodes, o.ID)
	}
	for i := range places {
		p := halley.Place{OrganizationID: nodes[i%len(nodes)], Name: fmt.Sprintf("Cold room %d", i)}
		if _, err := s.AddPlace(t.Context(), p, forTree()); err != nil {
			t.Fatal(err)
		}
	}
}

// largeTree is what a store lists of its tree.
type largeTree struct {
	Organizations []halley.Organization
	Places        []halley.Place
	Attachments   []halley.Attachment
}

// treeOf reads the tree and prints how long each list takes.
func treeOf(t *testing.T, s storage.Store) (tree largeTree) {
	t.Helper()
	began := time.Now()
	timed := func(what string, n int, err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		t.Logf("%d %s in %v", n, what, time.Since(began))
		began = time.Now()
	}
	var err error
	tree.Organizations, err = s.Organizations(t.Context())
	timed("organizations", len(tree.Organizations), err)
	for after := halley.PlaceID(0); ; {
		var page []halley.Place
		page, err = s.PlaceStates(t.Context(), after, placesAtOnce)
		if err != nil || len(page) == 0 {
			break
		}
		tree.Places = append(tree.Places, page...)
		after = page[len(page)-1].ID
	}
	timed("states of places", len(tree.Places), err)
	tree.Attachments, err = s.AllAttachments(t.Context(), 0, placesAtOnce)
	timed("attachments", len(tree.Attachments), err)
	return tree
}

// changesTree changes a large tree in every way and prints how long each takes.
func changesTree(t *testing.T, s storage.Store) {
	t.Helper()
	var node halley.Organization
	var place halley.Place
	name, closed := "Another name", true
	for _, step := range []struct {
		what string
		do   func(ctx context.Context) error
	}{
		{"an organization is added", func(ctx context.Context) (err error) {
			node, err = s.AddOrganization(ctx, halley.Organization{ParentID: 2, Name: "New"}, forTree())
			return err
		}},
		{"an organization is moved", func(ctx context.Context) error {
			root := halley.RootOrganization
			_, err := s.ChangeOrganization(ctx, node.ID, storage.OrganizationUpdate{ParentID: &root}, forTree())
			return err
		}},
		{"a place is added", func(ctx context.Context) (err error) {
			place, err = s.AddPlace(ctx, halley.Place{OrganizationID: node.ID, Name: "Room"}, forTree())
			return err
		}},
		{"a place is named and moved", func(ctx context.Context) error {
			second := halley.OrganizationID(2)
			_, err := s.ChangePlace(ctx, place.ID, storage.PlaceUpdate{Name: &name, OrganizationID: &second}, forTree())
			return err
		}},
		{"an organization is closed", func(ctx context.Context) error {
			_, err := s.ChangeOrganization(ctx, node.ID, storage.OrganizationUpdate{Closed: &closed}, forTree())
			return err
		}},
	} {
		began := time.Now()
		if err := step.do(t.Context()); err != nil {
			t.Fatalf("%s: %v", step.what, err)
		}
		t.Logf("%s in %v", step.what, time.Since(began))
	}
}
