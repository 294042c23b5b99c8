package registry

import (
	"encoding/hex"
	"fmt"
	"strings"
	"unicode/utf8"

	"golang.org/x/crypto/sha3"

	"superindex/chain"
)

// parseAddress reads an address in either case. The reason is empty for a good
// one and otherwise says what is wrong with the text, in words for its author.
func parseAddress(text string) (a chain.Address, reason string) {
	if reason := flaw(text); reason != "" {
		return a, reason
	}
	if err := a.UnmarshalText([]byte(text)); err != nil {
		return a, err.Error()
	}
	return a, ""
}

func flaw(text string) string {
	digits, prefixed := strings.CutPrefix(strings.ToLower(text), "0x")
	wrong := strings.IndexFunc(digits, func(r rune) bool { return !strings.ContainsRune("0123456789abcdef", r) })
	switch {
	case text == "":
		return "the address is empty"
	case strings.TrimSpace(text) != text:
		return "a blank before or after the address"
	case !prefixed:
		return "no 0x at the start"
	case wrong >= 0:
		odd, _ := utf8.DecodeRuneInString(digits[wrong:])
		return fmt.Sprintf("%q is no hex digit", string(odd))
	case len(digits) != 40:
		return fmt.Sprintf("%d hex digits instead of 40", len(digits))
	}
	return ""
}

// checksum is the address as EIP-55 writes it: a digit is a capital where the
// same place of the Keccak-256 of the lower-case digits is 8 or more.
func checksum(a chain.Address) string {
	text := a.AppendText(nil)
	h := sha3.NewLegacyKeccak256()
	h.Write(text[2:])
	mask := hex.AppendEncode(nil, h.Sum(nil))
	for i := range 40 {
		if text[2+i] >= 'a' && mask[i] >= '8' {
			text[2+i] -= 'a' - 'A'
		}
	}
	return string(text)
}

// miscased reports whether the text mixes capitals and small letters otherwise
// than EIP-55 does: it may be mistyped. All of one case carries no checksum.
func miscased(text string, a chain.Address) bool {
	digits := text[2:]
	mixed := digits != strings.ToLower(digits) && digits != strings.ToUpper(digits)
	return mixed && digits != checksum(a)[2:]
}
