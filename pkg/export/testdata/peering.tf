# What Drawbridge added for pcx-0aaaaaaaaaaaaaaa1, for Terraform to keep.
# Written on 2026-11-29.
#
# In this order nothing is ever missing, and nothing is changed:
# 1. terraform init && terraform plan. It says "8 to import, 0 to add, 0 to
#    change, 0 to destroy". If it says anything else, apply nothing: export
#    anew.
# 2. terraform apply. Now Terraform has all of it; Drawbridge still keeps it,
#    too.
# 3. Let Drawbridge go; everything stays as it stands:
#      drawbridge release pcx-0aaaaaaaaaaaaaaa1
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
# - rule sg-0a100000000000000 egress tcp 3306 10.9.0.0/24, 111111111111
#   us-east-1: Drawbridge is at it just now (intended). Do: wait until
#   drawbridge status shows that nobody works on it, and export anew.
# - host-route research-setup 10.1.0.0/24 10.2.0.0/23, 111111111111 us-east-1:
#   it is a line within the script of a lifecycle configuration. Do: before step
#   3 tag the notebook drawbridge:routes=on: then Drawbridge goes on to set what
#   the notebook's route table reaches. Without the tag the line goes when the
#   notebook is looked at next. Or set the route yourself, in a part of the
#   script that is yours.
# - route rtb-0b200000000000000 10.1.0.0/24, 222222222222 us-east-1: somebody
#   took it away again, so it is left to them. Do: nothing: what stands there is
#   its owner's.
# - route rtb-0b300000000000000 10.1.0.0/24, 222222222222 us-east-1: it is not
#   there as Drawbridge left it. Do: see drawbridge status; the next look puts
#   it back or gives it up; then export anew.
# - rule sg-0b100000000000000 ingress tcp 5432 10.1.0.0/24, 222222222222
#   us-east-1: it could not be read: AccessDenied: you may not. Do: export with
#   credentials for account 222222222222, or only the others by --only.

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
  to = aws_vpc_peering_connection_options.pcx_0aaaaaaaaaaaaaaa1_requester
  id = "pcx-0aaaaaaaaaaaaaaa1"
}

resource "aws_vpc_peering_connection_options" "pcx_0aaaaaaaaaaaaaaa1_requester" {
  provider                  = aws.in_111111111111_us_east_1
  vpc_peering_connection_id = "pcx-0aaaaaaaaaaaaaaa1"
  requester {
    allow_remote_vpc_dns_resolution = true
  }
}

import {
  to = aws_route.rtb_0a100000000000000_10_2_0_0_23
  id = "rtb-0a100000000000000_10.2.0.0/23"
}

resource "aws_route" "rtb_0a100000000000000_10_2_0_0_23" {
  provider                  = aws.in_111111111111_us_east_1
  route_table_id            = "rtb-0a100000000000000"
  destination_cidr_block    = "10.2.0.0/23"
  vpc_peering_connection_id = "pcx-0aaaaaaaaaaaaaaa1"
}

# Before Drawbridge this route was blackhole tgw-0aaaaaaaaaaaaaaa1.
# It takes this traffic past tgw-0aaaaaaaaaaaaaaa1, by its owner's leave.
import {
  to = aws_route.rtb_0a100000000000000_fd00_2___56
  id = "rtb-0a100000000000000_fd00:2::/56"
}

resource "aws_route" "rtb_0a100000000000000_fd00_2___56" {
  provider                    = aws.in_111111111111_us_east_1
  route_table_id              = "rtb-0a100000000000000"
  destination_ipv6_cidr_block = "fd00:2::/56"
  vpc_peering_connection_id   = "pcx-0aaaaaaaaaaaaaaa1"
}

import {
  to = aws_vpc_security_group_egress_rule.sgr_0a100000000000000
  id = "sgr-0a100000000000000"
}

resource "aws_vpc_security_group_egress_rule" "sgr_0a100000000000000" {
  provider          = aws.in_111111111111_us_east_1
  security_group_id = "sg-0a100000000000000"
  ip_protocol       = "tcp"
  from_port         = 3306
  to_port           = 3306
  cidr_ipv4         = "10.2.0.0/23"
  tags = {
    "drawbridge:connection" = "pcx-0aaaaaaaaaaaaaaa1"
  }
}

import {
  to = aws_vpc_security_group_egress_rule.sgr_0a200000000000000
  id = "sgr-0a200000000000000"
}

resource "aws_vpc_security_group_egress_rule" "sgr_0a200000000000000" {
  provider          = aws.in_111111111111_us_east_1
  security_group_id = "sg-0a100000000000000"
  ip_protocol       = "tcp"
  from_port         = 3306
  to_port           = 3310
  cidr_ipv6         = "fd00:2::/56"
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
}

import {
  to = aws_vpc_peering_connection_options.pcx_0aaaaaaaaaaaaaaa1_accepter
  id = "pcx-0aaaaaaaaaaaaaaa1"
}

resource "aws_vpc_peering_connection_options" "pcx_0aaaaaaaaaaaaaaa1_accepter" {
  provider                  = aws.in_222222222222_us_east_1
  vpc_peering_connection_id = "pcx-0aaaaaaaaaaaaaaa1"
  accepter {
    allow_remote_vpc_dns_resolution = true
  }
}

# Needed by pcx-0ccccccccccccccc3, too: Drawbridge keeps it, and may take it
# away with the last of them, until these are released as well.
import {
  to = aws_route.rtb_0b100000000000000_10_1_0_0_24
  id = "rtb-0b100000000000000_10.1.0.0/24"
}

resource "aws_route" "rtb_0b100000000000000_10_1_0_0_24" {
  provider                  = aws.in_222222222222_us_east_1
  route_table_id            = "rtb-0b100000000000000"
  destination_cidr_block    = "10.1.0.0/24"
  vpc_peering_connection_id = "pcx-0aaaaaaaaaaaaaaa1"
}

import {
  to = aws_vpc_security_group_ingress_rule.sgr_0b100000000000000
  id = "sgr-0b100000000000000"
}

resource "aws_vpc_security_group_ingress_rule" "sgr_0b100000000000000" {
  provider                     = aws.in_222222222222_us_east_1
  security_group_id            = "sg-0b100000000000000"
  description                  = "Drawbridge: pcx-0aaaaaaaaaaaaaaa1 from vpc-0a100000000000000 in 111111111111"
  ip_protocol                  = "tcp"
  from_port                    = 3306
  to_port                      = 3306
  referenced_security_group_id = "111111111111/sg-0a100000000000000"
  tags = {
    "drawbridge:connection" = "pcx-0aaaaaaaaaaaaaaa1"
    "drawbridge:peer"       = "111111111111/us-east-1/vpc-0a100000000000000"
  }
}
