//! Whatever is written in place of a value, however wrong: a farm or problems, and both of a size that one can bear.
//!
//! `KUBEFARM_HOSTILE_SECONDS` lets it go on for that long, from a seed that it prints (`make fuzz`);
//! `KUBEFARM_HOSTILE_SEED` starts from that seed again.

use std::sync::mpsc;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use kubefarm::chart::{Charts, embedded};
use kubefarm::manifest::write_yaml;
use kubefarm::render::{RenderError, render};
use kubefarm::report::{Style, print_problems};
use kubefarm::values::{Input, load_with_removed};
use serde_json::{Value, json};

/// How many values trees CI tries.
const CASES: u64 = 250;
/// What problems and manifests of a few nodes come to at most, in bytes.
const MOST_SAID: usize = 200_000;
const MOST_WRITTEN: usize = 20_000_000;
/// No tree of a few nodes takes as long, on whatever machine.
const DEADLINE: Duration = Duration::from_secs(120);

/// Numbers that a seed and a case bring (Steele, Lea and Flood, "Fast splittable pseudorandom number generators").
struct Random(u64);

impl Random {
    fn below(&mut self, count: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (mixed ^ (mixed >> 31)) as usize % count.max(1)
    }
}

/// What is written in place of a value.
fn hostile(random: &mut Random) -> Value {
    let choices = [
        json!(null),
        json!(""),
        json!(true),
        json!(0),
        json!(-1),
        json!(65_536),
        json!(50_000_001),
        json!(u32::MAX),
        json!(i64::MIN),
        json!(u64::MAX),
        json!(1e300),
        json!(0.1),
        json!([]),
        json!({}),
        json!([null]),
        json!([[]]),
        json!({"": ""}),
        json!({"a": {"b": [{"c": null}]}}),
        json!([{"name": "a"}, {"name": "a"}, 7]),
        json!("\u{0}\u{1b}[2J\u{9b}\r\n\u{2028}\u{feff}"),
        json!("'\"`$(id)${x}{{ y }}{% z %}\\"),
        json!("0.0.0.0/0"),
        json!("::/0"),
        json!("0.0.0.0/0,::/0"),
        json!("10.0.0.0,10.255.255.255"),
        json!("::,ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff,64"),
        json!("02:00:00:00:00:00-02:ff:ff:ff:ff:ff"),
        json!("999999999999999999999h"),
        json!("9999999999Ei"),
        json!("@every 1ns"),
        json!("v1.4294967296.0"),
        json!("a".repeat(5_000)),
        json!("é".repeat(64)),
        json!("*".repeat(200)),
        json!("(".repeat(2_000)),
        json!("$((".repeat(500)),
        json!(vec!["x"; 500]),
        nested(100),
    ];
    choices[random.below(choices.len())].clone()
}

fn nested(depth: usize) -> Value {
    (0..depth).fold(json!(1), |inner, level| match level % 2 {
        0 => json!([inner]),
        _ => json!({"k": inner}),
    })
}

/// The ways to all values in a tree, as pointers.
fn pointers(value: &Value, at: &str, found: &mut Vec<String>) {
    let escaped = |key: &str| key.replace('~', "~0").replace('/', "~1");
    match value {
        Value::Object(map) => {
            for (key, value) in map {
                pointers(value, &format!("{at}/{}", escaped(key)), found);
            }
        }
        Value::Array(list) => {
            for (index, value) in list.iter().enumerate() {
                pointers(value, &format!("{at}/{index}"), found);
            }
        }
        _ => {}
    }
    if !at.is_empty() {
        found.push(at.to_owned());
    }
}

/// Real farms, with all defaults written out.
fn farms() -> Vec<Value> {
    let everything = include_str!("../golden/everything.values.yaml");
    let examples = embedded::examples()
        .into_iter()
        .map(|example| example.values);
    let defaults = Charts::embedded().default_values();
    let tree = |text: &str| {
        let input = Input::Builtin {
            name: "farm".to_owned(),
            text: text.to_owned(),
        };
        let loaded = load_with_removed(&defaults, &[input]).expect("values");
        Value::from(&loaded.tree)
    };
    examples.chain([everything]).map(tree).collect()
}

