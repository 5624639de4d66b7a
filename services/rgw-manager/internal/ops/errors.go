package ops

import (
	"context"
	"encoding/json"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"

	"github.com/aws/smithy-go"
	smithyhttp "github.com/aws/smithy-go/transport/http"
)

// What a request comes to when it does not succeed; compare with errors.Is.
var (
	// ErrNotFound means that there is no such user, bucket or key.
	ErrNotFound = errors.New("not found")
	// ErrExists means that the user, bucket or key exists, and is another's.
	ErrExists = errors.New("exists already")
	// ErrDenied means that the gateway does not accept the keys, or not for this.
	ErrDenied = errors.New("denied")
	// ErrInvalid means that the gateway does not accept what was asked for.
	ErrInvalid = errors.New("invalid")
	// ErrNotEmpty means that a bucket holds objects.
	ErrNotEmpty = errors.New("not empty")
	// ErrQuota means that a limit of the user or of the bucket is reached.
	ErrQuota = errors.New("quota exceeded")
	// ErrUnreachable means that no gateway answered, or none that is able to.
	ErrUnreachable = errors.New("unreachable")
	// ErrCutOff means that a gateway ended the connection in the middle of its answer.
	ErrCutOff = errors.New("answer cut off")
)

// Error is a refusal of a gateway, or its silence. It holds no URL and no reply,
// since both may hold keys.
type Error struct {
	// Verb says what was asked for, such as "create user".
	Verb string
	// Code is the gateway's word for the refusal, such as AccessDenied.
	Code string
	// Status is that of HTTP; 0 without an answer.
	Status int
	// Kind is one of the sentinels; nil for anything unexpected.
	Kind error
	// Cause is why nobody answered.
	Cause error
}

// Error words the refusal in one line.
func (e *Error) Error() string {
	text := e.Code
	switch {
	case e.Cause != nil:
		text = e.Cause.Error()
	case text == "":
		text = fmt.Sprintf("HTTP status %d", e.Status)
	}
	if e.Verb == "" {
		return "gateway: " + text
	}
	return e.Verb + ": gateway: " + text
}

// Unwrap makes errors.Is find the kind and the cause.
func (e *Error) Unwrap() []error {
	var all []error
	for _, one := range []error{e.Kind, e.Cause} {
		if one != nil {
			all = append(all, one)
		}
	}
	return all
}

// Code is the gateway's word for a refusal, or what is known of its silence.
func Code(err error) string {
	var refused *Error
	if !errors.As(err, &refused) {
		return ""
	}
	if refused.Code == "" && refused.Status != 0 {
		return fmt.Sprintf("HTTP status %d", refused.Status)
	}
	return refused.Code
}

// kinds are the codes that callers branch on.
var kinds = map[string]error{
	"NoSuchUser": ErrNotFound, "NoSuchBucket": ErrNotFound, "NoSuchKey": ErrNotFound, "NoSuchCap": ErrNotFound,
	"NoSuchSubUser": ErrNotFound, "NoSuchObject": ErrNotFound, "NoSuchUpload": ErrNotFound, "NotFound": ErrNotFound,
	"NoSuchBucketPolicy": ErrNotFound, "NoSuchLifecycleConfiguration": ErrNotFound,
	"UserAlreadyExists": ErrExists, "KeyExists": ErrExists, "EmailExists": ErrExists,
	"BucketAlreadyExists": ErrExists, "BucketAlreadyOwnedByYou": ErrExists,
	"AccessDenied": ErrDenied, "SignatureDoesNotMatch": ErrDenied, "InvalidAccessKeyId": ErrDenied, "RequestTimeTooSkewed": ErrDenied,
	"UserSuspended": ErrDenied, "Forbidden": ErrDenied,
	"InvalidArgument": ErrInvalid, "InvalidRequest": ErrInvalid, "InvalidAccessKey": ErrInvalid, "InvalidSecretKey": ErrInvalid,
	"InvalidCapability": ErrInvalid, "InvalidBucketName": ErrInvalid, "MalformedPolicy": ErrInvalid, "MalformedXML": ErrInvalid,
	"InvalidLocationConstraint": ErrInvalid,
	"BucketNotEmpty":            ErrNotEmpty,
	"QuotaExceeded":             ErrQuota, "TooManyBuckets": ErrQuota,
	"SlowDown": ErrUnreachable, "ServiceUnavailable": ErrUnreachable, "RequestTimeout": ErrUnreachable,
}

// kindOf sorts an answer in by its code, and by its status when the code says
// nothing.
func kindOf(code string, status int) error {
	if kind := kinds[code]; kind != nil {
		return kind
	}
	switch status {
	case http.StatusNotFound:
		return ErrNotFound
	case http.StatusForbidden, http.StatusUnauthorized:
		return ErrDenied
	case http.StatusConflict:
		return ErrExists
	case http.StatusBadRequest:
		return ErrInvalid
	case http.StatusBadGateway, http.StatusServiceUnavailable, http.StatusGatewayTimeout, http.StatusTooManyRequests:
		return ErrUnreachable
	}
	return nil
}

// refusal makes an error of an answer that is no success.
func refusal(status int, body []byte) *Error {
	var told struct {
		XMLName xml.Name `json:"-"`
		Code    string   `json:"Code" xml:"Code"`
	}
	if json.Unmarshal(body, &told) != nil {
		_ = xml.Unmarshal(body, &told) // neither of both: the status has to do
	}
	return &Error{Code: told.Code, Status: status, Kind: kindOf(told.Code, status)}
}

// silence makes an error of a request without an answer. The URL, which may hold
// keys, is left out.
func silence(err error) *Error {
	var withURL *url.Error
	if errors.As(err, &withURL) {
		err = withURL.Err
	}
	if errors.Is(err, context.Canceled) {
		return &Error{Code: "Canceled", Cause: err} // by us, which says nothing of the gateway
	}
	return &Error{Code: "NoAnswer", Kind: ErrUnreachable, Cause: err}
}

// told says what was asked for when it failed. An error that is not ours quotes
// what the gateway sent, which may be keys, and is not passed on.
func told(verb string, err error) error {
	if err == nil {
		return nil
	}
	var ours *Error
	if !errors.As(err, &ours) {
		return &Error{Verb: verb, Code: "MalformedReply", Status: http.StatusOK}
	}
	named := *ours
	named.Verb = verb
	return &named
}

// fromS3 sorts an error of the S3 client in, and keeps it.
func fromS3(err error) error {
	var ours *Error
	if err == nil || errors.As(err, &ours) {
		return err
	}
	sorted := &Error{Cause: err}
	var silent *smithyhttp.RequestSendError
	if errors.As(err, &silent) && !errors.Is(err, context.Canceled) {
		sorted.Code, sorted.Kind = "NoAnswer", ErrUnreachable
		return sorted
	}
	var answered interface{ HTTPStatusCode() int }
	if errors.As(err, &answered) {
		sorted.Status = answered.HTTPStatusCode()
	}
	var named smithy.APIError
	if errors.As(err, &named) {
		sorted.Code = named.ErrorCode()
	}
	sorted.Kind = kindOf(sorted.Code, sorted.Status)
	var broken *net.OpError
	if sorted.Status < http.StatusMultipleChoices && (errors.As(err, &broken) || errors.Is(err, io.ErrUnexpectedEOF)) {
		sorted.Code, sorted.Kind = "CutOff", ErrCutOff // it began to answer before it had read all
	}
	return sorted
}
