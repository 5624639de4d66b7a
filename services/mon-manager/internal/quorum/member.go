package quorum

import (
	"encoding/json"
	"fmt"
	"net"
	"slices"
	"sort"
	"strconv"
	"strings"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	api "github.com/rook-ceph/rook-ceph/shared/api/ceph/v1"
)

// The ports of a monitor.
const (
	PortV2 = 3300
	PortV1 = 6789
)

// Member is one monitor that was given an identity.
type Member struct {
	Name     string
	Node     string
	Hostname string
	Zone     string
	Address  string
	InQuorum *bool
	OutSince *metav1.Time
}

// MonName returns the name of monitor number n: a to z, then aa, ab and so on.
func MonName(n int32) string {
	const letters = 26
	if n < letters {
		return string('a' + n)
	}
	return MonName(n/letters-1) + string('a'+n%letters)
}

// MonNumber is the inverse of MonName, or -1 for a name of another form. Names of
// more than three letters are words that people chose.
func MonNumber(name string) int32 {
	const letters, longest = 26, 3
	if len(name) > longest {
		return -1
	}
	number := int32(0)
	for _, letter := range name {
		if letter < 'a' || letter > 'z' {
			return -1
		}
		number = number*letters + (letter - 'a' + 1)
	}
	return number - 1
}

// Endpoint returns the monitor's address as clients of either protocol know it.
func endpoint(member Member, onlyV2 bool) string {
	port := PortV1
	if onlyV2 {
		port = PortV2
	}
	return net.JoinHostPort(member.Address, strconv.Itoa(port))
}

// addrs returns the address vector of the monitor in Ceph's words.
func addrs(member Member, onlyV2 bool) string {
	v2 := "v2:" + net.JoinHostPort(member.Address, strconv.Itoa(PortV2))
	if onlyV2 {
		return "[" + v2 + "]"
	}
	return "[" + v2 + ",v1:" + net.JoinHostPort(member.Address, strconv.Itoa(PortV1)) + "]"
}

// monHost returns Ceph's option mon_host for the members, sorted by name.
func monHost(members []Member, onlyV2 bool) string {
	list := make([]string, len(members))
	for i, member := range sorted(members) {
		list[i] = addrs(member, onlyV2)
	}
	return strings.Join(list, ",")
}

// monMap returns "name=addrs" of the members, separated by blanks, for the
// script that makes a monitor's store.
func monMap(members []Member, onlyV2 bool) string {
	list := make([]string, len(members))
	for i, member := range sorted(members) {
		list[i] = member.Name + "=" + addrs(member, onlyV2)
	}
	return strings.Join(list, " ")
}

// endpoints returns "a=ip:port,b=ip:port" as other tools read it.
func endpoints(members []Member, onlyV2 bool) string {
	list := make([]string, len(members))
	for i, member := range sorted(members) {
		list[i] = member.Name + "=" + endpoint(member, onlyV2)
	}
	return strings.Join(list, ",")
}

type mappedNode struct {
	Name     string
	Hostname string
	Address  string
}

// mapping returns the JSON that says on which node each monitor is.
func mapping(members []Member) string {
	nodes := map[string]*mappedNode{}
	for _, member := range members {
		nodes[member.Name] = nil
		if member.Node != "" {
			nodes[member.Name] = &mappedNode{Name: member.Node, Hostname: member.Hostname, Address: member.Address}
		}
	}
	body, err := json.Marshal(map[string]any{"node": nodes})
	if err != nil {
		return "{}" // strings always encode
	}
	return string(body)
}

// parseEndpoints reads what endpoints and mapping wrote, or what an earlier
// operator left.
func parseEndpoints(data, nodes string) ([]Member, error) {
	if strings.TrimSpace(data) == "" {
		return nil, nil
	}
	var where struct {
		Node map[string]*mappedNode `json:"node"`
	}
	if nodes != "" {
		if err := json.Unmarshal([]byte(nodes), &where); err != nil {
			return nil, fmt.Errorf("read mapping of monitors: %w", err)
		}
	}
	var members []Member
	for _, entry := range strings.Split(data, ",") {
		name, address, found := strings.Cut(strings.TrimSpace(entry), "=")
		host, _, err := net.SplitHostPort(address)
		if !found || err != nil {
			return nil, fmt.Errorf("read endpoints of monitors: %q is no name=ip:port", entry)
		}
		member := Member{Name: name, Address: host}
		if node := where.Node[name]; node != nil {
			member.Node, member.Hostname = node.Name, node.Hostname
		}
		members = append(members, member)
	}
	return members, nil
}

// fromStatus reads the members that the status remembers.
func fromStatus(status *api.MonitorsStatus) []Member {
	if status == nil {
		return nil
	}
	members := make([]Member, 0, len(status.Members))
	for _, m := range status.Members {
		members = append(members, Member{
			Name: m.Name, Node: m.Node, Zone: m.Zone, Address: m.Address, InQuorum: m.InQuorum, OutSince: m.OutSince,
		})
	}
	return members
}

func toStatus(members []Member) []api.MonitorStatus {
	list := make([]api.MonitorStatus, 0, len(members))
	for _, m := range sorted(members) {
		list = append(list, api.MonitorStatus{
			Name: m.Name, Node: m.Node, Zone: m.Zone, Address: m.Address, InQuorum: m.InQuorum, OutSince: m.OutSince,
		})
	}
	return list
}

func sorted(members []Member) []Member {
	list := slices.Clone(members)
	sort.Slice(list, func(i, j int) bool {
		if len(list[i].Name) != len(list[j].Name) {
			return len(list[i].Name) < len(list[j].Name)
		}
		return list[i].Name < list[j].Name
	})
	return list
}

func memberNames(members []Member) []string {
	list := make([]string, 0, len(members))
	for _, member := range sorted(members) {
		list = append(list, member.Name)
	}
	return list
}

func find(members []Member, name string) int {
	return slices.IndexFunc(members, func(m Member) bool { return m.Name == name })
}

func without(members []Member, name string) []Member {
	return slices.DeleteFunc(slices.Clone(members), func(m Member) bool { return m.Name == name })
}
