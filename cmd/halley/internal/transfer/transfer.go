// Package transfer moves the content of one store into another while a server goes on writing to the first: most of it while
// nothing is held up, the rest while only the recorder waits. It can be broken off at any point and begun again.
package transfer

import (
	"context"
	"fmt"

	"halley"
	"halley/storage"
)

// Options say what to move where.
type Options struct {
	Source storage.Movable
	Target storage.Importer
	// Tables are those that move, MessageTable is the one with the messages; it is the last of Tables.
	Tables []storage.TransferTable
	// TargetName says in words where the content goes; it is no secret.
	TargetName string
	// Load and Save keep how far the work has come. Load gives nil where nothing was begun.
	Load func() ([]byte, error)
	Save func([]byte) error
	// Tell is called with each step forward.
	Tell func(Progress)
}

// Progress is how far one step has come.
type Progress struct {
	// Step says in words what is done.
	Step string
	// Done and Total count messages; Total is 0 where it is not known.
	Done, Total int64
}

// Report says what was moved.
type Report struct {
	// Messages counts the rows of messages that were compared, Rows those of the other tables.
	Messages, Rows int64
	// Digest is SHA-256 over all rows that were compared, in the order of their keys, the same in both databases.
	Digest [32]byte
	// Batch is the newest batch that moved.
	Batch int64
}

const (
	// pageRows is how many rows go in one transaction.
	pageRows = 5_000
	// fewMessages is how many messages may be left to move while the recorder waits.
	fewMessages = 20_000
	// mostPasses bounds how often the rest is moved before the recorder is made to wait.
	mostPasses = 8
)

// mover is one run.
type mover struct {
	Options
	state   state
	message storage.TransferTable
	report  Report
	sums    sums
}

// Run moves everything. After a nil error the source takes nothing more.
func Run(ctx context.Context, o Options) (Report, error) {
	m := &mover{Options: o, message: o.Tables[len(o.Tables)-1], sums: newSums()}
	if err := m.begin(ctx); err != nil {
		return Report{}, err
	}
	if err := m.copyFirst(ctx); err != nil {
		return Report{}, err
	}
	if err := m.compareFirst(ctx); err != nil {
		return Report{}, err
	}
	for range mostPasses {
		left, err := m.left(ctx)
		if err != nil {
			return Report{}, err
		}
		if left <= fewMessages {
			break
		}
		if err := m.follow(ctx); err != nil {
			return Report{}, err
		}
	}
	m.Tell(Progress{Step: "moving the rest; uploads wait in the journal meanwhile"})
	err := m.Source.MoveOut(ctx, m.TargetName, func(ctx context.Context) error {
		if err := m.follow(ctx); err != nil {
			return err
		}
		return m.settle(ctx)
	})
	m.report.Digest = m.sums.total()
	return m.report, err
}

// begin finds out whether this is a new run or one that goes on, and that the target is fit for it.
func (m *mover) begin(ctx context.Context) error {
	elsewhere, err := m.Source.MovedTo(ctx)
	if err != nil {
		return err
	}
	if elsewhere != "" {
		return &halley.Error{
			Kind: halley.Conflict, Op: "move the store", Code: storage.CodeMoved,
			Message: "the embedded store has moved to " + elsewhere + " already: there is nothing left to move",
		}
	}
	known, err := m.load()
	if err != nil {
		return err
	}
	there, err := m.Target.LastBatch(ctx)
	if err != nil {
		return err
	}
	if there > 0 && !m.state.Settling {
		return &halley.Error{
			Kind: halley.Conflict, Op: "move the store", Code: "target-in-use",
			Message: "the database holds samples of its own already: choose an empty one, made ready by halley init",
		}
	}
	if known {
		return nil
	}
	last, err := m.Source.LastBatch(ctx)
	if err != nil {
		return err
	}
	m.state = state{Target: m.TargetName, First: last, Reached: last}
	return m.save()
}

