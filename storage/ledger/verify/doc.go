// Package verify holds a ledger against what it covers, and says in plain words what is not as it was recorded and where. It reads
// a ledger.Source in a stream: a store, or an exported folder. Its memory does not grow with the data, as long as nothing is wrong.
//
// What it proves is what the signatures and what was kept outside prove, no more; docs/ledger.md says it. What is added while it
// runs is left for the next time.
package verify
