package sqlkit

import (
	"regexp"
	"sync"
	"sync/atomic"
)

// tableNames finds the names of Halley's tables where a statement names a table. Names that end the same way as a longer one
// are no trouble, because a name ends where its word does.
var tableNames = regexp.MustCompile(`\b(FROM|JOIN|INTO|UPDATE)\s+(?:"limit"|"checkpoint"|(?:alarm|attachment|audit|` +
	`audit_review|batch|channel|channel_description|completeness_change|completeness_day|credential|device|device_description|` +
	`fact|gap_cause|interruption|layout|layout_slot|lease|ledger_key|message|node|organization|organization_description|part|` +
	`person|person_description|person_detail|person_secret|place|place_description|proof|registry_change|role|role_description|` +
	`role_grant|role_grant_end|rollup|rollup_mark|schema_migration|session|tally|token|token_end|tombstone|unclocked)\b)`)

// Qualify puts a schema, such as "halley.", before the names of Halley's tables in a statement.
func Qualify(schema, text string) string {
	if schema == "" {
		return text
	}
	return tableNames.ReplaceAllStringFunc(text, func(found string) string {
		at := len(found)
		for at > 0 && found[at-1] > ' ' {
			at--
		}
		return found[:at] + schema + found[at:]
	})
}

// qualifier remembers what Qualify gave. There are few statements; should some caller ever make them up without end, those
// beyond a bound are made again each time.
type qualifier struct {
	schema string
	known  sync.Map
	count  atomic.Int64
}

const qualifiedTexts = 1000

func (q *qualifier) qualify(text string) string {
	if q.schema == "" {
		return text
	}
	if made, ok := q.known.Load(text); ok {
		if s, ok := made.(string); ok {
			return s
		}
	}
	made := Qualify(q.schema, text)
	if q.count.Add(1) <= qualifiedTexts {
		q.known.Store(text, made)
	}
	return made
}
