//! The command line.

mod values;

use std::ffi::OsString;
use std::path::PathBuf;
use std::time::Duration;

use lexopt::{Arg, Parser};

use crate::configuration;
use crate::failure::Failure;
use crate::manifest::{self, Sum};
use crate::waits::Waits;
use values::{lossy, machine, milliseconds, number, once, sha256, source, string, text, url};

pub const HELP: &str = "\
Signs system images, and fetches and checks them in the initrd of a network-booted machine.

kubefarm-fetch key FILE
    Makes an ed25519 key: FILE, and its public half in FILE.pub. Never replaces one.
kubefarm-fetch public FILE
    Prints the public half of a private key.
kubefarm-fetch sign --key FILE --version N --kernel RELEASE IMAGE
    Writes IMAGE.manifest and IMAGE.manifest.sig. RELEASE is what uname -r says.
kubefarm-fetch image --key FILE... --version N [--kernel RELEASE] --output FILE
                     [--manifest SHA256] [--tries N] [--report URL]
                     [--progress URL] SOURCE...
    Loads the image from the first SOURCE that has it, and checks it while it comes.
    SOURCE is its URL, with the manifest at SOURCE.manifest and the signature at
    SOURCE.manifest.sig. The server is an IP address.
      --key FILE        PEM public keys; any one of all may have signed
      --version N       no image with a lower one is taken
      --kernel RELEASE  only an image for this kernel is taken
      --manifest SHA256 only the image with this manifest is taken
      --output FILE     is there only once all of the image is right
      --tries N         tries in a row that bring nothing new (default: 10)
      --report URL      where the last words go on failure, as with report
      --progress URL    asks for URL?percent=N after each tenth of the image
kubefarm-fetch sign-configuration --key FILE --name NAME [--image MACHINE=MANIFEST]...
                                  --output FILE ARCHIVE
    Writes FILE: a signature, the signed header with the time, the SHA-256 of the archive
    and of each MANIFEST of an image, and the archive.
kubefarm-fetch configuration --key FILE... --header FILE --output FILE [--tries N]
                             [--report URL] SOURCE...|--file FILE
    Loads such a file from the first SOURCE that has it, or takes one that was loaded, and
    checks it: then --output is the archive, and --header what was signed.
kubefarm-fetch report URL TEXT
    Asks for URL?said=TEXT, so that the server's access log has TEXT.

Exit codes:
   2  wrong arguments, or a file named there cannot be read
  10  manifest, signature, image or configuration is missing on the server
  11  signature, manifest or configuration is wrong
  12  the image is wrong or short
  13  the network, or the server
  14  too little RAM, or room in the output's file system
  15  an older image, one for another kernel, or not that of --manifest
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
    SignConfiguration(SignConfiguration),
    Configuration(Configuration),
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
    pub manifest: Option<Sum>,
    pub output: PathBuf,
    pub tries: u32,
    pub report: Option<String>,
    pub progress: Option<String>,
    pub sources: Vec<String>,
    pub waits: Waits,
}

#[derive(Debug)]
pub struct SignConfiguration {
    pub key: PathBuf,
    pub name: String,
    /// Kinds of machines, and the manifests of their images.
    pub images: Vec<(String, PathBuf)>,
    pub output: PathBuf,
    pub archive: PathBuf,
    /// Seconds since 1970; `None`: now.
    pub time: Option<u64>,
}

#[derive(Debug)]
pub struct Configuration {
    pub keys: Vec<PathBuf>,
    pub header: PathBuf,
    pub output: PathBuf,
    /// In place of sources.
    pub file: Option<PathBuf>,
    pub tries: u32,
    pub report: Option<String>,
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
    manifest: Option<Sum>,
    name: Option<String>,
    images: Vec<(String, PathBuf)>,
    header: Option<PathBuf>,
    file: Option<PathBuf>,
    time: Option<u64>,
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
            "manifest" => once(&mut self.manifest, name, sha256(value)?)?,
            "name" => once(
                &mut self.name,
                name,
                configuration::word(&string(value)?)?.to_owned(),
            )?,
            "image" => self.images.push(machine(value)?),
            "header" => once(&mut self.header, name, value.into())?,
            "file" => once(&mut self.file, name, value.into())?,
            // For tests: a configuration of another day.
            "test-time" => once(
                &mut self.time,
                name,
                manifest::decimal("time", &string(value)?)?,
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
            "sign-configuration" => Command::SignConfiguration(self.sign_configuration()?),
            "configuration" => Command::Configuration(self.configuration()?),
            _ => return Err(format!("there is no command {name:?}")),
        };
        self.nothing_left(&name)?;
        Ok(command)
    }

    fn signing_key(&mut self) -> Result<PathBuf, String> {
        match self.keys.len() {
            0 => Err("--key is missing".to_owned()),
            1 => Ok(self.keys.remove(0)),
            _ => Err("one --key signs".to_owned()),
        }
    }

    fn sign(&mut self) -> Result<Sign, String> {
        let key = self.signing_key()?;
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
        Ok(Image {
            keys: self.public_keys()?,
            version: self.version.take().ok_or("--version is missing")?,
            kernel: self.kernel.take(),
            manifest: self.manifest.take(),
            output: self.output()?,
            tries: self.tries.take().unwrap_or(TRIES),
            report: self.report.take(),
            progress: self.progress.take(),
            sources: self.sources()?,
            waits: self.waits(),
        })
    }

    fn sign_configuration(&mut self) -> Result<SignConfiguration, String> {
        Ok(SignConfiguration {
            key: self.signing_key()?,
            name: self.name.take().ok_or("--name is missing")?,
            images: std::mem::take(&mut self.images),
            output: self.output()?,
            archive: self.operand("ARCHIVE")?.into(),
            time: self.time.take(),
        })
    }

    fn configuration(&mut self) -> Result<Configuration, String> {
        let file = self.file.take();
        Ok(Configuration {
            keys: self.public_keys()?,
            header: self.header.take().ok_or("--header is missing")?,
            output: self.output()?,
            tries: self.tries.take().unwrap_or(TRIES),
            report: self.report.take(),
            // What is left then does not belong to the command.
            sources: if file.is_some() {
                Vec::new()
            } else {
                self.sources()?
            },
            file,
            waits: self.waits(),
        })
    }

    fn public_keys(&mut self) -> Result<Vec<PathBuf>, String> {
        if self.keys.is_empty() {
            Err("--key is missing".to_owned())
        } else {
            Ok(std::mem::take(&mut self.keys))
        }
    }

    fn output(&mut self) -> Result<PathBuf, String> {
        self.output
            .take()
            .ok_or_else(|| "--output is missing".to_owned())
    }

    fn sources(&mut self) -> Result<Vec<String>, String> {
        if self.operands.is_empty() {
            return Err("SOURCE is missing".to_owned());
        }
        self.operands.drain(..).map(source).collect()
    }

    fn waits(&mut self) -> Waits {
        let mut waits = Waits::default();
        waits.longest_pause = self.longest_pause.take().unwrap_or(waits.longest_pause);
        if let Some(stall) = self.stall.take() {
            (waits.connect, waits.stall) = (stall, stall);
        }
        waits
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
            ("--manifest", self.manifest.is_some()),
            ("--name", self.name.is_some()),
            ("--image", !self.images.is_empty()),
            ("--header", self.header.is_some()),
            ("--file", self.file.is_some()),
            ("--test-time", self.time.is_some()),
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

#[cfg(test)]
mod tests;
