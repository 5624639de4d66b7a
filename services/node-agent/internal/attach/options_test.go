package attach

import (
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestOptionsFor(t *testing.T) {
	t.Parallel()
	cases := map[string]struct {
		backend, text  string
		taken, ignored []string
	}{
		"takes_a_part_without_a_name_for_the_kernel's": {Kernel, "rxbounce, queue_depth=1024", []string{"rxbounce", "queue_depth=1024"}, nil},
		"takes_a_part_with_an_empty_name_too":          {Kernel, ":rxbounce", []string{"rxbounce"}, nil},
		"takes_the_kernel's_part_only": {Kernel, "krbd:lock_on_read,queue_depth=1024;nbd:try-netlink",
			[]string{"lock_on_read", "queue_depth=1024"}, []string{"try-netlink"}},
		"takes_parts_in_any_order":               {Kernel, "nbd:try-netlink; KRBD : rxbounce;", []string{"rxbounce"}, []string{"try-netlink"}},
		"takes_nothing_for_a_user-space_backend": {FUSE, "krbd:rxbounce;nbd:try-netlink", nil, []string{"rxbounce", "try-netlink"}},
		"takes_nothing_of_an_unknown_mounter":    {Kernel, "krdb:rxbounce", nil, []string{"rxbounce"}},
		"keeps_a_colon_in_a_value": {Kernel, "read_from_replica=localize,crush_location=zone:a|rack:b",
			[]string{"read_from_replica=localize", "crush_location=zone:a|rack:b"}, nil},
		"keeps_the_volume's_own_options": {Kernel, "share,rw,name=admin,secret=x,_pool_ns=other,noudev,crc",
			[]string{"crc"}, []string{"share", "rw", "name=admin", "secret=x", "_pool_ns=other", "noudev"}},
		"takes_nothing_that_ends_the_kernel's_field": {Kernel, "rxbounce otherpool otherimage", nil, []string{"rxbounce otherpool otherimage"}},
		"takes_nothing_of_nothing":                   {Kernel, " ;krbd:,;", nil, nil},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			taken, ignored := optionsFor(tc.backend, tc.text, mapReserved)
			if diff := cmp.Diff(tc.taken, taken); diff != "" {
				t.Errorf("taken: want -, got +:\n%s", diff)
			}
			if diff := cmp.Diff(tc.ignored, ignored); diff != "" {
				t.Errorf("ignored: want -, got +:\n%s", diff)
			}
		})
	}
}

func TestIgnored_names_options_without_their_values(t *testing.T) {
	t.Parallel()
	v := Volume{MapOptions: "krbd:secret=x,rxbounce;nbd:try-netlink", UnmapOptions: "krbd:force,noudev"}
	if diff := cmp.Diff([]string{"secret", "try-netlink", "noudev"}, Ignored(Kernel, v)); diff != "" {
		t.Errorf("want -, got +:\n%s", diff)
	}
	if diff := cmp.Diff([]string{"secret", "rxbounce", "try-netlink", "force", "noudev"}, Ignored(FUSE, v)); diff != "" {
		t.Errorf("want -, got +:\n%s", diff)
	}
}

func TestKrbd_takes_its_part_of_the_options(t *testing.T) {
	t.Parallel()
	v := volume()
	v.MapOptions = "krbd:lock_on_read,queue_depth=1024;nbd:try-netlink"
	if got := addOrder(v); !strings.Contains(got, "ms_mode=prefer-crc,lock_on_read,queue_depth=1024 replicapool csi-vol-1 -") {
		t.Errorf("order %q", strings.ReplaceAll(got, v.Key.Secret, "<key>"))
	}
	for options, want := range map[string]string{"": "3", "krbd:force,noudev;nbd:x": "3 force", "nbd:force": "3"} {
		k := sysfs(t, map[string]map[string]string{"3": device("csi-vol-1")})
		record := Attachment{KernelID: "3", Pool: "replicapool", Image: "csi-vol-1", UnmapOptions: options}
		if err := k.Detach(t.Context(), "", record); err != nil {
			t.Fatal(err)
		}
		if text, err := os.ReadFile(k.bus("remove_single_major")); err != nil || string(text) != want {
			t.Errorf("unmapOptions %q: want order %q, got %q, %v", options, want, text, err)
		}
	}
}

func FuzzOptionsFor(f *testing.F) {
	for _, text := range []string{"", "rxbounce", "krbd:a,b=c;nbd:d", "a=b:c,d", ";:,", "krbd:a b\nc", "share,secret=x"} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		taken, ignored := optionsFor(Kernel, text, mapReserved)
		for _, option := range taken {
			if option == "" || strings.ContainsAny(option, " \t\n\r\v\f,;\x00") || mapReserved(option) {
				t.Errorf("%q: the kernel would be given %q", text, option)
			}
		}
		for _, option := range slices.Concat(taken, ignored) {
			if !strings.Contains(text, option) {
				t.Errorf("%q: %q is in neither part", text, option)
			}
		}
		if again, left := optionsFor(Kernel, strings.Join(taken, ","), mapReserved); !slices.Equal(again, taken) || len(left) > 0 {
			t.Errorf("%q: what was taken, %q, reads as %q and %q", text, taken, again, left)
		}
		if taken, _ := optionsFor(FUSE, text, mapReserved); len(taken) > 0 {
			t.Errorf("%q: the user-space backend would be given %q", text, taken)
		}
	})
}
