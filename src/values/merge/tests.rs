use proptest::prelude::*;
use serde_json::{Value as Json, json};

use super::super::tree::{Node, Path, Value};
use super::super::yaml;
use super::Removed;

fn node(source: &str, text: &str) -> Node {
    yaml::parse(source, text).unwrap().remove(0)
}

/// As [`super::over`], whatever there is to say of it.
fn over(earlier: Node, later: Node) -> Node {
    super::over(earlier, later, &mut Vec::new())
}

fn over_defaults(defaults: Node, user: Node) -> (Node, Vec<Removed>) {
    super::over_defaults(defaults, user, |_| false, &mut Vec::new())
}

fn laid(earlier: &str, later: &str) -> Json {
    Json::from(&over(node("earlier", earlier), node("later", later)))
}

fn laid_over_defaults(defaults: &str, user: &str) -> Json {
    Json::from(&over_defaults(node("defaults", defaults), node("user", user)).0)
}

/// What is said of laying one layer over another.
fn said(earlier: &str, later: &str) -> Vec<String> {
    let mut problems = Vec::new();
    super::over(
        node("earlier", earlier),
        node("later", later),
        &mut problems,
    );
    problems.iter().map(ToString::to_string).collect()
}

#[test]
fn a_list_and_a_map_never_replace_each_other_in_silence() {
    let list = "pools:\n  - {name: a}\n";
    let map = "pools:\n  rack: {name: b}\n";
    assert_eq!(
        said(list, map),
        [
            "later:2:3: error: pools: a map would replace the whole list of earlier:2:3 (write it as a list \
             too; or remove the earlier one with null in a layer between them)"
        ]
    );
    assert_eq!(said(map, list).len(), 1);
    assert!(said(map, "pools: []")[0].contains("later:1:8: error: pools: a list would replace"));
    for (earlier, later) in [
        ("pools: []", map),
        ("pools: {}", list),
        (list, "pools: [{name: c}]"),
        (map, "pools: {}"),
        ("pools: 1", map),
    ] {
        assert_eq!(
            said(earlier, later),
            Vec::<String>::new(),
            "{earlier} {later}"
        );
    }
}

#[test]
fn what_null_takes_from_an_earlier_file_is_reported() {
    assert_eq!(
        said("a: {x: {w: 1}}", "a: {x: null}"),
        [
            "later:1:8: warning: a.x: null removes everything that earlier:1:8 sets (leave the key out to keep it)"
        ]
    );
    assert_eq!(
        said("a: {x: 1, l: []}", "a: {x: null, l: null}"),
        Vec::<String>::new()
    );
}

#[test]
fn nothing_in_place_of_a_section_leaves_its_defaults() {
    let is_section = |path: &Path| *path == Path::from("a") || *path == Path::from("e");
    let mut problems = Vec::new();
    for user in ["{a: null, e: null}", "{a: '', e: ''}"] {
        let defaults = node("defaults", "{a: {x: 1, m: {}}, e: {m: {}}, b: {x: 1}}");
        let (tree, removed) =
            super::over_defaults(defaults, node("user", user), is_section, &mut problems);
        assert_eq!(
            Json::from(&tree),
            json!({"a": {"x": 1, "m": {}}, "e": {"m": {}}, "b": {"x": 1}})
        );
        assert_eq!(removed, []);
    }
    let said: Vec<String> = problems.iter().map(ToString::to_string).collect();
    assert_eq!(said.len(), 2, "{said:?}");
    assert!(
        said[0].starts_with("user:1:5: warning: a: this key is empty, so its defaults"),
        "{said:?}"
    );
}

#[test]
fn maps_merge_and_everything_else_replaces() {
    assert_eq!(
        laid(
            "{a: {x: 1, w: 2}, l: [1, 2], s: t}",
            "{a: {x: 3, z: 4}, l: [5]}"
        ),
        json!({"a": {"x": 3, "w": 2, "z": 4}, "l": [5], "s": "t"})
    );
    assert_eq!(laid("{a: {x: 1}}", "{a: s}"), json!({"a": "s"}));
    assert_eq!(laid("{a: s}", "{a: {x: 1}}"), json!({"a": {"x": 1}}));
    assert_eq!(laid("{a: {x: 1}}", "{a: {}}"), json!({"a": {"x": 1}}));
    assert_eq!(laid("{a: [1]}", "{a: []}"), json!({"a": []}));
}

#[test]
fn null_replaces_among_layers_and_removes_defaults() {
    assert_eq!(
        laid("{a: 1, b: 2}", "{a: null}"),
        json!({"a": null, "b": 2})
    );
    assert_eq!(
        laid_over_defaults("{a: 1, b: {x: 1, w: 2}}", "{a: null, b: {x: null}}"),
        json!({"b": {"w": 2}})
    );
    assert_eq!(laid_over_defaults("{b: {x: 1}}", "{b: null}"), json!({}));
}

