//! The farms that the consumers are shown: every example, every layer, every mode, and sizes.

use std::fmt::Write as _;
use std::path::Path;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;

use super::{kubefarm, names_in, project};

/// Arguments of `kubefarm render`, under a name for messages.
#[derive(Debug, Clone)]
pub struct Farm {
    pub name: String,
    arguments: Vec<String>,
}

impl Farm {
    /// A farm of these arguments, separated by spaces.
    pub fn new(name: impl Into<String>, arguments: &str) -> Farm {
        Farm {
            name: name.into(),
            arguments: arguments.split_whitespace().map(str::to_owned).collect(),
        }
    }

    /// The same farm with one more argument.
    pub fn with(mut self, argument: impl Into<String>) -> Farm {
        self.arguments.push(argument.into());
        self
    }

    /// The same farm with a values file over it.
    pub fn with_file(self, file: &Path) -> Farm {
        self.with("-f").with(file.to_str().expect("a UTF-8 path"))
    }

    /// What `render` prints.
    #[track_caller]
    pub fn yaml(&self) -> String {
        self.render("yaml")
    }

    /// The objects of `render -o json`.
    #[track_caller]
    pub fn objects(&self) -> Objects {
        let list: Value = serde_json::from_str(&self.render("json")).expect("JSON");
        let items = list["items"].as_array().expect("a List").clone();
        assert!(!items.is_empty(), "{}: no object", self.name);
        Objects(items)
    }

    #[track_caller]
    fn render(&self, format: &str) -> String {
        let arguments = self.arguments.iter().map(String::as_str);
        let finished = kubefarm(["render", "-o", format].into_iter().chain(arguments));
        assert!(
            finished.status.success(),
            "{}: {}",
            self.name,
            finished.stderr
        );
        finished.stdout
    }
}

/// Rendered objects.
#[derive(Debug, Clone)]
pub struct Objects(pub Vec<Value>);

impl Objects {
    /// All objects of a kind.
    pub fn of_kind(&self, kind: &str) -> impl Iterator<Item = &Value> {
        self.0.iter().filter(move |object| object["kind"] == kind)
    }

    /// The one object of a kind and name.
    #[track_caller]
    pub fn get(&self, kind: &str, name: &str) -> &Value {
        self.of_kind(kind)
            .find(|object| object["metadata"]["name"] == name)
            .unwrap_or_else(|| panic!("no {kind}/{name}"))
    }

    /// The files in a ConfigMap or Secret: names and texts.
    pub fn files(object: &Value) -> Vec<(String, String)> {
        let is_secret = object["kind"] == "Secret";
        let decode = |text: &str| {
            if is_secret {
                String::from_utf8(STANDARD.decode(text).expect("base64")).expect("UTF-8")
            } else {
                text.to_owned()
            }
        };
        let files = object["data"].as_object().into_iter().flatten();
        files
            .map(|(name, text)| (name.clone(), decode(text.as_str().expect("text"))))
            .collect()
    }

    /// A file of a ConfigMap.
    #[track_caller]
    pub fn file(&self, config_map: &str, name: &str) -> &str {
        let object = self.get("ConfigMap", config_map);
        object["data"][name]
            .as_str()
            .unwrap_or_else(|| panic!("no {name} in {config_map}"))
    }

    /// Every file of every ConfigMap and Secret, as `object/file` and text.
    pub fn all_files(&self) -> Vec<(String, String)> {
        let holders = self.of_kind("ConfigMap").chain(self.of_kind("Secret"));
        holders
            .flat_map(|object| {
                let owner = object["metadata"]["name"].as_str().unwrap_or_default();
                let files = Self::files(object).into_iter();
                files.map(move |(name, text)| (format!("{owner}/{name}"), text))
            })
            .collect()
    }
}

const GENERIC: &str = "-f examples/generic/values.yaml -f tests/support/accounts.yaml";

/// One values file over `generic`.
pub fn generic_with(layers: &str) -> Farm {
    Farm::new(format!("generic {layers}"), &format!("{GENERIC} {layers}"))
}

/// The farm of the example `generic`.
pub fn generic() -> Farm {
    Farm::new("generic", GENERIC)
}

