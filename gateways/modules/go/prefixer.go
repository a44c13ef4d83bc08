// Command prefixer writes `wasm:` and whatever it reads.
package main

import (
	"io"
	"os"
)

func main() {
	input, err := io.ReadAll(os.Stdin)
	if err == nil {
		_, err = os.Stdout.Write(append([]byte("wasm:"), input...))
	}
	if err != nil {
		os.Exit(1)
	}
}
