package logging

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/sirupsen/logrus"
)

// hidden stands for a secret.
const hidden = "***"

// secretWords are the words that make the name of a field suspicious. The list errs on the side of hiding.
var secretWords = []string{
	"password", "passwd", "passphrase", "secret", "token", "cookie", "authorization", "credential", "credentials", "bearer", "dsn",
}

// secretPairs are the suspicious names of two words.
var secretPairs = []string{"customer_key", "private_key", "entry_point", "customer_uid"}

// harmlessEnds are last words that say that a field tells about a secret and does not hold it.
var harmlessEnds = []string{"id", "name", "kind", "count", "expires", "role"}

// shown gives the fields as they may be written: secrets hidden, values that JSON cannot hold as text.
func shown(fields logrus.Fields) logrus.Fields {
	out := make(logrus.Fields, len(fields))
	for name, value := range fields {
		if isSecret(name) {
			out[name] = hidden
			continue
		}
		switch v := value.(type) {
		case error:
			out[name] = v.Error()
		case time.Time:
			out[name] = v.UTC().Format(timeLayout)
		case fmt.Stringer:
			out[name] = v.String()
		case float64:
			out[name] = v
			if math.IsNaN(v) || math.IsInf(v, 0) {
				out[name] = fmt.Sprint(v)
			}
		default:
			out[name] = v
		}
	}
	return out
}

// isSecret says whether a field of this name holds a secret.
func isSecret(name string) bool {
	name = strings.ToLower(name)
	// A group's name stands before a point; a secret group hides all that is in it.
	for part := range strings.SplitSeq(name, ".") {
		part = strings.ReplaceAll(part, "-", "_")
		words := strings.Split(part, "_")
		if slices.Contains(harmlessEnds, words[len(words)-1]) {
			continue
		}
		if slices.ContainsFunc(words, func(w string) bool { return slices.Contains(secretWords, w) }) {
			return true
		}
		if slices.ContainsFunc(secretPairs, func(p string) bool { return strings.Contains(part, p) }) {
			return true
		}
	}
	return false
}
