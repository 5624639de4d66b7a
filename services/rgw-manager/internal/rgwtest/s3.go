package rgwtest

import (
	"encoding/json"
	"encoding/xml"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strconv"
	"strings"
)

// s3 answers requests of users for their buckets.
func (g *Gateway) s3(who *user, r *http.Request) reply { //nolint:gocyclo // a flat table of requests
	name, key, _ := strings.Cut(strings.TrimPrefix(r.URL.Path, "/"), "/")
	if name == "" {
		return g.unknown(r)
	}
	if !slices.Contains(who.mask, operation(r)) {
		return refuse(http.StatusForbidden, "AccessDenied")
	}
	found := g.buckets[name]
	if r.Method == http.MethodPut && key == "" && len(queryNames(r)) == 0 {
		return g.makeBucket(who, name)
	}
	if found == nil {
		return refuse(http.StatusNotFound, "NoSuchBucket")
	}
	if found.owner != who.uid {
		return refuse(http.StatusForbidden, "AccessDenied")
	}
	if key != "" {
		return g.object(who, found, key, r)
	}
	for part, answer := range map[string]func(*bucket, *http.Request) reply{
		"policy": g.policy, "lifecycle": g.lifecycle, "versioning": g.versioning,
		"uploads": g.listUploads, "versions": g.listVersions, "delete": g.removeMany,
	} {
		if r.URL.Query().Has(part) {
			return answer(found, r)
		}
	}
	switch r.Method {
	case http.MethodHead:
		return done(http.StatusOK)
	case http.MethodGet:
		return g.listObjects(found, r)
	case http.MethodDelete:
		if len(found.versions) > 0 {
			return refuse(http.StatusConflict, "BucketNotEmpty")
		}
		delete(g.buckets, name)
		return done(http.StatusNoContent)
	}
	return g.unknown(r)
}

// operation is the kind of operation that a mask may keep from a user.
func operation(r *http.Request) string {
	switch r.Method {
	case http.MethodGet, http.MethodHead:
		return "read"
	case http.MethodDelete:
		return "delete"
	}
	if r.URL.Query().Has("delete") {
		return "delete"
	}
	return "write"
}

func (g *Gateway) makeBucket(who *user, name string) reply {
	owned := len(g.bucketNames(who.uid))
	found := g.buckets[name]
	switch {
	case !bucketName.MatchString(name):
		return refuse(http.StatusBadRequest, "InvalidBucketName")
	case who.maxBuckets < 0:
		return refuse(http.StatusForbidden, "AccessDenied")
	case found != nil && found.owner == who.uid:
		return done(http.StatusOK)
	case who.maxBuckets > 0 && owned >= who.maxBuckets:
		return refuse(http.StatusBadRequest, "TooManyBuckets")
	case found != nil:
		return refuse(http.StatusConflict, "BucketAlreadyExists")
	}
	g.buckets[name] = g.newBucket(name, who.uid)
	return done(http.StatusOK)
}

func (g *Gateway) object(who *user, b *bucket, key string, r *http.Request) reply {
	query := r.URL.Query()
	switch {
	case r.Method == http.MethodPut:
		body, _ := io.ReadAll(r.Body)
		size := int64(len(body))
		if g.tooMuch(who, b, size) {
			return refuse(http.StatusForbidden, "QuotaExceeded")
		}
		g.put(b, version{key: key, size: size})
		return done(http.StatusOK)
	case r.Method == http.MethodPost && query.Has("uploads"):
		g.draws++
		begun := upload{key: key, id: fmt.Sprintf("upload-%d", g.draws)}
		b.uploads = append(b.uploads, begun)
		return ok(struct {
			XMLName  xml.Name `xml:"InitiateMultipartUploadResult"`
			Bucket   string
			Key      string
			UploadID string `xml:"UploadId"`
		}{Bucket: b.name, Key: key, UploadID: begun.id})
	case r.Method == http.MethodDelete && query.Has("uploadId"):
		before := len(b.uploads)
		b.uploads = slices.DeleteFunc(b.uploads, func(u upload) bool { return u.key == key && u.id == query.Get("uploadId") })
		if len(b.uploads) == before {
			return refuse(http.StatusNotFound, "NoSuchUpload")
		}
		return done(http.StatusNoContent)
	case r.Method == http.MethodDelete:
		g.remove(b, key, query.Get("versionId"))
		return done(http.StatusNoContent)
	}
	return g.unknown(r)
}

// tooMuch tells whether a further object breaks a limit of the bucket or its owner.
func (g *Gateway) tooMuch(who *user, b *bucket, more int64) bool {
	size, objects := b.used()
	own := b.quota
	if !own.on {
		own = who.each
	}
	if own.exceeded(size+more, objects+1) {
		return true
	}
	size, objects = 0, 0
	for _, other := range g.buckets {
		if other.owner == who.uid {
			s, o := other.used()
			size, objects = size+s, objects+o
		}
	}
	return who.quota.exceeded(size+more, objects+1)
}

func (g *Gateway) policy(b *bucket, r *http.Request) reply {
	switch r.Method {
	case http.MethodPut:
		body, _ := io.ReadAll(r.Body)
		if !json.Valid(body) {
			return refuse(http.StatusBadRequest, "MalformedPolicy")
		}
		b.policy = string(body)
		return done(http.StatusNoContent)
	case http.MethodDelete:
		b.policy = ""
		return done(http.StatusNoContent)
	}
	if b.policy == "" {
		return refuse(http.StatusNotFound, "NoSuchBucketPolicy")
	}
	return reply{status: http.StatusOK, raw: []byte(b.policy)}
}

func (g *Gateway) lifecycle(b *bucket, r *http.Request) reply {
	switch r.Method {
	case http.MethodPut:
		body, _ := io.ReadAll(r.Body)
		b.lifecycle = string(body)
		return done(http.StatusOK)
	case http.MethodDelete:
		b.lifecycle = ""
		return done(http.StatusNoContent)
	}
	if b.lifecycle == "" {
		return refuse(http.StatusNotFound, "NoSuchLifecycleConfiguration")
	}
	return reply{status: http.StatusOK, raw: []byte(b.lifecycle)}
}

func (g *Gateway) versioning(b *bucket, r *http.Request) reply {
	if r.Method != http.MethodPut {
		return g.unknown(r)
	}
	body, _ := io.ReadAll(r.Body)
	b.versioned = strings.Contains(string(body), "Enabled")
	return done(http.StatusOK)
}

// pageSize is how many entries a list may have.
func pageSize(r *http.Request, name string) int {
	if size, err := strconv.Atoi(r.URL.Query().Get(name)); err == nil && size < defaultPage {
		return size
	}
	return defaultPage
}

const defaultPage = 1000
