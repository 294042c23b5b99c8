package clickhouse

import (
	"errors"
	"fmt"
	"runtime"
	"unsafe"

	"github.com/ebitengine/purego"
)

// library is what is needed of libchdb: its clickhouse-local main, which alone
// can open listeners. An embedded connection (chdb_connect) cannot.
type library struct {
	setSignals func(on int32)
	main       func(argc int32, argv unsafe.Pointer) (result unsafe.Pointer)
	failure    func(result unsafe.Pointer) (text unsafe.Pointer)
	free       func(result unsafe.Pointer)
}

func loadLibrary(path string) (*library, error) {
	handle, err := purego.Dlopen(path, purego.RTLD_NOW|purego.RTLD_LOCAL)
	if err != nil {
		return nil, fmt.Errorf("load %s: %w", path, err)
	}
	var l library
	for name, function := range map[string]any{
		"chdb_set_signal_handlers_enabled": &l.setSignals,
		"chdb_query_cmdline":               &l.main,
		"chdb_result_error":                &l.failure,
		"chdb_destroy_query_result":        &l.free,
	} {
		symbol, err := purego.Dlsym(handle, name)
		if err != nil {
			return nil, fmt.Errorf("load %s: %w", path, err)
		}
		purego.RegisterFunc(function, symbol)
	}
	return &l, nil
}

// run is clickhouse-local with these arguments. It returns when the engine has
// shut down. The engine's own signal handlers would turn the first nil
// dereference in Go into a hang, so they stay off.
func (l *library) run(args []string) error {
	l.setSignals(0)
	argv := make([]unsafe.Pointer, 0, len(args)+2)
	var pins runtime.Pinner
	defer pins.Unpin()
	for _, arg := range append([]string{"clickhouse"}, args...) {
		text := append([]byte(arg), 0)
		pins.Pin(&text[0])
		argv = append(argv, unsafe.Pointer(&text[0]))
	}
	argv = append(argv, nil)
	pins.Pin(&argv[0])
	result := l.main(int32(len(argv)-1), unsafe.Pointer(&argv[0]))
	if result == nil {
		return errors.New("the engine gave no result")
	}
	defer l.free(result)
	if text := l.failure(result); text != nil {
		return errors.New(goString(text))
	}
	return nil
}

func goString(text unsafe.Pointer) string {
	n := 0
	for *(*byte)(unsafe.Add(text, n)) != 0 {
		n++
	}
	return string(unsafe.Slice((*byte)(text), n))
}
