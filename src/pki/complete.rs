//! Completes the certificates of a farm: good ones are kept, all others issued.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

use jiff::Timestamp;

use super::authority::{Authority, Step, check_clock, next_secret, previous_secret};
use super::issue::issue;
use super::{Certificate, Key, Material, PkiError, Reason, Store};
use crate::farm::certificates::{Certificate as Wanted, Pki, RotationPolicy};

/// Changes that are requested beyond the necessary ones.
#[derive(Debug, Clone, Default)]
pub struct Intent {
    /// Short names of certificates to reissue. An authority keeps its key.
    pub renew: BTreeSet<String>,
    /// An authority's short name, and the step that its rotation takes.
    pub rotation: Option<(String, Step)>,
}

/// All Secrets of a farm's PKI.
#[derive(Debug, Default)]
pub struct Completed {
    pub issued: Vec<Issued>,
    /// Authorities that end within a year, and when.
    pub ending: Vec<(String, Timestamp)>,
}

/// A Secret as it has to be.
#[derive(Debug)]
pub struct Issued {
    pub secret: String,
    /// The certificate that it is of; an authority's Secret may have others beside it.
    pub certificate: String,
    pub material: Material,
    pub change: Change,
}

/// What became of a Secret.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Change {
    Kept,
    /// Its certificate and key are as they were; what it trusts is not.
    Trust,
    Issued(Reason),
}

/// Completes a farm's PKI. Without a time nothing is issued, and nothing is too old.
///
/// # Errors
/// Every authority that cannot be used, every clock that cannot be right, and without a time everything that would
/// have to be issued.
pub fn complete(
    pki: &Pki,
    found: &Store,
    now: Option<Timestamp>,
    intent: &Intent,
) -> Result<Completed, Vec<PkiError>> {
    let mut completion = Completion {
        pki,
        found,
        now,
        intent,
        authorities: BTreeMap::new(),
        completed: Completed::default(),
        errors: Vec::new(),
    };
    completion.check_intent();
    for wanted in pki.certificates.iter().filter(|wanted| wanted.is_ca) {
        match completion.authority(wanted) {
            Ok(authority) => completion.take_authority(wanted, authority),
            Err(error) => completion.errors.push(error),
        }
    }
    if completion.errors.is_empty() {
        for wanted in pki.certificates.iter().filter(|wanted| !wanted.is_ca) {
            match completion.leaf(wanted) {
                Ok(issued) => completion.completed.issued.push(issued),
                Err(error) => completion.errors.push(error),
            }
        }
    }
    if completion.errors.is_empty() {
        Ok(completion.completed)
    } else {
        Err(completion.errors)
    }
}

struct Completion<'a> {
    pki: &'a Pki,
    found: &'a Store,
    now: Option<Timestamp>,
    intent: &'a Intent,
    /// By the names of their Secrets.
    authorities: BTreeMap<&'a str, Authority>,
    completed: Completed,
    errors: Vec<PkiError>,
}

impl<'a> Completion<'a> {
    fn check_intent(&mut self) {
        let all = |wanted: &&Wanted| wanted.is_ca || self.intent.rotation.is_none();
        let names = self.pki.certificates.iter().filter(all);
        let names: Vec<String> = names.map(|wanted| wanted.short.clone()).collect();
        let rotated = self.intent.rotation.iter().map(|(name, _)| name);
        for name in self.intent.renew.iter().chain(rotated) {
            if !names.contains(name) {
                self.errors.push(PkiError::Unknown {
                    name: name.clone(),
                    names: names.clone(),
                });
            }
        }
    }

    fn authority(&self, wanted: &Wanted) -> Result<Authority, PkiError> {
        let rotation = self.intent.rotation.as_ref();
        let step = rotation.filter(|(name, _)| *name == wanted.short);
        let renews = self.intent.renew.contains(&wanted.short);
        match Authority::found(wanted, self.found, self.now)? {
            None => {
                let dependents = self.dependents(wanted);
                if !dependents.is_empty() {
                    return Err(PkiError::Gone {
                        name: wanted.secret_name.clone(),
                        dependents,
                    });
                }
                Authority::make(wanted, self.time(wanted, &Reason::Missing)?)
            }
            Some(found) if renews => found.renewed(wanted, self.time(wanted, &Reason::Requested)?),
            Some(found) => match step {
                Some((_, step)) => {
                    found.step(*step, wanted, self.time(wanted, &Reason::Requested)?)
                }
                None => Ok(found),
            },
        }
    }

