package cephtest

import (
	"maps"
	"sync"
)

// commands is the fake's command table. It never changes.
var commands = sync.OnceValue(func() map[string]command {
	table := map[string]command{}
	for _, part := range []map[string]command{
		monCommands(), mgrCommands(), dashboardCommands(), authCommands(), configCommands(),
		healthCommands(), osdReadCommands(), osdWriteCommands(), osdMapCommands(),
		crushCommands(), ruleCommands(), poolCommands(), poolSettingCommands(), profileCommands(),
		filesystemCommands(), mdsCommands(), groupCommands(),
		subvolumeCommands(), snapshotCommands(),
	} {
		maps.Copy(table, part)
	}
	return table
})

func read(signature string, run func(*call) (any, error)) command {
	return command{to: toMon, signature: signature, run: run}
}

func write(signature string, run func(*call) error) command {
	return command{to: toMon, writes: true, signature: signature, run: silent(run)}
}

func mgrRead(signature string, run func(*call) (any, error)) command {
	return command{to: toMgr, signature: signature, run: run}
}

func mgrWrite(signature string, run func(*call) error) command {
	return command{to: toMgr, writes: true, signature: signature, run: silent(run)}
}

// answer is a command that changes the cluster and has a reply.
func answer(signature string, run func(*call) (any, error)) command {
	return command{to: toMon, writes: true, signature: signature, run: run}
}

func silent(run func(*call) error) func(*call) (any, error) {
	return func(c *call) (any, error) { return nil, run(c) }
}
