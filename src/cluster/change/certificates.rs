//! Certificates that kubefarm issues, completed from the Secrets that the cluster has; and taking Secrets over from
//! cert-manager.

use std::collections::{BTreeMap, HashMap};
use std::time::SystemTime;

use jiff::Timestamp;
use serde_json::{Map, Value as Json};

use super::error::ApplyError;
use super::options::Certificates;
use crate::cluster::client::{Api, FieldConflict};
use crate::cluster::event::{Event, Observer};
use crate::cluster::state::{ISSUED_FOR, materials, read_secrets};
use crate::manifest::json::{text_at, value_at};
use crate::manifest::{Key, Object};
use crate::pki::secrets::{ROTATION, fill, secret_names};
use crate::pki::{Change, Completed, PkiError, Reason, complete};

/// How far the clocks of the API server and of this machine may be apart, in seconds.
const SKEW: i64 = 300;
/// The beginning of the names of cert-manager's field managers.
const CERT_MANAGER: &str = "cert-manager";

/// Puts certificates into the Secrets among `objects`: those of the cluster where they are good, new ones elsewhere.
///
/// # Errors
/// [`ApplyError::Pki`] for every authority that cannot be used; where the cluster cannot be asked.
pub(super) async fn complete_secrets(
    api: &Api,
    namespace: &str,
    objects: &mut Vec<Object>,
    certificates: &Certificates,
    concurrency: usize,
    observer: &dyn Observer,
) -> Result<(), ApplyError> {
    let pki = &certificates.pki;
    let keys = secret_names(pki).into_iter().map(|name| {
        // One of them is where the boot server is.
        let is_it = |object: &&Object| object.kind() == "Secret" && object.name() == name;
        match objects.iter().find(is_it) {
            Some(object) => object.key(),
            None => Key::core("Secret", namespace, &name),
        }
    });
    let found = read_secrets(api, keys.collect(), concurrency).await?;
    let owned = owned_by_certificates(&found);
    if !owned.is_empty() {
        return Err(ApplyError::Pki(owned));
    }
    let now = now().map_err(|error| ApplyError::Pki(vec![error]))?;
    let completed = complete(pki, &materials(&found), Some(now), &certificates.intent)
        .map_err(ApplyError::Pki)?;
    let issues = |change: &Change| matches!(change, Change::Issued(_));
    if completed.issued.iter().any(|issued| issues(&issued.change)) {
        check_clock(api, now).await?;
    }
    report(&completed, observer);
    fill(objects, pki, &completed);
    Ok(())
}

/// Secrets that Kubernetes deletes together with their Certificate, because cert-manager's
/// `--enable-certificate-owner-ref` made it their owner.
fn owned_by_certificates(secrets: &BTreeMap<String, Map<String, Json>>) -> Vec<PkiError> {
    let owned = secrets.iter().filter(|(_, secret)| {
        let owners = value_at(secret, &["metadata", "ownerReferences"]).and_then(Json::as_array);
        let mut owners = owners.into_iter().flatten();
        owners.any(|owner| owner.get("kind").and_then(Json::as_str) == Some("Certificate"))
    });
    owned
        .map(|(name, _)| PkiError::OwnedByCertificate { name: name.clone() })
        .collect()
}

/// Refuses to leave a farm to cert-manager while one of its authorities is being rotated: there are no steps there.
///
/// # Errors
/// Each such authority among the farm's live objects.
pub(super) fn check_rotations(
    live: &HashMap<Key, Map<String, Json>>,
    objects: &[Object],
) -> Result<(), Vec<PkiError>> {
    let is_certificate =
        |object: &Object| object.group() == "cert-manager.io" && object.kind() == "Certificate";
    if !objects.iter().any(is_certificate) {
        return Ok(());
    }
    let is_rotated = |secret: &Map<String, Json>| {
        value_at(secret, &["metadata", "annotations", ROTATION]).is_some()
    };
    let rotated = live.iter().filter(|(_, secret)| is_rotated(secret));
    let mut errors: Vec<PkiError> = rotated
        .map(|(key, _)| PkiError::Rotation {
            name: key.name.clone(),
            reason: "the rotation of this authority is not finished, and cert-manager cannot finish it: \
                     go on with kubefarm pki rotate-ca and pki.mode builtin",
        })
        .collect();
    errors.sort_by_key(PkiError::to_string);
    if errors.is_empty() {
        Ok(())
    } else {
        Err(errors)
    }
}

/// This machine's time.
///
/// # Errors
/// Where it is not a year that certificates know.
pub fn now() -> Result<Timestamp, PkiError> {
    let now = SystemTime::now();
    Timestamp::try_from(now).map_err(|_| PkiError::NoTime)
}

