# What Drawbridge added for
# tgw-0aaaaaaaaaaaaaaa1:vpc-0a100000000000000:vpc-0b200000000000000,
# tgw-attach-0aaaaaaaaaaaaaaa1,
# arn:aws:rds:us-east-1:222222222222:cluster:orders,
# private-notebooks-vpc-0a100000000000000, for Terraform to keep. Written on
# 2026-11-29.
#
# In this order nothing is ever missing, and nothing is changed:
# 1. terraform init && terraform plan. It says "11 to import, 0 to add, 0 to
#    change, 0 to destroy". If it says anything else, apply nothing: export
#    anew.
# 2. terraform apply. Now Terraform has all of it; Drawbridge still keeps it,
#    too.
# 3. Let Drawbridge go; everything stays as it stands:
#      drawbridge release arn:aws:rds:us-east-1:222222222222:cluster:orders
#      drawbridge release private-notebooks-vpc-0a100000000000000
#      drawbridge release tgw-attach-0aaaaaaaaaaaaaaa1
# 4. terraform plan. It says "No changes". Take the import blocks out.
# Change nothing of it in the code before 3: Drawbridge would put it back.
#
# Where other code has a route table or a security group with all its routes or
# rules inline, that code takes these away when it is applied: make a resource
# of its own of each inline block first.
#
# Tags that begin with drawbridge: tell people what a thing is for. Take them
# out after 3, if you like.
#
# Not in this code:
# - statement execution trust drawbridge, 111111111111 us-east-1: it is a
#   statement in a document of execution. Do: copy the statement trust
#   drawbridge from the document as it stands into that thing's own code.
# - notebook-lifecycle research drawbridge-subnet-0a100000000000000,
#   111111111111 us-east-1: which lifecycle configuration a notebook has is said
#   by the notebook. Do: name drawbridge-subnet-0a100000000000000 as the
#   lifecycle configuration in the notebook's own code.
# - interface vpc-0a100000000000000 com.amazonaws.us-east-1.sagemaker.api group,
#   111111111111 us-east-1: it is a part of an endpoint that is not in this
#   export. Do: name its subnet, or its group, in the endpoint's own code.
# - share arn:aws:ram:us-east-1:111111111111:resource-share/1 222222222222,
#   222222222222 us-east-1: that an account accepted a share is no resource that
#   code describes. Do: nothing: an accepted share stays accepted.
# - setting arn:aws:rds:us-east-1:222222222222:cluster:orders http-endpoint,
#   222222222222 us-east-1: it is a setting of
#   arn:aws:rds:us-east-1:222222222222:cluster:orders. Do: in its own code set
#   enable_http_endpoint = true (CloudFormation: EnableHttpEndpoint).

terraform {
  required_version = ">= 1.5.0"
  required_providers {
    aws = {
      source  = "hashicorp/aws"
      version = ">= 5.100.0"
    }
  }
}

variable "profile_111111111111" {
  description = "Profile of your AWS configuration for account 111111111111; by default the credentials that you have."
  type        = string
  default     = null
}

provider "aws" {
  alias               = "in_111111111111_us_east_1"
  region              = "us-east-1"
  profile             = var.profile_111111111111
  allowed_account_ids = ["111111111111"]
  # assume_role { role_arn = "arn:aws:iam::111111111111:role/ROLE" } # instead of a profile
}

import {
  to = aws_ec2_transit_gateway_route_table_association.tgw_rtb_0a100000000000000_tgw_attach_0aaaaaaaaaaaaaaa1
  id = "tgw-rtb-0a100000000000000_tgw-attach-0aaaaaaaaaaaaaaa1"
}

resource "aws_ec2_transit_gateway_route_table_association" "tgw_rtb_0a100000000000000_tgw_attach_0aaaaaaaaaaaaaaa1" {
  provider                       = aws.in_111111111111_us_east_1
  transit_gateway_attachment_id  = "tgw-attach-0aaaaaaaaaaaaaaa1"
  transit_gateway_route_table_id = "tgw-rtb-0a100000000000000"
}

