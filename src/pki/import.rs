//! Certificates that come from elsewhere, judged before anything of them is written.

use jiff::Timestamp;

use super::authority::{next_secret, previous_secret};
use super::{Change, Flaw, Intent, Issued, PkiError, Store, complete};
use crate::farm::certificates::{Certificate as Wanted, Pki};
use crate::farm::spec::PkiMode;

/// What is worth keeping of the certificates that another cluster had.
#[derive(Debug, Default)]
pub struct Import {
    /// The Secrets, authorities before what they signed.
    pub kept: Vec<Issued>,
    /// The certificates that do not fit this farm, or were not there, and why: they have to be issued.
    pub others: Vec<Issued>,
}

/// Judges certificates that were exported: every authority has to be there and fit, and of the rest what fits is kept.
///
/// # Errors
/// Every authority that is missing or cannot be used, and in the mode `certManager` what cert-manager cannot go on with.
pub fn import(pki: &Pki, found: &Store, now: Timestamp) -> Result<Import, Vec<PkiError>> {
    let authorities = || pki.certificates.iter().filter(|wanted| wanted.is_ca);
    let missing = authorities().filter(|wanted| !found.contains_key(&wanted.secret_name));
    let missing: Vec<String> = missing.map(|wanted| wanted.short.clone()).collect();
    if !missing.is_empty() {
        return Err(vec![PkiError::NotExported { names: missing }]);
    }
    if pki.mode == PkiMode::CertManager {
        let refused = authorities().filter_map(|wanted| refused_by_cert_manager(wanted, found));
        let refused: Vec<PkiError> = refused.collect();
        if !refused.is_empty() {
            return Err(refused);
        }
    }
    let completed = complete(pki, found, Some(now), &Intent::default())?;
    let is_kept = |one: &Issued| !matches!(one.change, Change::Issued(_));
    let (kept, others) = completed.issued.into_iter().partition(is_kept);
    Ok(Import { kept, others })
}

/// Why cert-manager could not go on with an authority.
fn refused_by_cert_manager(wanted: &Wanted, found: &Store) -> Option<PkiError> {
    let secret = &wanted.secret_name;
    let (certificate, _) = found.get(secret)?.pair().ok()?;
    // It does not renew what has to keep its key, where that is of another kind (decision 9).
    if certificate.key_kind != Some(wanted.private_key.kind) {
        return Some(PkiError::Authority {
            name: secret.clone(),
            flaw: Flaw::Kind,
        });
    }
    let beside = [next_secret(secret), previous_secret(secret)];
    let is_rotated = beside.iter().any(|secret| found.contains_key(secret));
    is_rotated.then(|| PkiError::Rotation {
        name: wanted.short.clone(),
        reason: "its rotation is not finished, and cert-manager does not have the steps of one: \
                 import it with pki.mode builtin, or finish the rotation first",
    })
}
