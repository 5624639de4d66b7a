# Makes the store of a monitor, once, and refuses the store of another cluster.
# Environment: MON_ID, MON_DATA, MON_FSID, MON_ADDRESS, MON_KEYRING, and
# ROOK_MON_MAP ("a=[v2:ip:port,...] b=...") and ROOK_MON_BORN ("true" once the
# cluster had a quorum).
set -eu

fail() {
	echo "$1" | tee /dev/termination-log >&2
	exit 1
}

if [ -d "$MON_DATA/store.db" ]; then
	ceph-mon --id "$MON_ID" --mon-data "$MON_DATA" --extract-monmap /tmp/monmap >/tmp/extract.log 2>&1 || {
		cat /tmp/extract.log >&2
		fail "the store of monitor $MON_ID in $MON_DATA cannot be read; move the directory away once the other monitors are in quorum"
	}
	found=$(monmaptool --print /tmp/monmap | sed -n 's/^fsid //p')
	[ "$found" = "$MON_FSID" ] || fail "the store of monitor $MON_ID on this node belongs to Ceph cluster $found, not to $MON_FSID; move the directory away if that cluster is gone"
	exit 0
fi

# A cluster that was born knows its monitors: an empty store may only join it.
set --
for entry in $ROOK_MON_MAP; do
	name=${entry%%=*}
	if [ "$ROOK_MON_BORN" = true ] && [ "$name" = "$MON_ID" ]; then
		continue
	fi
	set -- "$@" --addv "$name" "${entry#*=}"
done
[ $# -gt 0 ] || fail "the store of monitor $MON_ID is gone, and there is no other monitor to copy it from; restore its directory from a backup"

# From Ceph 20 on a new cluster refuses the keys that older clients and kernels
# have, unless it is told otherwise.
if monmaptool --help 2>&1 | grep -q -e --auth-allowed-ciphers; then
	set -- --auth-allowed-ciphers aes,aes256k --auth-service-cipher aes --auth-preferred-cipher aes "$@"
fi

rm -rf "$MON_DATA/.new"
monmaptool --create --clobber --fsid "$MON_FSID" "$@" /tmp/monmap
ceph-mon --mkfs --id "$MON_ID" --fsid "$MON_FSID" --keyring "$MON_KEYRING" --monmap /tmp/monmap \
	--public-addr "$MON_ADDRESS" --mon-data "$MON_DATA/.new"
for file in "$MON_DATA/.new"/*; do
	case $file in */store.db) ;; *) mv -f "$file" "$MON_DATA/" ;; esac
done
mv "$MON_DATA/.new/store.db" "$MON_DATA/"
rm -rf "$MON_DATA/.new"
