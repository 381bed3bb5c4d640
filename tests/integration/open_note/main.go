// Opens a signed note by golang.org/x/mod/sumdb/note, which shares nothing with joingate, and prints its text.
// Arguments: the file with the verifier key, the file with the note.
package main

import (
	"fmt"
	"os"
	"strings"

	"golang.org/x/mod/sumdb/note"
)

func main() {
	key := string(read(os.Args[1]))
	verifier, err := note.NewVerifier(strings.TrimSpace(key))
	fail(err)
	opened, err := note.Open(read(os.Args[2]), note.VerifierList(verifier))
	fail(err)
	fmt.Print(opened.Text)
}

func read(path string) []byte {
	data, err := os.ReadFile(path)
	fail(err)
	return data
}

func fail(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}
