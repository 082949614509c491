//! Certificates made as the farm wants them.

use std::time::Duration;

use jiff::Timestamp;
use rcgen::string::{Ia5String, PrintableString};
use rcgen::{
    BasicConstraints, CertificateParams, CustomExtension, DistinguishedName, DnType, DnValue, IsCa,
    Issuer, SanType, SerialNumber,
};

use super::subject::with_organizations;
use super::{Certificate, Key, usages};
use crate::farm::certificates::Certificate as Wanted;

/// How far the clocks of the machines that use a certificate may be behind the one that issues it.
pub(super) const CLOCK_SKEW: i64 = 300;

/// The basic constraints of a certificate that is not a CA: an empty sequence (RFC 5280, 4.2.1.9).
const NO_AUTHORITY: (&[u64], [u8; 2]) = (&[2, 5, 29, 19], [0x30, 0]);

/// A CA that can sign.
pub(super) struct Signer<'a> {
    pub pem: &'a str,
    pub certificate: &'a Certificate,
    pub key: &'a Key,
}

/// What a certificate has to say.
pub(super) struct Request<'a> {
    pub common_name: &'a str,
    pub organizations: Vec<&'a str>,
    /// By cert-manager's names.
    pub usages: &'a [&'a str],
    pub is_ca: bool,
    pub dns_names: &'a [String],
    pub ip_addresses: &'a [String],
    /// From now, in seconds.
    pub life: i64,
}

impl<'a> From<&'a Wanted> for Request<'a> {
    fn from(wanted: &'a Wanted) -> Request<'a> {
        Request {
            common_name: &wanted.common_name,
            organizations: wanted.organizations.iter().flatten().copied().collect(),
            usages: &wanted.usages,
            is_ca: wanted.is_ca,
            dns_names: wanted.dns_names.as_deref().unwrap_or_default(),
            ip_addresses: wanted.ip_addresses.as_deref().unwrap_or_default(),
            life: i64::from(wanted.duration.0) * 3600,
        }
    }
}

/// A certificate for the public half of `key`, signed by a CA or, without one, by `key` itself. In PEM.
///
/// # Errors
/// A name that no certificate can carry; where there are no random bytes.
pub(super) fn issue(
    wanted: &Request<'_>,
    key: &Key,
    signer: Option<&Signer<'_>>,
    now: Timestamp,
) -> Result<String, rcgen::Error> {
    let mut params = CertificateParams::default();
    params.distinguished_name = subject(wanted);
    params.serial_number = Some(serial()?);
    let begin = now.as_second() - CLOCK_SKEW;
    let end = now.as_second().saturating_add(wanted.life);
    // What outlives its CA could not be verified any more.
    let end = signer.map_or(end, |by| end.min(by.certificate.not_after.as_second()));
    params.not_before = moment(begin);
    params.not_after = moment(end);
    (params.key_usages, params.extended_key_usages) = usages::purposes(wanted.usages);
    for name in wanted.dns_names {
        let name = Ia5String::try_from(name.as_str())?;
        params.subject_alt_names.push(SanType::DnsName(name));
    }
    let addresses = wanted.ip_addresses.iter();
    let addresses = addresses.filter_map(|address| address.parse().ok());
    params
        .subject_alt_names
        .extend(addresses.map(SanType::IpAddress));
    if wanted.is_ca {
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained)
    } else {
        let (id, content) = NO_AUTHORITY;
        let mut constraints = CustomExtension::from_oid_content(id, content.to_vec());
        constraints.set_criticality(true);
        params.custom_extensions.push(constraints);
    }
    let certificate = match signer {
        None => params.self_signed(key.pair())?,
        Some(by) => {
            params.use_authority_key_identifier_extension = true;
            let issuer = Issuer::from_ca_cert_pem(by.pem, by.key.pair())?;
            params.signed_by(key.pair(), &issuer)?
        }
    };
    let certificate = certificate.pem();
    match wanted.organizations.as_slice() {
        [] | [_] => Ok(certificate),
        several => {
            let signer = signer.map_or(key, |by| by.key);
            with_organizations(&certificate, several, wanted.common_name, signer)
        }
    }
}

/// As Go's crypto/x509 orders and writes it, so that both modes give the same.
fn subject(wanted: &Request<'_>) -> DistinguishedName {
    let mut name = DistinguishedName::new();
    for organization in &wanted.organizations {
        name.push(DnType::OrganizationName, text(organization));
    }
    name.push(DnType::CommonName, text(wanted.common_name));
    name
}

fn text(value: &str) -> DnValue {
    match PrintableString::try_from(value) {
        Ok(printable) => DnValue::PrintableString(printable),
        Err(_) => DnValue::Utf8String(value.to_owned()),
    }
}

/// 127 random bits: positive, and never the same twice for one CA (RFC 5280, 4.1.2.2).
fn serial() -> Result<SerialNumber, rcgen::Error> {
    let mut bytes = [0; 16];
    getrandom::fill(&mut bytes).map_err(|_| rcgen::Error::RingUnspecified)?;
    bytes[0] = bytes[0] & 0x7f | 0x40;
    Ok(SerialNumber::from_slice(&bytes))
}

/// Seconds since 1970, of which certificates take whole ones.
fn moment(seconds: i64) -> time::OffsetDateTime {
    let epoch = rcgen::date_time_ymd(1970, 1, 1);
    epoch + Duration::from_secs(seconds.try_into().unwrap_or_default())
}
