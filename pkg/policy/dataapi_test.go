package policy_test

import (
	"testing"

	"github.com/drawbridge-cloud/drawbridge/pkg/policy"
)

func TestDefaultPolicyAdmitsToTheDataAPI(t *testing.T) {
	consumer := policy.Consumer{Region: "eu-central-1", Account: analytics().Account}
	elsewhere := consumer
	elsewhere.Region = "us-east-1"
	outsider := policy.Consumer{Region: "eu-central-1", Account: stranger().Account}
	pathless := consumer
	pathless.Account = policy.Account{}
	cluster := func(tags ...string) policy.Cluster {
		return policy.Cluster{ARN: "arn:aws:rds:eu-central-1:222222222222:cluster:orders", ID: "orders", Engine: "aurora-postgresql",
			Region: "eu-central-1", Tags: tagged(tags...), Account: data().Account}
	}
	sales := func(secret, key string) policy.Cluster {
		c := cluster("drawbridge:data-api=111111111111")
		c.Secret = &policy.Secret{ARN: "arn:aws:secretsmanager:eu-central-1:222222222222:secret:orders-AbCdEf", Name: "orders", Account: data().Account,
			Tags: tagged("drawbridge:data-api=" + secret), KeyTags: tagged("drawbridge:data-api=" + key)}
		return c
	}
	for name, c := range map[string]struct {
		consumer policy.Consumer
		cluster  policy.Cluster
		allow    bool
		by       string
	}{
		"an account that the tag names":           {consumer, cluster("drawbridge:data-api=333333333333 111111111111"), true, "admit-shared"},
		"an account that the tag does not name":   {consumer, cluster("drawbridge:data-api=333333333333"), false, policy.DefaultDeny},
		"a part of an account's id":               {consumer, cluster("drawbridge:data-api=11111111111"), false, policy.DefaultDeny},
		"no tag":                                  {consumer, cluster(), false, policy.DefaultDeny},
		"true is no account":                      {consumer, cluster("drawbridge:data-api=true"), false, policy.DefaultDeny},
		"another tag":                             {consumer, cluster("drawbridge:share=111111111111"), false, policy.DefaultDeny},
		"from another Region":                     {elsewhere, cluster("drawbridge:data-api=111111111111"), false, "admit-same-region"},
		"an outsider whom the tag names":          {outsider, cluster("drawbridge:data-api=999999999999"), false, "within-organization"},
		"an account of which nothing is known":    {pathless, cluster("drawbridge:data-api=111111111111"), false, policy.MissingFacts},
		"a cluster of which the ARN is not known": {consumer, policy.Cluster{Region: "eu-central-1", Account: data().Account}, false, policy.MissingFacts},
		"a secret and a key that are for it":      {consumer, sales("orders", "payroll orders"), true, "admit-shared"},
		"a secret that is for another cluster":    {consumer, sales("payroll", "orders"), false, "admit-secret"},
		"a secret that is for none":               {consumer, sales("", "orders"), false, "admit-secret"},
		"a key that is for another cluster":       {consumer, sales("orders", "orders-2"), false, "admit-secret"},
	} {
		d := policy.Default().Admit(c.consumer, c.cluster, policy.Context{})
		if d.Allowed != c.allow || d.Policy != c.by {
			t.Errorf("%s: %v by %s (%s), want %v by %s", name, d.Allowed, d.Policy, d.Reason, c.allow, c.by)
		}
	}
}
