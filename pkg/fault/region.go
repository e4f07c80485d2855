package fault

import (
	"errors"
	"net"
	"strings"

	"github.com/aws/smithy-go"
)

// ErrAbsent is the cause of a [Conflict] about a service that a Region does not have.
var ErrAbsent = errors.New("the Region does not have the service")

// ErrNoRegion is the cause of a [Refused] error about a Region that does not exist.
var ErrNoRegion = errors.New("there is no such Region")

// Absent reports whether a Region does not have the service that was called. Whoever lists what may be there takes it for
// none; whoever knows of something that is there does not ask, and fails.
func Absent(err error) bool { return errors.Is(err, ErrAbsent) }

// NoHost returns the host whose name DNS says does not exist, or "". A DNS that does not answer is something else.
func NoHost(err error) string {
	var dns *net.DNSError
	if errors.As(err, &dns) && dns.IsNotFound {
		return dns.Name
	}
	return ""
}

// disabled are the codes with which services answer credentials that are good, in a Region that their account has not
// enabled.
// https://docs.aws.amazon.com/accounts/latest/reference/manage-acct-regions.html
// https://docs.aws.amazon.com/AWSEC2/latest/APIReference/errors-overview.html
// https://docs.aws.amazon.com/IAM/latest/UserGuide/id_credentials_temp_enable-regions.html
var disabled = []string{"AuthFailure", "OptInRequired", "UnrecognizedClientException", "InvalidClientTokenId", "RegionDisabledException"}

// denial is what AWS writes into a refusal that a policy of the organization made.
// https://docs.aws.amazon.com/IAM/latest/UserGuide/troubleshoot_access-denied.html
const denial = "explicit deny in a service control policy"

// Barred says why a call that only lists was refused because of its Region, if so: the account has not enabled the Region, a
// policy of the organization denies it, or it does not exist. The account is entered by a call elsewhere, so its credentials
// are good.
func Barred(err error) (why string, ok bool) {
	var api smithy.APIError
	switch {
	case errors.Is(err, ErrNoRegion):
		return err.Error(), true
	case HasCode(err, disabled...):
		errors.As(err, &api)
		return "the account has not enabled the Region: " + api.ErrorCode() + ": " + api.ErrorMessage(), true
	case errors.As(err, &api) && Of(err) == Refused:
		// What follows is encoded, and another text in every answer.
		if said, _, denied := strings.Cut(api.ErrorMessage(), denial); denied {
			return "a policy of the organization denies it: " + api.ErrorCode() + ": " + said + denial, true
		}
	}
	return "", false
}
