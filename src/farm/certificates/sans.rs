//! Subject alternative names.

use std::net::IpAddr;
use std::ops::Deref;

/// Names and addresses that a server certificate is valid for, each once, in the order added.
#[derive(Debug, Clone, Default)]
pub(super) struct Sans {
    pub dns: Vec<String>,
    pub ips: Vec<String>,
}

impl Sans {
    pub fn of_service(service: &str, namespace: &str) -> Sans {
        let mut sans = Sans::default();
        for name in [
            service.to_owned(),
            format!("{service}.{namespace}"),
            format!("{service}.{namespace}.svc"),
            "localhost".to_owned(),
            "127.0.0.1".to_owned(),
            "::1".to_owned(),
        ] {
            sans.add(&name);
        }
        sans
    }

    pub fn add(&mut self, name: &str) {
        let (list, name) = match name.parse::<IpAddr>() {
            Ok(address) => (&mut self.ips, address.to_string()),
            Err(_) => (&mut self.dns, name.to_owned()),
        };
        if !list.contains(&name) {
            list.push(name);
        }
    }

    pub fn add_all<'a, T>(&mut self, names: impl IntoIterator<Item = &'a T>)
    where
        T: Deref<Target = str> + 'a,
    {
        names.into_iter().for_each(|name| self.add(name));
    }
}
