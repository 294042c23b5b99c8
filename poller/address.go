package poller

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"regexp"
	"strings"
)

// AddressHash is what an e-mail address is known by: hex of the SHA-256 of it in lower
// case; "" of none.
func AddressHash(email string) string {
	if email = strings.ToLower(strings.TrimSpace(email)); email == "" {
		return ""
	}
	sum := sha256.Sum256([]byte(email))
	return hex.EncodeToString(sum[:])
}

var address = regexp.MustCompile(`\\(?:u[0-9a-fA-F]{4}|.)|[A-Za-z0-9._%+\-]+@[A-Za-z0-9\-]+(?:\.[A-Za-z0-9\-]+)*\.[A-Za-z]{2,}`)

// hidden is a text, JSON or not, with its e-mail addresses replaced by their hashes.
// What is escaped in JSON is no part of one, and git@host:path or git@host/path is how a
// repository is reached by SSH: nobody's mail.
func hidden(text []byte) []byte {
	if bytes.IndexByte(text, '@') < 0 {
		return text
	}
	var kept []byte
	done := 0
	for _, at := range address.FindAllIndex(text, -1) {
		found, behind := text[at[0]:at[1]], text[at[1]:]
		if found[0] == '\\' || bytes.HasPrefix(found, []byte("git@")) && len(behind) > 0 && (behind[0] == ':' || behind[0] == '/') {
			continue
		}
		kept = append(append(kept, text[done:at[0]]...), "sha256:"+AddressHash(string(found))...)
		done = at[1]
	}
	return append(kept, text[done:]...)
}

// hide hides the addresses of what an ask brought, rows and answers alike: a title may
// have one, and so may a name.
func (r *Result) hide() {
	for i := range r.Rows {
		r.Rows[i].Body = hidden(r.Rows[i].Body)
	}
	for i := range r.Payloads {
		r.Payloads[i].Body = hidden(r.Payloads[i].Body)
	}
}
