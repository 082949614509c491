//! The settings that `init.sh` reads.

use crate::farm::setting::Setting;
use crate::farm::spec::{BootConfig, JoinMode, LocalDisk, VolumeSize};

/// Settings of `[common]`, so that tags can have others.
pub fn init_settings(config: &BootConfig, join: JoinMode) -> Vec<Setting> {
    let password = config.root_passwd.as_deref();
    // Whoever can reach the boot server reads these.
    let served = password.filter(|_| join != JoinMode::Service);
    let one = |is_set: bool| is_set.then(|| "1".to_owned());
    let text = |text: Option<&str>| text.map(str::to_owned);
    let max_use = config.journal.max_use.as_deref();
    let settings = [
        (
            "KUBEFARM_DISABLE_AUTOUPDATE",
            one(config.disable_autoupdate),
        ),
        ("KUBEFARM_TIMEZONE", text(config.timezone.as_deref())),
        ("KUBEFARM_ROOT_LOGIN", one(password.is_some())),
        ("KUBEFARM_ROOT_PASSWD", text(served)),
        ("KUBEFARM_MEMORY", one(config.memory.enabled)),
        ("KUBEFARM_JOURNAL_MAX_USE", text(max_use)),
        ("KUBEFARM_SYSLOG", text(config.syslog.as_deref())),
    ];
    let settings = settings
        .into_iter()
        .chain(disk_settings(&config.local_disk));
    let settings = settings.filter_map(|(key, value)| Some(Setting::new(key, value?)));
    settings.collect()
}

fn disk_settings(disk: &LocalDisk) -> [(&'static str, Option<String>); 7] {
    let uses: Vec<&str> = disk.uses.iter().map(|part| part.name()).collect();
    let text = |size: &Option<VolumeSize>| size.as_ref().map(ToString::to_string);
    [
        (
            "KUBEFARM_DISK_LABEL",
            disk.label.as_ref().map(ToString::to_string),
        ),
        (
            "KUBEFARM_DISK_DEVICE",
            disk.device.as_ref().map(ToString::to_string),
        ),
        ("KUBEFARM_DISK_MIN_SIZE", text(&disk.min_size)),
        ("KUBEFARM_DISK_MAX_SIZE", text(&disk.max_size)),
        ("KUBEFARM_DISK_WIPE", disk.wipe.then(|| "1".to_owned())),
        // Also where only a tag names a disk.
        ("KUBEFARM_DISK_USE", Some(uses.join(" "))),
        ("KUBEFARM_DISK_SWAP", text(&disk.swap)),
    ]
}
