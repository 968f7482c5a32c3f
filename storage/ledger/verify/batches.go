package verify

import (
	"context"
	"fmt"
	"sort"

	"halley/storage/ledger"
)

// pageSize is how many rows of a list are read at once.
const pageSize = 500

// batchPages finds batches by their numbers, and remembers the page that was read last.
type batchPages struct {
	source ledger.Source
	page   []ledger.Batch
	// The page holds all batches in (after, end].
	after, end int64
}

// at gives the batch of a number; found is false where it is not there.
func (p *batchPages) at(ctx context.Context, id int64) (b ledger.Batch, found bool, err error) {
	if id <= p.after || id > p.end {
		page, err := p.source.LedgerBatches(ctx, id-1, pageSize)
		if err != nil {
			return ledger.Batch{}, false, fmt.Errorf("reading batches: %w", err)
		}
		p.page, p.after, p.end = page, id-1, id-1
		if len(page) > 0 {
			p.end = page[len(page)-1].ID
		}
	}
	i := sort.Search(len(p.page), func(i int) bool { return p.page[i].ID >= id })
	if i < len(p.page) && p.page[i].ID == id {
		return p.page[i], true, nil
	}
	return ledger.Batch{}, false, nil
}

// chainEnd is where the chain of a node stands while it is read.
type chainEnd struct {
	id     int64
	digest ledger.Digest
	begun  bool
}

// journalEnd is how far the batches of a journal reach.
type journalEnd struct {
	seq   uint64
	batch int64
	// wrong says that the batch itself is not what was recorded.
	wrong bool
}

// broken is a batch that does not follow the one before.
type broken struct {
	batch  ledger.Batch
	before chainEnd
	// gap says which entries of the journal lie between, "" for none.
	gap string
}

// linkage is what a batch was found to be in its chain.
type linkage struct{ wrong, breaks bool }

// readBatches follows the chains of all nodes.
func (r *run) readBatches(ctx context.Context) error {
	ends, journals := map[string]*chainEnd{}, map[[2]string]*journalEnd{}
	var breaks []broken
	for {
		page, err := r.Source.LedgerBatches(ctx, r.bound, pageSize)
		if err != nil {
			return fmt.Errorf("reading batches: %w", err)
		}
		if len(page) == 0 {
			break
		}
		for i := range page {
			b := &page[i]
			r.bound = b.ID
			end := ends[b.Node]
			if end == nil {
				end = &chainEnd{}
				ends[b.Node] = end
			}
			link := r.checkBatch(b, end)
			gap := r.checkRange(b, link, journals)
			if link.breaks && len(breaks) < MaxFindings {
				breaks = append(breaks, broken{*b, *end, gap})
			}
			r.heads.meet(b)
			r.sumParts(b)
			if !b.Digest.IsZero() {
				*end = chainEnd{id: b.ID, digest: b.Digest, begun: true}
				r.lastOf[b.Node] = ledger.Head{Node: b.Node, ID: b.ID, Digest: b.Digest}
			}
		}
		if err := r.breathe(ctx, "batches", r.result.Batches, 0); err != nil {
			return err
		}
	}
	if n := r.result.Uncovered; n > 0 {
		r.note("%d batches were recorded before the ledger began and are not covered", n)
	}
	return r.nameBreaks(ctx, breaks)
}

// sumParts adds the parts of a batch to the sums of their days.
func (r *run) sumParts(b *ledger.Batch) {
	for i := range b.Parts {
		p := b.Parts[i]
		p.Batch = b.ID
		sum := r.days[p.Day]
		if sum == nil {
			sum = &rowSum{}
			r.days[p.Day] = sum
		}
		sum.addPart(&r.secret, &p)
	}
}

