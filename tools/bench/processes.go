package main

import (
	"bufio"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

// ticksPerSecond is USER_HZ, which Linux fixes at 100 for what it shows in /proc.
const ticksPerSecond = 100

// process is one running process of a service.
type process struct {
	pid int
	// pss is the proportional set size in bytes: memory shared with others counts in part.
	pss int64
	// own is the part of it that is no page of a file: what the process allocated.
	own int64
	// cpu is what it has used since it began.
	cpu time.Duration
}

// processesOf finds the processes of a program, by the name of its executable.
func processesOf(program string) ([]process, error) {
	links, err := filepath.Glob("/proc/[0-9]*/exe")
	if err != nil {
		return nil, fmt.Errorf("list processes: %w", err)
	}
	var found []process
	for _, link := range links {
		target, err := os.Readlink(link)
		if err != nil || filepath.Base(strings.TrimSuffix(target, " (deleted)")) != program {
			continue
		}
		p, err := readProcess(filepath.Dir(link))
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return nil, err
		}
		found = append(found, p)
	}
	return found, nil
}

func readProcess(dir string) (process, error) {
	pid, err := strconv.Atoi(filepath.Base(dir))
	if err != nil {
		return process{}, fmt.Errorf("read pid of %s: %w", dir, err)
	}
	pss, own, err := readPSS(filepath.Join(dir, "smaps_rollup"))
	if err != nil {
		return process{}, err
	}
	cpu, err := readCPU(filepath.Join(dir, "stat"))
	return process{pid: pid, pss: pss, own: own, cpu: cpu}, err
}

// readPSS reads the proportional set size and its anonymous part from smaps_rollup
// (proc(5)), in bytes.
func readPSS(file string) (pss, own int64, err error) {
	body, err := os.Open(file)
	if err != nil {
		return 0, 0, err
	}
	defer body.Close()
	found := map[string]int64{}
	lines := bufio.NewScanner(body)
	for lines.Scan() {
		fields := strings.Fields(lines.Text())
		if len(fields) < 2 || (fields[0] != "Pss:" && fields[0] != "Pss_Anon:") {
			continue
		}
		kib, err := strconv.ParseInt(fields[1], 10, 64)
		if err != nil {
			return 0, 0, fmt.Errorf("read %s: %w", file, err)
		}
		found[fields[0]] = kib << 10
	}
	if len(found) != 2 {
		return 0, 0, fmt.Errorf("read %s: no Pss or no Pss_Anon", file)
	}
	return found["Pss:"], found["Pss_Anon:"], lines.Err()
}

// readCPU adds user and system time; the name in parentheses may hold spaces.
func readCPU(file string) (time.Duration, error) {
	body, err := os.ReadFile(file)
	if err != nil {
		return 0, err
	}
	_, rest, _ := strings.Cut(string(body), ") ")
	fields := strings.Fields(rest)
	const user, system = 11, 12
	if len(fields) <= system {
		return 0, fmt.Errorf("read %s: %d fields are too few", file, len(fields))
	}
	ticks := int64(0)
	for _, at := range []int{user, system} {
		n, err := strconv.ParseInt(fields[at], 10, 64)
		if err != nil {
			return 0, fmt.Errorf("read %s: %w", file, err)
		}
		ticks += n
	}
	return time.Duration(ticks) * time.Second / ticksPerSecond, nil
}
