//! What is said about answers of members.

use serde_json::{Value as Json, json};

use super::answer::MemberList;
use super::{Answer, Listed, Seen, Status, condition, newest, to_defragment};

const MIB: u64 = 1 << 20;

fn parsed<T: serde::de::DeserializeOwned>(json: Json) -> T {
    serde_json::from_value(json).expect("an answer")
}

fn id(name: &str) -> u64 {
    name.bytes().map(u64::from).sum()
}

fn listed(names: &[&str]) -> Vec<Listed> {
    let member = |name: &&str| json!({"ID": id(name).to_string(), "name": name, "peerURLs": ["x"]});
    let members: Vec<Json> = names.iter().map(member).collect();
    parsed::<MemberList>(json!({ "header": {}, "members": members })).members
}

/// The answer of a member among `a`, `b` and `c`, with further fields.
fn seen(name: &str, further: Json) -> Seen {
    let mut status = json!({
        "header": {
            "cluster_id": "255", "member_id": id(name).to_string(), "revision": "7", "raft_term": "2",
        },
        "version": "3.7.0", "dbSize": "1000", "dbSizeInUse": "500", "leader": id("a").to_string(),
        "raftIndex": "9", "raftTerm": "2", "raftAppliedIndex": "9",
    });
    for (key, value) in further.as_object().expect("fields") {
        status[key] = value.clone();
    }
    let answer = Answer {
        status: parsed(status),
        members: listed(&["a", "b", "c"]),
    };
    Seen {
        name: name.to_owned(),
        answer: Ok(answer),
    }
}

fn silent(name: &str) -> Seen {
    Seen {
        name: name.to_owned(),
        answer: Err("no answer".to_owned()),
    }
}

fn well(name: &str) -> Seen {
    seen(name, json!({}))
}

#[test]
fn numbers_are_text_and_zeros_are_left_out() {
    let status: Status = parsed(json!({
        "header": {"cluster_id": "18446744073709551615"}, "dbSize": "20480",
    }));
    assert_eq!(status.header.cluster_id.to_string(), "ffffffffffffffff");
    assert_eq!((status.size, status.quota, status.leader.0), (20480, 0, 0));
    assert!(serde_json::from_value::<Status>(json!({"dbSize": "-1"})).is_err());
}

#[test]
fn of_three_members_that_are_well_nothing_is_said() {
    let all = [well("a"), well("b"), well("c")];
    assert_eq!(condition(&all).faults(), [""; 0]);
    assert!(all.iter().all(|one| one.faults(Some(MIB)).is_empty()));
    let leads = |one: &Seen| one.answer.as_ref().is_ok_and(Answer::leads);
    assert_eq!(all.map(|one| leads(&one)), [true, false, false]);
}

#[test]
fn what_is_wrong_with_the_members_together_is_said() {
    let alarm = |text: &str| json!({"errors": [text, "etcdserver: no leader"]});
    let other = |key: &str, value: Json| seen("c", json!({ key: value }));
    let mut stranger = well("c");
    stranger.name = "d".to_owned();
    let cases: [(Vec<Seen>, &[&str]); 8] = [
        (vec![silent("a"), silent("b")], &["no member answers"]),
        (vec![well("a"), well("b"), silent("c")], &[]),
        (
            vec![well("a"), silent("b"), silent("c")],
            &["no majority: of 3 voters, 1 answer, and 2 are needed"],
        ),
        (
            vec![
                well("a"),
                well("b"),
                other("header", json!({"cluster_id": "16", "member_id": "99"})),
            ],
            &["the members are of different clusters: 10, ff"],
        ),
        (
            vec![well("a"), well("b"), other("version", json!("3.6.1"))],
            &["the members have versions 3.6.1, 3.7.0"],
        ),
        (
            vec![well("a"), well("b"), stranger],
            &["member c (63) has no pod", "d is not a member"],
        ),
        (
            vec![
                well("a"),
                well("b"),
                seen("c", alarm("memberID:98  alarm:NOSPACE ")),
            ],
            &["alarm NOSPACE of b: etcd refuses writes"],
        ),
        (
            vec![
                well("a"),
                well("b"),
                seen("c", alarm("memberID:5 alarm:CORRUPT")),
            ],
            &["alarm CORRUPT of member 5: its data differ from those of others"],
        ),
    ];
    for (seen, expected) in cases {
        assert_eq!(condition(&seen).faults(), expected, "{seen:#?}");
    }
}

#[test]
fn a_member_that_never_started_has_no_name() {
    let mut one = well("a");
    if let Ok(answer) = &mut one.answer {
        answer.members = listed(&["a", ""]);
        answer.members[1].is_learner = true;
    }
    assert_eq!(condition(&[one]).faults(), ["member 0 has never started"]);
}