/// `generic` with the layer `advanced_network`.
pub fn advanced_network() -> Farm {
    generic_with("-f examples/advanced_network/values.yaml")
}

/// The farm of the example `catchall`, under the name its README gives it.
pub fn catchall() -> Farm {
    Farm::new(
        "catchall",
        "--name catchall -f examples/catchall/values.yaml",
    )
}

/// Every kind of farm that is small.
pub fn matrix() -> Vec<Farm> {
    let mut farms = vec![
        generic(),
        advanced_network(),
        generic_with("-f examples/dualstack_network/values.yaml"),
        generic_with(
            "--name cluster1 -n kubefarm-cluster1 -f examples/advanced_network/values.yaml \
             -f examples/dualstack_network/values.yaml",
        ),
        catchall(),
        catchall().with("-f").with("values/standalone-dhcp.yaml"),
        generic_with("--set dhcp.installController=true"),
        generic_with(
            "--set dhcp.mode=standalone,dhcp.standalone.interface=eth1,\
             dhcp.standalone.persistence.enabled=false,ltsp.service.loadBalancerIP=10.64.0.11",
        ),
        generic_with("--set ltsp.service.loadBalancerIP=10.64.0.11"),
        generic_with(
            "-f values/konnectivity-http.yaml --set \
             kubernetes.konnectivityServer.service.loadBalancerIP=10.64.0.12,\
             kubernetes.konnectivityAgent.daemonSet=true",
        ),
        everything_off(),
        everything_on(),
    ];
    // One layer wants to know this address, and the others ignore it.
    let agents = "--set kubernetes.konnectivityServer.service.loadBalancerIP=10.64.0.12";
    farms.extend(layers().map(|layer| generic_with(&format!("-f values/{layer} {agents}"))));
    farms
}

/// The file names of the ready-made layers.
fn layers() -> impl Iterator<Item = String> {
    let names = names_in(&project().join("values"));
    assert!(names.len() > 4, "{names:?}");
    names.into_iter()
}

/// All that has a switch is off, but for the boot server's files: without them nothing would be rendered.
fn everything_off() -> Farm {
    Farm::new(
        "everything off",
        "--set kubernetes.enabled=false,tokenGenerator.enabled=false,ltsp.publishDHCP=false,\
         ltsp.service.enabled=false",
    )
}

/// What no example and no layer turns on.
fn everything_on() -> Farm {
    Farm::new(
        "everything on",
        "-f examples/generic/values.yaml -f examples/advanced_network/values.yaml \
         -f values/ha.yaml -f values/konnectivity-http.yaml \
         --set kubernetes.konnectivityServer.service.loadBalancerIP=10.64.0.12 \
         --set dhcp.installController=true --set kubernetes.admin.job.enabled=true \
         --set ltsp.config.dockerConfig.log-driver=journald \
         --set-string ltsp.config.sections.rescue/=sync --set-json kubernetes.extraManifests=\
{\"storage.yaml\":{\"apiVersion\":\"v1\",\"kind\":\"Namespace\",\"metadata\":{\"name\":\"storage\"}}}",
    )
}

/// The address of node `number` in 10.64.0.0/16, away from its ends.
pub fn node_address(number: usize) -> String {
    format!("10.64.{}.{}", 16 + number / 200, 10 + number % 200)
}

/// The MAC of card `card` of node `number`.
pub fn node_mac(number: usize, card: usize) -> String {
    format!("02:0{card}:00:00:{:02x}:{:02x}", number / 256, number % 256)
}

/// Values for `count` nodes of two cards each, with a tag that brings labels.
pub fn big_values(count: usize) -> String {
    let mut values = String::from(
        "tags:\n  kubernetesLabels:\n    compute:\n      example.org/rack: r7\nnodePools:\n\
         - range: 10.64.0.0,static,255.255.0.0,10.64.255.255,infinite\n  tags: [compute]\n  nodes:\n",
    );
    for number in 0..count {
        let (first, second) = (node_mac(number, 0), node_mac(number, 1));
        let address = node_address(number);
        writeln!(
            values,
            "  - {{name: n{number}, mac: '{first},{second}', ip: {address}}}"
        )
        .expect("a String takes everything");
    }
    values
}
