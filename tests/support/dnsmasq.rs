//! dnsmasq's files, as the standalone pod mounts them and as dnsmasq-controller writes them.

use std::fs::{create_dir_all, write};
use std::os::unix::fs::symlink;
use std::path::Path;

use serde_json::Value;

use super::farms::Objects;

/// The start of a command line, and what it reads in the folder.
#[derive(Debug)]
pub struct Server {
    /// Program and arguments; the first is `dnsmasq`, or a shell that starts it.
    pub command: Vec<String>,
    /// The main file's text.
    pub configuration: String,
    /// The lines of nodes, in the syntax of `dhcp-host`.
    pub hosts: Vec<String>,
    /// The lines of options, in the syntax of `dhcp-option`.
    pub options: Vec<String>,
}

impl Server {
    /// One file with everything in it, because `dnsmasq --test` opens no other.
    pub fn as_one_file(&self) -> String {
        let mut text = self.configuration.clone();
        for (key, lines) in [("dhcp-host", &self.hosts), ("dhcp-option", &self.options)] {
            text.extend(lines.iter().map(|line| format!("{key}={line}\n")));
        }
        text
    }
}

/// The farm's own dnsmasq: its script, with the folders of the pod moved into `folder`.
pub fn standalone(objects: &Objects, name: &str, folder: &Path) -> Server {
    for part in ["config", "hosts", "address", "var/lib/dnsmasq"] {
        create_dir_all(folder.join(part)).expect("a folder");
    }
    let settings = configuration_files(objects, name, folder);
    mount(&folder.join("config"), "first", &settings);
    let files = host_files(objects, name);
    mount(&folder.join("hosts"), "first", &files);
    let script = folder.join("config/dhcp-server.sh");
    let is_configuration = |file: &&(String, String)| file.0 == "dnsmasq.conf";
    let configuration = settings.iter().find(is_configuration);
    Server {
        command: vec!["sh".to_owned(), script.display().to_string()],
        configuration: configuration.expect("dnsmasq.conf").1.clone(),
        hosts: files.iter().flat_map(|(_, text)| lines(text)).collect(),
        options: Vec::new(),
    }
}

/// The files of the pod's `/config`, as they are in `folder`.
pub fn configuration_files(objects: &Objects, name: &str, folder: &Path) -> Vec<(String, String)> {
    let files = Objects::files(objects.get("ConfigMap", name)).into_iter();
    files
        .map(|(file, text)| (file, moved(text, folder)))
        .collect()
}

fn moved(mut text: String, folder: &Path) -> String {
    for mounted in ["/config", "/hosts", "/address", "/var/lib/dnsmasq"] {
        for behind in ["/", "\n"] {
            let here = format!("={mounted}{behind}");
            text = text.replace(&here, &format!("={}{mounted}{behind}", folder.display()));
        }
    }
    text
}

/// The files of the pod's `/hosts`.
pub fn host_files(objects: &Objects, name: &str) -> Vec<(String, String)> {
    let pod = &objects.get("Deployment", name)["spec"]["template"]["spec"];
    let volumes = pod["volumes"].as_array().expect("volumes");
    let hosts = volumes
        .iter()
        .find(|volume| volume["name"] == "hosts")
        .expect("a volume");
    let sources = hosts["projected"]["sources"]
        .as_array()
        .into_iter()
        .flatten();
    let maps = sources.filter_map(|source| source["configMap"]["name"].as_str());
    maps.flat_map(|map| Objects::files(objects.get("ConfigMap", map)))
        .collect()
}

/// Lays files down as Kubernetes mounts them: links through `..data`, which one `rename` turns to a new version.
pub fn mount(folder: &Path, version: &str, files: &[(String, String)]) {
    let hidden = folder.join(format!("..{version}"));
    create_dir_all(&hidden).expect("a folder");
    for (name, text) in files {
        write(hidden.join(name), text).expect("written");
        // It is there already when the mount is turned to another version.
        let _ = symlink(format!("..data/{name}"), folder.join(name));
    }
    let fresh = folder.join("..data_tmp");
    symlink(format!("..{version}"), &fresh).expect("linked");
    std::fs::rename(fresh, folder.join("..data")).expect("renamed");
}

