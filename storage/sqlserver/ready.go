package sqlserver

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	"halley"
	"halley/storage"
)

// ready says whether the database has the schema of this program, and gives its number. The server never changes it.
func ready(ctx context.Context, db *sql.DB) (int, error) {
	const op = "use the database"
	list, err := migrations()
	if err != nil {
		return 0, err
	}
	number, err := applied(ctx, db, list)
	if e, ok := errors.AsType[*halley.Error](err); ok && e.Kind == halley.Conflict {
		// The journal keeps everything until somebody has put it right.
		return 0, &halley.Error{Kind: halley.Unavailable, Op: op, Code: schemaCode(e.Code), Message: e.Message, Err: e.Err}
	}
	switch {
	case err != nil:
		return 0, err
	case number == 0:
		return 0, &halley.Error{
			Kind: halley.Unavailable, Op: op, Code: storage.CodeNoSchema,
			Message: "the database has no tables of Halley, or its login may not read them: run halley init --store DSN with the " +
				"owner's login, and make the login of the service a member of the role " + roleService,
		}
	case number < len(list):
		return 0, &halley.Error{
			Kind: halley.Unavailable, Op: op, Code: storage.CodeOlderSchema,
			Message: fmt.Sprintf("the database has schema %d and this program needs %d: run halley init --store DSN with the owner's "+
				"login; until then everything is kept in the journal", number, len(list)),
		}
	}
	return number, nil
}

// schemaCode gives the code of storage for one of sqlkit.
func schemaCode(code string) string {
	if code == "newer-schema" {
		return storage.CodeNewerSchema
	}
	return code
}
