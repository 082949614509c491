//! What may stand for an argument.

use std::collections::BTreeSet;
use std::ffi::OsStr;
use std::time::Duration;

use clap::builder::StyledStr;
use clap::{Arg, ValueHint};
use clap_complete::engine::{
    ArgValueCompleter, CompletionCandidate, PathCompleter, ValueCompleter,
};
use serde_json::Value as Json;

use super::line::Line;
use super::{Candidate, nodes};
use crate::chart::{Charts, embedded};
use crate::cli::commands::show::first_comment;
use crate::cli::sources::builtin_names;
use crate::cluster::state::{list, namespaces};
use crate::cluster::{Api, Interrupt, Target};
use crate::farm::schema;
use crate::farm::spec::NodePools;
use crate::render::render;
use crate::values::{load, load_with_removed};

/// The timeout for a cluster's answer: a person is waiting at the keyboard.
const MAX_WAIT: Duration = Duration::from_secs(2);

/// Adds candidates to an argument of the command with this name.
pub(super) fn described(arg: Arg, command: &str, line: &Line) -> Arg {
    let target = &line.target;
    match (command, arg.get_id().as_str()) {
        (_, "files") => arg.add(ArgValueCompleter::new(values_files)),
        (_, "set" | "set_string" | "set_file" | "set_json") => {
            arg.add(ArgValueCompleter::new(keys))
        }
        (_, "show_only") => from(arg, objects),
        (_, "example") | ("examples", "name") => from(arg, examples),
        ("layers", "name") => from(arg, layers),
        ("templates", "name") => from(arg, chart_files),
        ("values", "chart") => from(arg, || {
            crate::chart::NAMES.iter().map(|name| plain(name)).collect()
        }),
        ("rotate-ca", "authority") => from(arg, authorities),
        (_, "context") => {
            let target = target.clone();
            from(arg, move || {
                target.contexts().iter().map(|name| plain(name)).collect()
            })
        }
        (_, "namespace") => {
            let target = target.clone();
            from(arg, move || of_cluster(&target, Wanted::Namespaces))
        }
        (
            "apply" | "diff" | "render" | "status" | "delete" | "kubeconfig" | "export" | "inspect",
            "named" | "name" | "applied",
        ) => {
            let target = target.clone();
            from(arg, move || of_cluster(&target, Wanted::Releases))
        }
        ("show" | "logs", "node") => of_values(arg, line, nodes::names),
        ("list" | "claim", "pool") => of_values(arg, line, nodes::pools),
        ("list", "tag") => of_values(arg, line, nodes::tags),
        ("import", "listings") | ("claim", "into" | "leases") => {
            arg.add(ArgValueCompleter::new(PathCompleter::any()))
        }
        (_, "output_dir" | "pki_dir" | "chart_dir" | "dir") => arg.value_hint(ValueHint::DirPath),
        _ => arg,
    }
}

fn plain(name: &str) -> Candidate {
    (name.to_owned(), String::new())
}

/// Candidates that do not depend on what was typed, but for their beginning.
fn from(arg: Arg, candidates: impl Fn() -> Vec<Candidate> + Send + Sync + 'static) -> Arg {
    arg.add(ArgValueCompleter::new(move |current: &OsStr| {
        matching(candidates(), &current.to_string_lossy())
    }))
}

/// Candidates from the values that the line names.
fn of_values(arg: Arg, line: &Line, candidates: fn(&NodePools) -> Vec<Candidate>) -> Arg {
    let files = line.files.clone();
    from(arg, move || {
        nodes::pools_of(&files)
            .map(|pools| candidates(&pools))
            .unwrap_or_default()
    })
}

fn matching(candidates: Vec<Candidate>, current: &str) -> Vec<CompletionCandidate> {
    let fitting = candidates
        .into_iter()
        .filter(|(name, _)| name.starts_with(current));
    fitting
        .map(|(name, about)| {
            let about = (!about.is_empty()).then(|| StyledStr::from(about));
            CompletionCandidate::new(name).help(about)
        })
        .collect()
}

/// Files, and what is embedded.
fn values_files(current: &OsStr) -> Vec<CompletionCandidate> {
    let builtin = builtin_names().map(|name| (format!("builtin:{name}"), String::new()));
    let mut found = matching(builtin.collect(), &current.to_string_lossy());
    found.extend(PathCompleter::any().complete(current));
    found
}

