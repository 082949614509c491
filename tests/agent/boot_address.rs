//! `kubefarm agent publish-boot-address`, as its Job runs it, with the rights that its Role gives.

use serde_json::{Value, json};

use crate::agent::assert_failed;
use crate::agent::site::Site;
use crate::support::Finished;

const JOB: &str = "kubefarm-kubernetes-ltsp-publish-address";
const HTTP: &str = "kubefarm-kubernetes-ltsp-http";
const TFTP: &str = "kubefarm-kubernetes-ltsp-tftp";
const STANDALONE: &str = "-f values/standalone-dhcp.yaml --set dhcp.standalone.interface=eth1";

/// The options that the DHCP server of the farm gets.
fn options(site: &Site) -> Value {
    site.get("dhcpoptions/kubefarm-kubernetes-ltsp-ip")["spec"]["options"].clone()
}

#[test]
fn dnsmasq_controller_is_told_what_a_fixed_address_would_render() {
    let Some(mut site) = Site::new("boot", "") else {
        return;
    };
    site.balance(HTTP, "\"ip\":\"10.64.0.11\"");
    site.balance(TFTP, "\"ip\":\"10.64.0.11\"");
    let Some(pod) = site.pod(JOB) else { return };
    pod.run().success();
    let published = options(&site);
    let version = |site: &Site| {
        let object = site.get("dhcpoptions/kubefarm-kubernetes-ltsp-ip");
        object["metadata"]["resourceVersion"].clone()
    };
    let before = version(&site);
    pod.run().success();
    // An apply leaves it alone.
    site.apply();
    assert_eq!(version(&site), before);

    site.set("--set ltsp.service.loadBalancerIP=10.64.0.11");
    let objects = site.objects();
    let rendered = objects.get("DhcpOptions", "kubefarm-kubernetes-ltsp-ip");
    assert_eq!(published, rendered["spec"]["options"]);
}

#[test]
fn the_farms_own_dnsmasq_is_told_what_a_fixed_address_would_render() {
    let Some(mut site) = Site::new("boot-own", STANDALONE) else {
        return;
    };
    site.balance(HTTP, "\"ip\":\"10.64.0.11\"");
    site.balance(TFTP, "\"ip\":\"10.64.0.11\"");
    let Some(pod) = site.pod(JOB) else { return };
    pod.run().success();
    site.apply();
    let map = site.get("configmap/kubefarm-kubernetes-ltsp-dhcp-address");
    let files = map["data"].as_object().expect("files");
    let names: Vec<&str> = files.keys().map(String::as_str).collect();
    assert_eq!(names, ["bootfile-name", "server-ip-address", "tftp-server"]);
    let lines: Vec<&str> = files
        .values()
        .flat_map(|text| text.as_str().expect("text").lines())
        .collect();
    assert_eq!(lines.len(), 5, "{lines:?}");

    site.set(&format!(
        "{STANDALONE},ltsp.service.loadBalancerIP=10.64.0.11"
    ));
    let objects = site.objects();
    let configuration = objects.file("kubefarm-kubernetes-ltsp-dhcp", "dnsmasq.conf");
    for line in lines {
        assert!(
            configuration.contains(&format!("\ndhcp-option={line}\n")),
            "{line}\n{configuration}"
        );
    }
}

#[test]
fn addresses_that_differ_are_told_apart_and_nothing_is_published() {
    let Some(site) = Site::new("boot-differ", "") else {
        return;
    };
    site.balance(HTTP, "\"ip\":\"10.64.0.11\"");
    site.balance(TFTP, "\"ip\":\"10.64.0.12\"");
    let Some(pod) = site.pod(JOB) else { return };
    let parts = [HTTP, "10.64.0.11", TFTP, "10.64.0.12", "allow-shared-ip"];
    assert_failed(&pod.run(), &parts);
    assert_eq!(options(&site), Value::Null);
}

#[test]
fn a_late_address_is_waited_for() {
    let Some(site) = Site::new("boot-late", "") else {
        return;
    };
    site.balance(HTTP, "\"ip\":\"10.64.0.11\"");
    let Some(pod) = site.pod(JOB) else { return };
    let run = pod.start();
    std::thread::sleep(std::time::Duration::from_secs(2));
    assert_eq!(options(&site), Value::Null);
    site.balance(TFTP, "\"ip\":\"fd00::11\"},{\"ip\":\"10.64.0.11\"");
    let end = Finished::from(run.wait_with_output().expect("an end"));
    assert!(end.status.success(), "{}", end.stderr);
    assert!(end.stderr.contains(&format!(
        "{TFTP}: its load balancer has given it no address"
    )));
    assert_eq!(options(&site)[0]["values"], json!(["10.64.0.11"]));
}

#[test]
fn what_is_no_address_is_refused_and_no_address_is_given_up() {
    let Some(site) = Site::new("boot-name", "") else {
        return;
    };
    let Some(pod) = site.pod(JOB) else { return };
    let pod = pod.with("--timeout=2s");
    assert_failed(
        &pod.run(),
        &[HTTP, "given it no address", "gave up waiting"],
    );
    site.balance(HTTP, "\"hostname\":\"lb.example.org\"");
    assert_failed(&pod.run(), &[HTTP, "lb.example.org", "loadBalancerIP"]);
    site.balance(HTTP, "\"ip\":\"fd00::11\"");
    assert_failed(&pod.run(), &[HTTP, "IPv6"]);
    site.kubectl(&format!("delete service {HTTP}")).success();
    assert_failed(&pod.run(), &[HTTP, "does not exist"]);
    assert_eq!(options(&site), Value::Null);
}

#[test]
fn what_it_writes_to_has_to_be_there_and_its_own() {
    let Some(site) = Site::new("boot-rights", "") else {
        return;
    };
    site.balance(HTTP, "\"ip\":\"10.64.0.11\"");
    site.balance(TFTP, "\"ip\":\"10.64.0.11\"");
    let Some(pod) = site.pod(JOB) else { return };
    site.kubectl("delete dhcpoptions kubefarm-kubernetes-ltsp-ip")
        .success();
    assert_failed(&pod.run(), &["DhcpOptions", "does not exist"]);
    site.apply();
    site.kubectl(&format!("delete rolebinding {JOB}")).success();
    assert_failed(&pod.run(), &["forbidden", JOB]);
    assert_eq!(options(&site), Value::Null);
}
