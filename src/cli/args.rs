//! Flags that several commands share.

use std::io::{self, Read};
use std::mem::ManuallyDrop;
use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use clap::{Args, ValueEnum};

use super::{Failure, tips};
use crate::chart::{Charts, embedded};
use crate::cluster::{Api, ClusterError, Interrupt, Release, Target};
use crate::farm::Farm;
use crate::farm::syntax::{is_dns_name, is_namespace_name, split_endpoint};
use crate::render::{Outcome, check, render};
use crate::report::{Form, Output};
use crate::values::{Input, Loaded, Problem, load_with_stdin, nearest};

/// Where values come from; names and grammar are Helm's.
#[derive(Debug, Args)]
#[command(next_help_heading = "Values")]
pub struct ValuesArgs {
    /// A values file; `-` is stdin, `builtin:NAME` an embedded layer or example. Later files win.
    #[arg(
        short = 'f',
        long = "values",
        value_name = "FILE",
        value_delimiter = ',',
        env = "KUBEFARM_VALUES"
    )]
    files: Vec<String>,
    /// Set a value: `ltsp.replicaCount=2`, `nodePools[0].tags={a,b}`, `a=1,b=null`.
    #[arg(
        long,
        value_name = "KEY=VALUE",
        env = "KUBEFARM_SET",
        hide_env_values = true,
        allow_hyphen_values = true
    )]
    set: Vec<String>,
    /// Set a value as text, whatever it looks like.
    #[arg(
        long,
        value_name = "KEY=TEXT",
        env = "KUBEFARM_SET_STRING",
        hide_env_values = true,
        allow_hyphen_values = true
    )]
    set_string: Vec<String>,
    /// Set a value to a file's content.
    #[arg(long, value_name = "KEY=FILE", env = "KUBEFARM_SET_FILE")]
    set_file: Vec<String>,
    /// Set a value to JSON: `key=[1,2]`, or a whole object.
    #[arg(
        long,
        value_name = "KEY=JSON",
        env = "KUBEFARM_SET_JSON",
        hide_env_values = true,
        allow_hyphen_values = true
    )]
    set_json: Vec<String>,
}

impl ValuesArgs {
    /// The defaults of `charts` with everything given here over them.
    pub fn load(&self, charts: &Charts) -> Result<Loaded, Failure> {
        self.load_over(charts, Vec::new())
    }

    /// The same with layers between the defaults and everything given here.
    fn load_over(&self, charts: &Charts, below: Vec<Input>) -> Result<Loaded, Failure> {
        let mut inputs = below;
        inputs.extend(self.inputs()?);
        load_with_stdin(&charts.default_values(), &inputs, &mut KeptStdin).map_err(Failure::Values)
    }

    /// Whether there is anything over the defaults.
    pub fn is_given(&self) -> bool {
        let all = [
            &self.files,
            &self.set,
            &self.set_string,
            &self.set_file,
            &self.set_json,
        ];
        all.iter().any(|given| !given.is_empty())
    }

    fn inputs(&self) -> Result<Vec<Input>, Failure> {
        let files = self.files.iter().map(|file| input(file));
        let mut inputs = files.collect::<Result<Vec<Input>, Failure>>()?;
        inputs.extend(self.set.iter().cloned().map(Input::Set));
        inputs.extend(self.set_string.iter().cloned().map(Input::SetString));
        inputs.extend(self.set_file.iter().cloned().map(Input::SetFile));
        inputs.extend(self.set_json.iter().cloned().map(Input::SetJson));
        Ok(inputs)
    }
}

/// What was read from stdin, whose text is given only once: messages show lines of it.
static STDIN: Mutex<Vec<u8>> = Mutex::new(Vec::new());

/// Stdin, kept while it is read.
struct KeptStdin;

impl Read for KeptStdin {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = io::stdin().lock().read(buffer)?;
        let mut kept = STDIN.lock().unwrap_or_else(PoisonError::into_inner);
        kept.extend_from_slice(buffer.get(..count).unwrap_or_default());
        Ok(count)
    }
}

/// The text that values were read from on stdin.
pub fn stdin_text() -> Option<String> {
    let kept = STDIN.lock().unwrap_or_else(PoisonError::into_inner);
    String::from_utf8(kept.clone()).ok()
}

fn input(file: &str) -> Result<Input, Failure> {
    let Some(name) = file.strip_prefix("builtin:") else {
        if builtin(file).is_some() && !Path::new(file).exists() {
            return Err(Failure::Usage(format!(
                "there is no file {file} here; the embedded layer or example is builtin:{file}"
            )));
        }
        return Ok(Input::File(PathBuf::from(&*embedded::name_of_own(file))));
    };
    match builtin(name) {
        Some(text) => Ok(Input::Builtin {
            name: name.to_owned(),
            text: text.to_owned(),
        }),
        None => {
            let names: Vec<&str> = builtin_names().collect();
            let hint = match nearest(name, names.iter().copied()) {
                Some(near) => format!("did you mean builtin:{near}?"),
                None => format!("there are {}", names.join(", ")),
            };
            Err(Failure::Usage(format!(
                "no embedded layer or example is called {name:?}; {hint}"
            )))
        }
    }
}

