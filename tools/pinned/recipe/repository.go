package recipe

import (
	"fmt"
	"os"
	"path/filepath"
)

// Repository returns the given root, or the nearest directory above the
// current one that holds go.work and tools/pinned.
func Repository(given string) (string, error) {
	if given != "" {
		return filepath.Abs(given)
	}
	directory, err := os.Getwd()
	if err != nil {
		return "", fmt.Errorf("find repository: %w", err)
	}
	for {
		if isRepository(directory) {
			return directory, nil
		}
		parent := filepath.Dir(directory)
		if parent == directory {
			return "", fmt.Errorf("find repository: no go.work above the current directory; run it inside the repository or pass --repo")
		}
		directory = parent
	}
}

func isRepository(directory string) bool {
	for _, sign := range []string{"go.work", filepath.Join("tools", "pinned")} {
		if _, err := os.Stat(filepath.Join(directory, sign)); err != nil {
			return false
		}
	}
	return true
}
