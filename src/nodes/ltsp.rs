//! What LTSP's `ini2sh` makes of `ltsp.conf` on one machine, without running it.
//!
//! `ini2sh` turns each section into a function of the shell, and LTSP calls, on a client, those of `[clients]`,
//! `[common]`, the MAC, the address, the host name, and then those of its applet, `[init/]` first (ltsp.conf(5), and
//! `eval_ini` of LTSP 23.02). A function runs once; of two sections that match, the first is taken.

mod boots;
mod conf;
mod word;

use std::collections::HashSet;

use indexmap::IndexMap;

pub use boots::{Boot, boots};
pub use conf::Conf;

use conf::{Section, Statement, statements};

use crate::values::secret;

/// What LTSP knows of a machine when it reads its configuration.
#[derive(Debug, Clone, Copy)]
pub struct Booted<'a> {
    pub mac: &'a str,
    pub address: &'a str,
    pub host_name: &'a str,
}

/// A setting, as the machine has it in the end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Setting {
    /// `None` where the shell computes it: `raw` then has what stands in the file.
    pub value: Option<String>,
    pub raw: String,
    /// The section that set it last.
    pub section: String,
}

/// What may be shown of a setting.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shown<'a> {
    /// A password, or its hash.
    Secret,
    /// What the shell computes on the machine.
    Computed,
    Value(&'a str),
}

impl Setting {
    /// What may be shown of the setting with this name.
    pub fn shown(&self, name: &str) -> Shown<'_> {
        match &self.value {
            _ if secret::end_of_key(name).is_some() => Shown::Secret,
            Some(value) => Shown::Value(value),
            None => Shown::Computed,
        }
    }
}

/// What a machine gets from its configuration.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Evaluated {
    /// By name, in the order in which they were set last.
    pub settings: IndexMap<String, Setting>,
    /// Scripts that run, in order; what they set is not known.
    pub scripts: Vec<String>,
}

impl Evaluated {
    /// Whether a machine has the same settings and scripts; the sections that they come from may be others.
    fn is_the_same(&self, other: &Evaluated) -> bool {
        let settings = |evaluated: &Evaluated| {
            let settings = evaluated.settings.iter();
            let settings = settings.map(|(name, setting)| (name.clone(), setting.raw.clone()));
            settings.collect::<IndexMap<_, _>>()
        };
        self.scripts == other.scripts && settings(self) == settings(other)
    }
}

/// Evaluates the configuration as LTSP does on a client. `file` has the texts of the files beside it.
pub fn evaluate<'a>(
    conf: &'a Conf,
    machine: Booted<'_>,
    file: &'a dyn Fn(&str) -> Option<&'a str>,
) -> Evaluated {
    let mut run = Run {
        conf,
        file,
        called: HashSet::new(),
        found: Evaluated::default(),
    };
    for word in ["unnamed", "clients", "common", machine.mac, machine.address] {
        run.call(word);
    }
    // A section may name the machine.
    let name = run.found.settings.get("HOSTNAME");
    let name = name.and_then(|setting| setting.value.clone());
    let name = name.unwrap_or_else(|| machine.host_name.to_owned());
    run.call(&name);
    run.call("init/");
    for own in [machine.mac, machine.address, &name] {
        run.call(&format!("init/{own}"));
    }
    run.found
}

struct Run<'a> {
    conf: &'a Conf,
    file: &'a dyn Fn(&str) -> Option<&'a str>,
    /// The functions that ran.
    called: HashSet<&'a str>,
    found: Evaluated,
}

impl Run<'_> {
    fn call(&mut self, word: &str) {
        let Some(section) = self.conf.matching(word) else {
            return;
        };
        if !self.called.insert(&section.function) {
            return;
        }
        for statement in &section.statements {
            self.statement(section, statement);
        }
    }

    fn statement(&mut self, section: &Section, statement: &Statement) {
        match statement {
            Statement::Include(word) => self.call(word),
            Statement::Set(name, raw) => self.set(section, name, raw),
            Statement::Run(file) => match (self.file)(file).and_then(only_settings) {
                Some(settings) => {
                    for (name, raw) in settings {
                        self.set(section, &name, &raw);
                    }
                }
                None => self.found.scripts.push(file.clone()),
            },
            Statement::Other => {}
        }
    }

    fn set(&mut self, section: &Section, name: &str, raw: &str) {
        let setting = Setting {
            value: word::value(raw),
            raw: raw.to_owned(),
            section: section.name.clone(),
        };
        self.found.settings.shift_remove(name);
        self.found.settings.insert(name.to_owned(), setting);
    }
}

