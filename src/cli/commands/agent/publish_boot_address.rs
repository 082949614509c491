//! `kubefarm agent publish-boot-address`.

use std::path::PathBuf;

use clap::Args;

use super::TimeoutArgs;
use crate::agent::{BootAddress, DhcpOption, Published, publish_boot_address};
use crate::cli::failure::Failure;
use crate::cli::on_cluster::on_cluster;
use crate::cluster::{Event, Interrupt, Observer, Target};
use crate::report::{Progress, ProgressFormat};

const EXAMPLES: &str = "\
Waits until the load balancer has given all Services the same address, and
writes it where the DHCP server reads it.

Examples:
  As the boot-address Job runs it:
    kubefarm agent publish-boot-address --namespace=farm --service=farm-http \\
      --service=farm-tftp --dhcp-options=farm-ltsp-ip \\
      --option='tag:farm-ltsp,option:server-ip-address,{address}'";

/// Publish the boot server's address to the DHCP server.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub struct PublishBootAddress {
    /// The kubeconfig of the cluster. Default: the pod's service account.
    #[arg(long, value_name = "FILE", env = "KUBEFARM_KUBECONFIG")]
    kubeconfig: Option<PathBuf>,
    /// The namespace of all objects.
    #[arg(long, value_name = "NAMESPACE", env = "KUBEFARM_NAMESPACE")]
    namespace: String,
    /// A Service of the boot server; repeat it for several.
    #[arg(
        long,
        value_name = "SERVICE",
        required = true,
        env = "KUBEFARM_SERVICE"
    )]
    service: Vec<String>,
    /// A DHCP option, `tag:TAG,…,OPTION,VALUE,…`; `{address}` becomes the address. Repeat it for several.
    #[arg(long, value_name = "OPTION", required = true, value_parser = DhcpOption::parse, env = "KUBEFARM_OPTION")]
    option: Vec<DhcpOption>,
    /// The DhcpOptions to write to.
    #[arg(
        long,
        value_name = "NAME",
        env = "KUBEFARM_DHCP_OPTIONS",
        required_unless_present = "config_map",
        conflicts_with = "config_map"
    )]
    dhcp_options: Option<String>,
    /// The ConfigMap to write to.
    #[arg(long, value_name = "NAME", env = "KUBEFARM_CONFIG_MAP")]
    config_map: Option<String>,
    #[command(flatten)]
    timeout: TimeoutArgs,
}

impl PublishBootAddress {
    pub fn run(self) -> Result<(), Failure> {
        on_cluster(|interrupt| self.run_until(interrupt))
    }

    async fn run_until(self, interrupt: Interrupt) -> Result<(), Failure> {
        let options = self.dhcp_options.map(Published::DhcpOptions);
        let Some(target) = options.or(self.config_map.map(Published::ConfigMap)) else {
            return Err(Failure::Usage(
                "name where to write: --dhcp-options or --config-map".to_owned(),
            ));
        };
        let cluster = Target::from(self.kubeconfig);
        let wanted = BootAddress {
            namespace: self.namespace,
            services: self.service,
            options: self.option,
            target,
        };
        let progress = Progress::new(ProgressFormat::Lines);
        let running = self.timeout.running(interrupt, &progress);
        let address = publish_boot_address(cluster, &wanted, &running).await?;
        let done = format!("published the address of the boot server: {address}");
        progress.observe(&Event::Note(&done));
        Ok(())
    }
}
