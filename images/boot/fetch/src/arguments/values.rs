//! Values of options and operands.

use std::ffi::OsString;
use std::path::PathBuf;
use std::time::Duration;

use lexopt::ValueExt;

use crate::configuration;
use crate::http;
use crate::manifest::{self, Sum};

pub fn once<T>(place: &mut Option<T>, name: &str, value: T) -> Result<(), String> {
    match place.replace(value) {
        None => Ok(()),
        Some(_) => Err(format!("--{name} is there twice")),
    }
}

pub fn text(error: lexopt::Error) -> String {
    error.to_string()
}

pub fn string(value: OsString) -> Result<String, String> {
    value.string().map_err(text)
}

pub fn lossy(value: &OsString) -> String {
    value.to_string_lossy().into_owned()
}

pub fn number(value: OsString) -> Result<u32, String> {
    let text = string(value)?;
    text.parse()
        .ok()
        .filter(|number| *number > 0)
        .ok_or_else(|| format!("{text:?} is not a number from 1 on"))
}

pub fn milliseconds(value: OsString) -> Result<Duration, String> {
    Ok(Duration::from_millis(number(value)?.into()))
}

pub fn sha256(value: OsString) -> Result<Sum, String> {
    let text = string(value)?;
    manifest::unhex(&text).ok_or_else(|| format!("{text:?} is not a SHA-256"))
}

/// `x86_64=FILE`
pub fn machine(value: OsString) -> Result<(String, PathBuf), String> {
    let text = string(value)?;
    let (machine, file) = text
        .split_once('=')
        .ok_or_else(|| format!("{text:?} is not MACHINE=MANIFEST"))?;
    Ok((configuration::word(machine)?.to_owned(), file.into()))
}

pub fn url(value: OsString) -> Result<String, String> {
    let url = string(value)?;
    http::check_url(&url).map(|()| url)
}

/// The manifest's URL is this one with an ending, so that it cannot have a query.
pub fn source(value: OsString) -> Result<String, String> {
    let url = url(value)?;
    if url.contains(['?', '#']) {
        Err(format!("{url}: a SOURCE has no ? and no #"))
    } else {
        Ok(url)
    }
}
