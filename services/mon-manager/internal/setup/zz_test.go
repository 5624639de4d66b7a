package setup

import (
	"testing"
	"time"
)

func TestZZCost(t *testing.T) {
	l := newLab(t, fault{})
	s := time.Now()
	l.create()
	l.settle()
	t.Logf("bootstrap %s", time.Since(s))
	s = time.Now()
	for range 10 {
		_ = l.pass()
	}
	t.Logf("pass %s", time.Since(s)/10)
	s = time.Now()
	for range 10 {
		l.sync(l.ctx)
	}
	t.Logf("sync %s", time.Since(s)/10)
	s = time.Now()
	for range 10 {
		l.guard.look("x")
	}
	t.Logf("look %s", time.Since(s)/10)
	s = time.Now()
	w := l.writes
	l.count(5)
	l.settle()
	t.Logf("grow %s, %d writes", time.Since(s), l.writes-w)
	s = time.Now()
	l.count(3)
	l.settle()
	t.Logf("shrink %s", time.Since(s))
	l.loseNode()
	l.settle()
	t.Logf("%+v\n%+v", l.cluster().Status.Monitors, l.cluster().Status.Conditions)
	l.picture()
}
