package ceph

import "context"

// MgrMap is which mgr is active and what it runs.
type MgrMap struct {
	Epoch           uint64              `json:"epoch"`
	ActiveGID       uint64              `json:"active_gid"`
	ActiveName      string              `json:"active_name"`
	ActiveAddrs     AddrVec             `json:"active_addrs"`
	Available       bool                `json:"available"`
	Standbys        []MgrStandby        `json:"standbys"`
	Modules         []string            `json:"modules"`
	AlwaysOnModules map[string][]string `json:"always_on_modules"`
	Services        map[string]string   `json:"services"`
}

// MgrStandby is a mgr that waits to take over.
type MgrStandby struct {
	GID  uint64 `json:"gid"`
	Name string `json:"name"`
}

// MgrDump reads the current mgrmap. Available turns true once the active mgr
// has loaded its modules.
func (c Client) MgrDump(ctx context.Context) (MgrMap, error) {
	return ask[MgrMap](ctx, c.Mon, "mgr dump", nil)
}

// MgrFail makes a standby take over from the named mgr, or from the active
// one when name is empty.
func (c Client) MgrFail(ctx context.Context, name string) error {
	args := arguments{}
	with(args, "who", name)
	return do(ctx, c.Mon, "mgr fail", args)
}

// MgrModules is the state of the mgr's modules.
type MgrModules struct {
	AlwaysOn []string    `json:"always_on_modules"`
	Enabled  []string    `json:"enabled_modules"`
	Disabled []MgrModule `json:"disabled_modules"`
}

// MgrModule is a module that is not enabled, and why it could not run.
type MgrModule struct {
	Name        string `json:"name"`
	CanRun      bool   `json:"can_run"`
	ErrorString string `json:"error_string"`
}

// MgrModuleList reads which modules are on, off and always on.
func (c Client) MgrModuleList(ctx context.Context) (MgrModules, error) {
	return ask[MgrModules](ctx, c.Mon, "mgr module ls", nil)
}

// MgrModuleEnable turns a module on. Really also enables a module that says
// that it cannot run. Enabling twice succeeds.
func (c Client) MgrModuleEnable(ctx context.Context, name string, answer Confirmation) error {
	args := arguments{"module": name}
	if answer == Really {
		args["force"] = true
	}
	return do(ctx, c.Mon, "mgr module enable", args)
}

// MgrModuleDisable turns a module off. Disabling twice succeeds; an always-on
// module is refused, with ErrInvalid or ErrDenied by release.
func (c Client) MgrModuleDisable(ctx context.Context, name string) error {
	return do(ctx, c.Mon, "mgr module disable", arguments{"module": name})
}

// MgrServices reads the URLs of the services that mgr modules offer, by module.
func (c Client) MgrServices(ctx context.Context) (map[string]string, error) {
	return ask[map[string]string](ctx, c.Mon, "mgr services", nil)
}

// BalancerMode sets none, crush-compat, upmap or read.
func (c Client) BalancerMode(ctx context.Context, mode string) error {
	return do(ctx, c.Mgr, "balancer mode", arguments{"mode": mode})
}

// BalancerOn starts automatic balancing.
func (c Client) BalancerOn(ctx context.Context) error {
	return do(ctx, c.Mgr, "balancer on", nil)
}

// BalancerOff stops automatic balancing.
func (c Client) BalancerOff(ctx context.Context) error {
	return do(ctx, c.Mgr, "balancer off", nil)
}

// BalancerStatus is whether and how the mgr balances.
type BalancerStatus struct {
	Active bool   `json:"active"`
	Mode   string `json:"mode"`
}

// BalancerStatus reads whether and how the mgr balances.
func (c Client) BalancerStatus(ctx context.Context) (BalancerStatus, error) {
	return ask[BalancerStatus](ctx, c.Mgr, "balancer status", nil)
}

// RBDTrashRemove queues the removal of a trashed image, "pool/image-id" or
// "pool/namespace/image-id", as a background task of the mgr.
func (c Client) RBDTrashRemove(ctx context.Context, imageIDSpec string) error {
	return do(ctx, c.Mgr, "rbd task add trash remove", arguments{"image_id_spec": imageIDSpec})
}

// DashboardUser is a login of the dashboard.
type DashboardUser struct {
	Username string   `json:"username"`
	Roles    []string `json:"roles"`
	Enabled  bool     `json:"enabled"`
}

// DashboardUserShow reads a login, or ErrNotFound.
func (c Client) DashboardUserShow(ctx context.Context, name string) (DashboardUser, error) {
	return ask[DashboardUser](ctx, c.Mgr, "dashboard ac-user-show", arguments{"username": name})
}

// DashboardUserCreate makes a login with one role. The password travels as
// input, never as an argument. An existing login is ErrExists.
func (c Client) DashboardUserCreate(ctx context.Context, name, role string, password []byte) error {
	_, err := raw(ctx, c.Mgr, Command{
		Prefix: "dashboard ac-user-create",
		Args:   arguments{"username": name, "rolename": role},
		Input:  password,
	})
	return err
}

// DashboardUserSetPassword changes the password of a login. The password
// travels as input, never as an argument.
func (c Client) DashboardUserSetPassword(ctx context.Context, name string, password []byte) error {
	_, err := raw(ctx, c.Mgr, Command{
		Prefix: "dashboard ac-user-set-password",
		Args:   arguments{"username": name},
		Input:  password,
	})
	return err
}

// DashboardCreateSelfSignedCert makes and stores a new certificate.
func (c Client) DashboardCreateSelfSignedCert(ctx context.Context) error {
	return do(ctx, c.Mgr, "dashboard create-self-signed-cert", nil)
}

// DashboardSet runs "dashboard set-<setting> <value>" for settings that are
// no secret, such as "grafana-api-url".
func (c Client) DashboardSet(ctx context.Context, setting, value string) error {
	return do(ctx, c.Mgr, "dashboard set-"+setting, arguments{"value": value})
}

// DashboardSetSecret runs "dashboard set-<setting>" with the value as input,
// for settings that read a file, such as "ssl-certificate-key".
func (c Client) DashboardSetSecret(ctx context.Context, setting string, value []byte) error {
	_, err := raw(ctx, c.Mgr, Command{Prefix: "dashboard set-" + setting, Input: value})
	return err
}
