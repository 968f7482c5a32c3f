package server

import (
	"context"
	"fmt"

	"halley/config"
	"halley/server/backup"
)

// prepareBackups makes the scheduler, which rests where no place for backups is configured.
func (s *Server) prepareBackups(context.Context) (err error) {
	b := s.opts.Config.Backup
	o := backup.SchedulerOptions{
		Node: s.opts.Config.Node, At: b.At, JournalOnly: b.Parts == config.BackupJournal, DrillEvery: b.DrillEvery.Duration, DrillOverdue: b.DrillOverdue.Duration,
		Backup: s.opts.Backup, Drill: s.opts.Drill, Proofs: s.gate.Within(maintenancePatience), Log: s.opts.Log.With("part", "backup"),
	}
	if s.opts.Backup != nil && s.opts.Drill != nil {
		for _, to := range b.To {
			o.To = append(o.To, backup.PlaceName(to))
		}
	}
	s.backups, err = backup.NewScheduler(o)
	return err
}

// Backups says how backups stand.
func (s *Server) Backups() backup.State { return s.backups.State() }

// backupFindings says in words what a person should know of the backups. That none is configured is no finding: the page of proofs
// says so.
func backupFindings(st *backup.State) []Finding {
	var list []Finding
	if !st.Configured || !st.Known {
		return nil
	}
	add := func(code, format string, args ...any) {
		list = append(list, Finding{Code: code, Severity: Degraded, Text: fmt.Sprintf(format, args...)})
	}
	if st.Backup != nil && !st.BackupOK {
		add("backup-failed", "The backup to %s failed at %s: %s. It is tried again every hour; halley backup tries it now.",
			st.Backup.To, words(st.BackupAt), st.Backup.Problem)
	}
	if st.Overdue {
		last := "There is no backup that every place holds."
		if st.GoodAt != 0 {
			last = fmt.Sprintf("The last good backup is of %s.", words(st.GoodAt))
		}
		add("backup-overdue", "%s See that the places of [backup] to can be reached and have room.", last)
	}
	if st.Drill != nil && !st.DrillOK {
		add("drill-failed", "The restore of the backup %s is not proven: %s.", st.Drill.Backup, st.Drill.Problem)
	}
	if st.DrillOverdue {
		last := "That a backup can be restored was never proven."
		if st.ProvenAt != 0 {
			last = fmt.Sprintf("That a backup can be restored was last proven at %s.", words(st.ProvenAt))
		}
		add("drill-overdue", "%s Run halley backup drill, or see [backup] drill-every and drill-key.", last)
	}
	return list
}