import {
  to = aws_ec2_transit_gateway_route_table_propagation.tgw_rtb_0a100000000000000_tgw_attach_0aaaaaaaaaaaaaaa1
  id = "tgw-rtb-0a100000000000000_tgw-attach-0aaaaaaaaaaaaaaa1"
}

resource "aws_ec2_transit_gateway_route_table_propagation" "tgw_rtb_0a100000000000000_tgw_attach_0aaaaaaaaaaaaaaa1" {
  provider                       = aws.in_111111111111_us_east_1
  transit_gateway_attachment_id  = "tgw-attach-0aaaaaaaaaaaaaaa1"
  transit_gateway_route_table_id = "tgw-rtb-0a100000000000000"
}

import {
  to = aws_route.rtb_0a100000000000000_10_2_0_0_23
  id = "rtb-0a100000000000000_10.2.0.0/23"
}

resource "aws_route" "rtb_0a100000000000000_10_2_0_0_23" {
  provider               = aws.in_111111111111_us_east_1
  route_table_id         = "rtb-0a100000000000000"
  destination_cidr_block = "10.2.0.0/23"
  transit_gateway_id     = "tgw-0aaaaaaaaaaaaaaa1"
}

import {
  to = aws_security_group.sg_0e100000000000000
  id = "sg-0e100000000000000"
}

resource "aws_security_group" "sg_0e100000000000000" {
  provider    = aws.in_111111111111_us_east_1
  name        = "drawbridge-private-notebooks-vpc-0a100000000000000"
  description = "Drawbridge: HTTPS to the interface endpoints of private-notebooks-vpc-0a100000000000000"
  vpc_id      = "vpc-0a100000000000000"
  tags = {
    "drawbridge:connection" = "private-notebooks-vpc-0a100000000000000"
  }
}

import {
  to = aws_vpc_endpoint.vpce_0e100000000000000
  id = "vpce-0e100000000000000"
}

resource "aws_vpc_endpoint" "vpce_0e100000000000000" {
  provider            = aws.in_111111111111_us_east_1
  vpc_id              = "vpc-0a100000000000000"
  service_name        = "com.amazonaws.us-east-1.sts"
  vpc_endpoint_type   = "Interface"
  private_dns_enabled = true
  subnet_ids          = ["subnet-0a100000000000000"]
  security_group_ids  = ["sg-0e100000000000000"]
  policy = jsonencode({
    Statement = [{
      Action    = "*"
      Effect    = "Allow"
      Principal = "*"
      Resource  = "*"
    }]
  })
  tags = {
    "drawbridge:connection" = "private-notebooks-vpc-0a100000000000000"
  }
}

import {
  to = aws_iam_policy.drawbridge_private_notebooks_us_east_1
  id = "arn:aws:iam::111111111111:policy/drawbridge/drawbridge-private-notebooks-us-east-1"
}

resource "aws_iam_policy" "drawbridge_private_notebooks_us_east_1" {
  provider = aws.in_111111111111_us_east_1
  name     = "drawbridge-private-notebooks-us-east-1"
  path     = "/drawbridge/"
  policy = jsonencode({
    Statement = [{
      Action   = ["rds-data:ExecuteStatement"]
      Effect   = "Allow"
      Resource = "arn:aws:rds:us-east-1:222222222222:cluster:$${aws:PrincipalTag/x}"
    }]
    Version = "2012-10-17"
  })
  description = "Drawbridge: the URL of a notebook."
  tags = {
    "drawbridge:connection" = "private-notebooks-vpc-0a100000000000000"
  }
}

import {
  to = aws_iam_role_policy_attachment.scientist_drawbridge_private_notebooks
  id = "scientist/arn:aws:iam::111111111111:policy/drawbridge/drawbridge-private-notebooks-us-east-1"
}

resource "aws_iam_role_policy_attachment" "scientist_drawbridge_private_notebooks" {
  provider   = aws.in_111111111111_us_east_1
  role       = "scientist"
  policy_arn = "arn:aws:iam::111111111111:policy/drawbridge/drawbridge-private-notebooks-us-east-1"
}

