package cephlet

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strconv"
	"syscall"
)

// Install copies the running program to dir/cephlet; see InstallAs.
func Install(dir string) error { return InstallAs(dir, "cephlet") }

// InstallAs copies the running program to dir/name, so that containers of another
// image in the same pod can run it. It replaces an older copy at once.
func InstallAs(dir, name string) error {
	self, err := os.Open("/proc/self/exe")
	if err != nil {
		return fmt.Errorf("open own program: %w", err)
	}
	defer self.Close()
	temp, err := os.CreateTemp(dir, "."+name+"-*")
	if err != nil {
		return fmt.Errorf("make file in %s: %w", dir, err)
	}
	_, copyErr := io.Copy(temp, self)
	err = errors.Join(copyErr, temp.Chmod(0o755), temp.Close())
	if err == nil {
		err = os.Rename(temp.Name(), filepath.Join(dir, name))
	}
	if err != nil {
		return errors.Join(fmt.Errorf("install into %s: %w", dir, err), os.Remove(temp.Name()))
	}
	return nil
}

// Own makes the directories and gives them, with all that is in them, to the
// user. What it owns already is left alone, so a second start writes nothing.
func Own(userName string, dirs ...string) error {
	account, err := user.Lookup(userName)
	if err != nil {
		return fmt.Errorf("look up user: %w", err)
	}
	uid, uidErr := strconv.Atoi(account.Uid)
	gid, gidErr := strconv.Atoi(account.Gid)
	if err := errors.Join(uidErr, gidErr); err != nil {
		return fmt.Errorf("read ids of user %s: %w", userName, err)
	}
	for _, dir := range dirs {
		if err := os.MkdirAll(dir, 0o750); err != nil {
			return fmt.Errorf("make directory: %w", err)
		}
		if err := filepath.WalkDir(dir, giveTo(uid, gid)); err != nil {
			return fmt.Errorf("give %s to %s: %w", dir, userName, err)
		}
	}
	return nil
}

func giveTo(uid, gid int) fs.WalkDirFunc {
	return func(path string, entry fs.DirEntry, err error) error {
		if errors.Is(err, fs.ErrNotExist) {
			return nil // it went while we walked
		}
		if err != nil {
			return err
		}
		info, err := entry.Info()
		if err != nil {
			return err
		}
		if stat, ok := info.Sys().(*syscall.Stat_t); ok && int(stat.Uid) == uid && int(stat.Gid) == gid {
			return nil
		}
		return os.Lchown(path, uid, gid)
	}
}

// Exec replaces the running program; it returns only on failure.
func Exec(argv []string) error {
	path, err := exec.LookPath(argv[0])
	if err != nil {
		return fmt.Errorf("find program: %w", err)
	}
	if err := syscall.Exec(path, argv, os.Environ()); err != nil {
		return fmt.Errorf("run %s: %w", path, err)
	}
	return nil
}
