using 'main.bicep'

// The keys are read from an existing key vault, so that no file contains them.
param ciscoDuoIntegrationKey = az.getSecret('SUBSCRIPTION_ID', 'GROUP', 'VAULT', 'duo-integration-key')
param ciscoDuoSecretKey = az.getSecret('SUBSCRIPTION_ID', 'GROUP', 'VAULT', 'duo-secret-key')

param ciscoDuoApiHostname = 'api-XXXXXXXX.duosecurity.com'
param workspaceResourceId = '/subscriptions/SUBSCRIPTION_ID/resourceGroups/GROUP/providers/Microsoft.OperationalInsights/workspaces/WORKSPACE'
param packageUri = 'https://ADDRESS/released-package.zip'
