//! The files that a boot loader loads, as the image's build wrote them, and copies that are not right.

use std::fs::{self, File, OpenOptions};
use std::io::Write as _;
use std::os::unix::fs::FileExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command};

use crate::boot::guest::in_network;
use crate::e2e::admin_cluster::AdminCluster;
use crate::support::run;

/// Where the web server beside the farm listens: on the router of the network.
const ADDRESS: &str = "10.64.0.1";

/// The folder whose files it sends slowly.
pub const HALF_WAY: &str = "half-way";

/// The folder that images/boot/build.sh wrote.
pub struct Files<'a> {
    cluster: &'a AdminCluster,
    folder: PathBuf,
}

impl<'a> Files<'a> {
    pub fn new(cluster: &'a AdminCluster) -> Files<'a> {
        let folder = std::env::var_os("KUBEFARM_BOOT_IMAGE").expect("KUBEFARM_BOOT_IMAGE");
        Files {
            cluster,
            folder: PathBuf::from(folder),
        }
    }

    pub fn kernel(&self) -> PathBuf {
        self.release().join("vmlinuz")
    }

    pub fn initrd(&self) -> PathBuf {
        self.release().join("initrd.img")
    }

    /// That of the image.
    pub fn manifest(&self) -> PathBuf {
        self.release().join("root.squashfs.manifest")
    }

    /// The program that signs.
    pub fn helper(&self) -> PathBuf {
        self.folder.join("kubefarm-fetch")
    }

    /// A copy of all that the boot server's image has to serve.
    pub fn copy_all(&self, folder: &Path) {
        let all = self.folder.join("srv/tftp/.");
        run(Command::new("cp").arg("-R").arg(&all).arg(folder)).success();
    }

    /// The initrd behind that of the configuration, as a boot loader puts them into memory.
    pub fn initrd_with(&self, ltsp_img: &[u8]) -> PathBuf {
        let path = self.cluster.scratch().join("initrd.img");
        let initrd = fs::read(self.initrd()).expect("an initrd");
        let mut padded = ltsp_img.to_vec();
        padded.resize(padded.len().next_multiple_of(4), 0);
        fs::write(&path, [padded, initrd].concat()).expect("written");
        path
    }

    /// A copy of the release below `parent`, which shares what is not changed.
    pub fn copy_release(&self, parent: &Path, name: &str) -> PathBuf {
        let folder = parent.join(name);
        run(Command::new("cp")
            .arg("-R")
            .args([&self.release(), &folder]))
        .success();
        folder
    }

    /// Signs an image as a build would have, with another version.
    pub fn sign(&self, image: &Path, version: u64) {
        let kernel = fs::read_to_string(self.release().join("root.squashfs.manifest"));
        let kernel = kernel.expect("a manifest");
        let kernel = kernel.lines().find_map(|line| line.strip_prefix("kernel "));
        let mut sign = Command::new(self.helper());
        sign.args(["sign", "--kernel", kernel.expect("a kernel"), "--version"]);
        sign.arg(version.to_string())
            .arg("--key")
            .arg(self.folder.join("key.pem"));
        run(sign.arg(image)).success();
    }

    /// Puts a signed image of this size there, which takes no room on the disk.
    pub fn sign_empty(&self, image: &Path, size: u64) {
        File::create(image)
            .and_then(|file| file.set_len(size))
            .expect("a file");
        self.sign(image, 99990101000000);
    }

    pub fn flip_byte(file: &Path, position: u64) {
        let file = OpenOptions::new()
            .read(true)
            .write(true)
            .open(file)
            .expect("a file");
        let mut byte = [0];
        file.read_exact_at(&mut byte, position)
            .expect("long enough");
        file.write_all_at(&[byte[0] ^ 1], position)
            .expect("written");
    }

    pub fn cut(file: &Path, length: u64) {
        let file = OpenOptions::new().write(true).open(file).expect("a file");
        file.set_len(length).expect("cut");
    }

    pub fn remove(file: &Path) {
        fs::remove_file(file).expect("removed");
    }

    /// The folder of the release.
    pub fn release(&self) -> PathBuf {
        release(&self.folder.join("srv/tftp"))
    }
}

/// The folder of the release in what a boot server serves.
pub fn release(served: &Path) -> PathBuf {
    let all = served.join("ltsp/x86_64");
    let name = fs::read_to_string(all.join("release")).expect("a release");
    all.join(name.trim())
}

/// nginx on the network of the machines, until it is dropped.
pub struct WebServer {
    nginx: Child,
    folder: PathBuf,
}

impl WebServer {
    pub fn start(cluster: &AdminCluster) -> WebServer {
        WebServer::listen(cluster, "")
    }

    fn listen(cluster: &AdminCluster, more: &str) -> WebServer {
        let folder = cluster.scratch().join("web");
        fs::create_dir_all(&folder).expect("a folder");
        let mut file = File::create(configuration(cluster)).expect("a file");
        write!(
            file,
            "daemon off;\nmaster_process off;\npid nginx.pid;\nuser root;\nerror_log stderr crit;\nevents {{}}\nhttp {{ access_log off; \
             server {{ listen {ADDRESS}:80; {more} root {}; location /{HALF_WAY}/ {{ limit_rate 12m; }} }} }}\n",
            folder.display()
        )
        .expect("written");
        let nginx = nginx(cluster);
        WebServer { nginx, folder }
    }

    /// One that speaks HTTPS as well, and its certificate.
    pub fn start_with_https(cluster: &AdminCluster) -> (WebServer, PathBuf) {
        let [key, certificate] =
            ["key", "crt"].map(|end| cluster.scratch().join(format!("https.{end}")));
        let mut openssl = Command::new("openssl");
        openssl.args(["req", "-new", "-x509", "-newkey", "rsa:2048", "-nodes"]);
        openssl.args(["-subj", "/CN=boot", "-addext"]);
        openssl.arg(format!("subjectAltName=IP:{ADDRESS}"));
        run(openssl
            .arg("-keyout")
            .arg(&key)
            .arg("-out")
            .arg(&certificate))
        .success();
        let tls = format!(
            "listen {ADDRESS}:443 ssl; ssl_certificate {}; ssl_certificate_key {};",
            certificate.display(),
            key.display()
        );
        (WebServer::listen(cluster, &tls), certificate)
    }

    pub fn folder(&self) -> &Path {
        &self.folder
    }

    pub fn url(&self) -> String {
        format!("http://{ADDRESS}")
    }

    /// Ends every connection.
    pub fn stop(&mut self) {
        // It may have ended by itself.
        let _ = self.nginx.kill();
        let _ = self.nginx.wait();
    }

    pub fn resume(&mut self, cluster: &AdminCluster) {
        self.nginx = nginx(cluster);
    }
}

impl Drop for WebServer {
    fn drop(&mut self) {
        self.stop();
    }
}

fn configuration(cluster: &AdminCluster) -> PathBuf {
    cluster.scratch().join("nginx.conf")
}

/// An nginx that listens.
fn nginx(cluster: &AdminCluster) -> Child {
    let mut command = in_network(cluster, "nginx");
    command.args(["-e", "stderr", "-p"]).arg(cluster.scratch());
    command.arg("-c").arg(configuration(cluster));
    let nginx = command.spawn().expect("nginx");
    cluster.wait_until("nginx listens", || {
        let mut curl = in_network(cluster, "curl");
        let url = format!("http://{ADDRESS}/");
        curl.args(["-s", "-o", "/dev/null", &url]);
        curl.status().is_ok_and(|status| status.success())
    });
    nginx
}
