package machine

import (
	"errors"
	"net/netip"
	"os"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/rook-ceph/rook-ceph/tools/localkube/internal/config"
)

func TestOnlyTheMachinesOwnInitIsTakenForIt(t *testing.T) {
	const directory = "/state/default/machines/node1"
	cases := map[string]struct {
		commandLine string
		want        bool
	}{
		"its init":                     {"/state/localkube\x00machine-init\x00" + directory + "\x00", true},
		"the init of another machine":  {"/state/localkube\x00machine-init\x00/state/default/machines/node2\x00", false},
		"an editor of its spec":        {"vi\x00" + directory + "/machine.json\x00", false},
		"a grep for it":                {"grep\x00machine-init\x00" + directory + "\x00-r\x00", false},
		"a process that hides":         {"", false},
		"a name that only begins like": {"/state/localkube\x00machine-init\x00" + directory + "0\x00", false},
	}
	for name, test := range cases {
		t.Run(name, func(t *testing.T) {
			if got := isInitCommand([]byte(test.commandLine), directory); got != test.want {
				t.Errorf("isInitCommand = %t, want %t", got, test.want)
			}
		})
	}
}

func TestStartTimeSurvivesStrangeProgramNames(t *testing.T) {
	stat := "42 (a) b ) c) S 1 42 42 0 -1 4194560 1 2 3 4 5 6 7 8 20 0 9 0 777 1000 2000\n"
	got, err := parseStartTime(stat)
	if err != nil || got != 777 {
		t.Errorf("parseStartTime = %d, %v, want 777", got, err)
	}
	zombie := "42 (a) Z 1 42 42 0 -1 4194560 1 2 3 4 5 6 7 8 20 0 9 0 777 1000 2000\n"
	if _, err := parseStartTime(zombie); !errors.Is(err, os.ErrProcessDone) {
		t.Errorf("a zombie counts as alive: %v", err)
	}
	if _, err := parseStartTime("42 (a) S 1"); err == nil {
		t.Error("a short line is taken for a process")
	}
}

func TestAProcessIsNotTakenForALaterOneOfItsNumber(t *testing.T) {
	started, err := startTime(os.Getpid())
	if err != nil {
		t.Fatal(err)
	}
	if !(Process{PID: os.Getpid(), Started: started}).Alive() {
		t.Error("this process counts as dead")
	}
	earlier := Process{PID: os.Getpid(), Started: started - 1}
	if earlier.Alive() {
		t.Error("an earlier process of the same number counts as alive")
	}
	if err := earlier.Kill(); err != nil {
		t.Errorf("killing a process that has ended: %v", err)
	}
}

func TestFindIgnoresAPidFileOfAnotherProgram(t *testing.T) {
	directory := t.TempDir()
	started, err := startTime(os.Getpid())
	if err != nil {
		t.Fatal(err)
	}
	if err := (Process{PID: os.Getpid(), Started: started}).save(directory); err != nil {
		t.Fatal(err)
	}
	if process, ok := Find(directory); ok {
		t.Errorf("Find = %+v, want none: this test is no init process", process)
	}
}

func TestSpecSurvivesItsFile(t *testing.T) {
	spec := Spec{
		Cluster: "default", Name: "node1", Directory: t.TempDir(), Cgroup: "/c/node1",
		Address: netip.MustParsePrefix("10.0.0.11/24"), Gateway: netip.MustParseAddr("10.0.0.1"),
		Routes:   []Route{{To: netip.MustParsePrefix("10.0.66.0/24"), Via: netip.MustParseAddr("10.0.0.12")}},
		Binds:    []Bind{{From: "/cache/kube", To: "/opt/localkube/kube"}},
		Loops:    []int{100, 120},
		Services: []config.Service{{Name: "kubelet", Args: []string{"/kubelet", "--x"}}},
	}
	if err := spec.Save(); err != nil {
		t.Fatal(err)
	}
	got, err := Load(spec.Directory)
	if err != nil {
		t.Fatal(err)
	}
	equal := cmp.Comparer(func(a, b netip.Addr) bool { return a == b })
	equalPrefix := cmp.Comparer(func(a, b netip.Prefix) bool { return a == b })
	if diff := cmp.Diff(spec, got, equal, equalPrefix); diff != "" {
		t.Errorf("spec differs (-want +got):\n%s", diff)
	}
}

func TestAServiceThatKeepsEndingRestsLongerEachTime(t *testing.T) {
	now := time.Unix(1000, 0)
	s := &service{Service: config.Service{Name: "x"}, pause: shortestPause, pid: 7, began: now}
	var pauses []time.Duration
	for range 7 {
		s.ended(now, 0)
		pauses = append(pauses, s.startAt.Sub(now))
		if s.pid != 0 {
			t.Fatal("an ended service counts as running")
		}
	}
	want := []time.Duration{500 * time.Millisecond, time.Second, 2 * time.Second, 4 * time.Second, 8 * time.Second, 10 * time.Second, 10 * time.Second}
	if diff := cmp.Diff(want, pauses); diff != "" {
		t.Errorf("pauses differ (-want +got):\n%s", diff)
	}
	s.began = now.Add(-settled)
	s.ended(now, 0)
	if got := s.startAt.Sub(now); got != 0 {
		t.Errorf("pause after a long life = %s, want none", got)
	}
}
