package rgwadmin

import (
	"context"
	"fmt"
	"slices"
	"strings"
)

// keepUser makes an administrator. Keys and rights that somebody else gave it
// stay.
func (w *work) keepUser(ctx context.Context, want User) error {
	out, err := w.read(ctx, "user info", append(w.at(), "--uid="+want.ID)...)
	if notFound(err) || unknownUser(err) {
		return w.makeUser(ctx, want)
	}
	if err != nil {
		return err
	}
	now, err := decode[userInfo](out)
	if err != nil {
		return err
	}
	if want.System && !bool(now.System) {
		if err := w.change(ctx, Command{Args: append([]string{"user", "modify", "--uid=" + want.ID, "--system"}, w.at()...)}); err != nil {
			return err
		}
	}
	if err := w.keepKey(ctx, want, now); err != nil {
		return err
	}
	return w.keepCaps(ctx, want, now)
}

// unknownUser tells whether an error says that there is no such user, which is
// no ENOENT in all releases.
func unknownUser(err error) bool {
	return err != nil && strings.Contains(err.Error(), "no user info saved")
}

func (w *work) makeUser(ctx context.Context, want User) error {
	args := append([]string{"user", "create", "--uid=" + want.ID, "--display-name=" + want.DisplayName}, w.at()...)
	if want.System {
		args = append(args, "--system")
	}
	if want.Caps != "" {
		args = append(args, "--caps="+want.Caps)
	}
	command, err := w.withKeys(Command{Args: args}, &want.Keys)
	if err != nil {
		return err
	}
	return w.change(ctx, command)
}

func (w *work) keepKey(ctx context.Context, want User, now userInfo) error {
	command, err := w.withKeys(Command{Args: append([]string{"key", "create", "--uid=" + want.ID, "--key-type=s3"}, w.at()...)}, &want.Keys)
	if err != nil {
		return err
	}
	for _, key := range now.Keys {
		if key.AccessKey == command.AccessKey && key.SecretKey == command.SecretKey {
			return nil
		}
	}
	return w.change(ctx, command)
}

func (w *work) keepCaps(ctx context.Context, want User, now userInfo) error {
	var missing []string
	for _, one := range strings.FieldsFunc(want.Caps, func(r rune) bool { return r == ';' }) {
		kind, perm, _ := strings.Cut(strings.TrimSpace(one), "=")
		has := false
		for _, c := range now.Caps {
			has = has || c.Type == kind && covers(c.Perm, perm)
		}
		if !has {
			missing = append(missing, kind+"="+perm)
		}
	}
	if len(missing) == 0 {
		return nil
	}
	slices.Sort(missing)
	err := w.change(ctx, Command{Args: append([]string{"caps", "add", "--uid=" + want.ID, "--caps=" + strings.Join(missing, ";")}, w.at()...)})
	if err != nil {
		return fmt.Errorf("give rights to %s: %w", want.ID, err)
	}
	return nil
}

// covers tells whether a right includes another.
func covers(has, perm string) bool { return has == "*" || has == perm || perm == "" }
