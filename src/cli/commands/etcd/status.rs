//! `kubefarm etcd status`: how the members are.

use clap::Args;
use serde_json::{Value, json};

use crate::cli::args::{AppliedArgs, ClusterArgs, Json};
use crate::cli::failure::Failure;
use crate::cli::on_cluster::{no_farm, on_cluster};
use crate::cli::stdout::write_stdout;
use crate::cluster::Interrupt;
use crate::cluster::state::{Etcd, Members};
use crate::etcd::{Answer, Seen, condition, newest};
use crate::farm::Release;
use crate::report::table;

const MIB: f64 = 1024.0 * 1024.0;

const EXAMPLES: &str = "\
Every member is asked by itself, through a port that the API server forwards: this
needs the right to create pods/portforward, and to get the Secret with etcd's
client certificate. Nothing is written.

Examples:
  The members, who leads, and how full their databases are:
    kubefarm etcd status farm -n clusters

  The size of each database, for a script:
    kubefarm etcd status farm -n clusters -o json | jq '.members[].size'

Exit codes: 0 all is well, 1 something is not, or the command failed.";

/// Show the members of a farm's etcd: leader, versions, sizes, alarms, and what is wrong.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub struct Status {
    #[command(flatten)]
    release: AppliedArgs,
    #[command(flatten)]
    cluster: ClusterArgs,
    /// Print JSON; sizes are in bytes.
    #[arg(
        short,
        long,
        value_enum,
        env = "KUBEFARM_STATUS_OUTPUT",
        help_heading = "Output"
    )]
    output: Option<Json>,
}

impl Status {
    pub fn run(self) -> Result<(), Failure> {
        on_cluster(|interrupt| self.run_until(interrupt))
    }

    async fn run_until(self, interrupt: Interrupt) -> Result<(), Failure> {
        let api = self.cluster.open(interrupt).await?;
        let release = self.release.as_release();
        let found = Members::of(&api, &release, self.cluster.concurrency()).await?;
        let Some(members) = found else {
            return Err(no_farm(&api, &release).await);
        };
        let etcd = members.look().await?;
        let of_all = condition(&etcd.members).faults();
        let text = match self.output {
            Some(Json::Json) => as_json(&release, &etcd, &of_all)?,
            None => as_text(&release, &etcd, &of_all),
        };
        write_stdout(text.as_bytes())?;
        let is_well = |one: &Seen| one.faults(etcd.quota).is_empty();
        if of_all.is_empty() && etcd.members.iter().all(is_well) {
            Ok(())
        } else {
            Err(Failure::Reported)
        }
    }
}

fn as_text(release: &Release, etcd: &Etcd, faults: &[String]) -> String {
    let mut text = format!("{} in {}", etcd.name, release.namespace);
    if let Some(newest) = newest(&etcd.members) {
        let header = &newest.status.header;
        text.push_str(&format!(
            ": {} members, cluster {}, revision {}",
            newest.members.len(),
            header.cluster_id,
            header.revision
        ));
    }
    text.push('\n');
    for fault in faults {
        text.push_str(&format!("{fault}\n"));
    }
    let headers = [
        "MEMBER", "ID", "ROLE", "VERSION", "SIZE", "FREE", "QUOTA", "TERM", "APPLIED", "PROBLEM",
    ];
    let rows: Vec<Vec<String>> = etcd.members.iter().map(|one| row(etcd, one)).collect();
    if !rows.is_empty() {
        text.push('\n');
        text.push_str(&table(&headers, &rows));
    }
    text
}

fn row(etcd: &Etcd, one: &Seen) -> Vec<String> {
    let problem = one.faults(etcd.quota).join("; ");
    let Ok(answer) = &one.answer else {
        let mut cells = vec![one.name.clone()];
        cells.resize(9, "-".to_owned());
        cells.push(problem);
        return cells;
    };
    let quota = answer.quota(etcd.quota);
    let status = &answer.status;
    let free = status.size.saturating_sub(status.size_in_use);
    vec![
        one.name.clone(),
        status.header.member_id.to_string(),
        role(answer).to_owned(),
        status.version.clone(),
        mebibytes(status.size),
        percent(free, status.size),
        quota.map_or("-".to_owned(), |quota| percent(status.size, quota)),
        status.raft_term.to_string(),
        status.raft_applied_index.to_string(),
        problem,
    ]
}

