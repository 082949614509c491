//! The command line.

use std::ffi::OsString;
use std::path::PathBuf;
use std::time::Duration;

use lexopt::{Arg, Parser, ValueExt};

use crate::failure::Failure;
use crate::http;
use crate::manifest;
use crate::waits::Waits;

pub const HELP: &str = "\
Signs system images, and fetches and checks them in the initrd of a network-booted machine.

kubefarm-fetch key FILE
    Makes an ed25519 key: FILE, and its public half in FILE.pub. Never replaces one.
kubefarm-fetch public FILE
    Prints the public half of a private key.
kubefarm-fetch sign --key FILE --version N --kernel RELEASE IMAGE
    Writes IMAGE.manifest and IMAGE.manifest.sig. RELEASE is what uname -r says.
kubefarm-fetch image --key FILE... --version N [--kernel RELEASE] --output FILE
                     [--tries N] [--report URL] [--progress URL] SOURCE...
    Loads the image from the first SOURCE that has it, and checks it while it comes.
    SOURCE is its URL, with the manifest at SOURCE.manifest and the signature at
    SOURCE.manifest.sig. The server is an IP address.
      --key FILE        PEM public keys; any one of all may have signed
      --version N       no image with a lower one is taken
      --kernel RELEASE  only an image for this kernel is taken
      --output FILE     is there only once all of the image is right
      --tries N         tries in a row that bring nothing new (default: 10)
      --report URL      where the last words go on failure, as with report
      --progress URL    asks for URL?percent=N after each tenth of the image
kubefarm-fetch report URL TEXT
    Asks for URL?said=TEXT, so that the server's access log has TEXT.

Exit codes:
   2  wrong arguments, or a file named there cannot be read
  10  manifest, signature or image is missing on the server
  11  signature or manifest is wrong
  12  the image is wrong or short
  13  the network, or the server
  14  too little RAM, or room in the output's file system
  15  an older image, or one for another kernel
  16  a file cannot be written
";

/// Nine pauses between ten tries are two and a half minutes: a boot server is restarted or moved in less.
const TRIES: u32 = 10;

#[derive(Debug)]
pub enum Command {
    Help,
    ProgramVersion,
    Key { file: PathBuf },
    Public { file: PathBuf },
    Sign(Sign),
    Image(Image),
    Report { url: String, text: String },
}

#[derive(Debug)]
pub struct Sign {
    pub key: PathBuf,
    pub version: u64,
    pub kernel: String,
    pub image: PathBuf,
}

#[derive(Debug)]
pub struct Image {
    pub keys: Vec<PathBuf>,
    pub version: u64,
    pub kernel: Option<String>,
    pub output: PathBuf,
    pub tries: u32,
    pub report: Option<String>,
    pub progress: Option<String>,
    pub sources: Vec<String>,
    pub waits: Waits,
}

/// Reads the arguments after the program's name.
pub fn parse(arguments: impl IntoIterator<Item = OsString>) -> Result<Command, Failure> {
    let mut options = Options::default();
    let result = options
        .read(Parser::from_args(arguments))
        .and_then(|()| options.command());
    result.map_err(|why| Failure::usage(format!("{why}; kubefarm-fetch --help says more")))
}

/// All that was given, before it is known to belong to the command.
#[derive(Default)]
struct Options {
    help: bool,
    program_version: bool,
    keys: Vec<PathBuf>,
    version: Option<u64>,
    kernel: Option<String>,
    output: Option<PathBuf>,
    tries: Option<u32>,
    report: Option<String>,
    progress: Option<String>,
    longest_pause: Option<Duration>,
    stall: Option<Duration>,
    command: Option<String>,
    operands: Vec<OsString>,
}

impl Options {
    fn read(&mut self, mut parser: Parser) -> Result<(), String> {
        while let Some(argument) = parser.next().map_err(text)? {
            match argument {
                Arg::Short('h') | Arg::Long("help") => self.help = true,
                Arg::Value(value) if self.command.is_none() => self.command = Some(string(value)?),
                Arg::Value(value) => self.operands.push(value),
                // Of the program itself, as long as no command says otherwise.
                Arg::Short('V') => self.program_version = true,
                Arg::Long("version") if self.command.is_none() => self.program_version = true,
                Arg::Long(name) => {
                    let name = name.to_owned();
                    let value = parser.value().map_err(text)?;
                    self.option(&name, value)?;
                }
                Arg::Short(_) => return Err(text(argument.unexpected())),
            }
        }
        Ok(())
    }

    fn option(&mut self, name: &str, value: OsString) -> Result<(), String> {
        match name {
            "key" => self.keys.push(value.into()),
            "version" => once(
                &mut self.version,
                name,
                manifest::decimal("version", &string(value)?)?,
            )?,
            "kernel" => once(
                &mut self.kernel,
                name,
                manifest::kernel_release(&string(value)?)?.to_owned(),
            )?,
            "output" => once(&mut self.output, name, value.into())?,
            "tries" => once(&mut self.tries, name, number(value)?)?,
            "report" => once(&mut self.report, name, url(value)?)?,
            "progress" => once(&mut self.progress, name, url(value)?)?,
            // For the tests of this program, which cannot wait as long as a machine that boots.
            "test-longest-pause-ms" => once(&mut self.longest_pause, name, milliseconds(value)?)?,
            "test-stall-ms" => once(&mut self.stall, name, milliseconds(value)?)?,
            _ => return Err(format!("there is no option --{name}")),
        }
        Ok(())
    }

