//! The way of a machine from its first DHCP request to a Node that is Ready, as the logs of the servers show it and as
//! the machine reports it itself.

pub mod lines;
mod machine;
pub mod machines;

use std::borrow::Cow;
use std::fmt;
use std::net::IpAddr;

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

pub use machine::Machine;

/// What a machine is doing. Later ones come later in a boot.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Stage {
    /// Its firmware asks for an address.
    Dhcp,
    /// It loads a boot loader and its menu.
    Loader,
    /// It loads the kernel and the initial RAM disk.
    Kernel,
    /// The initial RAM disk loads the system image.
    Image,
    /// The system starts, as the farm's configuration says.
    Configuration,
    /// It asks to join.
    Join,
    /// It is a Node, which is not Ready.
    NotReady,
    Ready,
}

impl Stage {
    pub const ALL: [Stage; 8] = [
        Stage::Dhcp,
        Stage::Loader,
        Stage::Kernel,
        Stage::Image,
        Stage::Configuration,
        Stage::Join,
        Stage::NotReady,
        Stage::Ready,
    ];

    /// Its name, as it is written in JSON and in labels of metrics.
    pub fn name(self) -> &'static str {
        match self {
            Stage::Dhcp => "dhcp",
            Stage::Loader => "loader",
            Stage::Kernel => "kernel",
            Stage::Image => "image",
            Stage::Configuration => "configuration",
            Stage::Join => "join",
            Stage::NotReady => "not-ready",
            Stage::Ready => "ready",
        }
    }

    /// How long a machine may be silent in it; for ever where it has arrived.
    pub fn patience(self) -> Option<SignedDuration> {
        let seconds = match self {
            Stage::Dhcp | Stage::Loader | Stage::Kernel | Stage::Image => 60,
            Stage::Configuration | Stage::Join | Stage::NotReady => 180,
            Stage::Ready => return None,
        };
        Some(SignedDuration::from_secs(seconds))
    }

    /// What comes next, and did not, where a machine stopped here without a word.
    pub fn missing(self) -> &'static str {
        match self {
            Stage::Dhcp => "it has not asked for a boot loader",
            Stage::Loader => "it has not asked for a kernel",
            Stage::Kernel => "its initial RAM disk has not asked for the system image",
            Stage::Image => "the system image is not there as a whole",
            Stage::Configuration => "the system has not come so far as to join",
            Stage::Join => "its Node is not there",
            Stage::NotReady => "its Node is not Ready",
            Stage::Ready => "",
        }
    }
}

impl fmt::Display for Stage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

/// Which machine it is, as a server knows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Who {
    /// In lower case, with colons.
    Mac(String),
    Address(IpAddr),
    /// The name of its Node.
    Name(String),
}

/// What a line of a log says of a machine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sight {
    pub who: Who,
    /// The address that it was given.
    pub address: Option<IpAddr>,
    /// `None`: whatever it is doing, it goes on with that.
    pub stage: Option<Stage>,
    pub text: Cow<'static, str>,
    /// Whether it is a reason to stop.
    pub is_fault: bool,
    /// How much of the image there is.
    pub percent: Option<u8>,
    /// The release of the image.
    pub release: Option<String>,
}

impl Sight {
    /// A machine in a stage.
    pub fn new(who: Who, stage: Stage, text: impl Into<Cow<'static, str>>) -> Sight {
        Sight {
            who,
            address: None,
            stage: Some(stage),
            text: text.into(),
            is_fault: false,
            percent: None,
            release: None,
        }
    }

    /// The same, as a reason to stop.
    #[must_use]
    pub fn fault(self) -> Sight {
        Sight {
            is_fault: true,
            ..self
        }
    }
}

/// A step on the way of a machine.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Step {
    /// When it was first seen.
    pub at: Timestamp,
    /// When it was last seen.
    pub last: Timestamp,
    pub stage: Option<Stage>,
    pub text: Cow<'static, str>,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub is_fault: bool,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub percent: Option<u8>,
}

/// What an agent answers to who asks for the machines.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Seen {
    /// What to ask with the next time, for what has changed since.
    pub revision: u64,
    pub machines: Vec<Machine>,
}
