//! The admin cluster, for as long as this process lives.

use std::io::{self, Read as _};
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::time::{Duration, Instant};

use crate::support::cluster::programs::build;
use crate::support::{Finished, kubefarm_command, project, run, run_with_stdin, skip};

/// The name of the test program, so that clusters of others and of `make cluster-up` can be up beside it.
const NAME: &str = concat!("kubefarm-", env!("CARGO_CRATE_NAME"));

/// A Kubernetes in namespaces of its own. It goes when it is dropped, and when this process is killed.
pub struct AdminCluster {
    /// With `bin`, as `build.sh` prints it.
    programs: PathBuf,
    state: PathBuf,
    guard: Guard,
}

impl AdminCluster {
    /// Brings it up with the images of these values; `None` where this computer cannot, and this is not CI.
    pub fn up(values: &[String]) -> Option<AdminCluster> {
        if run(Command::new("id").arg("-u")).success().trim() != "0" {
            skip("needs root");
            return None;
        }
        let programs = build(&[])?;
        let cluster = AdminCluster {
            programs,
            state: PathBuf::from("/var/tmp").join(NAME),
            guard: Guard::start().expect("a shell"),
        };
        run(cluster.script("up.sh").args(values)).success();
        std::fs::create_dir(cluster.scratch()).expect("a folder");
        Some(cluster)
    }

    /// A folder for files of this run, which goes with the cluster.
    pub fn scratch(&self) -> PathBuf {
        self.state.join("scratch")
    }

    /// The folder with the archives of the images.
    pub fn images(&self) -> PathBuf {
        self.state.join("images")
    }

    /// Gives the machine `admin` further images, of programs that are built already.
    #[track_caller]
    pub fn add_images(&self, images: &[&str]) {
        let mut command = self.script("images.sh");
        run(command.arg(self.images().join("further")).args(images)).success();
        let import = "exec ctr --namespace k8s.io images import /run/images/further/\"$0\".tar";
        for image in images {
            let (_, name) = image.rsplit_once('/').expect("a registry");
            let (name, _) = name.split_once(':').expect("a tag");
            self.enter("admin", &["sh", "-c", import, name]).success();
        }
    }

    /// Starts a machine with a network card, and waits until its images are there.
    pub fn start_machine(
        &self,
        name: &str,
        address: &str,
        mac: &str,
        folder: &Path,
        images: &Path,
    ) {
        let mut command = self.script("machine.sh");
        command.args([name, address, mac]).arg(folder).arg(images);
        run(&mut command).success();
        self.wait_until(&format!("{name} has its images"), || {
            self.enter(name, &["test", "-e", "/run/images-imported"])
                .status
                .success()
        });
    }

    /// Adds a node to the admin cluster itself, or gives one its power back.
    #[track_caller]
    pub fn add_node(&self, name: &str, address: &str, mac: &str) {
        run(self.script("add-node.sh").args([name, address, mac])).success();
    }

    /// Ends a machine at once, as the loss of its power would.
    #[track_caller]
    pub fn cut_power(&self, machine: &str) {
        run(self.script("down.sh").args([machine, "keep"])).success();
    }

    /// Takes a machine down for good.
    #[track_caller]
    pub fn remove_machine(&self, machine: &str) {
        run(self.script("down.sh").arg(machine)).success();
    }

    /// Runs a command in a machine.
    pub fn enter(&self, machine: &str, command: &[&str]) -> Finished {
        run(self.script("enter.sh").arg(machine).args(command))
    }

    /// Runs kubectl as the admin.
    pub fn kubectl(&self, arguments: &[&str]) -> Finished {
        run(self.inside("kubectl", &self.kubeconfig()).args(arguments))
    }

    /// The same with a text on standard input.
    pub fn kubectl_with_stdin(&self, arguments: &[&str], input: &str) -> Finished {
        let mut command = self.inside("kubectl", &self.kubeconfig());
        run_with_stdin(command.args(arguments), input)
    }