#[test]
fn what_is_wrong_with_one_member_is_said() {
    for (further, expected) in [
        (json!({"leader": "0"}), "knows no leader"),
        (
            json!({"isLearner": true}),
            "is a learner, and has no vote yet",
        ),
        (
            json!({"dbSize": (MIB / 10 * 9).to_string()}),
            "uses more than 80% of its quota",
        ),
    ] {
        assert_eq!(seen("a", further).faults(Some(MIB)), [expected]);
    }
    assert_eq!(silent("a").faults(None), ["no answer"]);
    assert_eq!(seen("a", json!({"dbSize": "9"})).faults(None), [""; 0]);
}

#[test]
fn who_has_applied_most_is_believed() {
    let behind = seen("a", json!({"raftAppliedIndex": "3"}));
    let all = [behind, well("b"), silent("c")];
    let found = newest(&all).expect("an answer");
    assert_eq!(found.status.header.member_id.0, id("b"));
}

fn chosen(seen: &[Seen], accepts_pause: bool) -> Result<Vec<&str>, Vec<String>> {
    let chosen = to_defragment(seen, Some(1000 * MIB), accepts_pause)?;
    Ok(chosen.into_iter().map(|one| one.name.as_str()).collect())
}

/// A database of so many MiB, with so many in use.
fn sized(name: &str, size: u64, in_use: u64) -> Seen {
    let bytes = |mebibytes: u64| (mebibytes * MIB).to_string();
    seen(
        name,
        json!({"dbSize": bytes(size), "dbSizeInUse": bytes(in_use)}),
    )
}

#[test]
fn members_are_defragmented_where_it_is_worth_it() {
    for (size, in_use, is_worth_it) in [
        (300, 140, true),
        // Half is in use.
        (300, 150, false),
        // No more than 100 MiB are free.
        (110, 10, false),
        (111, 10, true),
        // More than 80% of the quota, and a quarter of it free.
        (801, 600, true),
        (799, 590, false),
        (900, 700, false),
    ] {
        let all = [well("a"), sized("b", size, in_use), well("c")];
        let expected: &[&str] = if is_worth_it { &["b"] } else { &[] };
        assert_eq!(
            chosen(&all, false),
            Ok(expected.to_vec()),
            "{size} {in_use}"
        );
    }
}

#[test]
fn the_leader_is_the_last_to_be_defragmented() {
    let all = ["a", "b", "c"].map(|name| sized(name, 500, 10));
    assert_eq!(chosen(&all, false), Ok(vec!["b", "c", "a"]));
}

#[test]
fn where_one_is_full_all_are_defragmented() {
    let alarm = json!({"errors": ["memberID:98 alarm:NOSPACE"]});
    let all = [well("a"), well("b"), seen("c", alarm)];
    assert_eq!(chosen(&all, false), Ok(vec!["b", "c", "a"]));
}

#[test]
fn nothing_is_defragmented_while_one_may_be_missing() {
    let large = || sized("b", 500, 10);
    for (third, reason) in [
        (silent("c"), "c no answer"),
        (seen("c", json!({"leader": "0"})), "c knows no leader"),
        (
            seen("c", json!({"isLearner": true})),
            "c is a learner, and has no vote yet",
        ),
        (
            seen("c", json!({"version": "3.6.0"})),
            "the members have versions 3.6.0, 3.7.0",
        ),
    ] {
        let all = [well("a"), large(), third];
        let refused = chosen(&all, true);
        assert_eq!(refused, Err(vec![reason.to_owned()]));
    }
}

#[test]
fn etcd_stands_still_only_where_that_is_accepted() {
    let alone = |mut one: Seen| {
        if let Ok(answer) = &mut one.answer {
            answer.members = listed(&["a"]);
        }
        [one]
    };
    let large = alone(sized("a", 500, 10));
    let refused = chosen(&large, false).expect_err("refused");
    assert!(refused[0].contains("--accept-pause"), "{refused:?}");
    assert_eq!(chosen(&large, true), Ok(vec!["a"]));
    assert_eq!(chosen(&alone(well("a")), false), Ok(vec![]));
}

/// etcd#14685
#[test]
fn an_etcd_that_may_damage_its_data_is_not_defragmented() {
    let all_of = |version: &str| {
        ["a", "b", "c"].map(|name| {
            let mut one = sized(name, 500, 10);
            if let Ok(answer) = &mut one.answer {
                answer.status.version = version.to_owned();
            }
            one
        })
    };
    for version in ["3.5.0", "3.5.5"] {
        let refused = chosen(&all_of(version), true).expect_err("refused")[0].clone();
        assert!(refused.contains("3.5.6 or newer"), "{refused}");
    }
    for version in ["3.4.30", "3.5.6", "3.6.0", ""] {
        assert!(chosen(&all_of(version), true).is_ok(), "{version}");
    }
}
