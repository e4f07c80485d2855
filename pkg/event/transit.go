package event

import "encoding/json"

// Transit is the kind of event that a pair of VPCs on a transit gateway wants a look.
const Transit Kind = "transit"

// TransitToInspect is the detail-type of Drawbridge's own event that a pair of VPCs on a transit gateway wants a look.
const TransitToInspect = "Transit To Inspect"

// TransitInspection is the detail of Drawbridge's own event [TransitToInspect].
type TransitInspection struct {
	TransitGatewayID string     `json:"transitGatewayId"`
	VPCs             []VPCPlace `json:"vpcs"` // the two
	Reason           string     `json:"reason"`
	Follows          string     `json:"follows,omitempty"` // as in [Inspection]
}

// VPCPlace is a VPC and where it is.
type VPCPlace struct {
	Account string `json:"account"` // 12 digits
	Region  string `json:"region"`
	VPC     string `json:"vpcId"`
}

// Place returns the account and Region of the VPC.
func (v VPCPlace) Place() Place { return Place{v.Account, v.Region} }

// transitToInspect reads Drawbridge's own event, strictly: only Drawbridge sends it.
func transitToInspect(out Event, detail json.RawMessage) (Event, error) {
	var d TransitInspection
	if err := strictly(detail, &d); err != nil {
		return Event{}, err
	}
	if !gatewayForm.MatchString(d.TransitGatewayID) {
		return Event{}, invalid("detail.transitGatewayId %q is not of the form tgw-0123456789abcdef0", clip(d.TransitGatewayID))
	}
	if len(d.VPCs) != 2 || d.VPCs[0] == d.VPCs[1] {
		return Event{}, invalid("detail.vpcs names %d VPCs, not two different ones", len(d.VPCs))
	}
	for n, v := range d.VPCs {
		where, err := place(v.Account, v.Region)
		if err != nil {
			return Event{}, err
		}
		if !vpcForm.MatchString(v.VPC) {
			return Event{}, invalid("detail.vpcs[%d].vpcId %q is not of the form vpc-0123456789abcdef0", n, clip(v.VPC))
		}
		d.VPCs[n].Account, d.VPCs[n].Region = where.Account, where.Region
	}
	out.Kind, out.Place, out.GatewayID, out.VPCs, out.Follows = Transit, d.VPCs[0].Place(), d.TransitGatewayID, d.VPCs, d.Follows
	return out, nil
}