fn examples() -> Vec<Candidate> {
    let examples = embedded::examples();
    examples
        .iter()
        .map(|example| described_by(example.name, example.values))
        .collect()
}

fn layers() -> Vec<Candidate> {
    let layers = embedded::layers();
    layers
        .iter()
        .map(|layer| described_by(layer.name, layer.text))
        .collect()
}

fn described_by(name: &str, text: &str) -> Candidate {
    (name.to_owned(), first_comment(text).to_owned())
}

fn chart_files() -> Vec<Candidate> {
    Charts::embedded().file_names().map(plain).collect()
}

fn authorities() -> Vec<Candidate> {
    let names = ["ca", "etcd-ca", "front-proxy-ca", "konnectivity-ca", "sa"];
    names.map(plain).into()
}

/// The templates and kinds of a farm of the defaults, which any farm has most of.
fn objects() -> Vec<Candidate> {
    let charts = Charts::embedded();
    let Ok(loaded) = load_with_removed(&charts.default_values(), &[]) else {
        return Vec::new();
    };
    let Ok(outcome) = render(charts, &loaded, None, "default") else {
        return Vec::new();
    };
    let mut names = BTreeSet::new();
    for object in outcome.manifest.objects() {
        names.insert(format!("{}/*", object.kind()));
        names.insert(object.source.clone());
    }
    names.iter().map(|name| plain(name)).collect()
}

/// Keys, one step at a time: `kubernetes.`, then `kubernetes.etcd.`, then `kubernetes.etcd.replicaCount=`.
fn keys(current: &OsStr) -> Vec<CompletionCandidate> {
    let current = current.to_string_lossy();
    // Several may be set at once: `a=1,b=2`.
    let start = current.rfind(',').map_or(0, |comma| comma + 1);
    let (before, key) = current.split_at(start);
    if key.contains('=') {
        return Vec::new();
    }
    let charts = Charts::embedded();
    let Ok(defaults) = load(&charts.default_values(), &[]) else {
        return Vec::new();
    };
    let mut schema = schema::json_schema(&(&defaults).into());
    schema::describe(&mut schema, &charts.comments());
    let (path, _) = key.rsplit_once('.').unwrap_or_default();
    let mut steps = path.split('.').filter(|step| !step.is_empty());
    let section = steps.try_fold(&schema, |section, step| {
        section.get("properties")?.get(step)
    });
    let Some(Json::Object(properties)) = section.and_then(|section| section.get("properties"))
    else {
        return Vec::new();
    };
    let candidates = properties.iter().map(|(name, property)| {
        let dot = if path.is_empty() { "" } else { "." };
        let end = if property.get("properties").is_some() {
            "."
        } else {
            "="
        };
        let about = property
            .get("description")
            .and_then(Json::as_str)
            .unwrap_or_default();
        let about = first_sentence(about.lines().next().unwrap_or_default());
        (format!("{before}{path}{dot}{name}{end}"), about.to_owned())
    });
    matching(candidates.collect(), &current)
}

/// A text up to the end of its first sentence; `e.g.` does not end one.
fn first_sentence(text: &str) -> &str {
    let begins = |rest: &str| rest.starts_with(char::is_uppercase);
    let mut ends = text.match_indices(". ");
    let end = ends.find(|(at, _)| text.get(at + 2..).is_some_and(begins));
    end.and_then(|(at, _)| text.get(..=at)).unwrap_or(text)
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Wanted {
    Releases,
    Namespaces,
}

/// What the cluster knows, where it says so in time. Nobody wants to read an error in the middle of a line.
fn of_cluster(target: &Target, wanted: Wanted) -> Vec<Candidate> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build();
    let Ok(runtime) = runtime else {
        return Vec::new();
    };
    let asked = async {
        let api = Api::open(target.clone(), MAX_WAIT, Interrupt::never()).await?;
        match wanted {
            Wanted::Namespaces => {
                let names = namespaces(&api).await?;
                Ok(names.iter().map(|name| plain(name)).collect())
            }
            Wanted::Releases => {
                let farms = list(&api, None).await?;
                let candidates = farms.into_iter().map(|farm| {
                    let release = farm.release;
                    (release.name, format!("in namespace {}", release.namespace))
                });
                Ok::<Vec<Candidate>, crate::cluster::ClusterError>(candidates.collect())
            }
        }
    };
    let found = runtime.block_on(async { tokio::time::timeout(MAX_WAIT, asked).await });
    found.ok().and_then(Result::ok).unwrap_or_default()
}
