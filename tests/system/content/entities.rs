//! The entities that an alert names, and the columns they are taken from.

use serde_json::Value;

use crate::content::tools::Checked;

/// The entity types that occur here, with the identifiers of which Sentinel demands one, and those that it also takes.
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

/// What is wrong with the entities of a rule or hunting query.
pub(crate) fn entity_faults(definition: &Value, answer: &Checked) -> Vec<String> {
    let mut faults = Vec::new();
    let mappings = definition["entityMappings"].as_array().map_or(&[][..], Vec::as_slice);
    if mappings.is_empty() || mappings.len() > 10 {
        faults.push(format!("{} entities: Sentinel takes one to ten", mappings.len()));
    }
    for mapping in mappings {
        let entity = mapping["entityType"].as_str().unwrap_or_default();
        let known = ENTITY_TYPES.iter().find(|(name, ..)| *name == entity);
        let Some((_, required, optional)) = known else {
            faults.push(format!("the entity {entity:?} is not in the list of the test"));
            continue;
        };
        let fields = mapping["fieldMappings"].as_array().map_or(&[][..], Vec::as_slice);
        if fields.is_empty() || fields.len() > 3 {
            faults.push(format!(
                "{entity} has {} identifiers: Sentinel takes one to three",
                fields.len()
            ));
        }
        let identifiers: Vec<&str> =
            fields.iter().map(|field| field["identifier"].as_str().unwrap_or_default()).collect();
        if !required.iter().any(|one| identifiers.contains(one)) {
            faults.push(format!("{entity} with {identifiers:?} lacks one of {required:?}"));
        }
        for (field, identifier) in fields.iter().zip(&identifiers) {
            if !required.contains(identifier) && !optional.contains(identifier) {
                faults.push(format!("{entity} has no identifier {identifier:?}"));
            }
            let column = field["columnName"].as_str().unwrap_or_default();
            if answer.columns.get(column).is_none_or(|kind| kind != "string") {
                faults.push(format!(
                    "{entity} is taken from {column:?}, which is no text that the query gives"
                ));
            }
        }
    }
    faults
}
