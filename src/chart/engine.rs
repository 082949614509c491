//! The template environment: strict, and with the escape that follows from a template's file name.

use std::borrow::Cow;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use minijinja::syntax::SyntaxConfig;
use minijinja::{
    AutoEscape, Environment, Error, ErrorKind, Output, State, UndefinedBehavior, Value,
};

use super::escape::{self, Rule, json};
use super::held::{self, Held};
use super::nodes::Hosts;
use super::{ChartFiles, NAMES, functions};

/// Marks a name that [`join`] refused; no file can have it.
const REFUSED: char = '\0';

/// The templates of all charts. Templates of manifests, most of which every farm needs, are compiled by all available
/// threads before rendering; other files are compiled when they are first used.
#[derive(Debug)]
pub(super) struct Templates {
    /// With everything that depends neither on a chart nor on values.
    environment: Environment<'static>,
    files: Arc<ChartFiles>,
    names: Vec<String>,
    /// The first of `names` that no thread has taken yet.
    next: AtomicUsize,
}

impl Templates {
    pub fn new(files: Arc<ChartFiles>) -> Templates {
        let names = files.keys().filter(|name| is_manifest(name));
        Templates {
            environment: environment(Arc::clone(&files)),
            names: names.map(|name| name.to_string()).collect(),
            next: AtomicUsize::new(0),
            files,
        }
    }

    /// Compiles templates that no other thread has taken, until none is left.
    pub fn compile(&self) {
        let take = || self.names.get(self.next.fetch_add(1, Ordering::Relaxed));
        while let Some(name) = take() {
            // An error is reported when the template is used, which may be never.
            let _ = self.environment.get_template(name);
        }
    }

    /// The environment in which the templates of `chart` are rendered: the function `file` reads its `files/`, which
    /// are rendered with `context`.
    pub fn of_chart(&self, chart: &str, context: Value) -> Environment<'static> {
        let mut environment = self.environment.clone();
        functions::register_bound(&mut environment, Arc::clone(&self.files), chart, context);
        environment
    }
}

/// An environment whose templates are the files of all charts, compiled when first asked for.
fn environment(files: Arc<ChartFiles>) -> Environment<'static> {
    let mut environment = Environment::new();
    environment.set_undefined_behavior(UndefinedBehavior::Strict);
    // Lets a message quote the expression that failed; it costs nothing without an error.
    environment.set_debug(true);
    environment.set_auto_reload(false);
    environment.set_syntax(syntax());
    environment.set_auto_escape_callback(|name| {
        AutoEscape::Custom(Rule::of(name).map_or(escape::NO_RULE, Rule::name).into())
    });
    environment.set_formatter(format);
    environment.set_path_join_callback(join);
    functions::register(&mut environment);
    environment.set_loader(move |name| load(&files, name));
    environment
}

fn syntax() -> SyntaxConfig {
    SyntaxConfig::builder()
        .trim_blocks(true)
        .lstrip_blocks(true)
        .keep_trailing_newline(true)
        .build()
        // Only a delimiter could be invalid, and none is changed.
        .unwrap_or_default()
}

/// Renders the manifest's template `name`: its text, and the values held beside it.
pub(super) fn render_manifest(
    environment: &Environment<'_>,
    name: &str,
    context: &Value,
) -> Result<(String, Vec<Held>), Error> {
    let template = environment.get_template(name)?;
    let captured = template.render_captured(context.clone())?;
    let values = held::take(captured.state());
    Ok((captured.into_output(), values))
}

/// Whether this file becomes a manifest, and not a value in one.
pub(super) fn is_manifest(name: &str) -> bool {
    name.contains("/templates/")
}

fn load(files: &ChartFiles, name: &str) -> Result<Option<String>, Error> {
    if let Some(names) = name.strip_prefix(REFUSED) {
        let message =
            format!("{names} have different escape rules; use file() instead of import or include");
        return Err(Error::new(ErrorKind::InvalidOperation, message));
    }
    Ok(files.get(name).map(|file| file.text.to_string()))
}

/// A name in `import` and `include` is relative to the folder of its template, unless it starts with a chart's name.
/// Text that was escaped by one rule never gets into a template with another rule.
fn join<'s>(name: &'s str, parent: &'s str) -> Cow<'s, str> {
    let absolute = name
        .split_once('/')
        .is_some_and(|(chart, _)| NAMES.contains(&chart));
    let joined = match parent.rsplit_once('/') {
        Some((folder, _)) if !absolute => Cow::Owned(format!("{folder}/{name}")),
        _ => Cow::Borrowed(name),
    };
    if Rule::of(&joined) == Rule::of(parent) {
        joined
    } else {
        Cow::Owned(format!("{REFUSED}{joined} and {parent}"))
    }
}

fn format(out: &mut Output<'_>, state: &mut State<'_, '_>, value: &Value) -> Result<(), Error> {
    let text = match state.auto_escape() {
        // Macros, captured blocks and `raw`: escaped already, or deliberately not.
        _ if value.is_safe() => return Ok(out.write_str(value.as_str().unwrap_or_default())?),
        AutoEscape::Custom(rule) => match Rule::from_name(rule) {
            Some(Rule::Json) if held::should_hold(value) && is_manifest(state.name()) => {
                held_value(value).map(|value| held::hold(state, value))
            }
            Some(rule) => rule.escape(value),
            None => Err(format!(
                "no escape rule for the file name {:?}: only raw text can be written there",
                state.name().rsplit('/').next().unwrap_or_default()
            )),
        },
        _ => Err("autoescape cannot be changed".to_owned()),
    };
    match text {
        Ok(text) => Ok(out.write_str(&text)?),
        Err(message) => Err(Error::new(ErrorKind::InvalidOperation, message)),
    }
}

fn held_value(value: &Value) -> Result<Held, String> {
    match value.downcast_object::<Hosts>() {
        Some(hosts) => Ok(Held::List(hosts)),
        None => json::to_value(value).map(Held::Json),
    }
}
