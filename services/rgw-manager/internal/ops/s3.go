package ops

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/smithy-go/middleware"
)

// region is the one that needs no location when a bucket is made: the gateway then
// uses its zone group's. A gateway does not look at the region of a signature.
const region = "us-east-1"

// As speaks S3 with somebody's keys, over the connections of this client. Its
// errors are told apart with the sentinels of this package too. A request is not
// repeated.
func (c *Client) As(access, secret string) *s3.Client {
	return s3.New(s3.Options{
		BaseEndpoint: aws.String(c.endpoint),
		Region:       region,
		Credentials:  credentials.NewStaticCredentialsProvider(access, secret, ""),
		HTTPClient:   c.http,
		UsePathStyle: true, // the name of a bucket is in no DNS
		Retryer:      aws.NopRetryer{},
		// Checksums that nobody asked for come in trailers that older gateways do not
		// read.
		RequestChecksumCalculation: aws.RequestChecksumCalculationWhenRequired,
		ResponseChecksumValidation: aws.ResponseChecksumValidationWhenRequired,
		APIOptions: []func(*middleware.Stack) error{func(stack *middleware.Stack) error {
			return stack.Initialize.Add(middleware.InitializeMiddlewareFunc("sortErrors", sortErrors), middleware.Before)
		}},
	})
}

func sortErrors(ctx context.Context, in middleware.InitializeInput, next middleware.InitializeHandler) (middleware.InitializeOutput, middleware.Metadata, error) {
	out, about, err := next.HandleInitialize(ctx, in)
	return out, about, fromS3(err)
}
