package nats

import (
	"fmt"
	"log/slog"
)

// journal hands the server's messages to slog, and keeps the first fatal one:
// the server goes on after it as if nothing were the matter.
type journal struct {
	log   *slog.Logger
	fatal chan error
}

func (j *journal) Noticef(format string, v ...any) {
	j.log.Debug("nats", "message", fmt.Sprintf(format, v...))
}

func (j *journal) Debugf(format string, v ...any) {
	j.log.Debug("nats", "message", fmt.Sprintf(format, v...))
}

func (j *journal) Tracef(format string, v ...any) {
	j.log.Debug("nats", "message", fmt.Sprintf(format, v...))
}

func (j *journal) Warnf(format string, v ...any) {
	j.log.Warn("nats", "message", fmt.Sprintf(format, v...))
}

func (j *journal) Errorf(format string, v ...any) {
	j.log.Error("nats", "message", fmt.Sprintf(format, v...))
}

func (j *journal) Fatalf(format string, v ...any) {
	select {
	case j.fatal <- fmt.Errorf(format, v...):
	default:
	}
}
