package cephtest

import (
	"net"
	"slices"
	"strings"

	"github.com/rook-ceph/rook-ceph/shared/ceph"
)

// monitors is the monmap and which mons run.
type monitors struct {
	epoch    uint64
	election uint64
	strategy int
	members  []ceph.Mon
	running  map[string]bool
	removed  map[string]bool
	settings map[string]string
}

func (m *monitors) index(name string) int {
	return slices.IndexFunc(m.members, func(mon ceph.Mon) bool { return mon.Name == name })
}

func (m *monitors) quorum() []ceph.Mon {
	var in []ceph.Mon
	for _, mon := range m.members {
		if m.running[mon.Name] {
			in = append(in, mon)
		}
	}
	if len(in) <= len(m.members)/2 {
		return nil
	}
	return in
}

func (m *monitors) hasQuorum() bool { return len(m.quorum()) > 0 }

// survives tells whether these mons, all running, would be a quorum of a map
// of the given size.
func (m *monitors) survives(inQuorum, size int) bool {
	return inQuorum > 0 && inQuorum > size/2
}

func (m *monitors) renumber() {
	for i := range m.members {
		m.members[i].Rank = i
	}
	m.epoch++
	m.election += 2
}

func (m *monitors) host() string {
	hosts := make([]string, 0, len(m.members))
	for _, mon := range m.members {
		var addrs []string
		for _, addr := range mon.PublicAddrs.Addrs {
			addrs = append(addrs, addr.Type+":"+addr.Addr)
		}
		hosts = append(hosts, "["+strings.Join(addrs, ",")+"]")
	}
	return strings.Join(hosts, ",")
}

// reachableAt tells whether the mon list names a mon of the cluster that runs.
func (m *monitors) reachableAt(monHost string) bool {
	for _, mon := range m.members {
		for _, addr := range mon.PublicAddrs.Addrs {
			if m.running[mon.Name] && strings.Contains(monHost, addr.Addr) {
				return true
			}
		}
	}
	return false
}

// monAddrs reads "ip", which means both protocols at their usual ports, or
// "ip:port", which means msgr2 only.
func monAddrs(addr string) ceph.AddrVec {
	if host, _, err := net.SplitHostPort(addr); err == nil && host != "" {
		return ceph.AddrVec{Addrs: []ceph.Addr{{Type: "v2", Addr: addr}}}
	}
	return ceph.AddrVec{Addrs: []ceph.Addr{
		{Type: "v2", Addr: net.JoinHostPort(addr, "3300")},
		{Type: "v1", Addr: net.JoinHostPort(addr, "6789")},
	}}
}

// StartMon runs a mon at an address, "ip" or "ip:port". The first mon gives
// birth to the cluster; a later one joins the monmap when there is quorum. A
// mon that was removed from the monmap keeps its store and never joins again,
// unless WipeMon takes the store away.
func (c *Cluster) StartMon(name, addr string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.startMon(name, addr)
}

func (c *Cluster) startMon(name, addr string) {
	m := &c.mons
	if m.running == nil {
		m.running, m.removed, m.settings = map[string]bool{}, map[string]bool{}, map[string]string{}
	}
	if m.removed[name] {
		return
	}
	m.running[name] = true
	if m.index(name) >= 0 {
		m.election += 2
		return
	}
	if m.epoch == 0 {
		c.users[c.admin.Entity] = adminUser(c.admin)
	} else if !m.hasQuorum() {
		return
	}
	m.members = append(m.members, ceph.Mon{Name: name, PublicAddrs: monAddrs(addr)})
	m.renumber()
}

// LoseMon stops a mon; it stays in the monmap.
func (c *Cluster) LoseMon(name string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.mons.running[name] = false
	c.mons.election += 2
}

// ReturnMon starts a mon of the monmap again at its old address.
func (c *Cluster) ReturnMon(name string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.mons.index(name) < 0 {
		c.t.Errorf("cephtest: ReturnMon: mon %q is not in the monmap", name)
		return
	}
	c.mons.running[name] = true
	c.mons.election += 2
}

// WipeMon forgets the store of a removed mon, so that StartMon can add a new
// mon of that name.
func (c *Cluster) WipeMon(name string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	delete(c.mons.removed, name)
}

// LoseQuorum stops as many mons as it takes, in the order of the monmap.
func (c *Cluster) LoseQuorum() {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, mon := range c.mons.members {
		if !c.mons.hasQuorum() {
			return
		}
		c.mons.running[mon.Name] = false
	}
}

// RestoreQuorum starts every mon of the monmap.
func (c *Cluster) RestoreQuorum() {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, mon := range c.mons.members {
		c.mons.running[mon.Name] = true
	}
	c.mons.election += 2
}

// MonNames returns the names in the monmap, in order of rank.
func (c *Cluster) MonNames() []string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return monNames(c.mons.members)
}

func monNames(mons []ceph.Mon) []string {
	names := make([]string, 0, len(mons))
	for _, mon := range mons {
		names = append(names, mon.Name)
	}
	return names
}

func (c *Cluster) monMap() ceph.MonMap {
	return ceph.MonMap{
		Epoch: c.mons.epoch, FSID: c.fsid, ElectionStrategy: max(1, c.mons.strategy),
		MinMonRelease: releaseName(c.version), Mons: slices.Clone(c.mons.members),
	}
}

