package sqlserver

import (
	"context"
	"errors"
	"log/slog"

	"halley/storage"
	"halley/storage/internal/sqlkit"
)

// readers is how many connections read at a time.
const readers = 8

// Store is a storage.Store in a database of SQL Server.
type Store struct {
	*sqlkit.Store
}

// Open checks the options and prepares the connections; the server may be away. The error is Invalid where the options cannot be
// right. What is wrong with the connection, or with the schema, every method says when it is used.
func Open(ctx context.Context, o Options) (*Store, error) {
	log := o.Log
	if log == nil {
		log = slog.New(slog.DiscardHandler)
	}
	t, err := check(o)
	if err != nil {
		return nil, err
	}
	for _, w := range t.warnings {
		log.WarnContext(ctx, "the connection to SQL Server should be set up differently", "why", w)
	}
	// Whoever reads never waits for the one that writes.
	write, read := newConnector(t, o.PasswordFile), newConnector(t, o.PasswordFile)
	writer, reader := write.pool(1), read.pool(readers)
	kit, err := sqlkit.New(ctx, sqlkit.Config{
		Dialect: dialect(func() int64 { return write.Generation() + read.Generation() }),
		Reader:  reader, Writer: writer, Log: log,
	})
	if err != nil {
		return nil, errors.Join(err, reader.Close(), writer.Close())
	}
	return &Store{Store: kit}, nil
}

// Checked is what Check says of options that can be right. Nothing of it is a secret.
type Checked struct {
	// Address is the host with its port or instance, Database the name of the database.
	Address, Database string
	// Warnings are sentences about what works and should be different.
	Warnings []string
}

// Check says whether the options can be right, as Open does, without opening anything.
func Check(o Options) (Checked, error) {
	t, err := check(o)
	if err != nil {
		return Checked{}, err
	}
	return Checked{Address: t.address(), Database: t.config.Database, Warnings: t.warnings}, nil
}

// check takes the DSN apart and reads the files that the options name, to tell a mistake at once. They are read again for every
// connection.
func check(o Options) (*target, error) {
	t, err := parse(o)
	if err != nil {
		return nil, err
	}
	if _, err := readTrust(t.certificateFile, t.certificateName); err != nil {
		return nil, err
	}
	if o.PasswordFile != "" {
		if _, err := readPassword(o.PasswordFile); err != nil {
			return nil, err
		}
	}
	return t, nil
}

// Interface guard.
var _ storage.Store = (*Store)(nil)