/// The text behind `builtin:NAME`.
pub fn builtin(name: &str) -> Option<&'static str> {
    let layer = embedded::layers()
        .into_iter()
        .find(|layer| layer.name == name);
    let example = embedded::examples()
        .into_iter()
        .find(|example| example.name == name);
    layer
        .map(|layer| layer.text)
        .or(example.map(|example| example.values))
}

pub fn builtin_names() -> impl Iterator<Item = &'static str> {
    let layers = embedded::layers().into_iter().map(|layer| layer.name);
    layers.chain(embedded::examples().into_iter().map(|example| example.name))
}

/// What is rendered, and into which namespace.
#[derive(Debug, Args)]
#[command(next_help_heading = "Release")]
pub struct ReleaseArgs {
    /// The release's name. Default: the value `name`, else `kubefarm`.
    #[arg(long, value_name = "NAME", env = "KUBEFARM_NAME")]
    pub name: Option<String>,
    /// The namespace of the release's objects.
    #[arg(
        short,
        long,
        value_name = "NAMESPACE",
        env = "KUBEFARM_NAMESPACE",
        default_value = "default"
    )]
    pub namespace: String,
}

/// The release's name as `status` and `delete` take it, for the commands that render.
#[derive(Debug, Args)]
pub struct NameArgs {
    /// The release's name, as with --name.
    #[arg(id = "named", value_name = "NAME")]
    named: Option<String>,
}

/// Which charts are rendered.
#[derive(Debug, Args)]
#[command(next_help_heading = "Charts")]
pub struct ChartArgs {
    /// Lay the charts in DIR over the embedded ones, file by file.
    #[arg(long, value_name = "DIR", env = "KUBEFARM_CHART_DIR")]
    chart_dir: Option<PathBuf>,
}

impl ChartArgs {
    /// The embedded charts, with the user's files over them.
    pub fn load(&self) -> Result<Charts, Failure> {
        match &self.chart_dir {
            Some(dir) => Ok(Charts::embedded().overlay(dir)?),
            None => Ok(Charts::embedded().clone()),
        }
    }
}

/// A farm, as every command that renders one is told of it.
#[derive(Debug, Args)]
pub struct FarmArgs {
    #[command(flatten)]
    pub values: ValuesArgs,
    /// Go on where no values are given, or where a file or stdin is empty.
    #[arg(long, env = "KUBEFARM_ALLOW_EMPTY", help_heading = "Values")]
    allow_empty: bool,
    #[command(flatten)]
    pub release: ReleaseArgs,
    #[command(flatten)]
    pub charts: ChartArgs,
}

impl FarmArgs {
    /// The values over the defaults of `charts`, with layers between them. No values at all are an error, unless that is
    /// meant: a pipe whose first program failed would take a farm's nodes away.
    fn load_over(&self, charts: &Charts, below: Vec<Input>) -> Result<Loaded, Failure> {
        let loaded = self.values.load_over(charts, below)?;
        if loaded.empty.is_empty() || self.allow_empty {
            Ok(loaded)
        } else {
            Err(Failure::Values(loaded.empty))
        }
    }

    /// Loads, checks and renders.
    pub fn render(&self) -> Result<Outcome, Failure> {
        self.render_over(Vec::new())
    }

    /// The same with layers between the defaults and what the user gave.
    pub fn render_over(&self, below: Vec<Input>) -> Result<Outcome, Failure> {
        // Kept to the end of the process, which comes soon: freeing all their parts one by one would only take time.
        let charts = ManuallyDrop::new(self.charts.load()?);
        let loaded = ManuallyDrop::new(self.load_over(&charts, below)?);
        let (name, namespace) = (self.release.name.as_deref(), &self.release.namespace);
        Ok(render(&charts, &loaded, name, namespace)?)
    }

    /// Loads and checks: the farm, with warnings.
    pub fn check(&self) -> Result<(Farm, Vec<Problem>), Failure> {
        let charts = self.charts.load()?;
        let loaded = self.load_over(&charts, Vec::new())?;
        let (name, namespace) = (self.release.name.as_deref(), &self.release.namespace);
        Ok(check(&charts, &loaded, name, namespace)?)
    }

    /// Takes over a name that stands by itself; it wins over the variable `KUBEFARM_NAME`.
    ///
    /// # Errors
    /// A file in its place: `kubefarm apply values.yaml`. `command` is what was called.
    pub fn take_name(&mut self, given: &NameArgs, command: &str) -> Result<(), Failure> {
        let Some(name) = &given.named else {
            return Ok(());
        };
        if tips::is_values_file(name) {
            return Err(Failure::Usage(format!(
                "{name} is a file of values, and NAME is the release's name; a file is given with -f: \
                 kubefarm {command} -f {name}"
            )));
        }
        self.release.name = Some(name.clone());
        Ok(())
    }
}

