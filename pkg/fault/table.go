package fault

import (
	"context"
	"errors"
	"net"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/smithy-go"
)

// codes says what an AWS error code means to us. Codes that mean "already so" are not here: the call that
// provokes them knows them and treats them as success (see [HasCode]).
//
// EC2: https://docs.aws.amazon.com/AWSEC2/latest/APIReference/errors-overview.html
// Lambda and the rest: https://docs.aws.amazon.com/general/latest/gr/CommonErrors.html
var codes = map[string]Kind{
	// Throttling, as the services spell it.
	"RequestLimitExceeded":                   Transient,
	"Throttling":                             Transient,
	"ThrottlingException":                    Transient,
	"ThrottledException":                     Transient,
	"Throttled":                              Transient, // SNS
	"KMSThrottling":                          Transient, // SNS and SQS, of the key that they use
	"KmsThrottled":                           Transient,
	"KmsThrottlingException":                 Transient,
	"DependentServiceRequestThrottlingFault": Transient, // Redshift
	"RequestThrottled":                       Transient,
	"RequestThrottledException":              Transient,
	"TooManyRequestsException":               Transient,
	"ProvisionedThroughputExceededException": Transient,
	"TransactionInProgressException":         Transient,
	"TransactionConflictException":           Transient, // DynamoDB; another transaction is changing the row
	"ReplicatedWriteConflictException":       Transient,
	"PriorRequestNotComplete":                Transient,
	"EC2ThrottledException":                  Transient,
	"BandwidthLimitExceeded":                 Transient,
	"LimitExceededException":                 Transient,
	"SlowDown":                               Transient,
	"ConcurrentModification":                 Transient,
	"ConcurrentModificationException":        Transient,
	"ConcurrentTagAccess":                    Transient,

	// Trouble on AWS's side.
	"InternalError":               Transient,
	"InternalFailure":             Transient,
	"InternalServerError":         Transient,
	"InternalServiceError":        Transient,
	"ServiceException":            Transient,
	"ServiceUnavailable":          Transient,
	"ServiceUnavailableException": Transient,
	"Unavailable":                 Transient,
	"RequestTimeout":              Transient,
	"RequestTimeoutException":     Transient,
	"RequestExpired":              Transient,
	"IDPCommunicationError":       Transient,
	"DependencyTimeoutException":  Transient, // KMS
	"KMSInternalException":        Transient,

	// Eventual consistency: EC2 may not know for a moment what it told us about, or not yet let us.
	"InvalidVpcPeeringConnectionID.NotFound": NotYet,
	"InvalidVpcPeeringConnectionId.NotFound": NotYet,
	"InvalidGroup.NotFound":                  NotYet,
	"InvalidStateTransition":                 NotYet,
	"IncorrectState":                         NotYet,
	"ResourceInUse":                          NotYet,
	"NoSuchEntity":                           NotYet, // IAM; whoever asks whether a role is there knows it
	"EntityTemporarilyUnmodifiable":          NotYet,
	"InvalidDBClusterStateFault":             NotYet,
	"InvalidResourceStateFault":              NotYet,

	// The same of transit gateways and their attachments, and of RAM.
	"InvalidTransitGatewayID.NotFound":           NotYet,
	"InvalidTransitGatewayAttachmentID.NotFound": NotYet,
	"InvalidTransitGatewayRouteTableID.NotFound": NotYet,
	"UnknownResourceException":                   NotYet,
	"InvalidStateTransitionException":            NotYet,
	"ServerInternalException":                    Transient,

	// Somebody does not let us.
	"UnauthorizedOperation":             Refused,
	"AccessDenied":                      Refused,
	"AccessDeniedException":             Refused,
	"AuthorizationError":                Refused, // SNS
	"AuthorizationErrorException":       Refused,
	"AuthFailure":                       Refused,
	"OperationNotPermitted":             Refused,
	"OperationNotPermittedException":    Refused, // RAM
	"OptInRequired":                     Refused,
	"Blocked":                           Refused,
	"UnrecognizedClientException":       Refused,
	"InvalidClientTokenId":              Refused,
	"ExpiredToken":                      Transient, // the next attempt assumes the role anew
	"ExpiredTokenException":             Transient,
	"AWSOrganizationsNotInUseException": Refused,

	// No room left. A person must raise a quota or tidy up.
	"RouteLimitExceeded":                           Conflict,
	"RulesPerSecurityGroupLimitExceeded":           Conflict,
	"VpcPeeringConnectionsPerVpcLimitExceeded":     Conflict,
	"OutstandingVpcPeeringConnectionLimitExceeded": Conflict,
	"VpcPeeringConnectionAlreadyExists":            Conflict,
	"TransitGatewayAttachmentLimitExceeded":        Conflict,
	"TransitGatewayRouteLimitExceeded":             Conflict,
	"InsufficientFreeAddressesInSubnet":            Conflict,
	"DuplicateSubnetsInSameZone":                   Conflict,
	"ResourceLimitExceeded":                        Conflict,
}

