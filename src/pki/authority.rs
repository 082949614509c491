//! A certificate authority with what takes its place, and what it took the place of.
//!
//! The stage of a rotation follows from which Secrets there are beside the authority's own, so that it survives being killed
//! anywhere: `-next` from the first step to the second, `-previous` from the first to the last.

use jiff::Timestamp;

use super::issue::{CLOCK_SKEW, Signer, issue};
use super::{Certificate, Flaw, Key, Material, PkiError, Store};
use crate::farm::certificates::Certificate as Wanted;

/// A step of a rotation. After each one everything that runs still trusts everything that runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Step {
    /// Make the new authority, and trust both.
    Trust,
    /// Sign everything with the new one.
    Reissue,
    /// Trust the new one only.
    Drop,
}

/// How far a rotation is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Stage {
    Steady,
    /// The new one is trusted, the old one signs.
    Trusted,
    /// The new one signs, the old one is trusted.
    Reissued,
}

/// A certificate authority.
pub(super) struct Authority {
    pub current: Material,
    pub certificate: Certificate,
    pub key: Key,
    pub next: Option<Material>,
    pub previous: Option<Material>,
}

/// The Secret of the authority that will follow.
pub(super) fn next_secret(secret: &str) -> String {
    format!("{secret}-next")
}

/// The Secret of the authority that was there before.
pub(super) fn previous_secret(secret: &str) -> String {
    format!("{secret}-previous")
}

impl Authority {
    /// The authority that is there, with its rotation as far as it is.
    pub fn found(
        wanted: &Wanted,
        found: &Store,
        now: Option<Timestamp>,
    ) -> Result<Option<Authority>, PkiError> {
        let Some(current) = found.get(&wanted.secret_name) else {
            return Ok(None);
        };
        let mut authority = Authority::read(&wanted.secret_name, current, now)?;
        let (next, previous) = (
            next_secret(&wanted.secret_name),
            previous_secret(&wanted.secret_name),
        );
        authority.next = authority.beside(&next, found, now)?;
        // It signs nothing any more, so that it may have ended meanwhile.
        authority.previous = authority.beside(&previous, found, None)?;
        if authority.stage() == Stage::Trusted {
            authority.previous = Some(alone(&authority.current));
        }
        Ok(Some(authority))
    }

    /// What another Secret has, unless that is this authority itself.
    fn beside(
        &self,
        secret: &str,
        found: &Store,
        now: Option<Timestamp>,
    ) -> Result<Option<Material>, PkiError> {
        let Some(material) = found.get(secret) else {
            return Ok(None);
        };
        let other = Authority::read(secret, material, now)?;
        Ok((other.certificate != self.certificate).then_some(other.current))
    }

    /// A new authority.
    pub fn make(wanted: &Wanted, now: Timestamp) -> Result<Authority, PkiError> {
        let failed = |source| PkiError::Issue {
            name: wanted.name.clone(),
            source,
        };
        let key = Key::generate(wanted.private_key.kind).map_err(failed)?;
        let pem = issue(&wanted.into(), &key, None, now).map_err(failed)?;
        let current = Material {
            authorities: pem.clone(),
            certificate: pem,
            key: key.to_pem(),
        };
        Authority::read(&wanted.secret_name, &current, Some(now))
    }

    /// One that can sign, or why it cannot.
    pub fn read(
        name: &str,
        material: &Material,
        now: Option<Timestamp>,
    ) -> Result<Authority, PkiError> {
        let pair = material.pair().and_then(|(certificate, key)| {
            check(&certificate, now)?;
            Ok((certificate, key))
        });
        let (certificate, key) = pair.map_err(|flaw| PkiError::Authority {
            name: name.to_owned(),
            flaw,
        })?;
        Ok(Authority {
            current: material.clone(),
            certificate,
            key,
            next: None,
            previous: None,
        })
    }

    pub fn stage(&self) -> Stage {
        match (&self.next, &self.previous) {
            (Some(_), _) => Stage::Trusted,
            (None, Some(_)) => Stage::Reissued,
            (None, None) => Stage::Steady,
        }
    }