/// The settings of a script that has nothing else.
fn only_settings(text: &str) -> Option<Vec<(String, String)>> {
    let lines = text.lines().filter(|line| {
        let line = line.trim_start();
        !line.is_empty() && !line.starts_with('#')
    });
    let settings = lines.map(|line| match statements(line).pop() {
        Some(Statement::Set(name, raw)) => word::value(&raw).map(|_| (name, raw)),
        _ => None,
    });
    settings.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const MACHINE: Booted<'_> = Booted {
        mac: "02:00:00:00:00:01",
        address: "10.0.0.1",
        host_name: "pc7",
    };

    fn evaluated(text: &str) -> Evaluated {
        evaluate(&Conf::parse(text), MACHINE, &|file| match file {
            "plain.sh" => Some("# A comment\nPLAIN='x y'\n"),
            "hard.sh" => Some("HARD=1\nhostname\n"),
            _ => None,
        })
    }

    /// Names and values, in order.
    fn pairs(text: &str) -> Vec<(String, String)> {
        let settings = evaluated(text).settings.into_iter();
        let pairs = settings.map(|(name, setting)| (name, setting.value.unwrap_or_default()));
        pairs.collect()
    }

    fn owned(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
        let owned = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
        pairs.iter().map(owned).collect()
    }

    #[test]
    fn later_sections_win_in_ltsps_order() {
        let text = "[02:00:00:00:00:01]\nX=mac\nINCLUDE=tag_b\n[common]\nX=common\nB=0\n[clients]\nX=clients\n\
                    C=1\n[tag_b]\nB=2\n[tag_other]\nB=3\n";
        assert_eq!(pairs(text), owned(&[("C", "1"), ("X", "mac"), ("B", "2")]));
    }

    #[test]
    fn of_two_sections_the_first_that_matches_is_taken() {
        assert_eq!(pairs("[pc*]\nA=1\n[pc7]\nB=1\n"), owned(&[("A", "1")]));
        assert_eq!(pairs("[a|PC?|b]\nA=1\n"), owned(&[("A", "1")]));
    }

    #[test]
    fn a_function_runs_once_and_the_last_of_a_name_is_the_one() {
        assert_eq!(
            pairs("[common]\nINCLUDE=common\nA=1\n"),
            owned(&[("A", "1")])
        );
        assert_eq!(
            pairs("[pc.7]\nA=1\n[pc7]\nINCLUDE=a-b\n[a-b]\nX=1\n[a_b]\nX=2\n"),
            owned(&[("X", "2")])
        );
    }

    #[test]
    fn a_section_may_name_the_machine() {
        let text = "[clients]\nHOSTNAME=other\n[other]\nA=1\n[pc7]\nB=1\n";
        assert_eq!(pairs(text), owned(&[("HOSTNAME", "other"), ("A", "1")]));
    }

    #[test]
    fn scripts_that_only_set_are_read_and_others_named() {
        let text = "[pc7]\nkubefarm_guard plain.sh . /etc/ltsp/plain.sh\nkubefarm_guard hard.sh . /etc/ltsp/hard.sh\n\
                    [init/]\nkubefarm_guard init.sh . /etc/ltsp/init.sh\n";
        assert_eq!(pairs(text), owned(&[("PLAIN", "x y")]));
        assert_eq!(evaluated(text).scripts, ["hard.sh", "init.sh"]);
    }

    #[test]
    fn functions_of_the_file_are_not_settings() {
        let text = "f() {\n    A=1\n    eval \"$B\"\n}\n[common]\nC=$(date)\n";
        let found = evaluated(text);
        assert_eq!(found.settings.len(), 1);
        assert_eq!(found.settings["C"].value, None);
        assert_eq!(found.settings["C"].raw, "$(date)");
    }
}
