package recipe

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"sort"
)

// Key returns the name of the build that the recipe, its sources, the target
// and the Go version decide. It changes when any of them does.
func (b Builder) Key(recipe Recipe) (string, error) {
	files, err := sources(filepath.Join(b.Source, recipe.Name))
	if err != nil {
		return "", err
	}
	sum := sha256.New()
	if err := json.NewEncoder(sum).Encode(struct {
		Recipe Recipe
		Target Target
	}{recipe.withoutProse(), b.Target}); err != nil {
		return "", fmt.Errorf("hash recipe %s: %w", recipe.Name, err)
	}
	for _, file := range files {
		content, err := os.ReadFile(file)
		if err != nil {
			return "", fmt.Errorf("hash recipe %s: %w", recipe.Name, err)
		}
		fmt.Fprintf(sum, "%s %d\n", filepath.Base(file), len(content))
		sum.Write(content)
	}
	return hex.EncodeToString(sum.Sum(nil))[:12], nil
}

func (r Recipe) withoutProse() Recipe {
	r.About = ""
	return r
}

// sources returns the files of a recipe's module that decide its build.
func sources(directory string) ([]string, error) {
	var files []string
	for _, pattern := range []string{"go.mod", "go.sum", "*.go"} {
		found, err := filepath.Glob(filepath.Join(directory, pattern))
		if err != nil {
			return nil, fmt.Errorf("list %s: %w", directory, err)
		}
		files = append(files, found...)
	}
	if len(files) == 0 {
		return nil, fmt.Errorf("list %s: no go.mod there: is it the directory tools/pinned of the repository?", directory)
	}
	sort.Strings(files)
	return files, nil
}
