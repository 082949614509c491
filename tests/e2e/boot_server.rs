//! The boot server and DHCP, in a namespace of their own.

use serde_json::{Value, json};

use crate::e2e::Seen;
use crate::e2e::nodes::{PASSWORD, PLAIN, SECRET, public};
use crate::e2e::release::{Release, assert_steady, name};
use crate::support::ltsp::configuration;
use crate::support::run;

/// The boot server runs under the standard `baseline` and has one address, which DHCP publishes.
pub fn runs(release: &mut Release) -> Seen {
    let pods = pods(release);
    assert_eq!(pods.len(), 1, "{pods:?}");
    assert_would_refuse(release, "restricted", &pods);
    let address = address(release);
    published(release);
    let options = format!("{}-ip", release.object("ltsp"));
    let options = release.get_boot(&["dhcpoptions.dnsmasq.kvaps.cf", &options]);
    let tag = release.object("ltsp");
    let expected = json!({ "key": "option:server-ip-address", "tags": [tag], "values": [address] });
    let options = options["spec"]["options"].as_array().expect("a list");
    assert!(options.contains(&expected), "{options:?}");
    format!("under `baseline`, at {address}, which the DhcpOptions say too")
}

/// `kubefarm pki keys` has the key of the configuration, as the menu gives it to kernels, and that of the image, as its
/// folder has it. Gives the latter.
fn shows_keys(release: &Release, address: &str) -> String {
    let mut command = release.cluster.kubefarm();
    command.args(["pki", "keys", &release.name, "-n", &release.namespace]);
    let keys = run(command.args(["-o", "json"])).success();
    let keys: Value = serde_json::from_str(&keys).expect("JSON");
    let settings = load(release, &format!("http://{address}/ltsp/grub/settings.cfg"));
    let configuration = keys["configuration"].as_str().expect("a key");
    assert!(settings.contains(configuration), "{keys:#}\n{settings}");
    let image = &keys["images"][0];
    let [machine, folder] = ["machine", "release"].map(|key| image[key].as_str().expect("a name"));
    assert!(settings.contains(folder), "{keys:#}\n{settings}");
    let pem = load(
        release,
        &format!("http://{address}/ltsp/{machine}/{folder}/keys.pem"),
    );
    let key = image["keys"][0].as_str().expect("a key");
    let lines = pem.lines().filter(|line| !line.starts_with("-----"));
    assert_eq!(lines.collect::<String>(), key);
    assert_eq!(image["keys"].as_array().map(Vec::len), Some(1), "{keys:#}");
    key.to_owned()
}

/// A node loads boot menu, boot loaders and configuration. Nothing secret is in what everybody can load.
pub fn serves(release: &mut Release) -> Seen {
    let address = address(release);
    let menu = load(release, &format!("http://{address}/ltsp/grub/grub.cfg"));
    assert!(menu.contains("menuentry 'Boot into the cluster'"), "{menu}");
    let mut sizes = Vec::new();
    for file in ["i386-pc/core.0", "x86_64-efi/shimx64.efi"] {
        let get = format!(
            "curl -sSf tftp://{address}/ltsp/grub/{file} -o /tmp/tftp && sha256sum </tmp/tftp"
        );
        let over_tftp = shell(release, &get);
        let get = format!(
            "curl -sSf http://{address}/ltsp/grub/{file} -o /tmp/http && sha256sum </tmp/http"
        );
        assert_eq!(over_tftp, shell(release, &get), "{file}");
        sizes.push(shell(release, "wc -c </tmp/tftp").trim().to_owned());
    }
    let server = release.object("ltsp");
    assert_eq!(
        unpacked(release, "ltsp.conf"),
        configuration(&release.rendered(&[]), &server)
    );
    // Kubernetes refreshes the files of a ConfigMap about once a minute.
    let public = public(release);
    release.cluster.wait_until("nodes learn how to join", || {
        public
            .iter()
            .all(|(file, text)| unpacked(release, file) == *text)
    });
    let files = holds_no_secret(release, &address);
    let image = image(release);
    let modes = shell(release, &format!("{image} -tv 'etc/ltsp*'"));
    for (file, mode) in [
        ("etc/ltsp", "drwxr-xr-x"),
        ("etc/ltsp/ltsp.conf", "-rw-------"),
        ("etc/ltsp/kubefarm-ca.crt", "-rw-r--r--"),
    ] {
        let found = modes.lines().any(|line| {
            let mut words = line.split_whitespace();
            (words.next(), words.nth(1), words.last()) == (Some(mode), Some("root"), Some(file))
        });
        assert!(found, "{file} is not root's with {mode}:\n{modes}");
    }
    let key = shows_keys(release, &address);
    format!(
        "grub.cfg, core.0 and shimx64.efi of {} bytes; {files} files, and no secret in any; the image's key is {key}",
        sizes.join(" and ")
    )
}

