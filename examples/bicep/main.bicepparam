using 'main.bicep'

// The keys come from a vault that exists, so that they stand in no file.
param ciscoDuoIntegrationKey = az.getSecret('SUBSCRIPTION_ID', 'GROUP', 'VAULT', 'duo-integration-key')
param ciscoDuoSecretKey = az.getSecret('SUBSCRIPTION_ID', 'GROUP', 'VAULT', 'duo-secret-key')

param ciscoDuoApiHostname = 'api-XXXXXXXX.duosecurity.com'
param workspaceResourceId = '/subscriptions/SUBSCRIPTION_ID/resourceGroups/GROUP/providers/Microsoft.OperationalInsights/workspaces/WORKSPACE'
param packageUri = 'https://ADDRESS/released-package.zip'
