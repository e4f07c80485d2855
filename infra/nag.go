package main

import (
	"github.com/aws/aws-cdk-go/awscdk/v2"
)

func check(app awscdk.App) {}
