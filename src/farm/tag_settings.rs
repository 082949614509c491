//! The settings of tags: LTSP settings, Kubernetes labels and taints, as one section for each tag.

use indexmap::IndexMap;

use super::setting::{Setting, TagSection};
use super::spec::{Tags, Taint};

/// Settings by tag, in the order in which tags are first mentioned.
#[derive(Debug, Clone, Default)]
pub struct TagSettings(IndexMap<String, Vec<Setting>>);

impl TagSettings {
    /// Collects the settings of every tag.
    pub fn new(tags: &Tags) -> TagSettings {
        let mut settings: IndexMap<String, Vec<Setting>> = IndexMap::new();
        for (tag, options) in &tags.ltsp_options {
            let options = options.iter().flatten();
            let found = options.flat_map(|(key, value)| user_setting(key, value));
            settings.entry(tag.clone()).or_default().extend(found);
        }
        for (tag, labels) in &tags.kubernetes_labels {
            let labels: Vec<String> = labels
                .iter()
                .flatten()
                .map(|(key, value)| format!("{key}={}", value.as_deref().unwrap_or_default()))
                .collect();
            add_list(&mut settings, tag, "KUBERNETES_LABELS", &labels);
        }
        for (tag, taints) in &tags.kubernetes_taints {
            let taints: Vec<String> = taints
                .iter()
                .flat_map(|list| &list.0)
                .map(taint_text)
                .collect();
            add_list(&mut settings, tag, "KUBERNETES_TAINTS", &taints);
        }
        settings.retain(|_, settings| !settings.is_empty());
        TagSettings(settings)
    }

    /// Whether `tag` has a section of its own, that nodes can include.
    pub fn has_section(&self, tag: &str) -> bool {
        tag != "all" && self.0.contains_key(tag)
    }

    /// The sections: `[clients]` for the tag `all`, `[tag_NAME]` for the others.
    pub fn sections(&self) -> Vec<TagSection> {
        self.0
            .iter()
            .map(|(tag, settings)| TagSection {
                section: match tag.as_str() {
                    "all" => "clients".to_owned(),
                    tag => format!("tag_{tag}"),
                },
                settings: settings.clone(),
            })
            .collect()
    }
}

/// A setting of the user's. LTSP evaluates the text of hooks, `PRE_INIT_X` and the like, as process 1 of a node
/// (ltsp.conf(5)): such a text is stored under another name, and `kubefarm_run` evaluates it so that a failure does not
/// end the boot.
pub fn user_setting(key: &str, value: &str) -> Vec<Setting> {
    if is_hook(key) {
        let text = Setting::new(format!("KUBEFARM_{key}"), value);
        vec![text, Setting::new(key, format!("kubefarm_run {key}"))]
    } else {
        vec![Setting::new(key, value)]
    }
}

/// Whether LTSP evaluates the setting's text before or after one of its commands.
fn is_hook(key: &str) -> bool {
    key.starts_with("PRE_") || key.starts_with("POST_")
}

fn add_list(
    settings: &mut IndexMap<String, Vec<Setting>>,
    tag: &str,
    variable: &str,
    items: &[String],
) {
    if !items.is_empty() {
        let key = format!("{variable}_{}", variable_suffix(tag));
        let found = Setting::new(key, items.join(","));
        settings.entry(tag.to_owned()).or_default().push(found);
    }
}

/// What the variables of a tag end in. A node reads them in the order of these, after those of `all` (init.sh).
pub fn variable_suffix(tag: &str) -> String {
    fold(tag).to_ascii_uppercase()
}

/// A taint as kubelet's `--register-with-taints` expects it.
fn taint_text(taint: &Taint) -> String {
    let value = taint.value.as_deref().unwrap_or_default();
    format!("{}={value}:{}", taint.key, taint.effect)
}

/// A name as LTSP's ini2sh changes it for a shell function: lower case, and all but letters and digits become `_`.
pub fn fold(name: &str) -> String {
    name.chars()
        .map(|c| match c.to_ascii_lowercase() {
            c if c.is_ascii_lowercase() || c.is_ascii_digit() => c,
            _ => '_',
        })
        .collect()
}
