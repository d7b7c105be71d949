//! The settings of state storage.

use super::{error, read, required};
use crate::settings::{BlobAccess, Cloud, Environment, IdentitySettings, Settings, StateSettings};

fn blob(environment: &Environment) -> (String, BlobAccess) {
    match read(environment).state {
        StateSettings::Blob(blob) => (blob.service_url.to_string(), blob.access),
        StateSettings::Folder(_) => panic!("a folder"),
    }
}

#[test]
fn connection_strings_of_every_format_are_parsed() {
    let string = |text: &str| blob(&required().with("AzureWebJobsStorage", text));
    let (url, access) = string("UseDevelopmentStorage=true");
    assert_eq!(url, "http://127.0.0.1:10000/devstoreaccount1");
    assert!(matches!(access, BlobAccess::AccountKey(account, _) if account == "devstoreaccount1"));
    let (url, access) = string(
        "DefaultEndpointsProtocol=https;AccountName=abc;AccountKey=a2V5a2V5aw==;EndpointSuffix=core.usgovcloudapi.net",
    );
    assert_eq!(url, "https://abc.blob.core.usgovcloudapi.net/");
    assert!(matches!(access, BlobAccess::AccountKey(_, key) if key.expose() == "a2V5a2V5aw=="));
    let (url, access) =
        string("BlobEndpoint=http://127.0.0.1:10000/abc/;SharedAccessSignature=?sv=2020&sig=a%3D;");
    assert_eq!(url, "http://127.0.0.1:10000/abc");
    assert!(
        matches!(access, BlobAccess::SharedAccessSignature(sas) if sas.expose() == "sv=2020&sig=a%3D")
    );
    for (wrong, named) in [
        ("AccountKey=a2V5", "no account"),
        ("AccountName=abc", "neither AccountKey nor"),
        ("AccountName=A_B;AccountKey=a2V5", "AccountName"),
        (
            "BlobEndpoint=https://abc.blob.core.windows.net/?sig=hunter2;SharedAccessSignature=s",
            "BlobEndpoint",
        ),
        ("nonsense", "no \"=\""),
        ("BlobEndpoint=nonsense;SharedAccessSignature=s", "BlobEndpoint"),
    ] {
        assert!(error("AzureWebJobsStorage", wrong).contains(named), "{wrong}");
    }
}

#[test]
fn storage_uses_an_identity_without_a_connection_string() {
    let none = required().with("AzureWebJobsStorage", "");
    let named = none.clone().with("AzureWebJobsStorage__accountName", "abc");
    let (url, access) = blob(&named);
    assert_eq!(url, "https://abc.blob.core.windows.net/");
    assert!(matches!(access, BlobAccess::Identity(IdentitySettings::Managed(None), Cloud::Public)));
    let uri = named
        .with("AzureWebJobsStorage__blobServiceUri", "https://abc.blob.core.usgovcloudapi.net/")
        .with("AzureWebJobsStorage__credential", "managedidentity")
        .with("AzureWebJobsStorage__clientId", "the-client");
    let (url, access) = blob(&uri);
    assert_eq!(url, "https://abc.blob.core.usgovcloudapi.net/");
    assert!(
        matches!(access, BlobAccess::Identity(IdentitySettings::Managed(Some(id)), _) if id == "the-client")
    );
    let outside = uri
        .with("AzureWebJobsStorage__credential", "")
        .with("AZURE_TENANT_ID", "tenant")
        .with("AZURE_CLIENT_ID", "client")
        .with("AZURE_CLIENT_SECRET", "hunter2")
        .with("CISCO_DUO_CLOUD", "China");
    assert!(matches!(
        blob(&outside).1,
        BlobAccess::Identity(IdentitySettings::ClientSecret(..), Cloud::China)
    ));
    let authority = |text: &str| {
        let named = outside.clone().with("AZURE_AUTHORITY_HOST", text);
        Settings::read(&named).map(|_| blob(&named).1)
    };
    for text in ["https://login.example.org", "https://login.example.org/"] {
        let Ok(BlobAccess::Identity(IdentitySettings::ClientSecret(application, _), _)) =
            authority(text)
        else {
            panic!("{text} was not accepted");
        };
        let host = application.authority.as_deref();
        assert_eq!(host, Some("https://login.example.org"));
    }
    for text in
        ["http://login.example.org", "login.example.org", "https://login.example.org/tenant"]
    {
        let shown = authority(text).unwrap_err().to_string();
        assert!(shown.contains("AZURE_AUTHORITY_HOST"), "{shown}");
    }
    let shown = Settings::read(&none).unwrap_err().to_string();
    assert!(
        shown.contains("AzureWebJobsStorage") && shown.contains("CISCO_DUO_STATE_DIR"),
        "{shown}"
    );
}

#[test]
fn a_local_folder_needs_no_storage_account() {
    let environment =
        required().with("AzureWebJobsStorage", "").with("CISCO_DUO_STATE_DIR", "state");
    assert!(matches!(read(&environment).state, StateSettings::Folder(_)));
}

#[test]
fn dead_letters_have_their_own_container() {
    let containers = |environment: &Environment| match read(environment).state {
        StateSettings::Blob(blob) => (blob.container, blob.dead_letter_container),
        StateSettings::Folder(_) => panic!("a folder has no containers"),
    };
    let (state, dead_letters) = containers(&required());
    assert_eq!((state.as_str(), dead_letters.as_str()), ("cisco-duo", "cisco-duo-dead-letter"));
    let named = required().with("CISCO_DUO_DEAD_LETTER_CONTAINER", "letters");
    assert_eq!(containers(&named).1, "letters");
    let shared = error("CISCO_DUO_DEAD_LETTER_CONTAINER", "cisco-duo");
    assert!(shared.contains("names the container of CISCO_DUO_CONTAINER"), "{shared}");
    let wrong = error("CISCO_DUO_DEAD_LETTER_CONTAINER", "Kept_Apart");
    assert!(
        wrong.contains("CISCO_DUO_DEAD_LETTER_CONTAINER")
            && wrong.contains("is not a container name"),
        "{wrong}"
    );
}
