//! Names of settings: those of LTSP, and those that are nearly one. All others are the user's own.

use super::is_command;
use crate::farm::findings::Findings;
use crate::values::{Path, Problem, slip};

/// The settings of LTSP 23.02 on a node (ltsp.conf(5)), and the one for the kubelet's flags, which is kubefarm's.
const KNOWN: [&str; 39] = [
    "AUTOLOGIN",
    "CUPS_SERVER",
    "DEBUG_LOG",
    "DEBUG_SHELL",
    "DEFAULT_IMAGE",
    "DISABLE_SESSION_SERVICES",
    "DISABLE_SYSTEM_SERVICES",
    "DNS_SERVER",
    "GDM3_CONF",
    "HOSTNAME",
    "IMAGE_TO_RAM",
    "KEEP_SESSION_SERVICES",
    "KEEP_SYSTEM_SERVICES",
    "KERNEL_PARAMETERS",
    "KUBELET_EXTRA_ARGS",
    "LIGHTDM_CONF",
    "LOCAL_SWAP",
    "MASK_SESSION_SERVICES",
    "MASK_SYSTEM_SERVICES",
    "MENU_TIMEOUT",
    "MULTISEAT",
    "OMIT_FUNCTIONS",
    "PWMERGE_DGR",
    "PWMERGE_DUR",
    "PWMERGE_SGR",
    "PWMERGE_SUR",
    "RELOGIN",
    "REMOTEAPPS",
    "RPI_IMAGE",
    "SDDM_CONF",
    "SEARCH_DOMAIN",
    "SERVER",
    "X_DRIVER",
    "X_HORIZSYNC",
    "X_MODELINE",
    "X_MODES",
    "X_PREFERREDMODE",
    "X_VERTREFRESH",
    "X_VIRTUAL",
];

/// The prefixes of settings of which there may be any number.
const FAMILIES: [&str; 6] = [
    "CRONTAB",
    "FSTAB",
    "HOSTS",
    "KUBELET_EXTRA_ARGS",
    "PASSWORDS",
    "UDEV_SEAT",
];

/// LTSP's applets on a node, as their names follow `PRE_` and `POST_`.
const APPLETS: [&str; 6] = [
    "INIT",
    "INITRD_BOTTOM",
    "LOGIN",
    "REMOTEAPPS",
    "SERVICE",
    "SESSION",
];

/// Warns of a name that is nearly one of LTSP's.
pub fn check(name: &str, path: &Path, findings: &mut Findings) {
    if KNOWN.contains(&name) {
        return;
    }
    if is_command(name) {
        applet(name, path, findings);
        return;
    }
    if let Some(meant) = meant(name) {
        let problem = Problem::warning(format!("LTSP has no setting `{name}`"));
        findings.record_key(path, problem.help(format!("did you mean `{meant}`?")));
    }
}

/// The name of a setting of LTSP that this one is nearly.
fn meant(name: &str) -> Option<String> {
    for family in FAMILIES {
        let words = family.split('_').count();
        let mut start = name.split('_');
        let start: Vec<&str> = start.by_ref().take(words).collect();
        let start = start.join("_");
        let rest = name.get(start.len()..).filter(|rest| rest.len() > 1);
        if start == family && rest.is_some() {
            return None;
        }
        if let Some(rest) = rest.filter(|_| slip(&start, [family]).is_some()) {
            return Some(format!("{family}{rest}"));
        }
    }
    let command = ["PRE_", "POST_"].into_iter().find(|start| {
        let head = name.get(..start.len());
        head.is_some_and(|head| head.eq_ignore_ascii_case(start))
    });
    match command {
        Some(start) => name.get(start.len()..).map(|rest| format!("{start}{rest}")),
        None => slip(name, KNOWN).map(str::to_owned),
    }
}

/// LTSP runs `POST_APPLET_x` after the applet of that name (its 55-config.sh, run_parameters).
fn applet(name: &str, path: &Path, findings: &mut Findings) {
    let rest = name.split_once('_').map_or("", |(_, rest)| rest);
    let is_run = |applet: &&str| {
        let behind = rest.strip_prefix(*applet);
        behind.is_some_and(|behind| behind.starts_with('_'))
    };
    if !APPLETS.iter().any(is_run) {
        let problem = Problem::warning("LTSP has no applet that runs this");
        let help = "it runs PRE_INIT_…, POST_INIT_… and the like, sorted by name";
        findings.record_key(path, problem.help(help));
    }
}

#[cfg(test)]
mod tests {
    use super::meant;

    #[test]
    fn typing_errors_differ_from_names_of_the_users_own() {
        for (name, expected) in [
            ("KERNEL_PARAMETRS", "KERNEL_PARAMETERS"),
            ("kernel_parameters", "KERNEL_PARAMETERS"),
            ("MenuTimeout", "MENU_TIMEOUT"),
            ("fstab_home", "FSTAB_home"),
            ("CRONTB_X", "CRONTAB_X"),
            ("KUBELET_EXTRA_ARG_IP", "KUBELET_EXTRA_ARGS_IP"),
            ("post_init_x", "POST_init_x"),
            ("server", "SERVER"),
        ] {
            assert_eq!(meant(name).as_deref(), Some(expected), "{name}");
        }
        for name in [
            "SERVER_2",
            "SERVERS",
            "HOST_IP",
            "FSTAB_HOME",
            "NTP_SERVER",
            "NETWORK_PORTS",
            "IMAGE",
            "A",
        ] {
            assert_eq!(meant(name), None, "{name}");
        }
    }
}
