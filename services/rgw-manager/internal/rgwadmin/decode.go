package rgwadmin

import (
	"bytes"
	"encoding/json"
	"fmt"
)

// document is a reply that is written back after a change, so everything in it
// is kept, known or not.
type document map[string]any

func decodeDocument(body []byte) (document, error) {
	decoder := json.NewDecoder(bytes.NewReader(body))
	decoder.UseNumber()
	doc := document{}
	if err := decoder.Decode(&doc); err != nil {
		return nil, fmt.Errorf("decode reply: %w", err)
	}
	if doc == nil {
		return nil, fmt.Errorf("decode reply: null: %w", ErrMalformed)
	}
	return doc, nil
}

func (d document) text(key string) string {
	value, _ := d[key].(string)
	return value
}

func (d document) child(key string) document {
	value, _ := d[key].(map[string]any)
	return value
}

// children are the objects of a list.
func (d document) children(key string) []document {
	list, _ := d[key].([]any)
	var found []document
	for _, item := range list {
		if child, is := item.(map[string]any); is {
			found = append(found, child)
		}
	}
	return found
}

func (d document) texts(key string) []string {
	list, _ := d[key].([]any)
	var found []string
	for _, item := range list {
		if value, is := item.(string); is {
			found = append(found, value)
		}
	}
	return found
}

// list makes what children and texts read.
func list[T any](items []T) []any {
	made := make([]any, len(items))
	for i := range items {
		made[i] = items[i]
	}
	return made
}

// realmInfo is a reply to realm get.
type realmInfo struct {
	ID            string `json:"id"`
	Name          string `json:"name"`
	CurrentPeriod string `json:"current_period"`
}

// names is a reply to realm list, zonegroup list and zone list.
type names struct {
	Default    string   `json:"default_info"`
	Realms     []string `json:"realms"`
	ZoneGroups []string `json:"zonegroups"`
	Zones      []string `json:"zones"`
	Periods    []string `json:"periods"`
}

// zoneGroupInfo is what is used of a reply to zonegroup get, and of the zone
// groups of a period.
type zoneGroupInfo struct {
	ID         string `json:"id"`
	Name       string `json:"name"`
	RealmID    string `json:"realm_id"`
	MasterZone string `json:"master_zone"`
	Zones      []struct {
		ID        string   `json:"id"`
		Name      string   `json:"name"`
		Endpoints []string `json:"endpoints"`
	} `json:"zones"`
}

// periodInfo is what is used of a reply to period get.
type periodInfo struct {
	ID              string `json:"id"`
	RealmID         string `json:"realm_id"`
	MasterZoneGroup string `json:"master_zonegroup"`
	MasterZone      string `json:"master_zone"`
	Map             struct {
		ZoneGroups []zoneGroupInfo `json:"zonegroups"`
	} `json:"period_map"`
}

// userInfo is what is used of a reply to user info.
type userInfo struct {
	ID   string `json:"user_id"`
	Keys []struct {
		AccessKey string `json:"access_key"`
		SecretKey string `json:"secret_key"`
	} `json:"keys"`
	Caps []struct {
		Type string `json:"type"`
		Perm string `json:"perm"`
	} `json:"caps"`
	System flag `json:"system"`
}

// flag is true, "true" or 1; Ceph's releases differ.
type flag bool

func (f *flag) UnmarshalJSON(body []byte) error {
	switch string(bytes.Trim(body, `"`)) {
	case "true", "1":
		*f = true
	case "false", "0", "", "null":
		*f = false
	default:
		return fmt.Errorf("flag %.20s: %w", body, ErrMalformed)
	}
	return nil
}

func decode[T any](body []byte) (T, error) {
	var into T
	if err := json.Unmarshal(body, &into); err != nil {
		return into, fmt.Errorf("decode reply: %w", err)
	}
	return into, nil
}