    /// Takes a step. One that is done already changes nothing, so that it can be finished after it was killed.
    pub fn step(self, step: Step, wanted: &Wanted, now: Timestamp) -> Result<Authority, PkiError> {
        let refused = |reason| PkiError::Rotation {
            name: wanted.short.clone(),
            reason,
        };
        match (step, self.stage()) {
            (Step::Trust, Stage::Steady) => {
                let next = Authority::make(wanted, now)?.current;
                Ok(Authority {
                    next: Some(next),
                    previous: Some(alone(&self.current)),
                    ..self
                })
            }
            (Step::Trust, Stage::Trusted) | (Step::Reissue, Stage::Reissued) => Ok(self),
            (Step::Reissue, Stage::Trusted) => {
                let next = self.next.clone().unwrap_or_default();
                let new = Authority::read(&next_secret(&wanted.secret_name), &next, Some(now))?;
                Ok(Authority {
                    previous: self.previous.clone(),
                    ..new
                })
            }
            (Step::Drop, Stage::Reissued) => Ok(Authority {
                previous: None,
                ..self
            }),
            (Step::Trust, Stage::Reissued) => Err(refused(
                "its last rotation is not finished: take the step drop first",
            )),
            (Step::Reissue, Stage::Steady) => Err(refused(
                "there is no new authority yet: take the step trust first",
            )),
            (Step::Drop, Stage::Trusted) => Err(refused(
                "the old authority still signs: take the step reissue first",
            )),
            (Step::Drop, Stage::Steady) => Err(refused("there is no old authority to drop")),
        }
    }

    /// The same key with a new expiry.
    pub fn renewed(self, wanted: &Wanted, now: Timestamp) -> Result<Authority, PkiError> {
        let pem =
            issue(&wanted.into(), &self.key, None, now).map_err(|source| PkiError::Issue {
                name: wanted.short.clone(),
                source,
            })?;
        let certificate = Certificate::parse(&pem).map_err(|flaw| PkiError::Authority {
            name: wanted.short.clone(),
            flaw,
        })?;
        let is_followed = self.stage() == Stage::Trusted;
        let current = Material {
            certificate: pem,
            ..self.current.clone()
        };
        Ok(Authority {
            previous: if is_followed {
                Some(alone(&current))
            } else {
                self.previous.clone()
            },
            current,
            certificate,
            ..self
        })
    }

    pub fn signer(&self) -> Signer<'_> {
        Signer {
            pem: &self.current.certificate,
            certificate: &self.certificate,
            key: &self.key,
        }
    }

    /// What has to be trusted now, each once, in PEM.
    pub fn bundle(&self) -> String {
        let mut bundle: Vec<&str> = Vec::new();
        let others = [&self.next, &self.previous].into_iter().flatten();
        for material in std::iter::once(&self.current).chain(others) {
            let pem = material.certificate.trim();
            if !bundle.contains(&pem) {
                bundle.push(pem);
            }
        }
        let mut text = bundle.join("\n");
        text.push('\n');
        text
    }
}

/// An authority that trusts itself only.
fn alone(material: &Material) -> Material {
    Material {
        authorities: material.certificate.clone(),
        ..material.clone()
    }
}

fn check(certificate: &Certificate, now: Option<Timestamp>) -> Result<(), Flaw> {
    if !certificate.is_ca {
        return Err(Flaw::NoAuthority("its basic constraints say so"));
    }
    if !certificate.usages.contains(&"cert sign") {
        return Err(Flaw::NoAuthority("its key usages lack cert sign"));
    }
    let Some(now) = now else {
        return Ok(());
    };
    check_clock(certificate, now)?;
    if certificate.not_after <= now {
        Err(Flaw::Expired(certificate.not_after))
    } else {
        Ok(())
    }
}

/// Refuses a certificate from the future.
pub(super) fn check_clock(certificate: &Certificate, now: Timestamp) -> Result<(), Flaw> {
    if certificate.not_before.as_second() > now.as_second() + CLOCK_SKEW {
        Err(Flaw::Future {
            not_before: certificate.not_before,
            now,
        })
    } else {
        Ok(())
    }
}