    fn command(mut self) -> Result<Command, String> {
        if self.help {
            return Ok(Command::Help);
        }
        if self.program_version {
            return Ok(Command::ProgramVersion);
        }
        let name = self.command.take().ok_or("a command is missing")?;
        let command = match name.as_str() {
            "key" => Command::Key {
                file: self.operand("FILE")?.into(),
            },
            "public" => Command::Public {
                file: self.operand("FILE")?.into(),
            },
            "report" => Command::Report {
                url: url(self.operand("URL")?)?,
                text: lossy(&self.operand("TEXT")?),
            },
            "sign" => Command::Sign(self.sign()?),
            "image" => Command::Image(self.image()?),
            _ => return Err(format!("there is no command {name:?}")),
        };
        self.nothing_left(&name)?;
        Ok(command)
    }

    fn sign(&mut self) -> Result<Sign, String> {
        let key = match self.keys.len() {
            0 => return Err("--key is missing".to_owned()),
            1 => self.keys.remove(0),
            _ => return Err("one --key signs".to_owned()),
        };
        let version = self.version.take().ok_or("--version is missing")?;
        let kernel = self.kernel.take().ok_or("--kernel is missing")?;
        Ok(Sign {
            key,
            version,
            kernel,
            image: self.operand("IMAGE")?.into(),
        })
    }

    fn image(&mut self) -> Result<Image, String> {
        let mut waits = Waits::default();
        waits.longest_pause = self.longest_pause.take().unwrap_or(waits.longest_pause);
        if let Some(stall) = self.stall.take() {
            (waits.connect, waits.stall) = (stall, stall);
        }
        if self.keys.is_empty() {
            return Err("--key is missing".to_owned());
        }
        if self.operands.is_empty() {
            return Err("SOURCE is missing".to_owned());
        }
        Ok(Image {
            keys: std::mem::take(&mut self.keys),
            version: self.version.take().ok_or("--version is missing")?,
            kernel: self.kernel.take(),
            output: self.output.take().ok_or("--output is missing")?,
            tries: self.tries.take().unwrap_or(TRIES),
            report: self.report.take(),
            progress: self.progress.take(),
            sources: self
                .operands
                .drain(..)
                .map(source)
                .collect::<Result<_, _>>()?,
            waits,
        })
    }

    fn operand(&mut self, name: &str) -> Result<OsString, String> {
        if self.operands.is_empty() {
            Err(format!("{name} is missing"))
        } else {
            Ok(self.operands.remove(0))
        }
    }

    /// What is left was meant for something; better to say so than to do without it.
    fn nothing_left(&self, command: &str) -> Result<(), String> {
        let left = [
            ("--key", !self.keys.is_empty()),
            ("--version", self.version.is_some()),
            ("--kernel", self.kernel.is_some()),
            ("--output", self.output.is_some()),
            ("--tries", self.tries.is_some()),
            ("--report", self.report.is_some()),
            ("--progress", self.progress.is_some()),
            ("so many arguments", !self.operands.is_empty()),
        ];
        match left.iter().find(|(_, left)| *left) {
            Some((name, _)) => Err(format!("{command} does not take {name}")),
            None => Ok(()),
        }
    }
}

fn once<T>(place: &mut Option<T>, name: &str, value: T) -> Result<(), String> {
    match place.replace(value) {
        None => Ok(()),
        Some(_) => Err(format!("--{name} is there twice")),
    }
}

fn text(error: lexopt::Error) -> String {
    error.to_string()
}

fn string(value: OsString) -> Result<String, String> {
    value.string().map_err(text)
}

fn lossy(value: &OsString) -> String {
    value.to_string_lossy().into_owned()
}

fn number(value: OsString) -> Result<u32, String> {
    let text = string(value)?;
    text.parse()
        .ok()
        .filter(|number| *number > 0)
        .ok_or_else(|| format!("{text:?} is not a number from 1 on"))
}

fn milliseconds(value: OsString) -> Result<Duration, String> {
    Ok(Duration::from_millis(number(value)?.into()))
}

fn url(value: OsString) -> Result<String, String> {
    let url = string(value)?;
    http::check_url(&url).map(|()| url)
}

/// The manifest's URL is this one with an ending, so that it cannot have a query.
fn source(value: OsString) -> Result<String, String> {
    let url = url(value)?;
    if url.contains(['?', '#']) {
        Err(format!("{url}: a SOURCE has no ? and no #"))
    } else {
        Ok(url)
    }
}

#[cfg(test)]
mod tests;