/// Whether this machine's clock agrees with the API server's, so that what is issued here is valid there.
///
/// # Errors
/// [`PkiError::Skew`] where the API server's clock shows another time; where it cannot be asked.
pub async fn check_clock(api: &Api, here: Timestamp) -> Result<(), ApplyError> {
    let Some(server) = api.time().await? else {
        return Ok(());
    };
    let difference = server.as_second().abs_diff(here.as_second());
    if difference > SKEW.unsigned_abs() {
        Err(ApplyError::Pki(vec![PkiError::Skew { here, server }]))
    } else {
        Ok(())
    }
}

fn report(completed: &Completed, observer: &dyn Observer) {
    for issued in &completed.issued {
        // A Secret that is new is reported anyway.
        if let Change::Issued(reason) = &issued.change
            && *reason != Reason::Missing
        {
            let name = &issued.secret;
            observer.observe(&Event::Note(&format!("{name} is issued: {reason}")));
        }
    }
    for (name, end) in &completed.ending {
        observer.observe(&Event::Note(&format!(
            "the certificate authority {name} ends at {end}: kubefarm pki renew {name} prolongs it, \
             kubefarm pki rotate-ca {name} replaces it"
        )));
    }
}

/// Whether every conflict about a Secret is with cert-manager, which no longer issues it.
pub(super) fn are_cert_managers(content: &Map<String, Json>, conflicts: &[FieldConflict]) -> bool {
    let is_issued = text_at(content, &["kind"]) == "Secret"
        && !text_at(content, &["metadata", "annotations", ISSUED_FOR]).is_empty();
    is_issued
        && conflicts
            .iter()
            .all(|conflict| conflict.manager.starts_with(CERT_MANAGER))
}

#[cfg(test)]
mod tests {
    use std::cell::RefCell;

    use serde_json::json;

    use super::*;
    use crate::manifest::json::into_object;
    use crate::pki::{Issued, Material};

    #[derive(Default)]
    struct Notes(RefCell<Vec<String>>);

    impl Observer for Notes {
        fn observe(&self, event: &Event<'_>) {
            if let Event::Note(text) = event {
                self.0.borrow_mut().push((*text).to_owned());
            }
        }
    }

    #[test]
    fn what_is_reissued_and_what_ends_is_reported() {
        let issued = |secret: &str, change: Change| Issued {
            secret: secret.to_owned(),
            certificate: secret.to_owned(),
            material: Material::default(),
            change,
        };
        let completed = Completed {
            issued: vec![
                issued("kept", Change::Kept),
                issued("new", Change::Issued(Reason::Missing)),
                issued("old", Change::Issued(Reason::Due)),
            ],
            ending: vec![("ca".to_owned(), Timestamp::UNIX_EPOCH)],
        };
        let notes = Notes::default();
        report(&completed, &notes);
        let notes = notes.0.into_inner();
        assert_eq!(notes.len(), 2, "{notes:?}");
        assert_eq!(
            notes[0],
            "old is issued: less than a third of its life is left"
        );
        let ends = "the certificate authority ca ends at 1970-01-01T00:00:00Z: ";
        assert!(notes[1].starts_with(ends), "{}", notes[1]);
    }

    #[test]
    fn only_a_secret_that_cert_manager_issued_is_taken_from_it() {
        let object = |kind: &str, annotation: &str| {
            into_object(json!({
                "kind": kind,
                "metadata": { "annotations": { annotation: "ca" } },
            }))
        };
        let conflicts = |managers: &[&str]| -> Vec<FieldConflict> {
            let conflict = |manager: &&str| FieldConflict {
                field: ".data".to_owned(),
                manager: (*manager).to_owned(),
            };
            managers.iter().map(conflict).collect()
        };
        let theirs = ["cert-manager-certificates-issuing", "cert-manager"];
        for (kind, annotation, managers, expected) in [
            ("Secret", ISSUED_FOR, &theirs[..], true),
            ("Secret", ISSUED_FOR, &["cert-manager", "kubectl"], false),
            ("Secret", "example.org/ca", &theirs, false),
            ("ConfigMap", ISSUED_FOR, &theirs, false),
        ] {
            let found = are_cert_managers(&object(kind, annotation), &conflicts(managers));
            assert_eq!(found, expected, "{kind} {annotation} {managers:?}");
        }
    }

    #[test]
    fn a_secret_that_would_go_with_its_certificate_is_named() {
        let secret = |owner: &str| {
            let owners = json!([{ "kind": "Farm" }, { "kind": owner }]);
            into_object(json!({ "metadata": { "ownerReferences": owners } }))
        };
        let secrets = BTreeMap::from([
            ("theirs".to_owned(), secret("Certificate")),
            ("other".to_owned(), secret("Tenant")),
            ("free".to_owned(), Map::new()),
        ]);
        let owned = owned_by_certificates(&secrets);
        assert!(
            matches!(&owned[..], [PkiError::OwnedByCertificate { name }] if name == "theirs"),
            "{owned:?}"
        );
    }
}
