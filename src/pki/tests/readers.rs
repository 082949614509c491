//! What reads the Secrets notices when they change.

use serde_json::{Value as Json, json};

use super::{Store, change, completed, made, pki, secret, stepping};
use crate::manifest::Object;
use crate::pki::secrets::fill;
use crate::pki::{Completed, Step, complete};

const JOB: &str = "farm-kubernetes-bootstrap-abcdefghij";

/// The name of a workload that reads the admin's certificate, and the checksum in its pods, once the Secrets are filled.
fn reader(kind: &str, completed: &Completed) -> (String, Json) {
    let volumes = json!([{"name": "pki", "secret": {"secretName": secret("admin-client")}}]);
    let Json::Object(content) = json!({
        "apiVersion": if kind == "Job" { "batch/v1" } else { "apps/v1" },
        "kind": kind,
        "metadata": {"name": JOB},
        "spec": {"template": {"spec": {"volumes": volumes}}},
    }) else {
        unreachable!()
    };
    let mut objects = vec![Object::new("", content)];
    fill(&mut objects, &pki("{}"), completed);
    let template = &objects[0].content["spec"]["template"];
    let checksum = &template["metadata"]["annotations"]["checksum/certificates"];
    (objects[0].name().to_owned(), checksum.clone())
}

/// The PKI with the admin's certificate issued anew, and with a second authority to trust.
fn changed(found: &Store) -> [Completed; 2] {
    let pki = pki("{}");
    let lost = change(found, "admin-client", |admin| admin.certificate.clear());
    let trusting = complete(
        &pki,
        found,
        Some(super::after(0)),
        &stepping("ca", Step::Trust),
    );
    [
        completed(&pki, &lost, 0),
        trusting.expect("a second authority"),
    ]
}

#[test]
fn a_job_gets_another_name_with_other_authorities_only() {
    let found = made(&pki("{}"));
    let job = reader("Job", &completed(&pki("{}"), &found, 0));
    assert!(job.1.is_string() && job.0 != JOB, "{job:?}");
    assert_eq!(job.0.len(), JOB.len());
    assert_eq!(job, reader("Job", &completed(&pki("{}"), &found, 0)));

    let [reissued, trusting] = changed(&found);
    assert_eq!(job, reader("Job", &reissued));
    let told = reader("Job", &trusting);
    assert!(told.0 != job.0 && told.1 != job.1, "{told:?}");
    assert!(told.0.starts_with("farm-kubernetes-bootstrap-"), "{told:?}");
}

#[test]
fn pods_of_a_deployment_are_replaced_with_every_change() {
    let found = made(&pki("{}"));
    let before = reader("Deployment", &completed(&pki("{}"), &found, 0));
    for changed in changed(&found) {
        let after = reader("Deployment", &changed);
        assert_eq!(after.0, JOB);
        assert_ne!(after.1, before.1);
    }
}
