// Package ledger keeps the proof of a running server: it signs checkpoints of the ledger's chains with the node's own key and sends
// them out of the machine, verifies what is stored at night and on demand, and notices when the database is older than what this
// server knows of it. What is signed and how it is verified, storage/ledger says.
package ledger