/// A real farm with a few values in place of others, or hardly a farm at all.
fn case(farms: &[Value], random: &mut Random) -> Value {
    if random.below(10) == 0 {
        let sections = [
            "kubernetes",
            "ltsp",
            "nodePools",
            "tags",
            "dhcp",
            "pki",
            "tokenGenerator",
        ];
        return sections
            .iter()
            .map(|key| ((*key).to_owned(), hostile(random)))
            .collect();
    }
    let mut tree = farms[random.below(farms.len())].clone();
    for _ in 0..=random.below(3) {
        let mut found = Vec::new();
        pointers(&tree, "", &mut found);
        let at = &found[random.below(found.len())];
        let value = hostile(random);
        if let Some(old) = tree.pointer_mut(at) {
            *old = value;
        }
    }
    tree
}

/// What is wrong with how a tree is met.
fn complaint(tree: &Value) -> Option<String> {
    let charts = Charts::embedded();
    let input = Input::Builtin {
        name: "hostile".to_owned(),
        text: tree.to_string(),
    };
    let loaded = load_with_removed(&charts.default_values(), &[input]).map_err(RenderError::Values);
    let outcome = loaded.and_then(|loaded| render(charts, &loaded, None, "space"));
    let said = |problems: &[_]| {
        let mut text = Vec::new();
        print_problems(
            problems,
            |_| Some(tree.to_string()),
            Style::Plain,
            &mut text,
        )
        .expect("text");
        (text.len() > MOST_SAID).then(|| format!("{} bytes are said", text.len()))
    };
    match outcome {
        Ok(outcome) => {
            let mut text = Vec::new();
            write_yaml(&outcome.manifest, &mut text).expect("text");
            let much = text.len() > MOST_WRITTEN;
            let much = much.then(|| format!("{} bytes are written", text.len()));
            much.or_else(|| said(&outcome.warnings))
        }
        Err(RenderError::Values(problems)) if problems.is_empty() => {
            Some("nothing is said".to_owned())
        }
        Err(RenderError::Values(problems)) => said(&problems),
        // What is rendered is too big for the API server, or not what templates take.
        Err(other) => {
            let text = other.to_string();
            (text.is_empty() || text.len() > MOST_SAID).then_some(text)
        }
    }
}

fn number(variable: &str) -> Option<u64> {
    std::env::var(variable)
        .ok()
        .map(|text| text.parse().expect(variable))
}

#[test]
fn hostile_values_are_a_farm_or_problems() {
    let seconds = number("KUBEFARM_HOSTILE_SECONDS");
    let now = || {
        SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .map_or(0, |since| since.as_secs())
    };
    let seed = number("KUBEFARM_HOSTILE_SEED").unwrap_or_else(|| seconds.map_or(0, |_| now()));
    println!("KUBEFARM_HOSTILE_SEED={seed}");
    let (tried, results) = mpsc::channel();
    let worker = std::thread::Builder::new()
        .stack_size(8 << 20)
        .spawn(move || {
            let farms = farms();
            let start = Instant::now();
            for number in 0.. {
                let is_over = match seconds {
                    Some(seconds) => start.elapsed() > Duration::from_secs(seconds),
                    None => number == CASES,
                };
                if is_over {
                    break;
                }
                let mut random = Random(seed.wrapping_mul(1 << 32).wrapping_add(number));
                let tree = case(&farms, &mut random);
                let _ = tried.send((number, tree.clone(), None));
                if let Some(complaint) = complaint(&tree) {
                    let _ = tried.send((number, tree, Some(complaint)));
                }
            }
        })
        .expect("a thread");
    let mut last = json!(null);
    loop {
        match results.recv_timeout(DEADLINE) {
            Ok((number, tree, Some(complaint))) => panic!("case {number}: {complaint}\n{tree}"),
            Ok((_, tree, None)) => last = tree,
            Err(mpsc::RecvTimeoutError::Timeout) => panic!("no end after {DEADLINE:?}\n{last}"),
            Err(mpsc::RecvTimeoutError::Disconnected) => break,
        }
    }
    if let Err(panic) = worker.join() {
        eprintln!("{last}");
        std::panic::resume_unwind(panic);
    }
}
