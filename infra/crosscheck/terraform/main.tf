# alpha and beta in Terraform, as a team writes it that owns all of it: routes, rules and the script stand inline. A line "# remedy:" is where a block goes
# that Drawbridge's notification names.

terraform {
  required_providers {
    aws = {
      source = "hashicorp/aws"
    }
  }
}

variable "endpoint" {}
variable "region" {}
variable "consumer" {}
variable "producer" {}

provider "aws" {
  alias      = "alpha"
  region     = var.region
  access_key = var.consumer # the engine's keys are accounts
  secret_key = "local"

  skip_metadata_api_check = true
  # remedy: alpha ignore_tags
  endpoints {
    ec2       = var.endpoint
    sts       = var.endpoint
    iam       = var.endpoint
    sagemaker = var.endpoint
  }
}

provider "aws" {
  alias      = "beta"
  region     = var.region
  access_key = var.producer
  secret_key = "local"

  skip_metadata_api_check = true
  # remedy: beta ignore_tags
  endpoints {
    ec2 = var.endpoint
    sts = var.endpoint
    iam = var.endpoint
  }
}

resource "aws_vpc" "alpha" {
  provider   = aws.alpha
  cidr_block = "10.1.0.0/16"
}

resource "aws_subnet" "alpha" {
  provider   = aws.alpha
  vpc_id     = aws_vpc.alpha.id
  cidr_block = "10.1.0.0/24"
}

resource "aws_internet_gateway" "alpha" {
  provider = aws.alpha
  vpc_id   = aws_vpc.alpha.id
}

resource "aws_route_table" "alpha" {
  provider = aws.alpha
  vpc_id   = aws_vpc.alpha.id
  # remedy: alpha aws_route_table
  route {
    cidr_block = "0.0.0.0/0"
    gateway_id = aws_internet_gateway.alpha.id
  }
}

resource "aws_route_table_association" "alpha" {
  provider       = aws.alpha
  route_table_id = aws_route_table.alpha.id
  subnet_id      = aws_subnet.alpha.id
}

resource "aws_security_group" "alpha" {
  provider = aws.alpha
  name     = "lab"
  vpc_id   = aws_vpc.alpha.id
  egress {
    from_port   = 0
    to_port     = 0
    protocol    = "-1"
    cidr_blocks = ["0.0.0.0/0"]
  }
}

resource "aws_sagemaker_notebook_instance_lifecycle_configuration" "alpha" {
  provider = aws.alpha
  name     = "setup"
  on_start = base64encode("#!/bin/bash\necho hello\n")
  # remedy: alpha aws_sagemaker_notebook_instance_lifecycle_configuration
}

resource "aws_sagemaker_notebook_instance" "alpha" {
  provider              = aws.alpha
  name                  = "lab"
  role_arn              = "arn:aws:iam::${var.consumer}:role/notebook"
  instance_type         = "ml.t3.medium"
  subnet_id             = aws_subnet.alpha.id
  security_groups       = [aws_security_group.alpha.id]
  lifecycle_config_name = aws_sagemaker_notebook_instance_lifecycle_configuration.alpha.name
}

resource "aws_vpc" "beta" {
  provider   = aws.beta
  cidr_block = "10.2.0.0/16"
  tags       = { "drawbridge:accept" = "auto" } # which Terraform must go on to set
}

resource "aws_subnet" "beta" {
  provider          = aws.beta
  count             = 2
  vpc_id            = aws_vpc.beta.id
  cidr_block        = "10.2.${count.index}.0/24"
  availability_zone = "${var.region}${["a", "b"][count.index]}"
}

resource "aws_route_table" "beta" {
  provider = aws.beta
  vpc_id   = aws_vpc.beta.id
}

resource "aws_route_table_association" "beta" {
  provider       = aws.beta
  count          = 2
  route_table_id = aws_route_table.beta.id
  subnet_id      = aws_subnet.beta[count.index].id
}

resource "aws_security_group" "beta" {
  provider = aws.beta
  name     = "databases"
  vpc_id   = aws_vpc.beta.id
  # remedy: beta aws_security_group
  ingress {
    from_port   = 3306
    to_port     = 3306
    protocol    = "tcp"
    cidr_blocks = ["10.2.0.0/16"]
  }
  egress {
    from_port   = 0
    to_port     = 0
    protocol    = "-1"
    cidr_blocks = ["0.0.0.0/0"]
  }
}

resource "aws_vpc_peering_connection" "alpha" {
  provider      = aws.alpha
  vpc_id        = aws_vpc.alpha.id
  peer_vpc_id   = aws_vpc.beta.id
  peer_owner_id = var.producer
  depends_on    = [aws_route_table_association.alpha, aws_route_table_association.beta, aws_sagemaker_notebook_instance.alpha]
}

output "connection" { value = aws_vpc_peering_connection.alpha.id }
output "consumer_vpc" { value = aws_vpc.alpha.id }
output "consumer_table" { value = aws_route_table.alpha.id }
output "producer_vpc" { value = aws_vpc.beta.id }
output "producer_table" { value = aws_route_table.beta.id }
output "producer_subnets" { value = aws_subnet.beta[*].id }
output "producer_group" { value = aws_security_group.beta.id }
