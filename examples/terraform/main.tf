# Deploys azuredeploy.json of this repository into an existing resource group.
#
#   az login && terraform init && terraform apply -var-file=my.tfvars
#
# The state file contains the values of all variables, including the keys. Restrict access to it as you do for the keys.

terraform {
  required_version = ">= 1.5"
  required_providers {
    azurerm = {
      source  = "hashicorp/azurerm"
      version = "~> 4.0"
    }
  }
}

provider "azurerm" {
  features {
    template_deployment {
      # With true, "terraform destroy" or a change of the deployment name deletes all resources that the template created,
      # including the checkpoints and the table.
      delete_nested_items_during_deletion = false
    }
  }
  subscription_id = var.subscription_id
}

variable "subscription_id" {
  type = string
}

variable "resource_group_name" {
  type = string
}

variable "package_uri" {
  description = "HTTPS URL of released-package.zip of one release."
  type        = string
}

variable "workspace_resource_id" {
  type = string
}

variable "cisco_duo_api_hostname" {
  type = string
}

variable "cisco_duo_integration_key" {
  type      = string
  sensitive = true
}

variable "cisco_duo_secret_key" {
  type      = string
  sensitive = true
}

variable "cisco_duo_table" {
  description = "create: create the table CiscoDuo_CL in the first deployment. keep: use the existing table, in every later deployment."
  type        = string
  default     = "keep"
}

resource "azurerm_resource_group_template_deployment" "duo_sentinel" {
  name                = "duo-sentinel"
  resource_group_name = var.resource_group_name
  deployment_mode     = "Incremental"
  template_content    = file("${path.module}/../../azuredeploy.json")

  parameters_content = jsonencode({
    IngestionApi           = { value = "LogsIngestion" }
    CiscoDuoTable          = { value = var.cisco_duo_table }
    WorkspaceResourceId    = { value = var.workspace_resource_id }
    CiscoDuoApiHostname    = { value = var.cisco_duo_api_hostname }
    CiscoDuoIntegrationKey = { value = var.cisco_duo_integration_key }
    CiscoDuoSecretKey      = { value = var.cisco_duo_secret_key }
    PackageUri             = { value = var.package_uri }
  })
}

output "function_app" {
  value = jsondecode(azurerm_resource_group_template_deployment.duo_sentinel.output_content).functionApp.value
}
