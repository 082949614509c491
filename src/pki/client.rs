//! Certificates for people, who are not part of the farm.

use std::time::Duration;

use jiff::Timestamp;

use super::authority::Authority;
use super::issue::{Request, issue};
use super::{Key, Material, PkiError};
use crate::farm::spec::KeyKind;

/// A user of an API server (kubernetes.io/docs/reference/access-authn-authz/authentication, "X509 client
/// certificates"), and for how long.
#[derive(Debug, Clone)]
pub struct Client {
    pub user: String,
    pub groups: Vec<String>,
    pub life: Duration,
}

const USAGES: [&str; 3] = ["digital signature", "key encipherment", "client auth"];

/// A certificate for a person with a key of the same kind as the authority's. It ends with the authority at the latest.
///
/// # Errors
/// Where the authority, whose Secret is called `name`, is not valid.
pub fn issue_client(
    client: &Client,
    name: &str,
    authority: &Material,
    now: Timestamp,
) -> Result<Material, PkiError> {
    let authority = Authority::read(name, authority, Some(now))?;
    let failed = |source| PkiError::Issue {
        name: client.user.clone(),
        source,
    };
    let kind = authority.certificate.key_kind;
    let key = Key::generate(kind.unwrap_or(KeyKind::Ecdsa256)).map_err(failed)?;
    let request = Request {
        common_name: &client.user,
        organizations: client.groups.iter().map(String::as_str).collect(),
        usages: &USAGES,
        is_ca: false,
        dns_names: &[],
        ip_addresses: &[],
        life: i64::try_from(client.life.as_secs()).unwrap_or(i64::MAX),
    };
    let certificate = issue(&request, &key, Some(&authority.signer()), now).map_err(failed)?;
    Ok(Material {
        certificate,
        key: key.to_pem(),
        authorities: authority.current.authorities.clone(),
    })
}
