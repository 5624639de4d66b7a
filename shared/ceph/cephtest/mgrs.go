package cephtest

import (
	"slices"

	"github.com/rook-ceph/rook-ceph/shared/ceph"
)

// managers is the mgrmap and which modules are on.
type managers struct {
	epoch    uint64
	nextGID  uint64
	active   string
	gids     map[string]uint64
	standbys []string
	enabled  []string
	known    []string
}

func newManagers() managers {
	return managers{
		epoch: 1, nextGID: 4100, gids: map[string]uint64{},
		enabled: []string{"iostat", "nfs"},
		known: []string{
			"alerts", "cephadm", "dashboard", "diskprediction_local", "influx", "insights", "iostat", "nfs",
			"prometheus", "rook", "snap_schedule", "stats", "telegraf", "test_orchestrator", "zabbix",
		},
	}
}

func alwaysOn() []string {
	return []string{
		"balancer", "crash", "devicehealth", "orchestrator", "pg_autoscaler", "progress",
		"rbd_support", "status", "telemetry", "volumes",
	}
}

func (m *managers) count() int { return len(m.gids) }

// StartMgr runs a mgr: it becomes active when there is none, else a standby.
func (c *Cluster) StartMgr(name string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.startMgr(name)
}

func (c *Cluster) startMgr(name string) {
	m := &c.mgrs
	if _, running := m.gids[name]; running {
		return
	}
	m.nextGID++
	m.epoch++
	m.gids[name] = m.nextGID
	if m.active == "" {
		m.active = name
		return
	}
	m.standbys = append(m.standbys, name)
}

// LoseMgr stops a mgr; a standby takes over from an active one.
func (c *Cluster) LoseMgr(name string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.mgrs.drop(name)
}

func (m *managers) drop(name string) {
	if _, running := m.gids[name]; !running {
		return
	}
	delete(m.gids, name)
	m.epoch++
	if m.active == name {
		m.active = ""
		if len(m.standbys) > 0 {
			m.active, m.standbys = m.standbys[0], m.standbys[1:]
		}
		return
	}
	m.standbys = slices.DeleteFunc(m.standbys, func(standby string) bool { return standby == name })
}

// ActiveMgr returns the name of the active mgr, or "".
func (c *Cluster) ActiveMgr() string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.mgrs.active
}

func mgrCommands() map[string]command {
	return map[string]command{
		"mgr dump":                  read("", (*call).mgrDump),
		"mgr stat":                  read("", (*call).mgrStat),
		"mgr services":              read("", func(c *call) (any, error) { return c.mgrServices(), nil }),
		"mgr fail":                  write("who:str?", (*call).mgrFail),
		"mgr module ls":             read("", (*call).mgrModules),
		"mgr module enable":         write("module:str force:bool?", (*call).moduleEnable),
		"mgr module disable":        write("module:str", (*call).moduleDisable),
		"balancer mode":             mgrWrite("mode:str", (*call).balancerMode),
		"balancer on":               mgrWrite("", func(c *call) error { c.balance.Active = true; return nil }),
		"balancer off":              mgrWrite("", func(c *call) error { c.balance.Active = false; return nil }),
		"balancer status":           mgrRead("", func(c *call) (any, error) { return c.balance, nil }),
		"rbd task add trash remove": mgrWrite("image_id_spec:str", (*call).trashRemove),
	}
}

func (c *call) mgrDump() (any, error) {
	m := &c.mgrs
	dump := ceph.MgrMap{
		Epoch: m.epoch, ActiveGID: m.gids[m.active], ActiveName: m.active, Available: m.active != "",
		Standbys: []ceph.MgrStandby{}, Modules: slices.Clone(m.enabled),
		AlwaysOnModules: map[string][]string{releaseName(c.version): alwaysOn()},
		Services:        c.mgrServices(),
	}
	for _, name := range m.standbys {
		dump.Standbys = append(dump.Standbys, ceph.MgrStandby{GID: m.gids[name], Name: name})
	}
	return dump, nil
}

func (c *call) mgrStat() (any, error) {
	return map[string]any{
		"epoch": c.mgrs.epoch, "available": c.mgrs.active != "",
		"active_name": c.mgrs.active, "num_standby": len(c.mgrs.standbys),
	}, nil
}

func (c *call) mgrServices() map[string]string {
	services := map[string]string{}
	if c.mgrs.active == "" {
		return services
	}
	if slices.Contains(c.mgrs.enabled, "dashboard") {
		services["dashboard"] = "https://10.0.1.1:8443/"
	}
	if slices.Contains(c.mgrs.enabled, "prometheus") {
		services["prometheus"] = "http://10.0.1.1:9283/"
	}
	return services
}

func (c *call) mgrFail() error {
	name := c.str("who")
	if name == "" {
		name = c.mgrs.active
	}
	if _, running := c.mgrs.gids[name]; !running {
		c.status = "Daemon not found '" + name + "', already failed?"
		return nil
	}
	c.mgrs.drop(name)
	c.startMgr(name)
	return nil
}

