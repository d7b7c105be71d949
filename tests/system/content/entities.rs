//! The entities that an alert names, and the columns they are taken from.

use serde_json::Value;

use crate::content::tools::Checked;

/// The entities that occur here, with identifiers that Sentinel knows of them.
const ENTITIES: [(&str, &[&str]); 4] = [
    (
        "Account",
        &["Name", "FullName", "UPNSuffix", "DisplayName", "AadUserId"],
    ),
    ("IP", &["Address"]),
    ("Host", &["HostName", "FullName", "DnsDomain"]),
    ("CloudApplication", &["Name", "AppId", "InstanceName"]),
];

/// What is wrong with the entities of a rule or hunting query.
pub(crate) fn entity_faults(definition: &Value, answer: &Checked) -> Vec<String> {
    let mut faults = Vec::new();
    let mappings = definition["entityMappings"]
        .as_array()
        .map_or(&[][..], Vec::as_slice);
    if mappings.is_empty() || mappings.len() > 10 {
        faults.push(format!(
            "{} entities: Sentinel takes one to ten",
            mappings.len()
        ));
    }
    for mapping in mappings {
        let entity = mapping["entityType"].as_str().unwrap_or_default();
        let Some((_, identifiers)) = ENTITIES.iter().find(|(known, _)| *known == entity) else {
            faults.push(format!(
                "the entity {entity:?} is not in the list of the test"
            ));
            continue;
        };
        let fields = mapping["fieldMappings"]
            .as_array()
            .map_or(&[][..], Vec::as_slice);
        if fields.is_empty() || fields.len() > 3 {
            faults.push(format!(
                "{entity} has {} identifiers: Sentinel takes one to three",
                fields.len()
            ));
        }
        for field in fields {
            let identifier = field["identifier"].as_str().unwrap_or_default();
            if !identifiers.contains(&identifier) {
                faults.push(format!("{entity} has no identifier {identifier:?}"));
            }
            let column = field["columnName"].as_str().unwrap_or_default();
            if answer
                .columns
                .get(column)
                .is_none_or(|kind| kind != "string")
            {
                faults.push(format!(
                    "{entity} is taken from {column:?}, which is no text that the query gives"
                ));
            }
        }
    }
    faults
}