/// `extraArgs: {flag: null}` must reach the chart.
#[test]
fn null_that_meets_no_default_stays() {
    assert_eq!(
        laid_over_defaults("{extraArgs: {}}", "{extraArgs: {profiling: null}}"),
        json!({"extraArgs": {"profiling": null}})
    );
}

#[test]
fn what_null_removed_is_known_with_the_place_of_the_null() {
    let user = "a:\n  x: null\n  new: null\nb:\nc: {z: 1}\n";
    let (_, removed) = over_defaults(
        node("defaults", "{a: {x: {w: 1}}, b: 2, c: {}}"),
        node("user", user),
    );
    let removed: Vec<String> = removed
        .iter()
        .map(|removed| format!("{} {}", removed.path, removed.origin))
        .collect();
    assert_eq!(removed, ["a.x user:2:6", "b user:4:2"]);
}

#[test]
fn a_layer_after_null_brings_the_defaults_back() {
    let user = over(node("first", "a: null"), node("second", "a: {x: 1}"));
    let (merged, removed) = over_defaults(node("defaults", "a: {w: 2}"), user);
    assert_eq!(removed, []);
    assert_eq!(Json::from(&merged), json!({"a": {"w": 2, "x": 1}}));
}

#[test]
fn keys_keep_their_order_and_places() {
    let merged = over(
        node("one", "c: 1\nb: {k: 1}\na: 1"),
        node("two", "d: 1\na: 2\nb:\n  k: 2\n  j: 3"),
    );
    let Value::Map(map) = &merged.value else {
        panic!("no map");
    };
    assert_eq!(map.keys().collect::<Vec<_>>(), ["c", "b", "a", "d"]);
    let origin = |path: &str| merged.get(&Path::from(path)).unwrap().origin.to_string();
    assert_eq!(origin("c"), "one:1:4");
    assert_eq!(origin("a"), "two:2:4");
    assert_eq!(origin("b.k"), "two:4:6");
    assert_eq!(map["a"].key_origin.to_string(), "two:2:1");
    assert_eq!(map["c"].key_origin.to_string(), "one:1:1");
    assert_eq!(merged.origin.to_string(), "one:1:1");
}

/// Maps of the same shape: at every path a map in one is a map in all.
fn layers() -> impl Strategy<Value = [Json; 3]> {
    let layer = || {
        let leaf = prop_oneof![
            Just(json!(null)),
            (0..9).prop_map(|n| json!(n)),
            Just(json!([1]))
        ];
        let leaves = prop::collection::hash_map("[abc]", leaf, 0..4);
        let inner = prop::collection::hash_map("[xyz]", leaves.clone(), 0..4);
        (leaves, inner).prop_map(|(leaves, inner)| {
            let mut map = serde_json::Map::new();
            map.extend(leaves);
            map.extend(inner.into_iter().map(|(key, map)| (key, json!(map))));
            Json::Object(map)
        })
    };
    [layer(), layer(), layer()]
}

fn json_node(json: Json) -> Node {
    let origin = node("json", "x").origin;
    Node::from_json(json, &origin)
}

/// What wins at every path, said another way.
fn expected(earlier: &Json, later: &Json) -> Json {
    let (Json::Object(earlier), Json::Object(later)) = (earlier, later) else {
        return later.clone();
    };
    let mut result = earlier.clone();
    for (key, value) in later {
        let value = match earlier.get(key) {
            Some(old) => expected(old, value),
            None => value.clone(),
        };
        result.insert(key.clone(), value);
    }
    Json::Object(result)
}

fn has_default_of_null(defaults: &Json, user: &Json, merged: &Json) -> bool {
    let (Json::Object(defaults), Json::Object(user), Json::Object(merged)) =
        (defaults, user, merged)
    else {
        return false;
    };
    defaults.iter().any(|(key, default)| match user.get(key) {
        Some(Json::Null) => merged.contains_key(key),
        Some(value) => has_default_of_null(default, value, &merged[key]),
        None => false,
    })
}

proptest! {
    #[test]
    fn later_wins([a, b, _] in layers()) {
        let merged = over(json_node(a.clone()), json_node(b.clone()));
        prop_assert_eq!(Json::from(&merged), expected(&a, &b));
    }

    #[test]
    fn layers_of_one_shape_can_be_grouped([a, b, c] in layers()) {
        let [a, b, c] = [a, b, c].map(json_node);
        let left = over(over(a.clone(), b.clone()), c.clone());
        let right = over(a, over(b, c));
        prop_assert_eq!(Json::from(&left), Json::from(&right));
    }

    #[test]
    fn nothing_replaces_itself([a, _, _] in layers()) {
        let merged = over(json_node(a.clone()), json_node(a.clone()));
        prop_assert_eq!(Json::from(&merged), a);
    }

    #[test]
    fn null_removes_every_default([a, b, _] in layers()) {
        let (merged, _) = over_defaults(json_node(a.clone()), json_node(b.clone()));
        prop_assert!(!has_default_of_null(&a, &b, &Json::from(&merged)));
    }
}
