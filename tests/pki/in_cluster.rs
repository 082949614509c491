//! A farm of the test cluster, and its Secrets.

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;

use crate::apply::site::Site;
use crate::pki::FARM;
use crate::support::Finished;

/// A Secret's data, decoded, by its keys.
pub type Data = BTreeMap<String, String>;

/// A farm in a namespace of its own, with certificates by kubefarm.
pub struct Farm {
    pub site: Site,
}

impl Farm {
    /// A namespace for a farm that is not applied yet; `None` where there can be no cluster.
    pub fn new(name: &str) -> Option<Farm> {
        Some(Farm {
            site: Site::new(name)?,
        })
    }

    /// The same, applied.
    pub fn applied(name: &str) -> Option<Farm> {
        let farm = Farm::new(name)?;
        farm.run("apply").success();
        Some(farm)
    }

    /// A command with the farm's values, in the mode `builtin`; the arguments are separated by spaces.
    pub fn run(&self, arguments: &str) -> Finished {
        self.run_in("builtin", arguments)
    }

    pub fn run_in(&self, mode: &str, arguments: &str) -> Finished {
        self.site
            .run(&format!("{arguments} {FARM} --set pki.mode={mode}"))
    }

    /// The Secrets with certificates, by their names without what all have in common.
    #[track_caller]
    pub fn secrets(&self) -> BTreeMap<String, Value> {
        let list = self
            .site
            .get("secrets --field-selector=type=kubernetes.io/tls");
        let items = list["items"].as_array().expect("a list").clone();
        let short = |item: &Value| {
            let name = item["metadata"]["name"].as_str().expect("a name");
            let parts = name.rsplit_once("-pki-");
            parts.expect("one of the farm's").1.to_owned()
        };
        items.into_iter().map(|item| (short(&item), item)).collect()
    }

    /// What they hold.
    #[track_caller]
    pub fn data(&self) -> BTreeMap<String, Data> {
        let secrets = self.secrets().into_iter();
        secrets
            .map(|(name, secret)| (name, decoded(&secret)))
            .collect()
    }
}

/// The texts in a Secret.
pub fn decoded(secret: &Value) -> Data {
    let data = secret["data"].as_object().into_iter().flatten();
    let text = |value: &Value| {
        let bytes = STANDARD
            .decode(value.as_str().expect("text"))
            .expect("base64");
        String::from_utf8(bytes).expect("UTF-8")
    };
    data.map(|(key, value)| (key.clone(), text(value)))
        .collect()
}