/// A farm that a cluster has already.
#[derive(Debug, Args)]
pub struct AppliedArgs {
    /// The release's name.
    #[arg(value_name = "NAME", env = "KUBEFARM_NAME", value_parser = object_name)]
    name: String,
    /// The release's namespace.
    #[arg(
        short,
        long,
        value_name = "NAMESPACE",
        env = "KUBEFARM_NAMESPACE",
        default_value = "default",
        value_parser = object_name
    )]
    namespace: String,
}

impl AppliedArgs {
    pub fn as_release(&self) -> Release {
        Release {
            name: self.name.clone(),
            namespace: self.namespace.clone(),
        }
    }
}

/// How it is told what happens.
#[derive(Debug, Args)]
#[command(next_help_heading = "Output")]
pub struct ProgressArgs {
    /// Print a JSON object for each event, one a line, to stdout.
    #[arg(short, long, value_enum, env = "KUBEFARM_PROGRESS_OUTPUT")]
    output: Option<Json>,
    /// Print nothing but warnings and errors.
    #[arg(short, long, env = "KUBEFARM_QUIET")]
    pub quiet: bool,
}

impl ProgressArgs {
    pub fn form(&self) -> Form {
        Form::choose(self.output.map(|Json::Json| Output::Json), self.quiet)
    }
}

/// The one form besides text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Json {
    Json,
}

/// `host:port`, checked; what is written into shell and kubeconfig files as it is.
#[derive(Debug, Clone)]
pub struct Endpoint(pub String);

impl FromStr for Endpoint {
    type Err = String;

    fn from_str(text: &str) -> Result<Endpoint, String> {
        match split_endpoint(text) {
            Some((host, Some(_))) if is_dns_name(host) || host.parse::<IpAddr>().is_ok() => {
                Ok(Endpoint(text.to_owned()))
            }
            _ => Err("wanted HOST:PORT, and an IPv6 address in brackets".to_owned()),
        }
    }
}

/// Which cluster, and how patient to be with it.
#[derive(Debug, Args)]
#[command(next_help_heading = "Cluster")]
pub struct ClusterArgs {
    /// The kubeconfig file. Default: the files of KUBECONFIG, else ~/.kube/config, else the pod's service account.
    #[arg(long, value_name = "FILE", env = "KUBEFARM_KUBECONFIG")]
    kubeconfig: Option<PathBuf>,
    /// The kubeconfig's context. Default: its current one.
    #[arg(long, value_name = "CONTEXT", env = "KUBEFARM_CONTEXT")]
    context: Option<String>,
    /// When to give up, with retries and waiting: `90s`, `5m`, `1h30m`.
    #[arg(long, value_name = "TIME", env = "KUBEFARM_TIMEOUT", default_value = "10m", value_parser = duration)]
    timeout: Duration,
    /// How many requests to have under way at a time.
    #[arg(long, value_name = "N", env = "KUBEFARM_CONCURRENCY", default_value = "8", value_parser = clap::value_parser!(u16).range(1..=256))]
    concurrency: u16,
}

impl ClusterArgs {
    /// Connects to the cluster.
    pub async fn open(&self, interrupt: Interrupt) -> Result<Api, ClusterError> {
        let target = Target {
            kubeconfig: self.kubeconfig.clone(),
            context: self.context.clone(),
        };
        Api::open(target, self.timeout, interrupt).await
    }

    pub fn concurrency(&self) -> usize {
        self.concurrency.into()
    }
}

/// The name of a release or of a namespace, as it goes into the path of a request.
pub fn object_name(text: &str) -> Result<String, String> {
    if is_namespace_name(text) {
        Ok(text.to_owned())
    } else {
        Err("wanted lower-case letters, digits and hyphens, at most 63".to_owned())
    }
}

/// The longest time that a flag takes: a thousand years, which clocks can still add to now.
const LONGEST: Duration = Duration::from_secs(1000 * 365 * 24 * 3600);

/// `90s`, `5m`, `1h30m`.
pub fn duration(text: &str) -> Result<Duration, String> {
    let wanted = "wanted a time such as 90s, 5m or 1h30m";
    let parsed: jiff::SignedDuration = text.parse().map_err(|_| wanted.to_owned())?;
    match Duration::try_from(parsed) {
        Ok(duration) if !duration.is_zero() => within_reach(duration),
        _ => Err(wanted.to_owned()),
    }
}

fn within_reach(duration: Duration) -> Result<Duration, String> {
    if duration <= LONGEST {
        Ok(duration)
    } else {
        Err("wanted a time of at most 1000 years".to_owned())
    }
}

/// `30d`, or what other times are written as.
pub fn span(text: &str) -> Result<Duration, String> {
    let days = text
        .strip_suffix('d')
        .and_then(|days| days.parse::<u32>().ok());
    let span = match days {
        Some(days) => Ok(Duration::from_secs(24 * 3600 * u64::from(days))),
        None => {
            let parsed: jiff::SignedDuration = text
                .parse()
                .map_err(|_| "wanted a time such as 30d, 12h or 90m".to_owned())?;
            Duration::try_from(parsed).map_err(|_| "wanted a time that is not negative".to_owned())
        }
    };
    within_reach(span?)
}
