//! What is said about answers of members.

use serde_json::{Value as Json, json};

use super::answer::MemberList;
use super::{Answer, Listed, Seen, Status, faults, newest};

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
    assert_eq!(faults(&all), [""; 0]);
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
            &["alarm CORRUPT of an unknown member: its data differ from those of others"],
        ),
    ];
    for (seen, expected) in cases {
        assert_eq!(faults(&seen), expected, "{seen:#?}");
    }
}

#[test]
fn a_member_that_never_started_has_no_name() {
    let mut one = well("a");
    if let Ok(answer) = &mut one.answer {
        answer.members = listed(&["a", ""]);
        answer.members[1].is_learner = true;
    }
    assert_eq!(faults(&[one]), ["member 0 has never started"]);
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
