//! The manifest of the image: fetched, its signature checked, read, and compared with what this initrd wants.

use std::thread;

use crate::failure::Failure;
use crate::fault::{Fault, Trouble, seconds};
use crate::http::Http;
use crate::key::{PublicKeys, SIGNATURE};
use crate::manifest::{Manifest, Sum};
use crate::say::say;
use crate::sign::sum;
use crate::turns::Turns;
use crate::waits::Waits;

/// Bytes of a manifest: 58,000 chunks, so 227 GiB in chunks of 4 MiB.
const LARGEST: u64 = 4 << 20;

/// What this initrd accepts.
pub struct Wanted {
    pub keys: PublicKeys,
    /// The initrd's own version: none older.
    pub version: u64,
    pub kernel: Option<String>,
    /// The SHA-256 of the manifest: no other image.
    pub manifest: Option<Sum>,
}

/// Fetches the manifest from the first source that has the right one, and leaves the turn to that source.
pub fn fetch(
    http: &Http,
    waits: &Waits,
    turns: &mut Turns,
    tries: u32,
    wanted: &Wanted,
) -> Result<Manifest, Failure> {
    in_turns(waits, turns, tries, |source| attempt(http, source, wanted))
}

/// Tries the sources one after the other, and leaves the turn to the one that had what is right.
pub fn in_turns<T>(
    waits: &Waits,
    turns: &mut Turns,
    tries: u32,
    attempt: impl Fn(&str) -> Result<T, Trouble>,
) -> Result<T, Failure> {
    let mut tried = 0;
    while let Some(source) = turns.current() {
        let trouble = match attempt(source) {
            Ok(found) => return Ok(found),
            Err(trouble) => trouble,
        };
        tried += 1;
        turns.pass(trouble.fault.disagrees());
        if tried >= tries || turns.current().is_none() {
            return Err(trouble.into());
        }
        let pause = waits.pause(tried);
        say(format_args!(
            "{trouble}; try {tried} of {tries}, the next in {}",
            seconds(pause)
        ));
        thread::sleep(pause);
    }
    Err(Failure::usage("there is no source to ask"))
}

fn attempt(http: &Http, source: &str, wanted: &Wanted) -> Result<Manifest, Trouble> {
    let (url, signature_url) = (
        format!("{source}.manifest"),
        format!("{source}.manifest.sig"),
    );
    let manifest = |fault| Trouble {
        what: "the manifest of the image",
        url: url.clone(),
        fault,
    };
    let signature = |fault| Trouble {
        what: "the signature of the image",
        url: signature_url.clone(),
        fault,
    };

    let text = http.small(&url, LARGEST).map_err(manifest)?;
    let signed = http
        .small(&signature_url, SIGNATURE as u64)
        .map_err(signature)?;
    if !wanted.keys.signed(&text, &signed) {
        return Err(signature(Fault::WrongSignature {
            keys: wanted.keys.names(),
        }));
    }
    // Nothing of the text was looked at before this line.
    let read = Manifest::parse(&text).map_err(|why| manifest(Fault::WrongManifest(why)))?;
    match unwanted(&read, &text, wanted) {
        Some(fault) => Err(Trouble {
            what: "the image",
            url: source.to_owned(),
            fault,
        }),
        None => Ok(read),
    }
}

fn unwanted(manifest: &Manifest, text: &[u8], wanted: &Wanted) -> Option<Fault> {
    if manifest.version < wanted.version {
        return Some(Fault::Older {
            image: manifest.version,
            initrd: wanted.version,
        });
    }
    let other = |kernel: &&String| **kernel != manifest.kernel;
    if let Some(kernel) = wanted.kernel.as_ref().filter(other) {
        return Some(Fault::OtherKernel {
            image: manifest.kernel.clone(),
            initrd: kernel.clone(),
        });
    }
    let got = sum(text);
    let pinned = wanted.manifest.filter(|pinned| *pinned != got)?;
    Some(Fault::OtherImage { got, pinned })
}