func (c *call) mgrModules() (any, error) {
	modules := ceph.MgrModules{AlwaysOn: alwaysOn(), Enabled: slices.Clone(c.mgrs.enabled), Disabled: []ceph.MgrModule{}}
	for _, name := range c.mgrs.known {
		if !slices.Contains(c.mgrs.enabled, name) {
			modules.Disabled = append(modules.Disabled, ceph.MgrModule{Name: name, CanRun: true})
		}
	}
	return modules, nil
}

func (c *call) moduleEnable() error {
	name := c.str("module")
	switch {
	case slices.Contains(alwaysOn(), name):
		c.status = "module '" + name + "' is already enabled (always-on)"
	case !slices.Contains(c.mgrs.known, name) && !c.flag("force"):
		return refuse(errNoEntry, "all mgr daemons do not support module '%s', pass --force to force enablement", name)
	case !slices.Contains(c.mgrs.enabled, name):
		c.mgrs.enabled = append(c.mgrs.enabled, name)
		slices.Sort(c.mgrs.enabled)
		c.mgrs.epoch++
	}
	return nil
}

func (c *call) moduleDisable() error {
	name := c.str("module")
	if slices.Contains(alwaysOn(), name) {
		errno := errInvalid
		if releaseName(c.version) == "tentacle" {
			errno = errPerm
		}
		return refuse(errno, "module '%s' cannot be disabled (always-on)", name)
	}
	if i := slices.Index(c.mgrs.enabled, name); i >= 0 {
		c.mgrs.enabled = slices.Delete(c.mgrs.enabled, i, i+1)
		c.mgrs.epoch++
	}
	return nil
}

func (c *call) balancerMode() error {
	if !slices.Contains([]string{"none", "crush-compat", "upmap", "upmap-read", "read"}, c.str("mode")) {
		return refuse(errInvalid, "%s not valid", c.str("mode"))
	}
	c.balance.Mode = c.str("mode")
	return nil
}

func (c *call) trashRemove() error {
	c.tasks = append(c.tasks, c.str("image_id_spec"))
	return nil
}

// TrashTasks returns the image ids whose removal was queued, in order.
func (c *Cluster) TrashTasks() []string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return slices.Clone(c.tasks)
}

func dashboardCommands() map[string]command {
	table := map[string]command{
		"dashboard ac-user-show":              mgrRead("username:str", (*call).loginShow),
		"dashboard ac-user-create":            mgrWrite("username:str rolename:str?", (*call).loginCreate),
		"dashboard ac-user-set-password":      mgrWrite("username:str", (*call).loginPassword),
		"dashboard create-self-signed-cert":   mgrWrite("", (*call).selfSigned),
		"dashboard set-grafana-api-url":       mgrWrite("value:str", (*call).dashboardSet),
		"dashboard set-alertmanager-api-host": mgrWrite("value:str", (*call).dashboardSet),
		"dashboard set-prometheus-api-host":   mgrWrite("value:str", (*call).dashboardSet),
		"dashboard set-ssl-certificate":       mgrWrite("", (*call).dashboardSet),
		"dashboard set-ssl-certificate-key":   mgrWrite("", (*call).dashboardSet),
	}
	for prefix, entry := range table {
		run := entry.run
		entry.run = func(c *call) (any, error) {
			if !slices.Contains(c.mgrs.enabled, "dashboard") {
				return nil, refuse(errInvalid, "No handler found for '%s'", prefix)
			}
			return run(c)
		}
		table[prefix] = entry
	}
	return table
}

func (c *call) loginShow() (any, error) {
	login, found := c.logins[c.str("username")]
	if !found {
		return nil, refuse(errNoEntry, "User '%s' does not exist", c.str("username"))
	}
	return login, nil
}

func (c *call) loginCreate() error {
	name := c.str("username")
	if _, found := c.logins[name]; found {
		return refuse(errExists, "User '%s' already exists", name)
	}
	if len(c.input) == 0 {
		return refuse(errInvalid, "Please specify the file containing the password with \"-i\" option.")
	}
	login := ceph.DashboardUser{Username: name, Enabled: true, Roles: []string{}}
	if role := c.str("rolename"); role != "" {
		login.Roles = []string{role}
	}
	c.logins[name], c.passwords[name] = login, string(c.input)
	return nil
}

func (c *call) loginPassword() error {
	if _, found := c.logins[c.str("username")]; !found {
		return refuse(errNoEntry, "User '%s' does not exist", c.str("username"))
	}
	if len(c.input) == 0 {
		return refuse(errInvalid, "Please specify the file containing the password with \"-i\" option.")
	}
	c.passwords[c.str("username")] = string(c.input)
	return nil
}

// DashboardPassword returns the password of a login; it is empty when there is
// no such login.
func (c *Cluster) DashboardPassword(username string) string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.passwords[username]
}

func (c *call) selfSigned() error {
	c.store["mgr/dashboard/crt"] = []byte("certificate")
	c.store["mgr/dashboard/key"] = []byte("key")
	return nil
}

func (c *call) dashboardSet() error { return nil }
