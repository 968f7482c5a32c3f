package sqlserver_test

import (
	"context"
	"database/sql/driver"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"strconv"
	"strings"
	"testing"

	mssql "github.com/microsoft/go-mssqldb"

	"halley"
	"halley/storage"
	"halley/storage/sqlserver"
)

func TestEveryNumberHasItsMeaning(t *testing.T) {
	t.Parallel()
	unavailable := map[string][]int32{
		storage.CodeFull:     {1101, 1105, 1827, 9002, 5149, 3257},
		storage.CodeReadOnly: {3906, 3908, 976, 978, 979},
		storage.CodeNoSchema: {207, 208, 2812},
		sqlserver.CodeBusy:   {1205, 1222, 701, 802, 8645, 8651},
		sqlserver.CodeLogin:  {18450, 18452, 18456, 18470, 18486, 18487, 18488},
		sqlserver.CodeNoDatabase: {
			4060, 911, 916, 4064,
		},
		sqlserver.CodePermission: {229, 230, 262, 297, 300, 15247},
		sqlserver.CodeOffline:    {921, 922, 923, 924, 927, 942, 952, 954, 955, 983, 988},
		sqlserver.CodeDamaged:    {925, 926, 945, 823, 824},
		sqlserver.CodeAway: {
			233, 64, 121, 10053, 10054, 10060, 10061, 596, 6005, 17142, 17187, 17188, 17189, 18401, 18461, 17809, 17810,
		},
	}
	for code, numbers := range unavailable {
		for _, n := range numbers {
			got := mapped(t, sqlserver.MapError(sqlserver.EngineError(mssql.Error{Number: n, Class: 16, Message: "its words"})))
			if got.Kind != halley.Unavailable || got.Code != code || got.Message == "" {
				t.Errorf("%d: got kind %d, code %q, %q, want code %q", n, got.Kind, got.Code, got.Message, code)
			}
		}
	}
	for _, n := range []int32{2627, 2601} {
		if got := mapped(t, sqlserver.MapError(mssql.Error{Number: n, Class: 14})); got.Kind != halley.Conflict {
			t.Errorf("%d: got kind %d", n, got.Kind)
		}
	}
	for _, n := range []int32{0, 547, 245, 8152, 50000} {
		if got := mapped(t, sqlserver.MapError(mssql.Error{Number: n, Class: 16})); got.Kind != halley.Internal {
			t.Errorf("%d: got kind %d", n, got.Kind)
		}
	}
}

func mapped(t *testing.T, err error) *halley.Error {
	t.Helper()
	e, ok := errors.AsType[*halley.Error](err)
	if !ok {
		t.Fatalf("%v is no *halley.Error", err)
	}
	return e
}

func TestFullInItsOwnWords(t *testing.T) {
	t.Parallel()
	seen := map[string]int32{}
	for _, n := range []int32{1105, 9002, 1827, 5149} {
		got := mapped(t, sqlserver.MapError(mssql.Error{Number: n}))
		if other, told := seen[got.Message]; told {
			t.Errorf("%d and %d say the same: %s", n, other, got.Message)
		}
		seen[got.Message] = n
	}
}

func TestOfSeveralErrorsTheFirstThatIsKnownCounts(t *testing.T) {
	t.Parallel()
	err := sqlserver.MapError(fmt.Errorf("appending: %w", sqlserver.EngineError(
		mssql.Error{Number: 50001, Class: 16, Message: "something of a trigger"},
		mssql.Error{Number: 4060, Class: 11, Message: "Cannot open database"},
		mssql.Error{Number: 18456, State: 38, Class: 14, Message: "Login failed for user 'ferdinand'."},
	)))
	if got := mapped(t, err); got.Code != sqlserver.CodeNoDatabase {
		t.Errorf("got code %q", got.Code)
	}
	if e, ok := errors.AsType[mssql.Error](err); !ok || e.Number != 4060 {
		t.Errorf("behind it is %v", e.Number)
	}
}

func TestErrorsShowNoNamesAndStayOnALine(t *testing.T) {
	t.Parallel()
	for _, e := range []mssql.Error{
		{Number: 18456, Message: "Login failed for user 'ferdinand'."},
		{Number: 916, Message: "The server principal \"ferdinand\" is not able to access the database"},
		{Number: 2627, Message: "Violation of PRIMARY KEY. The duplicate key value is (ferdinand)."},
	} {
		if text := sqlserver.MapError(e).Error(); strings.Contains(text, "ferdinand") || !strings.Contains(text, strconv.Itoa(int(e.Number))) {
			t.Errorf("%d: %s", e.Number, text)
		}
	}
	text := sqlserver.MapError(sqlserver.EngineError(mssql.Error{Number: 1105, Message: "Could not allocate\nspace  here"}, mssql.Error{Number: 3621})).Error()
	if strings.Contains(text, "\n") || !strings.Contains(text, "Could not allocate space here") {
		t.Errorf("got %q", text)
	}
}

func TestWhatBreaksIsAway(t *testing.T) {
	t.Parallel()
	for name, err := range map[string]error{
		"the pool's word":          driver.ErrBadConn,
		"an end":                   fmt.Errorf("reading: %w", io.EOF),
		"an early end":             io.ErrUnexpectedEOF,
		"a closed connection":      net.ErrClosed,
		"a time that is over":      fmt.Errorf("reading: %w", os.ErrDeadlineExceeded),
		"a failed dial":            &net.OpError{Op: "dial", Err: errors.New("x")},
		"garbage":                  mssql.StreamError{InnerError: errors.New("x")},
		"a fatal error, not known": mssql.Error{Number: 4242, Class: 20},
	} {
		if got := mapped(t, sqlserver.MapError(err)); got.Kind != halley.Unavailable || got.Code != sqlserver.CodeAway {
			t.Errorf("%s: got kind %d, code %q", name, got.Kind, got.Code)
		}
	}
}

func TestWhatIsMappedStays(t *testing.T) {
	t.Parallel()
	if sqlserver.MapError(nil) != nil {
		t.Error("nil became an error")
	}
	mine := &halley.Error{Kind: halley.NotFound}
	if got := sqlserver.MapError(fmt.Errorf("x: %w", mine)); halley.KindOf(got) != halley.NotFound {
		t.Errorf("got %v", got)
	}
	for _, ended := range []error{context.Canceled, context.DeadlineExceeded} {
		got := sqlserver.MapError(fmt.Errorf("x: %w", ended))
		if _, ok := errors.AsType[*halley.Error](got); ok || !errors.Is(got, ended) {
			t.Errorf("%v became %v", ended, got)
		}
	}
	if got := mapped(t, sqlserver.MapError(errors.New("a fault of ours"))); got.Kind != halley.Internal {
		t.Errorf("got kind %d", got.Kind)
	}
}
