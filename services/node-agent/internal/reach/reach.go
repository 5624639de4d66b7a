// Package reach tells clients that are not ours how to reach a Ceph cluster: the
// kernel by addresses, programs by a configuration file. A file with a key is for
// root only, in memory, and its maker removes it once it was read.
package reach

import (
	"fmt"
	"os"
	"strings"

	api "github.com/rook-ceph/rook-ceph/shared/api/ceph/v1"
	"github.com/rook-ceph/rook-ceph/shared/keyring"
)

// Monitors returns the addresses that the kernel understands; v2 tells that
// they speak the second protocol.
func Monitors(connection api.Connection) (addresses []string, v2 bool) {
	for _, mon := range connection.Endpoints {
		if mon.V2Port == 0 {
			v2 = false
			addresses = nil
			break
		}
		v2 = true
		addresses = append(addresses, hostPort(mon.Address, mon.V2Port))
	}
	if v2 {
		return addresses, true
	}
	for _, mon := range connection.Endpoints {
		if mon.V1Port != 0 {
			addresses = append(addresses, hostPort(mon.Address, mon.V1Port))
		}
	}
	return addresses, false
}

func hostPort(host string, port int32) string {
	if strings.Contains(host, ":") {
		host = "[" + host + "]"
	}
	return fmt.Sprintf("%s:%d", host, port)
}

// Conf writes a Ceph configuration with the key to a file for root only and
// returns its path. Settings are lines like "name = value".
func Conf(directory string, connection api.Connection, key keyring.Key, settings ...string) (string, error) {
	if err := os.MkdirAll(directory, 0o700); err != nil {
		return "", fmt.Errorf("make directory for keys: %w", err)
	}
	file, err := os.CreateTemp(directory, "ceph-*.conf")
	if err != nil {
		return "", fmt.Errorf("write configuration: %w", err)
	}
	lines := append([]string{
		"[global]", "mon_host = " + connection.MonHost, "log_to_stderr = false", "admin_socket =", "client_mount_timeout = 15",
	}, settings...)
	lines = append(lines, "["+key.Entity+"]", "key = "+key.Secret, "")
	_, err = file.WriteString(strings.Join(lines, "\n"))
	if closed := file.Close(); err == nil {
		err = closed
	}
	if err != nil {
		_ = os.Remove(file.Name())
		return "", fmt.Errorf("write configuration: %w", err)
	}
	return file.Name(), nil
}