// cancelled is the code of a transaction of DynamoDB's that was not made. Its message ends with the reason of each action,
// such as [None, TransactionConflict]: the SDK's documentation of the error lists them.
// https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_TransactWriteItems.html#API_TransactWriteItems_Errors
const cancelled = "TransactionCanceledException"

// passing are the reasons that are others' doing, or the table's, and gone in a moment. A condition that did not hold is not
// one of them: whoever set it knows what it means.
var passing = []string{"None", "ProvisionedThroughputExceeded", "ThrottlingError", "TransactionConflict"}

// ofTransaction says whether a transaction that was cancelled should be tried again as it is.
func ofTransaction(message string) Kind {
	_, list, _ := strings.Cut(message, "[")
	list, _, found := strings.Cut(list, "]")
	for reason := range strings.SplitSeq(list, ",") {
		if !found || !slices.Contains(passing, strings.TrimSpace(reason)) {
			return Conflict
		}
	}
	return Transient
}

// HasCode reports whether err is an AWS error with one of the given codes, ignoring case: EC2 itself spells
// InvalidVpcPeeringConnectionID.NotFound in two ways.
func HasCode(err error, wanted ...string) bool {
	var api smithy.APIError
	if !errors.As(err, &api) {
		return false
	}
	for _, code := range wanted {
		if strings.EqualFold(code, api.ErrorCode()) {
			return true
		}
	}
	return false
}

// ofAWS classifies an error that carries no kind of ours.
// An unknown code of AWS's side (5xx) is Transient; an unknown refusal of our request (4xx) is a Conflict,
// because only a person can find out.
func ofAWS(err error) Kind {
	var api smithy.APIError
	if errors.As(err, &api) {
		if api.ErrorCode() == cancelled {
			return ofTransaction(api.ErrorMessage())
		}
		if kind, ok := codes[api.ErrorCode()]; ok {
			return kind
		}
		if api.ErrorFault() == smithy.FaultServer || serverStatus(err) {
			return Transient
		}
		return Conflict
	}
	var network net.Error
	if errors.Is(err, context.DeadlineExceeded) || errors.Is(err, context.Canceled) || errors.As(err, &network) || serverStatus(err) {
		return Transient
	}
	var operation *smithy.OperationError
	if errors.As(err, &operation) {
		return Transient // the request did not come through: reset, DNS, a broken answer
	}
	return Invalid
}

func serverStatus(err error) bool {
	var response *http.ResponseError
	if !errors.As(err, &response) {
		return false
	}
	status := response.HTTPStatusCode()
	return status >= 500 || status == 429
}

// NoRecord reports SageMaker's way to say that a notebook instance or a lifecycle configuration does not exist: a
// ValidationException whose text has RecordNotFound.
// https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_DescribeNotebookInstanceLifecycleConfig.html
func NoRecord(err error) bool {
	var api smithy.APIError
	if !errors.As(err, &api) {
		return false
	}
	text := strings.ToLower(api.ErrorCode() + " " + api.ErrorMessage())
	return strings.Contains(text, "recordnotfound") || strings.Contains(text, "resourcenotfound") || strings.Contains(text, "does not exist")
}