// copyFirst brings over everything up to the batch at which the run began. Marks go before the rollups they are about: a period
// that is marked at any time until its rollup was read is computed again.
func (m *mover) copyFirst(ctx context.Context) error {
	if m.state.Copied {
		return nil
	}
	total, err := m.Source.BatchMessages(ctx, 0, m.state.First)
	if err != nil {
		return err
	}
	for i, t := range m.Tables {
		if i < m.state.Table || t.Name == "batch" {
			continue
		}
		if i > m.state.Table {
			m.state.Table, m.state.Key, m.state.Done = i, nil, 0
		}
		if err := m.copyTable(ctx, t, total); err != nil {
			return err
		}
	}
	m.state.Copied = true
	return m.save()
}

// copyTable copies one table from where it was left.
func (m *mover) copyTable(ctx context.Context, t storage.TransferTable, total int64) error {
	p := Progress{Step: "copying devices, places and what else is known"}
	q := storage.RowQuery{Table: t, Limit: pageRows, After: m.state.Key}
	if t.Name == m.message.Name {
		p.Step, p.Total = "copying messages", total
		q.UpToBatch = m.state.First
		if m.state.First == 0 {
			return nil
		}
	}
	for {
		rows, err := m.Source.ExportRows(ctx, q)
		if err != nil {
			return fmt.Errorf("reading %s: %w", words(t.Name), err)
		}
		if len(rows) == 0 {
			return nil
		}
		if _, err := m.Target.ImportRows(ctx, t, rows, false); err != nil {
			return fmt.Errorf("writing %s: %w", words(t.Name), err)
		}
		q.After = keyOf(t, rows[len(rows)-1])
		m.state.Key = q.After
		if t.Name == m.message.Name {
			m.state.Done += heads(rows)
		}
		if err := m.save(); err != nil {
			return err
		}
		p.Done = m.state.Done
		m.Tell(p)
	}
}

// compareFirst compares what copyFirst copied, row by row, and has the rollups computed again that were open when it began: they
// closed since, or will, by messages that come over later.
func (m *mover) compareFirst(ctx context.Context) error {
	if m.state.First == 0 {
		return nil
	}
	total, err := m.Source.BatchMessages(ctx, 0, m.state.First)
	if err != nil {
		return err
	}
	q := storage.RowQuery{Table: m.message, Limit: pageRows, UpToBatch: m.state.First}
	var newest [][]any
	p := Progress{Step: "comparing messages", Total: total}
	for {
		ours, err := m.comparePage(ctx, q)
		if err != nil {
			return err
		}
		if len(ours) == 0 {
			break
		}
		for _, row := range ours {
			if n := len(newest); n > 0 && newest[n-1][0] == row[0] {
				newest[n-1] = row
			} else {
				newest = append(newest, row)
			}
		}
		q.After = keyOf(m.message, ours[len(ours)-1])
		p.Done += heads(ours)
		m.Tell(p)
	}
	for len(newest) > 0 {
		n := min(len(newest), pageRows)
		if _, err := m.Target.ImportRows(ctx, m.message, newest[:n], true); err != nil {
			return fmt.Errorf("marking what is to be computed again: %w", err)
		}
		newest = newest[n:]
	}
	return nil
}

// comparePage compares a page of both sides and gives the source's.
func (m *mover) comparePage(ctx context.Context, q storage.RowQuery) ([][]any, error) {
	ours, err := m.Source.ExportRows(ctx, q)
	if err != nil || len(ours) == 0 {
		return nil, err
	}
	q.Limit = len(ours)
	theirs, err := m.Target.ExportRows(ctx, q)
	if err != nil {
		return nil, err
	}
	if err := m.sums.compare(q.Table, ours, theirs); err != nil {
		return nil, err
	}
	m.report.Messages += heads(ours)
	return ours, nil
}

// left counts the messages that came since the last pass.
func (m *mover) left(ctx context.Context) (int64, error) {
	last, err := m.Source.LastBatch(ctx)
	if err != nil {
		return 0, err
	}
	return m.Source.BatchMessages(ctx, m.state.Reached, last)
}

