package sqlserver

// Tables are those that the service has rights on.
func Tables() []string { return tables() }