    /// The Secrets that are there and were signed by an authority; all leaves for one that signs no certificates,
    /// since leaves are only ever written after every authority.
    fn dependents(&self, authority: &Wanted) -> Vec<String> {
        let signs = |leaf: &Wanted| {
            let secret = self.pki.authority_of(leaf).map(|by| &by.secret_name);
            secret == Some(&authority.secret_name)
        };
        let leaves = || self.pki.certificates.iter().filter(|leaf| !leaf.is_ca);
        let signs_any = leaves().any(signs);
        leaves()
            .filter(|leaf| !signs_any || signs(leaf))
            .filter(|leaf| self.found.contains_key(&leaf.secret_name))
            .map(|leaf| leaf.secret_name.clone())
            .collect()
    }

    /// The time to issue a certificate at.
    fn time(&self, wanted: &Wanted, reason: &Reason) -> Result<Timestamp, PkiError> {
        self.now.ok_or_else(|| PkiError::Incomplete {
            name: wanted.short.clone(),
            reason: reason.clone(),
        })
    }

    fn take_authority(&mut self, wanted: &'a Wanted, authority: Authority) {
        let material = Material {
            authorities: authority.bundle(),
            ..authority.current.clone()
        };
        let secret = &wanted.secret_name;
        self.push(secret.clone(), wanted, material);
        let beside = [
            (next_secret(secret), &authority.next),
            (previous_secret(secret), &authority.previous),
        ];
        for (secret, material) in beside {
            if let Some(material) = material {
                self.push(secret, wanted, material.clone());
            }
        }
        let year = 365 * 24 * 3600;
        let end = authority.certificate.not_after;
        if let Some(now) = self.now
            && end.as_second() - now.as_second() < year
        {
            self.completed.ending.push((wanted.short.clone(), end));
        }
        self.authorities.insert(secret, authority);
    }

    /// Adds an authority's Secret, with the bytes that are there where they mean the same.
    fn push(&mut self, secret: String, wanted: &Wanted, material: Material) {
        let (material, change) = match self.found.get(&secret) {
            None => (material, Change::Issued(Reason::Missing)),
            Some(found) if found.certificate != material.certificate => {
                (material, Change::Issued(Reason::Requested))
            }
            Some(found) => trusting(found, &material.authorities),
        };
        self.completed.issued.push(Issued {
            secret,
            certificate: wanted.short.clone(),
            material,
            change,
        });
    }

    fn leaf(&self, wanted: &Wanted) -> Result<Issued, PkiError> {
        let authority = self.authority_for(wanted)?;
        let (material, change) = match self.judge(wanted, authority)? {
            Verdict::Keep(found) => match authority {
                Some(authority) => trusting(found, &authority.bundle()),
                None => trusting(found, &found.certificate),
            },
            Verdict::Issue(reason) => {
                let now = self.time(wanted, &reason)?;
                let failed = |source| PkiError::Issue {
                    name: wanted.short.clone(),
                    source,
                };
                let key = match self.kept_key(wanted, &reason) {
                    Some(key) => key,
                    None => Key::generate(wanted.private_key.kind).map_err(failed)?,
                };
                let signer = authority.map(Authority::signer);
                let certificate =
                    issue(&wanted.into(), &key, signer.as_ref(), now).map_err(failed)?;
                let material = Material {
                    authorities: authority.map_or_else(|| certificate.clone(), Authority::bundle),
                    certificate,
                    key: key.to_pem(),
                };
                (material, Change::Issued(reason))
            }
        };
        Ok(Issued {
            secret: wanted.secret_name.clone(),
            certificate: wanted.short.clone(),
            material,
            change,
        })
    }

    /// The authority that signs a certificate; `None` if that signs itself.
    fn authority_for(&self, wanted: &Wanted) -> Result<Option<&Authority>, PkiError> {
        if wanted.boots {
            return Ok(None);
        }
        let authority = self.pki.authority_of(wanted);
        let authority = authority.and_then(|by| self.authorities.get(by.secret_name.as_str()));
        let unknown = || PkiError::Unknown {
            name: wanted.issuer.clone(),
            names: self
                .authorities
                .keys()
                .map(|name| (*name).to_owned())
                .collect(),
        };
        authority.map(Some).ok_or_else(unknown)
    }

