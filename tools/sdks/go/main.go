// Calls sts get-caller-identity as many times as its second argument says, at the endpoint that its first
// one names, with the credentials the SDK finds by itself; prints the ARN of each.
package main

import (
	"context"
	"fmt"
	"os"
	"strconv"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/service/sts"
)

func main() {
	if err := run(os.Args[1], os.Args[2]); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run(endpoint, times string) error {
	calls, err := strconv.Atoi(times)
	if err != nil {
		return err
	}
	ctx := context.Background()
	settings, err := config.LoadDefaultConfig(ctx)
	if err != nil {
		return err
	}
	client := sts.NewFromConfig(settings, func(options *sts.Options) { options.BaseEndpoint = aws.String(endpoint) })
	for range calls {
		reply, err := client.GetCallerIdentity(ctx, &sts.GetCallerIdentityInput{})
		if err != nil {
			return err
		}
		fmt.Println(aws.ToString(reply.Arn))
	}
	return nil
}