/// dnsmasq under dnsmasq-controller, with the resources of several releases.
pub fn controller(releases: &[&Objects], folder: &Path) -> Server {
    let all: Vec<&Value> = releases.iter().flat_map(|objects| &objects.0).collect();
    let items = |kind: &'static str, field: &'static str| {
        let of_kind = all.iter().filter(move |object| object["kind"] == kind);
        of_kind.flat_map(move |object| object["spec"][field].as_array().into_iter().flatten())
    };
    let hosts: Vec<String> = items("DhcpHosts", "hosts").map(host_line).collect();
    let options: Vec<String> = items("DhcpOptions", "options").map(option_line).collect();
    let settings = items("DnsmasqOptions", "options").map(|option| {
        let key = option["key"].as_str().expect("a key");
        format!("{key}={}\n", texts(&option["values"]).join(","))
    });
    let folder_of = |name: &str| folder.join(name).display().to_string();
    let configuration: String = settings.collect();
    write(folder.join("hosts"), hosts.join("\n") + "\n").expect("written");
    write(folder.join("options"), options.join("\n") + "\n").expect("written");
    write(folder.join("dnsmasq.conf"), &configuration).expect("written");
    let mut command = vec![
        "dnsmasq".to_owned(),
        "--no-daemon".to_owned(),
        "--no-hosts".to_owned(),
    ];
    command.push("--port=0".to_owned());
    for (flag, file) in [
        ("conf-file", "dnsmasq.conf"),
        ("dhcp-hostsfile", "hosts"),
        ("dhcp-optsfile", "options"),
    ] {
        command.push(format!("--{flag}={}", folder_of(file)));
    }
    for set in all.iter().filter(|object| object["kind"] == "DaemonSet") {
        let arguments = texts(&set["spec"]["template"]["spec"]["containers"][0]["args"]);
        command.extend(
            arguments
                .into_iter()
                .skip_while(|word| word != "--")
                .skip(1),
        );
    }
    Server {
        command,
        configuration,
        hosts,
        options,
    }
}

fn host_line(host: &Value) -> String {
    let mut fields = texts(&host["macs"]);
    fields.extend(host["clientID"].as_str().map(|id| format!("id:{id}")));
    fields.extend(
        texts(&host["setTags"])
            .iter()
            .map(|tag| format!("set:{tag}")),
    );
    fields.extend(texts(&host["tags"]).iter().map(|tag| format!("tag:{tag}")));
    for key in ["ip", "hostname", "leaseTime"] {
        fields.extend(host[key].as_str().map(str::to_owned));
    }
    fields.extend((host["ignore"] == true).then(|| "ignore".to_owned()));
    fields.join(",")
}

fn option_line(option: &Value) -> String {
    let tags = texts(&option["tags"]);
    let mut fields: Vec<String> = tags.iter().map(|tag| format!("tag:{tag}")).collect();
    fields.extend(
        option["encap"]
            .as_str()
            .map(|class| format!("encap:{class}")),
    );
    fields.extend(
        option["viEncap"]
            .as_str()
            .map(|class| format!("vi-encap:{class}")),
    );
    fields.push(option["key"].as_str().expect("a key").to_owned());
    fields.extend(texts(&option["values"]));
    fields.join(",")
}

fn texts(list: &Value) -> Vec<String> {
    let items = list.as_array().into_iter().flatten();
    items
        .map(|item| item.as_str().expect("text").to_owned())
        .collect()
}

fn lines(text: &str) -> Vec<String> {
    text.lines()
        .filter(|line| !line.is_empty())
        .map(str::to_owned)
        .collect()
}
