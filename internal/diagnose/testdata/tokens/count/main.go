// Command count prints how many tokens the vocabularies of OpenAI's models make of files: what the file counts holds.
//
//	cd internal/diagnose/testdata/tokens/count && go run . ../*.txt > ../counts
package main

import (
	"fmt"
	"log"
	"os"
	"path/filepath"

	"github.com/tiktoken-go/tokenizer"
)

func main() {
	for _, path := range os.Args[1:] {
		text, err := os.ReadFile(path)
		if err != nil {
			log.Fatal(err)
		}
		fmt.Print(filepath.Base(path))
		for _, name := range []tokenizer.Encoding{tokenizer.O200kBase, tokenizer.Cl100kBase} {
			vocabulary, err := tokenizer.Get(name)
			if err != nil {
				log.Fatal(err)
			}
			n, err := vocabulary.Count(string(text))
			if err != nil {
				log.Fatal(err)
			}
			fmt.Print(" ", n)
		}
		fmt.Println()
	}
}
