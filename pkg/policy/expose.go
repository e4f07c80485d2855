package policy

import "github.com/cedar-policy/cedar-go/types"

// A Service is a service of AWS that a VPC reaches through interface endpoints.
type Service struct {
	Name    string // as AWS names it: com.amazonaws.eu-west-1.sagemaker.api
	Region  string
	Account Account // whose part of the service it is: notebooks, databases
}

func (s Service) entity() entity {
	attributes := s.Account.whereabouts(s.Region)
	attributes["name"] = types.String(s.Name)
	return entity{
		uid:        types.NewEntityUID("Drawbridge::Service", types.String(s.Name)),
		parent:     s.Account.uid(),
		attributes: attributes, account: s.Account, region: s.Region,
	}
}

// Expose asks whether a service may be exposed in a VPC: whether the VPC may get an interface endpoint of it.
func (s *Set) Expose(vpc VPC, service Service, c Context) Decision {
	return s.Decide(Expose, vpc, service, c)
}
