package durable

// SyncFolder does nothing: NTFS writes names through its own log, and a folder cannot be flushed.
func SyncFolder(string) error { return nil }