    /// The program under test, in the network of the cluster and with the rights of its admin.
    pub fn kubefarm(&self) -> Command {
        let program = kubefarm_command();
        let mut command = self.in_network(&self.kubeconfig());
        command.arg(program.get_program()).current_dir(project());
        for (name, value) in program.get_envs() {
            match value {
                Some(value) => command.env(name, value),
                None => command.env_remove(name),
            };
        }
        command
    }

    /// A built program in the network of the cluster, with another kubeconfig.
    pub fn inside(&self, program: &str, kubeconfig: &Path) -> Command {
        let mut command = self.in_network(kubeconfig);
        command.arg(self.programs.join("bin").join(program));
        command
    }

    /// A kubeconfig that may do everything in the admin cluster.
    pub fn kubeconfig(&self) -> PathBuf {
        self.state.join("admin/etc/kubernetes/super-admin.conf")
    }

    /// Waits until something holds, for two minutes at most.
    #[track_caller]
    pub fn wait_until(&self, what: &str, mut holds: impl FnMut() -> bool) {
        let deadline = Instant::now() + Duration::from_secs(120);
        while !holds() {
            assert!(Instant::now() < deadline, "waited in vain until {what}");
            std::thread::sleep(Duration::from_millis(300));
        }
    }

    /// A command in the network namespace of the cluster, and nothing else of it.
    pub fn in_network(&self, kubeconfig: &Path) -> Command {
        let pid = std::fs::read_to_string(self.state.join("admin/pid")).expect("it runs");
        let mut command = Command::new("nsenter");
        command.args(["--target", pid.trim(), "--net"]);
        command.env("KUBECONFIG", kubeconfig);
        command.env("HOME", self.scratch());
        command.process_group(self.guard.group());
        command
    }

    fn script(&self, name: &str) -> Command {
        let mut command = script(name);
        command.process_group(self.guard.group());
        command.env("CLUSTER_PROGRAMS", &self.programs);
        command.env("KUBEFARM", kubefarm_command().get_program());
        command
    }
}

fn script(name: &str) -> Command {
    let mut command = Command::new(project().join("tests/admin-cluster").join(name));
    command.env("KUBEFARM_CLUSTER", NAME);
    command.env_remove("KUBEFARM_CLUSTER_FOLDER");
    command
}

/// A shell that takes the cluster down once the pipe to it ends, however this process does. What works on the cluster
/// is in its process group, and is ended before.
struct Guard {
    shell: Child,
    pipe: Option<ChildStdin>,
}

impl Guard {
    /// Waits for the end of a run before this one: two with one name would take each other's cluster down.
    fn start() -> io::Result<Guard> {
        let mut command = Command::new("flock");
        let end = "echo; cat; trap '' TERM; kill -TERM 0; exec \"$0\"";
        command
            .arg("--no-fork")
            .arg(format!("/var/tmp/{NAME}.lock"));
        command.args(["sh", "-c", end]);
        command.arg(script("down.sh").get_program());
        command.env("KUBEFARM_CLUSTER", NAME);
        command.env_remove("KUBEFARM_CLUSTER_FOLDER");
        command.stdin(Stdio::piped()).stdout(Stdio::piped());
        // In a process group of its own, an interrupt from the terminal does not end it before its work is done.
        let mut shell = command.process_group(0).spawn()?;
        let pipe = shell.stdin.take();
        let mut locked = [0];
        if let Some(said) = &mut shell.stdout {
            said.read_exact(&mut locked)?;
        }
        Ok(Guard { shell, pipe })
    }

    fn group(&self) -> i32 {
        i32::try_from(self.shell.id()).expect("a process ID")
    }
}

impl Drop for Guard {
    fn drop(&mut self) {
        self.pipe = None;
        // What was seen matters more than an error here, which the shell has printed.
        let _ = self.shell.wait();
    }
}
