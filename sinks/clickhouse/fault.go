package clickhouse

import (
	"errors"
	"fmt"

	"github.com/ClickHouse/ch-go"
	"github.com/ClickHouse/clickhouse-go/v2"

	"superindex/chain"
)

// fault says what was being done when err came, and of which kind it is. Errors
// of the connection, time-outs and a server that is short of something are
// temporary, as is all that is not known here.
func (s *Sink) fault(doing string, err error) error {
	err = fmt.Errorf("clickhouse: %s: %w", doing, err)
	switch remedy := s.remedy(code(err)); {
	case remedy != "":
		return chain.Fatal(err, remedy)
	case code(err) == 243, code(err) == 75: // not enough space; cannot write to a file
		return fmt.Errorf("%w (the disk of the ClickHouse server is full: free some space there)", err)
	}
	return err
}

// code is the server's number for what it refused; 0 where it said none. The two
// layers of the driver have a type each.
func code(err error) int32 {
	var refused *clickhouse.Exception
	if errors.As(err, &refused) {
		return refused.Code
	}
	if refused, ok := ch.AsException(err); ok {
		return int32(refused.Code)
	}
	return 0
}

// remedy is what mends what the server refused with this code; "" where time
// does. The message names the table, the column or the right.
func (s *Sink) remedy(code int32) string {
	switch code {
	case 516, 192, 193, 194: // authentication failed; unknown user; wrong, required password
		return fmt.Sprintf("let sinks.clickhouse.dsn have the right password of user %s", s.user)
	case 497, 164, 452, 291: // access denied; read-only; setting constrained; database access denied
		return fmt.Sprintf("grant user %s the right that the message names on database %s (docs/warehouse.md, Rights)", s.user, s.database)
	case 60, 81, 218: // unknown table, unknown database, dropped table
		return fmt.Sprintf("somebody dropped it: drop the table migrations of database %s so that what is missing is made again, and for each network N, and feeds: %s", s.database, chain.Adopt("N"))
	case 8, 10, 16, 20, 47, 53, 70: // columns that are missing or of another type
		return fmt.Sprintf("somebody altered the table: give it back the columns that docs/warehouse.md shows, in database %s", s.database)
	case 115, 62, 46, 50: // unknown setting, syntax, function, type
		return "the server does not understand what superindex writes: use ClickHouse 25.8 or newer"
	}
	return ""
}