variable "profile_222222222222" {
  description = "Profile of your AWS configuration for account 222222222222; by default the credentials that you have."
  type        = string
  default     = null
}

provider "aws" {
  alias               = "in_222222222222_us_east_1"
  region              = "us-east-1"
  profile             = var.profile_222222222222
  allowed_account_ids = ["222222222222"]
  # assume_role { role_arn = "arn:aws:iam::222222222222:role/ROLE" } # instead of a profile
  # By these Drawbridge tells people how it goes.
  ignore_tags {
    keys = ["drawbridge:pairs", "drawbridge:reason", "drawbridge:since", "drawbridge:status", "drawbridge:studio-reason", "drawbridge:studio-since", "drawbridge:studio-status", "drawbridge:unclear"]
  }
}

import {
  to = aws_ec2_transit_gateway_vpc_attachment.tgw_attach_0aaaaaaaaaaaaaaa1
  id = "tgw-attach-0aaaaaaaaaaaaaaa1"
}

resource "aws_ec2_transit_gateway_vpc_attachment" "tgw_attach_0aaaaaaaaaaaaaaa1" {
  provider                                        = aws.in_222222222222_us_east_1
  transit_gateway_id                              = "tgw-0aaaaaaaaaaaaaaa1"
  vpc_id                                          = "vpc-0b200000000000000"
  subnet_ids                                      = ["subnet-0b100000000000000", "subnet-0b200000000000000"]
  dns_support                                     = "enable"
  ipv6_support                                    = "disable"
  appliance_mode_support                          = "disable"
  security_group_referencing_support              = "enable"
  transit_gateway_default_route_table_association = false
  tags = {
    "drawbridge:connection" = "tgw-0aaaaaaaaaaaaaaa1:vpc-0b200000000000000"
  }
}

import {
  to = aws_kms_grant.drawbridge_data_api_orders
  id = "1234abcd-12ab-34cd-56ef-1234567890ab:g2"
}

resource "aws_kms_grant" "drawbridge_data_api_orders" {
  provider           = aws.in_222222222222_us_east_1
  name               = "drawbridge-data-api-orders"
  key_id             = "1234abcd-12ab-34cd-56ef-1234567890ab"
  grantee_principal  = "arn:aws:iam::222222222222:role/drawbridge/drawbridge-data-api-orders"
  operations         = ["Decrypt", "DescribeKey"]
  retiring_principal = "arn:aws:iam::222222222222:role/retirer"
  constraints {
    encryption_context_subset = {
      SecretARN = "arn:aws:secretsmanager:us-east-1:222222222222:secret:orders"
    }
  }
}

import {
  to = aws_iam_role_policy.drawbridge_data_api_orders_data_api
  id = "drawbridge-data-api-orders:data-api"
}

resource "aws_iam_role_policy" "drawbridge_data_api_orders_data_api" {
  provider = aws.in_222222222222_us_east_1
  role     = "drawbridge-data-api-orders"
  name     = "data-api"
  policy = jsonencode({
    Statement = [{
      Action   = ["rds-data:ExecuteStatement"]
      Effect   = "Allow"
      Resource = "arn:aws:rds:us-east-1:222222222222:cluster:$${aws:PrincipalTag/x}"
    }]
    Version = "2012-10-17"
  })
}

# Its permissions boundary is of Drawbridge's member stack: put one of your own
# in its place before that stack goes.
import {
  to = aws_iam_role.drawbridge_data_api_orders
  id = "drawbridge-data-api-orders"
}

resource "aws_iam_role" "drawbridge_data_api_orders" {
  provider = aws.in_222222222222_us_east_1
  name     = "drawbridge-data-api-orders"
  path     = "/drawbridge/"
  assume_role_policy = jsonencode({
    Statement = [{
      Action = "sts:AssumeRole"
      Effect = "Allow"
      Principal = {
        AWS = "arn:aws:iam::111111111111:role/load"
      }
    }]
    Version = "2012-10-17"
  })
  description          = "Drawbridge: queries orders through the Data API."
  permissions_boundary = "arn:aws:iam::222222222222:policy/drawbridge-boundary"
}
