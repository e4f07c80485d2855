package policy

import (
	"github.com/cedar-policy/cedar-go/types"

	"github.com/drawbridge-cloud/drawbridge/pkg/tag"
)

// A Consumer is an account whose people query a database through the Data API of another account, from one Region.
type Consumer struct {
	Region  string
	Account Account
}

// A Cluster is an Aurora cluster with the Data API, as far as it is not a matter of the network: see [Database] for that.
type Cluster struct {
	ARN     string
	ID      string // cluster identifier
	Engine  string // RDS's name of it
	Region  string
	Tags    map[string]string
	Account Account
	// Secret is what the cluster's owner names, nil as long as there is none of that name.
	Secret *Secret
}

// A Secret holds the database user of a cluster. Its own owner, and that of the key that encrypts it, say by the tag
// drawbridge:data-api on each for which clusters it is.
type Secret struct {
	ARN     string
	Name    string
	Tags    map[string]string
	KeyTags map[string]string // of its key
	Account Account
}

func (c Consumer) entity() entity {
	uid := ""
	if c.Account.ID != "" {
		uid = c.Account.ID + "/" + c.Region
	}
	return entity{
		uid:        types.NewEntityUID("Drawbridge::Consumer", types.String(uid)),
		parent:     c.Account.uid(),
		attributes: c.Account.whereabouts(c.Region), account: c.Account, region: c.Region,
	}
}

func (c Cluster) entity() entity {
	attributes := c.Account.whereabouts(c.Region)
	attributes["id"] = types.String(c.ID)
	attributes["engine"] = types.String(c.Engine)
	attributes["sharedWith"] = words(c.Tags[tag.DataAPI])
	out := entity{
		uid:        types.NewEntityUID("Drawbridge::Cluster", types.String(c.ARN)),
		parent:     c.Account.uid(),
		attributes: attributes, tags: c.Tags, account: c.Account, region: c.Region,
	}
	if c.Secret != nil {
		secret := c.Secret.entity(c.Region)
		attributes["secret"] = secret.uid
		out.has = &secret
	}
	return out
}

func (s Secret) entity(region string) entity {
	attributes := s.Account.whereabouts(region)
	attributes["name"] = types.String(s.Name)
	attributes["sharedWith"] = words(s.Tags[tag.DataAPI])
	attributes["keySharedWith"] = words(s.KeyTags[tag.DataAPI])
	return entity{
		uid:        types.NewEntityUID("Drawbridge::Secret", types.String(s.ARN)),
		parent:     s.Account.uid(),
		attributes: attributes, tags: s.Tags, account: s.Account, region: region,
	}
}

// Admit asks whether the people of consumer may query cluster through the Data API.
func (s *Set) Admit(consumer Consumer, cluster Cluster, c Context) Decision {
	return s.Decide(Admit, consumer, cluster, c)
}