func monCommands() map[string]command {
	return map[string]command{
		"quorum_status":             read("", (*call).quorumStatus),
		"mon dump":                  read("", func(c *call) (any, error) { return c.monMap(), nil }),
		"mon metadata":              read("", (*call).monMetadata),
		"mon remove":                write("name:str", (*call).monRemove),
		"mon ok-to-stop":            read("ids:list", (*call).monOKToStop),
		"mon ok-to-rm":              read("id:str", (*call).monOKToRemove),
		"mon ok-to-add-offline":     read("", (*call).monOKToAdd),
		"mon set-addrs":             write("name:str addrs:str", (*call).monSetAddrs),
		"mon set election_strategy": write("strategy:str", (*call).monElection),
		"mon set":                   write("name:str value:str", (*call).monSet),
		"mon enable-msgr2":          write("", func(*call) error { return nil }),
		"versions":                  read("", (*call).versions),
	}
}

func (c *call) quorumStatus() (any, error) {
	in := c.mons.quorum()
	ranks := make([]int, 0, len(in))
	for _, mon := range in {
		ranks = append(ranks, mon.Rank)
	}
	return ceph.QuorumStatus{
		ElectionEpoch: c.mons.election, Quorum: ranks, QuorumNames: monNames(in),
		QuorumLeaderName: in[0].Name, QuorumAge: 1, MonMap: c.monMap(),
	}, nil
}

func (c *call) monMetadata() (any, error) {
	list := []ceph.MonMetadata{}
	for _, mon := range c.mons.members {
		list = append(list, ceph.MonMetadata{
			Name: mon.Name, Version: fullVersion(c.version), Short: c.version, Release: releaseName(c.version),
		})
	}
	return list, nil
}

func (c *call) monRemove() error {
	name := c.str("name")
	i := c.mons.index(name)
	if i < 0 {
		c.status = "mon." + name + " does not exist or has already been removed"
		return nil
	}
	if len(c.mons.members) == 1 {
		return refuse(errInvalid, "error: refusing removal of last monitor %s", name)
	}
	c.mons.members = slices.Delete(c.mons.members, i, i+1)
	c.mons.running[name] = false
	c.mons.removed[name] = true
	c.mons.renumber()
	return nil
}

func (c *call) monOKToStop() (any, error) {
	left := 0
	for _, mon := range c.mons.quorum() {
		if !slices.Contains(c.list("ids"), mon.Name) {
			left++
		}
	}
	if !c.mons.survives(left, len(c.mons.members)) {
		return nil, refuse(errBusy, "not enough monitors would be available (%d) after stopping mons", left)
	}
	return nil, nil
}

func (c *call) monOKToRemove() (any, error) {
	name := c.str("id")
	if c.mons.index(name) < 0 {
		c.status = "mon." + name + " does not exist"
		return nil, nil
	}
	left := 0
	for _, mon := range c.mons.quorum() {
		if mon.Name != name {
			left++
		}
	}
	if !c.mons.survives(left, len(c.mons.members)-1) {
		return nil, refuse(errBusy, "removing mon.%s would break quorum", name)
	}
	return nil, nil
}

func (c *call) monOKToAdd() (any, error) {
	if !c.mons.survives(len(c.mons.quorum()), len(c.mons.members)+1) {
		return nil, refuse(errBusy, "adding a monitor that does not start would break quorum")
	}
	return nil, nil
}

func (c *call) monSetAddrs() error {
	i := c.mons.index(c.str("name"))
	if i < 0 {
		return refuse(errNoEntry, "mon.%s does not exist", c.str("name"))
	}
	var vec ceph.AddrVec
	for _, part := range strings.Split(strings.Trim(c.str("addrs"), "[]"), ",") {
		protocol, addr, found := strings.Cut(part, ":")
		if !found || (protocol != "v1" && protocol != "v2") {
			return refuse(errInvalid, "failed to parse addrs '%s'", c.str("addrs"))
		}
		vec.Addrs = append(vec.Addrs, ceph.Addr{Type: protocol, Addr: addr})
	}
	c.mons.members[i].PublicAddrs = vec
	c.mons.renumber()
	return nil
}

func (c *call) monSet() error {
	known := []string{"auth_allowed_ciphers", "auth_preferred_cipher", "auth_service_cipher"}
	if releaseName(c.version) != "tentacle" || !slices.Contains(known, c.str("name")) {
		return refuse(errInvalid, "command not known")
	}
	if c.mons.settings[c.str("name")] == c.str("value") {
		return nil
	}
	c.mons.settings[c.str("name")] = c.str("value")
	c.mons.renumber()
	return nil
}

func (c *call) monElection() error {
	number := slices.Index([]string{"", "classic", "disallow", "connectivity"}, c.str("strategy"))
	if number < 1 {
		return refuse(errInvalid, "%s is not a valid election strategy", c.str("strategy"))
	}
	if c.mons.strategy != number {
		c.mons.strategy = number
		c.mons.renumber()
	}
	return nil
}

func (c *call) versions() (any, error) {
	full := fullVersion(c.version)
	counts := map[string]int{
		"mon": len(c.mons.quorum()), "mgr": c.mgrs.count(), "osd": c.osds.countUp(),
	}
	if c.gateways > 0 { // Ceph names roles that nobody has only if it always has them
		counts["rgw"] = c.gateways
	}
	result, total := ceph.Versions{}, 0
	for role, count := range counts {
		result[role] = map[string]int{}
		if count > 0 {
			result[role][full] = count
		}
		total += count
	}
	result["overall"] = map[string]int{full: total}
	return result, nil
}

// RunGateways says how many gateways of object stores have made themselves known to
// the mgr.
func (c *Cluster) RunGateways(count int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.gateways = count
}
