//! The entity mappings of rules and hunting queries, and their columns.

use serde_json::Value;

use crate::content::tools::Checked;

/// The entity types used here, with the identifiers of which one is required, and optional ones.
///
/// <https://learn.microsoft.com/azure/sentinel/entities-reference>
const ENTITY_TYPES: [(&str, &[&str], &[&str]); 4] = [
    (
        "Account",
        &["FullName", "Sid", "Name", "AadUserId", "PUID", "ObjectGuid"],
        &["NTDomain", "DnsDomain", "UPNSuffix", "AadTenantId", "IsDomainJoined", "DisplayName"],
    ),
    ("IP", &["Address"], &["AddressScope"]),
    (
        "Host",
        &["FullName", "HostName", "NetBiosName", "AzureID", "OMSAgentID"],
        &["DnsDomain", "NTDomain", "OSFamily", "OSVersion", "IsDomainJoined"],
    ),
    ("CloudApplication", &["AppId", "Name"], &["InstanceName"]),
];

/// Errors in the entity mappings of a rule or hunting query.
pub(crate) fn entity_errors(definition: &Value, result: &Checked) -> Vec<String> {
    let mut errors = Vec::new();
    let mappings = definition["entityMappings"].as_array().map_or(&[][..], Vec::as_slice);
    if mappings.is_empty() || mappings.len() > 10 {
        errors.push(format!("{} entities: Sentinel accepts one to ten", mappings.len()));
    }
    for mapping in mappings {
        let entity = mapping["entityType"].as_str().unwrap_or_default();
        let known = ENTITY_TYPES.iter().find(|(name, ..)| *name == entity);
        let Some((_, required, optional)) = known else {
            errors.push(format!("the entity {entity:?} is not in the list of the test"));
            continue;
        };
        let fields = mapping["fieldMappings"].as_array().map_or(&[][..], Vec::as_slice);
        if fields.is_empty() || fields.len() > 3 {
            errors.push(format!(
                "{entity} has {} identifiers: Sentinel accepts one to three",
                fields.len()
            ));
        }
        let identifiers: Vec<&str> =
            fields.iter().map(|field| field["identifier"].as_str().unwrap_or_default()).collect();
        if !required.iter().any(|one| identifiers.contains(one)) {
            errors.push(format!("{entity} with {identifiers:?} lacks one of {required:?}"));
        }
        for (field, identifier) in fields.iter().zip(&identifiers) {
            if !required.contains(identifier) && !optional.contains(identifier) {
                errors.push(format!("{entity} has no identifier {identifier:?}"));
            }
            let column = field["columnName"].as_str().unwrap_or_default();
            if result.columns.get(column).is_none_or(|kind| kind != "string") {
                errors.push(format!(
                    "{entity} uses {column:?}, which is not a string column of the query"
                ));
            }
        }
    }
    errors
}