// checkBatch holds a batch against itself and the one before of its node.
func (r *run) checkBatch(b *ledger.Batch, end *chainEnd) (link linkage) {
	if b.Digest.IsZero() {
		if end.begun {
			r.findf(Changed, b.ID, "batch %d of node %s has no digest, although the ledger had begun", b.ID, b.Node)
		} else {
			r.result.Uncovered++
		}
		return linkage{wrong: end.begun}
	}
	r.result.Batches++
	if link.wrong = b.Sum() != b.Digest; link.wrong {
		r.findf(Changed, b.ID, "batch %d of node %s (entries %d to %d of its journal): its row, or the list of its parts, is not what was recorded",
			b.ID, b.Node, b.FirstSeq, b.LastSeq)
	}
	link.breaks = b.Previous != end.digest
	return link
}

// checkRange looks for entries of a journal that no batch recorded. Where the chain breaks, or a batch is wrong in itself, that is
// said already; the gap is given to be said with it.
func (r *run) checkRange(b *ledger.Batch, link linkage, journals map[[2]string]*journalEnd) (gap string) {
	key := [2]string{b.Node, b.JournalID}
	end := journals[key]
	now := &journalEnd{seq: b.LastSeq, batch: b.ID, wrong: link.wrong}
	journals[key] = now
	if end == nil {
		return ""
	}
	behind := b.FirstSeq > end.seq+1
	if behind {
		gap = fmt.Sprintf("the entries %d to %d of the journal of node %s", end.seq+1, b.FirstSeq-1, b.Node)
	}
	switch {
	case link.wrong || link.breaks || end.wrong:
	case behind && r.facts.setBackAt(b.Node, end.batch):
		r.note("%s were never recorded again after the database had been set back", gap)
	case behind:
		r.findf(Missing, b.ID, "%s are in no batch: batch %d ends before them and batch %d begins behind them", gap, end.batch, b.ID)
	case b.FirstSeq <= end.seq:
		r.findf(Reordered, b.ID, "batch %d of node %s has the entries %d to %d of its journal, which lie before the end of batch %d",
			b.ID, b.Node, b.FirstSeq, b.LastSeq, end.batch)
	}
	return gap
}

// nameBreaks says of each batch that does not follow the one before whether its predecessor lies elsewhere or is gone.
func (r *run) nameBreaks(ctx context.Context, breaks []broken) error {
	if len(breaks) == 0 {
		return nil
	}
	places := map[ledger.Digest]int64{}
	for i := range breaks {
		places[breaks[i].batch.Previous] = 0
	}
	for after := int64(0); after < r.bound; {
		page, err := r.Source.LedgerBatches(ctx, after, pageSize)
		if err != nil {
			return fmt.Errorf("reading batches: %w", err)
		}
		if len(page) == 0 {
			break
		}
		for i := range page {
			after = page[i].ID
			if _, wanted := places[page[i].Digest]; wanted && !page[i].Digest.IsZero() {
				places[page[i].Digest] = page[i].ID
			}
		}
	}
	for i := range breaks {
		r.nameBreak(&breaks[i], places[breaks[i].batch.Previous])
	}
	return nil
}

func (r *run) nameBreak(x *broken, place int64) {
	b := &x.batch
	switch {
	case b.Previous.IsZero():
		r.findf(Changed, b.ID, "batch %d of node %s says that none came before it, but batch %d did", b.ID, b.Node, x.before.id)
	case place != 0:
		r.findf(Reordered, b.ID, "batch %d of node %s was recorded behind batch %d, but %s", b.ID, b.Node, place, followsNow(x.before))
	default:
		gap := ""
		if x.gap != "" {
			gap = "; " + x.gap + " are in no batch"
		}
		r.findf(Missing, b.ID, "the batch that was recorded before batch %d of node %s is gone or is not what it was; %s%s", b.ID, b.Node,
			followsNow(x.before), gap)
	}
}

func followsNow(before chainEnd) string {
	if !before.begun {
		return "it is now the first"
	}
	return fmt.Sprintf("it now lies behind batch %d", before.id)
}