    /// The key that is there, where it has to stay: only a request brings a new one.
    fn kept_key(&self, wanted: &Wanted, reason: &Reason) -> Option<Key> {
        let stays = wanted.private_key.rotation_policy == RotationPolicy::Never;
        if !stays || *reason == Reason::Requested {
            return None;
        }
        let (certificate, key) = self.found.get(&wanted.secret_name)?.pair().ok()?;
        (certificate.key_kind == Some(wanted.private_key.kind)).then_some(key)
    }

    fn judge(
        &self,
        wanted: &Wanted,
        authority: Option<&Authority>,
    ) -> Result<Verdict<'_>, PkiError> {
        let Some(found) = self.found.get(&wanted.secret_name) else {
            return Ok(Verdict::Issue(Reason::Missing));
        };
        let certificate = match found.pair() {
            Ok((certificate, _)) => certificate,
            Err(flaw) => return Ok(Verdict::Issue(Reason::Damaged(flaw))),
        };
        if let Some(now) = self.now {
            check_clock(&certificate, now).map_err(|flaw| PkiError::Clock {
                name: wanted.secret_name.clone(),
                flaw,
            })?;
        }
        let by = authority.map_or(&certificate, |authority| &authority.certificate);
        let reasons = [
            (self.intent.renew.contains(&wanted.short), Reason::Requested),
            (!has_subject(&certificate, wanted), Reason::Subject),
            (!has_names(&certificate, wanted), Reason::Names),
            (!has_usages(&certificate, wanted), Reason::Usages),
            (
                certificate.key_kind != Some(wanted.private_key.kind),
                Reason::Algorithm,
            ),
            (!certificate.is_signed_by(by), Reason::Authority),
            (
                self.now.is_some_and(|now| certificate.is_due(now)),
                Reason::Due,
            ),
        ];
        let reason = reasons.into_iter().find(|(is_one, _)| *is_one);
        Ok(match reason {
            Some((_, reason)) => Verdict::Issue(reason),
            None => Verdict::Keep(found),
        })
    }
}

enum Verdict<'a> {
    Keep(&'a Material),
    Issue(Reason),
}

/// What was found, with what it has to trust.
fn trusting(found: &Material, bundle: &str) -> (Material, Change) {
    let trusted = Certificate::parse_all(&found.authorities).unwrap_or_default();
    let wanted = Certificate::parse_all(bundle).unwrap_or_default();
    let is_same = trusted.len() == wanted.len() && wanted.iter().all(|one| trusted.contains(one));
    if is_same {
        return (found.clone(), Change::Kept);
    }
    let material = Material {
        authorities: bundle.to_owned(),
        ..found.clone()
    };
    (material, Change::Trust)
}

fn has_subject(certificate: &Certificate, wanted: &Wanted) -> bool {
    let organizations = wanted.organizations.iter().flatten().copied();
    let organizations: BTreeSet<&str> = organizations.collect();
    let found = certificate.organizations.iter().map(String::as_str);
    certificate.common_name == wanted.common_name && found.collect::<BTreeSet<_>>() == organizations
}

fn has_names(certificate: &Certificate, wanted: &Wanted) -> bool {
    let names: BTreeSet<&String> = wanted.dns_names.iter().flatten().collect();
    let addresses = wanted.ip_addresses.iter().flatten();
    let addresses: BTreeSet<IpAddr> = addresses.filter_map(|text| text.parse().ok()).collect();
    certificate.dns_names.iter().collect::<BTreeSet<_>>() == names
        && certificate
            .ip_addresses
            .iter()
            .copied()
            .collect::<BTreeSet<_>>()
            == addresses
}

fn has_usages(certificate: &Certificate, wanted: &Wanted) -> bool {
    let wants: BTreeSet<&str> = wanted.usages.iter().copied().collect();
    certificate.usages.iter().copied().collect::<BTreeSet<_>>() == wants
        && certificate.is_ca == wanted.is_ca
}
