package rgwadmin

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
	"k8s.io/utils/clock"
)

const (
	// region is in the signature because it has to be; a gateway does not look at it.
	region = "us-east-1"
	// maxReply bounds what is read of an answer.
	maxReply = 16 << 20
)

var errRefusedByGateway = errors.New("the gateway refuses")

// request sends one signed request to a gateway, whose certificate the image has to
// trust, as radosgw-admin wants it too.
func (p Program) request(ctx context.Context, command Command) ([]byte, error) {
	if len(command.Args) != 2 {
		return nil, fmt.Errorf("%d arguments of a request: %w", len(command.Args), ErrMalformed)
	}
	method, target := command.Args[0], command.Args[1]
	asked, err := http.NewRequestWithContext(ctx, method, target, bytes.NewReader(command.Input))
	if err != nil {
		return nil, fmt.Errorf("%s %s: %w", method, target, err)
	}
	hash := sha256.Sum256(command.Input)
	keys := aws.Credentials{AccessKeyID: command.AccessKey, SecretAccessKey: command.SecretKey}
	sum := hex.EncodeToString(hash[:])
	now := p.Clock
	if now == nil {
		now = clock.RealClock{}
	}
	asked.Header.Set("X-Amz-Content-Sha256", sum)
	if err := v4.NewSigner().SignHTTP(ctx, keys, asked, sum, "s3", region, now.Now()); err != nil {
		return nil, fmt.Errorf("sign %s %s: %w", method, target, err)
	}
	reply, err := http.DefaultClient.Do(asked)
	if err != nil {
		var wrapped *url.Error
		if errors.As(err, &wrapped) {
			err = wrapped.Err
		}
		return nil, fmt.Errorf("%s %s: no answer: %w", method, target, err)
	}
	defer func() { _ = reply.Body.Close() }()
	body, err := io.ReadAll(io.LimitReader(reply.Body, maxReply))
	if err != nil {
		return nil, fmt.Errorf("%s %s: %w", method, target, err)
	}
	if reply.StatusCode >= http.StatusMultipleChoices {
		return nil, fmt.Errorf("%s %s: %w: %s %.200s", method, target, errRefusedByGateway, reply.Status, body)
	}
	return body, nil
}
