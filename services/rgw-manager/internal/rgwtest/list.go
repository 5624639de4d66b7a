package rgwtest

import (
	"encoding/xml"
	"net/http"
	"net/url"
)

type listed struct {
	Key       string
	VersionID string `xml:"VersionId,omitempty"`
	IsLatest  bool
	Size      int64
}

type listing struct {
	XMLName             xml.Name
	Name                string
	EncodingType        string `xml:",omitempty"`
	KeyCount            int    `xml:",omitempty"`
	IsTruncated         bool
	NextContinuation    string   `xml:"NextContinuationToken,omitempty"`
	NextKeyMarker       string   `xml:",omitempty"`
	NextVersionIDMarker string   `xml:"NextVersionIdMarker,omitempty"`
	Contents            []listed `xml:"Contents"`
	Version             []listed `xml:"Version"`
	DeleteMarker        []listed `xml:"DeleteMarker"`
}

// coded spells a key as the request asks for.
func coded(r *http.Request, key string) string {
	if r.URL.Query().Get("encoding-type") == "url" {
		return url.QueryEscape(key)
	}
	return key
}

func (g *Gateway) listObjects(b *bucket, r *http.Request) reply {
	page := listing{XMLName: xml.Name{Local: "ListBucketResult"}, Name: b.name, EncodingType: r.URL.Query().Get("encoding-type")}
	after := r.URL.Query().Get("continuation-token")
	for _, v := range b.latest() {
		if v.key <= after && after != "" {
			continue
		}
		if len(page.Contents) == pageSize(r, "max-keys") {
			page.IsTruncated = true
			break
		}
		page.Contents = append(page.Contents, listed{Key: coded(r, v.key), Size: v.size})
		page.NextContinuation = v.key
	}
	if !page.IsTruncated {
		page.NextContinuation = ""
	}
	page.KeyCount = len(page.Contents)
	return ok(page)
}

func (g *Gateway) listVersions(b *bucket, r *http.Request) reply {
	query := r.URL.Query()
	page := listing{XMLName: xml.Name{Local: "ListVersionsResult"}, Name: b.name, EncodingType: query.Get("encoding-type")}
	keyMarker, idMarker := query.Get("key-marker"), query.Get("version-id-marker")
	passed := keyMarker == ""
	count := 0
	for i, v := range b.versions {
		if !passed {
			passed = v.key > keyMarker || v.key == keyMarker && v.id == idMarker
			if v.key <= keyMarker {
				continue
			}
		}
		if count == pageSize(r, "max-keys") {
			page.IsTruncated = true
			break
		}
		entry := listed{Key: coded(r, v.key), VersionID: v.id, Size: v.size, IsLatest: i == 0 || b.versions[i-1].key != v.key}
		if v.deleted {
			page.DeleteMarker = append(page.DeleteMarker, entry)
		} else {
			page.Version = append(page.Version, entry)
		}
		page.NextKeyMarker, page.NextVersionIDMarker = coded(r, v.key), v.id
		count++
	}
	if !page.IsTruncated {
		page.NextKeyMarker, page.NextVersionIDMarker = "", ""
	}
	return ok(page)
}

func (g *Gateway) listUploads(b *bucket, r *http.Request) reply {
	type one struct {
		Key      string
		UploadID string `xml:"UploadId"`
	}
	page := struct {
		XMLName      xml.Name `xml:"ListMultipartUploadsResult"`
		Bucket       string
		EncodingType string `xml:",omitempty"`
		IsTruncated  bool
		Upload       []one
	}{Bucket: b.name, EncodingType: r.URL.Query().Get("encoding-type")}
	for _, u := range b.uploads {
		if len(page.Upload) == pageSize(r, "max-uploads") {
			page.IsTruncated = true
			break
		}
		page.Upload = append(page.Upload, one{Key: coded(r, u.key), UploadID: u.id})
	}
	return ok(page)
}

// removeMany deletes what a request lists.
func (g *Gateway) removeMany(b *bucket, r *http.Request) reply {
	var asked struct {
		Object []struct {
			Key       string
			VersionID string `xml:"VersionId"`
		}
	}
	if err := xml.NewDecoder(r.Body).Decode(&asked); err != nil || len(asked.Object) > defaultPage {
		return refuse(http.StatusBadRequest, "MalformedXML")
	}
	for _, one := range asked.Object {
		g.remove(b, one.Key, one.VersionID)
	}
	return ok(struct {
		XMLName xml.Name `xml:"DeleteResult"`
	}{})
}