// follow brings over the messages of the batches since the last pass, and compares them.
func (m *mover) follow(ctx context.Context) error {
	last, err := m.Source.LastBatch(ctx)
	if err != nil {
		return err
	}
	m.report.Batch = last
	if last == m.state.Reached {
		return nil
	}
	q := storage.RowQuery{Table: m.message, Limit: pageRows, AfterBatch: m.state.Reached, UpToBatch: last}
	p := Progress{Step: "moving what came meanwhile"}
	for {
		rows, err := m.Source.ExportRows(ctx, q)
		if err != nil {
			return err
		}
		if len(rows) == 0 {
			break
		}
		if _, err := m.Target.ImportRows(ctx, m.message, rows, true); err != nil {
			return err
		}
		if err := m.compareRows(ctx, q, rows); err != nil {
			return err
		}
		q.After = keyOf(m.message, rows[len(rows)-1])
		p.Done += heads(rows)
		m.Tell(p)
	}
	m.state.Reached = last
	return m.save()
}

// compareRows compares rows of several devices, each device's by one read from its first row on.
func (m *mover) compareRows(ctx context.Context, q storage.RowQuery, rows [][]any) error {
	for len(rows) > 0 {
		n := 1
		for n < len(rows) && rows[n][0] == rows[0][0] {
			n++
		}
		// The key just before the first.
		q.After, q.Limit = keyOf(m.message, rows[0]), n
		q.After[len(q.After)-1]--
		theirs, err := m.Target.ExportRows(ctx, q)
		if err != nil {
			return err
		}
		if err := m.sums.compare(q.Table, rows[:n], theirs); err != nil {
			return err
		}
		m.report.Messages += heads(rows[:n])
		rows = rows[n:]
	}
	return nil
}

// settle brings over what else changed, compares it, and in the end the batches, by which a server finds where to go on.
func (m *mover) settle(ctx context.Context) error {
	var batches storage.TransferTable
	for _, t := range m.Tables {
		switch t.Name {
		case m.message.Name:
		case "rollup":
			// Those that are absent are of marked periods.
		case "batch":
			batches = t
		default:
			if err := m.reconcile(ctx, t); err != nil {
				return err
			}
		}
	}
	if err := m.movePeople(ctx); err != nil {
		return err
	}
	m.state.Settling = true
	if err := m.save(); err != nil {
		return err
	}
	return m.reconcile(ctx, batches)
}

// reconcile walks through a table in both databases, brings over what is absent and compares the rest.
func (m *mover) reconcile(ctx context.Context, t storage.TransferTable) error {
	m.Tell(Progress{Step: "comparing devices, places and what else is known"})
	q := storage.RowQuery{Table: t, Limit: pageRows}
	for {
		ours, err := m.Source.ExportRows(ctx, q)
		if err != nil || len(ours) == 0 {
			return err
		}
		if t.Derived {
			// What is there already may have been computed since: only what is absent counts.
			_, err = m.Target.ImportRows(ctx, t, ours, false)
		} else {
			err = m.reconcilePage(ctx, q, ours)
		}
		if err != nil {
			return err
		}
		q.After = keyOf(t, ours[len(ours)-1])
	}
}

func (m *mover) reconcilePage(ctx context.Context, q storage.RowQuery, ours [][]any) error {
	q.Limit = len(ours)
	theirs, err := m.Target.ExportRows(ctx, q)
	if err != nil {
		return err
	}
	if len(theirs) < len(ours) || compareKeys(keyOf(q.Table, theirs[len(theirs)-1]), keyOf(q.Table, ours[len(ours)-1])) != 0 {
		if _, err := m.Target.ImportRows(ctx, q.Table, ours, false); err != nil {
			return err
		}
		if theirs, err = m.Target.ExportRows(ctx, q); err != nil {
			return err
		}
	}
	m.report.Rows += int64(len(ours))
	return m.sums.compare(q.Table, ours, theirs)
}
