package testenv

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
)

// BinEnv names the environment variable with the directory of the binaries.
const BinEnv = "ROOK_CEPH_BIN"

// binaries are the paths of the programs that make an API server.
type binaries struct {
	etcd, apiserver string
}

// findBinaries looks in the directory that BinEnv names, else in bin/ of the
// repository, else in the machine-wide cache.
func findBinaries() (binaries, error) {
	etcd, err := findBinary("etcd", "etcd")
	if err != nil {
		return binaries{}, err
	}
	apiserver, err := findBinary("kube-apiserver", "kube")
	return binaries{etcd: etcd, apiserver: apiserver}, err
}

// findBinary gives the absolute path of a program. In the cache, each build has a
// directory named after the recipe and a hash; the newest is taken.
func findBinary(name, recipe string) (string, error) {
	var candidates []string
	if dir := os.Getenv(BinEnv); dir != "" {
		candidates = append(candidates, filepath.Join(dir, name))
	} else {
		if root, ok := repository(); ok {
			candidates = append(candidates, filepath.Join(root, "bin", name))
		}
		candidates = append(candidates, cached(name, recipe)...)
	}
	for _, path := range candidates {
		if info, err := os.Stat(path); err == nil && info.Mode()&0o111 != 0 {
			return filepath.Abs(path)
		}
	}
	return "", fmt.Errorf("find %s: not in %v; run `make tools-kube tools-etcd` or set %s", name, candidates, BinEnv)
}

// repository gives the directory above that holds go.work.
func repository() (string, bool) {
	dir, err := os.Getwd()
	for err == nil {
		if _, statErr := os.Stat(filepath.Join(dir, "go.work")); statErr == nil {
			return dir, true
		}
		parent := filepath.Dir(dir)
		if parent == dir {
			break
		}
		dir = parent
	}
	return "", false
}

// cached gives the builds of a program in the machine-wide cache, newest first.
func cached(name, recipe string) []string {
	cache := os.Getenv("XDG_CACHE_HOME")
	if cache == "" {
		cache = filepath.Join(os.Getenv("HOME"), ".cache")
	}
	paths, err := filepath.Glob(filepath.Join(cache, "rook-ceph", "bin", recipe+"-*", name))
	if err != nil {
		return nil
	}
	newest := func(i, j string) int {
		a, errA := os.Stat(i)
		b, errB := os.Stat(j)
		if errA != nil || errB != nil {
			return 0
		}
		return b.ModTime().Compare(a.ModTime())
	}
	slices.SortFunc(paths, newest)
	return paths
}