/// Loads the image with the configuration as GRUB does, which finds its name in the menu's settings.
fn image(release: &Release) -> String {
    let address = address(release);
    format!(
        "curl -sSf http://{address}/ltsp/configuration/$(curl -sSf http://{address}/ltsp/grub/settings.cfg | \
         sed -n s/^set.configuration=//p)/ltsp.img | cpio --quiet"
    )
}

/// A file of /etc/ltsp, as a node unpacks it.
pub fn unpacked(release: &Release, file: &str) -> String {
    let image = image(release);
    shell(release, &format!("{image} -i --to-stdout etc/ltsp/{file}"))
}

/// Looks through every file that the boot server's own folder has, and through what is packed in the configuration;
/// gives their number. System images are the operator's own.
fn holds_no_secret(release: &Release, address: &str) -> usize {
    let pods = pods(release);
    let namespace = release.boot_namespace();
    let list = [
        "exec",
        "-n",
        &namespace,
        name(&pods[0]),
        "-c",
        "http",
        "--",
        "find",
        "/shared",
        "-type",
        "f",
    ];
    let files = release.cluster.kubectl(&list).success();
    let secret = SECRET.rsplit('=').next().expect("a value");
    // The hash, the Secret's file, a private key, a bootstrap token.
    let texts = format!("grep -qaF -e '{PASSWORD}' -e '{secret}'");
    let forms = "grep -qaE -e '-BEGIN [A-Z ]*PRIVATE KEY-' -e '(^|[^a-z0-9])[a-z0-9]{6}[.][a-z0-9]{16}([^a-z0-9]|$)'";
    let search = |what: &str| format!("{{ {texts} {what} || {forms} {what}; }}");
    let mut count = 0;
    for file in files.lines() {
        let path = file.strip_prefix("/shared").expect("in the folder");
        let url = format!("http://{address}{path}");
        // What HTTP does not serve, TFTP does.
        let load = format!(
            "curl -sSf -o /tmp/served '{url}' || curl -sSf -o /tmp/served 'tftp://{address}{path}'; test -s /tmp/served"
        );
        shell(release, &load);
        let found = format!("{} && echo found || true", search("/tmp/served"));
        assert_eq!(shell(release, &found), "", "{path} holds a secret");
        count += 1;
    }
    let unpack = format!(
        "rm -rf /tmp/unpacked && mkdir /tmp/unpacked && cd /tmp/unpacked && {} -id && {} && echo found || true",
        image(release),
        search("-r .")
    );
    assert_eq!(shell(release, &unpack), "", "ltsp.img holds a secret");
    assert!(count > 5, "{files}");
    count
}

