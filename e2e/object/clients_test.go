//go:build e2e

package object

import (
	"fmt"
	"strings"
	"testing"

	"github.com/rook-ceph/rook-ceph/e2e/harness"
)

// useS3cmd stores 40 MiB in parts with s3cmd from the toolbox, over the Service.
func useS3cmd(t *testing.T, h *harness.Harness, store harness.Store) {
	out, err := h.Shell(t, fmt.Sprintf(`export HOME=$(mktemp -d); cd "$HOME"
cat > .s3cfg <<EOF
[default]
access_key = %s
secret_key = %s
host_base = %[3]s
host_bucket = %[3]s
use_https = False
EOF
head -c 40M /dev/urandom > blob
s3cmd --quiet mb s3://story-s3cmd
s3cmd --quiet --multipart-chunk-size-mb 15 put blob s3://story-s3cmd/dir/blob
s3cmd ls -r s3://story-s3cmd
s3cmd --quiet get s3://story-s3cmd/dir/blob copy
cmp blob copy && echo same
s3cmd --quiet rb --recursive s3://story-s3cmd
s3cmd ls
rm -rf "$HOME"`, store.Access, store.Secret, store.Host()))
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(out, "s3://story-s3cmd/dir/blob") || !strings.Contains(out, "\nsame\n") {
		t.Errorf("s3cmd says %s", out)
	}
	if _, rest, _ := strings.Cut(out, "same"); strings.Contains(rest, "s3://story-s3cmd") {
		t.Errorf("the bucket is still there: %s", rest)
	}
}

// useSwift does the same with Swift's own client. Subusers are Swift's alone, so
// Ceph's command makes one.
func useSwift(t *testing.T, h *harness.Harness, store harness.Store, user string) {
	out, err := h.Shell(t, fmt.Sprintf(`radosgw-admin subuser create --uid=%[1]s --subuser=%[1]s:swift --access=full --secret-key=swiftkey%[3]s >/dev/null
export ST_AUTH=http://%[2]s/auth/v1.0 ST_USER=%[1]s:swift ST_KEY=swiftkey
cd "$(mktemp -d)"
head -c 5M /dev/urandom > blob
swift post story-swift
swift upload --segment-size 2097152 story-swift blob
swift list story-swift
swift download story-swift blob --output copy
cmp blob copy && echo same
swift delete story-swift >/dev/null
swift delete story-swift_segments >/dev/null || true
echo left; swift list
radosgw-admin subuser rm --subuser=%[1]s:swift --purge-keys%[3]s >/dev/null
rm -rf "$PWD"`, user, store.Host(), zone))
	if err != nil {
		t.Fatal(err)
	}
	said, rest, same := strings.Cut(out, "\nsame\nleft\n")
	if !same || !strings.Contains(said, "\nblob\n") || strings.Contains(rest, "story-swift") {
		t.Errorf("swift says %s", out)
	}
}
