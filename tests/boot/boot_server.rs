//! The farm's boot server, as nodes see it.

use crate::e2e::release::Release;

/// The boot server's pods behind their address.
pub struct BootServer<'a> {
    release: &'a Release<'a>,
    address: String,
}

impl<'a> BootServer<'a> {
    /// That of a release which is ready.
    pub fn of(release: &'a Release<'a>) -> BootServer<'a> {
        BootServer {
            release,
            address: release.boot_address("http"),
        }
    }

    /// Applies a release whose values were changed, and waits until nodes get the configuration that follows from them.
    pub fn changed(release: &'a mut Release<'_>) -> BootServer<'a> {
        let before = BootServer::of(release).configuration();
        release.apply();
        let boot_server = BootServer::of(release);
        release
            .cluster
            .wait_until("nodes get the new configuration", || {
                boot_server.configuration() != before
            });
        boot_server
    }

    pub fn address(&self) -> &str {
        &self.address
    }

    /// What a node gets for a path.
    #[track_caller]
    pub fn get(&self, path: &str) -> Vec<u8> {
        let mut curl = self
            .release
            .cluster
            .in_network(&self.release.cluster.kubeconfig());
        let url = format!("http://{}{path}", self.address);
        curl.args(["curl", "-sSf", "--retry", "5", "--retry-all-errors", &url]);
        let output = curl.output().expect("curl");
        assert!(output.status.success(), "{url}: {}", output.status);
        output.stdout
    }

    /// The name of the configuration that the boot menu has.
    pub fn configuration(&self) -> String {
        self.setting("configuration")
    }

    /// Where nodes load their image from.
    pub fn image_url(&self) -> String {
        let release = self.setting("release");
        format!(
            "http://{}/ltsp/x86_64/{release}/root.squashfs",
            self.address
        )
    }

    /// The initrd with the configuration.
    pub fn ltsp_img(&self) -> Vec<u8> {
        self.get(&format!(
            "/ltsp/configuration/{}/ltsp.img",
            self.configuration()
        ))
    }

    /// The same as it is signed.
    pub fn signed(&self) -> Vec<u8> {
        let name = self.configuration();
        self.get(&format!("/ltsp/configuration/{name}/ltsp.img.signed"))
    }

    /// The public key that it is signed with.
    pub fn config_key(&self) -> String {
        self.setting("config_key").trim_matches('\'').to_owned()
    }

    /// What its web server has logged.
    pub fn log(&self) -> String {
        let namespace = self.release.boot_namespace();
        let deployment = format!("deployment/{}", self.release.object("ltsp"));
        let arguments = ["logs", "-n", &namespace, &deployment, "-c", "http"];
        self.release.cluster.kubectl(&arguments).success()
    }

    fn setting(&self, name: &str) -> String {
        let settings = String::from_utf8(self.get("/ltsp/grub/settings.cfg")).expect("UTF-8");
        let start = format!("set {name}=");
        let value = settings.lines().find_map(|line| line.strip_prefix(&start));
        value
            .unwrap_or_else(|| panic!("no {name} in {settings}"))
            .to_owned()
    }
}