fn role(answer: &Answer) -> &'static str {
    if answer.leads() {
        "leader"
    } else if answer.status.is_learner {
        "learner"
    } else {
        "follower"
    }
}

#[allow(clippy::cast_precision_loss, reason = "it is rounded anyway")]
fn mebibytes(bytes: u64) -> String {
    format!("{:.1} MiB", bytes as f64 / MIB)
}

fn percent(part: u64, whole: u64) -> String {
    match (part * 100).checked_div(whole) {
        Some(percent) => format!("{percent}%"),
        None => "-".to_owned(),
    }
}

fn as_json(release: &Release, etcd: &Etcd, faults: &[String]) -> Result<String, Failure> {
    let members: Vec<Value> = etcd.members.iter().map(|one| member(etcd, one)).collect();
    let newest = newest(&etcd.members);
    let header = newest.map(|newest| &newest.status.header);
    let status = json!({
        "name": release.name,
        "namespace": release.namespace,
        "clusterId": header.map(|header| header.cluster_id),
        "revision": header.map(|header| header.revision),
        "members": members,
        "problems": faults,
    });
    Ok(serde_json::to_string_pretty(&status).map_err(anyhow::Error::from)? + "\n")
}

fn member(etcd: &Etcd, one: &Seen) -> Value {
    let problems = one.faults(etcd.quota);
    let Ok(answer) = &one.answer else {
        return json!({ "name": one.name, "problems": problems });
    };
    let status = &answer.status;
    json!({
        "name": one.name,
        "id": status.header.member_id,
        "role": role(answer),
        "version": status.version,
        "storageVersion": status.storage_version,
        "size": status.size,
        "sizeInUse": status.size_in_use,
        "quota": answer.quota(etcd.quota),
        "raftTerm": status.raft_term,
        "raftIndex": status.raft_index,
        "raftAppliedIndex": status.raft_applied_index,
        "problems": problems,
    })
}

#[cfg(test)]
mod tests {
    use serde_json::from_value;

    use super::*;

    fn etcd() -> Etcd {
        let status = json!({
            "header": {"cluster_id": "255", "member_id": "10", "revision": "7"}, "version": "3.7.0",
            "dbSize": "3145728", "dbSizeInUse": "2097152", "leader": "10", "raftTerm": "2",
            "raftAppliedIndex": "9",
        });
        let listed =
            json!([{"ID": "10", "name": "farm-etcd-0"}, {"ID": "11", "name": "farm-etcd-1"}]);
        let answer = Answer {
            status: from_value(status).expect("a status"),
            members: from_value(listed).expect("members"),
        };
        let seen = |name: &str, answer| Seen {
            name: format!("farm-etcd-{name}"),
            answer,
        };
        Etcd {
            name: "farm-etcd".to_owned(),
            members: vec![
                seen("0", Ok(answer)),
                seen("1", Err("there is no such pod".to_owned())),
            ],
            quota: Some(12_582_912),
        }
    }

    fn release() -> Release {
        Release {
            name: "farm".to_owned(),
            namespace: "clusters".to_owned(),
        }
    }

    #[test]
    fn each_member_is_a_row() {
        let expected = "\
farm-etcd in clusters: 2 members, cluster ff, revision 7
no majority

MEMBER       ID  ROLE    VERSION  SIZE     FREE  QUOTA  TERM  APPLIED  PROBLEM
farm-etcd-0  a   leader  3.7.0    3.0 MiB  33%   25%    2     9
farm-etcd-1  -   -       -        -        -     -      -     -        there is no such pod
";
        let text = as_text(&release(), &etcd(), &["no majority".to_owned()]);
        assert_eq!(text, expected);
    }

    #[test]
    fn a_member_without_an_answer_has_no_figures() {
        let json = as_json(&release(), &etcd(), &[]).expect("JSON");
        let json: Value = serde_json::from_str(&json).expect("JSON");
        assert_eq!(json["members"][0]["quota"], 12_582_912);
        assert_eq!(json["members"][0]["id"], "a");
        let silent = json!({"name": "farm-etcd-1", "problems": ["there is no such pod"]});
        assert_eq!(json["members"][1], silent);
        assert_eq!(json["clusterId"], "ff");
    }
}
