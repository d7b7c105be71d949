// Deploys azuredeploy.json of this repository:
//
//   az deployment group create --resource-group GROUP --parameters main.bicepparam

@description('HTTPS URL of released-package.zip of one release.')
param packageUri string

param workspaceResourceId string

param ciscoDuoApiHostname string

@secure()
param ciscoDuoIntegrationKey string

@secure()
param ciscoDuoSecretKey string

@description('create: create the table CiscoDuo_CL in the first deployment. keep: use the existing table, in every later deployment.')
@allowed(['create', 'keep'])
param ciscoDuoTable string = 'keep'

module duoSentinel '../../azuredeploy.json' = {
  name: 'duo-sentinel'
  params: {
    IngestionApi: 'LogsIngestion'
    CiscoDuoTable: ciscoDuoTable
    WorkspaceResourceId: workspaceResourceId
    CiscoDuoApiHostname: ciscoDuoApiHostname
    CiscoDuoIntegrationKey: ciscoDuoIntegrationKey
    CiscoDuoSecretKey: ciscoDuoSecretKey
    PackageUri: packageUri
  }
}

output functionApp string = duoSentinel.outputs.functionApp
