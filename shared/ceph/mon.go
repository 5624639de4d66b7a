package ceph

import "context"

// MonMap is the authoritative list of mons at one epoch.
type MonMap struct {
	Epoch            uint64 `json:"epoch"`
	FSID             string `json:"fsid"`
	ElectionStrategy int    `json:"election_strategy"`
	DisallowedLeader string `json:"disallowed_leaders"`
	MinMonRelease    string `json:"min_mon_release_name"`
	Mons             []Mon  `json:"mons"`
}

// Mon is one entry of a MonMap.
type Mon struct {
	Rank        int     `json:"rank"`
	Name        string  `json:"name"`
	PublicAddrs AddrVec `json:"public_addrs"`
	Priority    int     `json:"priority"`
	Weight      int     `json:"weight"`
}

// AddrVec is the list of a daemon's addresses, one per protocol.
type AddrVec struct {
	Addrs []Addr `json:"addrvec"`
}

// Addr is one address: Type is "v1" or "v2", Addr is "ip:port".
type Addr struct {
	Type  string `json:"type"`
	Addr  string `json:"addr"`
	Nonce uint64 `json:"nonce"`
}

// V2 returns the msgr2 address as "ip:port", or "" when there is none.
func (v AddrVec) V2() string { return v.find("v2") }

// V1 returns the legacy address as "ip:port", or "" when there is none.
func (v AddrVec) V1() string { return v.find("v1") }

func (v AddrVec) find(protocol string) string {
	for _, addr := range v.Addrs {
		if addr.Type == protocol {
			return addr.Addr
		}
	}
	return ""
}

// QuorumStatus is who forms the quorum and the monmap it agreed on.
type QuorumStatus struct {
	ElectionEpoch    uint64   `json:"election_epoch"`
	Quorum           []int    `json:"quorum"`
	QuorumNames      []string `json:"quorum_names"`
	QuorumLeaderName string   `json:"quorum_leader_name"`
	QuorumAge        uint64   `json:"quorum_age"`
	MonMap           MonMap   `json:"monmap"`
}

// QuorumStatus reads the quorum and its monmap in one reply, so that both are
// of the same epoch.
func (c Client) QuorumStatus(ctx context.Context) (QuorumStatus, error) {
	return ask[QuorumStatus](ctx, c.Mon, "quorum_status", nil)
}

// MonDump reads the current monmap.
func (c Client) MonDump(ctx context.Context) (MonMap, error) {
	return ask[MonMap](ctx, c.Mon, "mon dump", nil)
}

// MonRemove takes a mon out of the monmap. Removing an unknown mon succeeds.
// It does not check the quorum: callers make sure that those left in quorum are
// a majority of those left in the map.
func (c Client) MonRemove(ctx context.Context, name string) error {
	return do(ctx, c.Mon, "mon remove", arguments{"name": name})
}

// MonOKToStop returns nil when quorum survives stopping these mons together,
// and an error that matches ErrBusy when it does not.
func (c Client) MonOKToStop(ctx context.Context, names ...string) error {
	return do(ctx, c.Mon, "mon ok-to-stop", arguments{"ids": names})
}

// MonOKToRemove returns nil when quorum survives removing this mon from the
// map, and an error that matches ErrBusy when it does not.
func (c Client) MonOKToRemove(ctx context.Context, name string) error {
	return do(ctx, c.Mon, "mon ok-to-rm", arguments{"id": name})
}

// MonOKToAddOffline returns nil when quorum survives adding a mon that does
// not start, and an error that matches ErrBusy when it does not.
func (c Client) MonOKToAddOffline(ctx context.Context) error {
	return do(ctx, c.Mon, "mon ok-to-add-offline", nil)
}

// MonSetAddrs changes the addresses of a mon, as "[v2:ip:port,v1:ip:port]".
func (c Client) MonSetAddrs(ctx context.Context, name, addrs string) error {
	return do(ctx, c.Mon, "mon set-addrs", arguments{"name": name, "addrs": addrs})
}

// MonSetElectionStrategy sets classic, disallow or connectivity.
func (c Client) MonSetElectionStrategy(ctx context.Context, strategy string) error {
	return do(ctx, c.Mon, "mon set election_strategy", arguments{"strategy": strategy})
}

// MonEnableMsgr2 makes every mon with a legacy address listen on msgr2 too.
func (c Client) MonEnableMsgr2(ctx context.Context) error {
	return do(ctx, c.Mon, "mon enable-msgr2", nil)
}

// MonMetadata is what a mon told about itself when it joined.
type MonMetadata struct {
	Name     string `json:"name"`
	Hostname string `json:"hostname"`
	Addrs    string `json:"addrs"`
	Version  string `json:"ceph_version"`
	Release  string `json:"ceph_release"`
	Short    string `json:"ceph_version_short"`
}

// MonMetadata reads what every mon told about itself.
func (c Client) MonMetadata(ctx context.Context) ([]MonMetadata, error) {
	return ask[[]MonMetadata](ctx, c.Mon, "mon metadata", nil)
}

// MonSet changes a setting of the monmap, such as auth_allowed_ciphers to
// "aes,aes256k" (Ceph 20.2.4 and later; ErrInvalid before).
func (c Client) MonSet(ctx context.Context, setting, value string) error {
	return do(ctx, c.Mon, "mon set", arguments{"name": setting, "value": value})
}