/// A dnsmasq of the farm's own on the network of its machine, which takes the standard `privileged`.
pub fn standalone_dhcp(release: &mut Release) -> Seen {
    release.make_namespace(&release.boot_namespace(), "privileged");
    release.add_values(&[
        "-f",
        "builtin:standalone-dhcp",
        "--set",
        "dhcp.standalone.interface=lan",
    ]);
    let took = release.apply();
    let all = pods(release);
    let server = release.object("ltsp-dhcp");
    let dhcp: Vec<Value> = all
        .into_iter()
        .filter(|pod| pod["metadata"]["labels"]["app"] == *server)
        .collect();
    assert_eq!(dhcp.len(), 1);
    assert_would_refuse(release, "baseline", &dhcp);
    published(release);
    let address = address(release);
    let line = format!(
        "tag:{},option:server-ip-address,{address}\n",
        release.object("ltsp")
    );
    let config_map = format!("{}-dhcp-address", release.object("ltsp"));
    let config_map = release.get_boot(&["configmap", &config_map]);
    let told = config_map["data"]["server-ip-address"].as_str();
    assert!(
        told.is_some_and(|told| told.contains(&line)),
        "{config_map}"
    );

    // As the firmware of a BIOS machine asks. The address comes a little later, with the file of the ConfigMap.
    let ask = "printf '#!/bin/sh\\nenv | grep -E \"^(ip|siaddr|bootfile)=\"\\n' >/tmp/lease && chmod +x /tmp/lease\n\
               busybox udhcpc -i eth0 -n -q -t 5 -x 0x5d:0000 -O bootfile -O tftp -s /tmp/lease 2>&1";
    let mut lease = String::new();
    release
        .cluster
        .wait_until("DHCP tells of the boot server", || {
            lease = shell(release, ask);
            lease.contains(&format!("siaddr={address}\n"))
        });
    for fact in [
        format!("ip={}\n", PLAIN[1]),
        "bootfile=ltsp/grub/i386-pc/core.0\n".to_owned(),
    ] {
        assert!(lease.contains(&fact), "no {fact} in\n{lease}");
    }
    format!(
        "applied in {:.1} s; {} is given its address, boot loader and {address}",
        took.as_secs_f64(),
        PLAIN[0]
    )
}

/// The pods for booting but for those of Jobs: ready, none restarted.
pub fn pods(release: &Release) -> Vec<Value> {
    let list = release.get_boot(&["pods", "--selector", "!batch.kubernetes.io/job-name"]);
    let pods = list["items"].as_array().expect("a List").iter();
    let pods: Vec<Value> = pods
        .filter(|pod| pod["metadata"]["deletionTimestamp"].is_null())
        .cloned()
        .collect();
    assert_steady(&pods);
    pods
}

/// What a stricter standard says of these pods, asked of the API server.
fn assert_would_refuse(release: &Release, standard: &str, pods: &[Value]) {
    let label = format!("pod-security.kubernetes.io/enforce={standard}");
    let namespace = release.boot_namespace();
    let ask = [
        "label",
        "--overwrite",
        "--dry-run=server",
        "namespace",
        &namespace,
        &label,
    ];
    let finished = release.cluster.kubectl(&ask);
    for pod in pods {
        assert!(
            finished.stderr.contains(name(pod)),
            "{standard} takes it: {}",
            finished.stderr
        );
    }
}

/// The address that both Services have.
fn address(release: &Release) -> String {
    let [http, tftp] = ["http", "tftp"].map(|port| release.boot_address(port));
    assert_eq!(http, tftp);
    http
}

/// The Job that publishes the address is done.
fn published(release: &Release) {
    let selector = format!("app={}-publish-address", release.object("ltsp"));
    let jobs = release.get_boot(&["jobs", "--selector", &selector]);
    let jobs = jobs["items"].as_array().expect("a List");
    assert_eq!(jobs.len(), 1, "{jobs:?}");
    assert_eq!(jobs[0]["status"]["succeeded"], 1, "{}", jobs[0]["status"]);
}

fn load(release: &Release, url: &str) -> String {
    release
        .cluster
        .enter(PLAIN[0], &["curl", "-sSf", url])
        .success()
}

/// On a node.
fn shell(release: &Release, script: &str) -> String {
    release
        .cluster
        .enter(PLAIN[0], &["sh", "-c", script])
        .success()
}
