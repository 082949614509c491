//! `kubefarm agent backup`: a backup of the farm into a folder. What the farm's CronJob runs.

use std::fs;
use std::path::{Path, PathBuf};

use jiff::Timestamp;
use zeroize::Zeroizing;

use super::error::{AgentError, unreadable};
use super::healthy::{EtcdAccess, healthy};
use crate::backup::{
    Archive, BackupError, EtcdState, Flaw, Folder, Manifest, Recipients, Record, Retention,
    SECRETS, SNAPSHOT, SnapshotSum,
};
use crate::cluster::{ClusterError, Event, Interrupt, Observer};
use crate::etcd::{Parts, Status};

/// The bytes of the sum after a database (etcd, `Maintenance.Snapshot`).
const SUM: u64 = 32;

/// What goes into a backup, and where it goes.
#[derive(Debug, Clone)]
pub struct Backup {
    pub etcd: EtcdAccess,
    /// A folder with a folder for each Secret, as a pod has them mounted.
    pub secrets: Option<PathBuf>,
    /// The name with which the farm's objects begin.
    pub farm: String,
    pub namespace: String,
    /// `v1.37.2`
    pub kubernetes: String,
    /// Where the file goes, and where older ones are.
    pub folder: PathBuf,
    /// age recipients; none: not encrypted.
    pub recipients: Vec<String>,
    pub retention: Retention,
}

/// A file of a Secret: its path in the archive, and what it has.
type SecretFile = (String, Zeroizing<Vec<u8>>);

/// Makes a backup, and removes those that had their time.
///
/// # Errors
/// Where a backup cannot be made; nothing then has the name of one, and no older one is removed.
pub async fn backup(
    wanted: &Backup,
    interrupt: &Interrupt,
    observer: &dyn Observer,
) -> Result<Record, AgentError> {
    let note = |text: String| observer.observe(&Event::Note(&text));
    let recipients = Recipients::read(&wanted.recipients)?;
    let secrets = secrets(wanted.secrets.as_deref())?;
    let owner = format!("{}.{}", wanted.namespace, wanted.farm);
    let folder = Folder::new(wanted.folder.clone(), owner);
    match folder.tidy()? {
        0 => {}
        count => note(format!(
            "{count} half-written files of a stopped run removed"
        )),
    }
    let record = tokio::select! {
        made = write(wanted, &folder, &recipients, &secrets) => made?,
        () = interrupt.wait() => return Err(ClusterError::Interrupted.into()),
    };
    note(format!(
        "{}: {} bytes, revision {} or later, {}",
        record.file,
        record.size,
        record.revision,
        if record.encrypted {
            "encrypted"
        } else {
            "not encrypted"
        }
    ));
    for name in wanted.retention.superfluous(folder.good()?, record.time) {
        folder.remove(&name)?;
        note(format!("{name} removed: it had its time"));
    }
    Ok(record)
}

async fn write(
    wanted: &Backup,
    folder: &Folder,
    recipients: &Recipients,
    secrets: &[SecretFile],
) -> Result<Record, AgentError> {
    let (member, status) = healthy(&wanted.etcd).await?;
    let manifest = manifest(wanted, &status);
    let name = folder.name(manifest.time, recipients.any());
    let unfinished = folder.begin(&name)?;
    let mut archive = Archive::new(recipients.seal(unfinished)?);
    snapshot(member.snapshot().await?, &mut archive).await?;
    for (path, content) in secrets {
        archive.add(path, content)?;
    }
    let mut record = Record {
        file: name,
        farm: format!("{}.{}", wanted.namespace, wanted.farm),
        time: manifest.time,
        size: 0,
        sha256: String::new(),
        revision: manifest.etcd.revision,
        encrypted: recipients.any(),
    };
    let sealed = archive.finish(manifest)?;
    let unfinished = sealed.finish()?;
    (record.size, record.sha256) = unfinished.finish()?;
    folder.record(&record)?;
    Ok(record)
}

fn manifest(wanted: &Backup, status: &Status) -> Manifest {
    Manifest {
        format: 1,
        farm: wanted.farm.clone(),
        namespace: wanted.namespace.clone(),
        // Names have seconds only.
        time: Timestamp::from_second(Timestamp::now().as_second()).unwrap_or_default(),
        kubefarm: env!("CARGO_PKG_VERSION").to_owned(),
        kubernetes: wanted.kubernetes.clone(),
        etcd: EtcdState {
            version: status.version.clone(),
            cluster_id: status.header.cluster_id.to_string(),
            member_id: status.header.member_id.to_string(),
            revision: status.header.revision,
        },
        files: Vec::new(),
    }
}

/// The snapshot of a member, part by part into the archive, and its sum checked on the way.
async fn snapshot<W: std::io::Write>(
    mut parts: Parts,
    archive: &mut Archive<W>,
) -> Result<(), AgentError> {
    let first = parts.next().await?.ok_or(Flaw::Empty)?;
    let size = first.bytes.len() as u64 + first.remaining + SUM;
    let mut sum = SnapshotSum::default();
    let mut entry = archive.begin(SNAPSHOT, size)?;
    let mut next = Some(first);
    while let Some(part) = next {
        sum.update(&part.bytes);
        entry.write(&part.bytes)?;
        next = parts.next().await?;
    }
    entry.end()?;
    Ok(sum.check()?)
}

/// Reads Secrets as they are mounted: names that begin with two dots are Kubernetes' own (AtomicWriter).
fn secrets(folder: Option<&Path>) -> Result<Vec<SecretFile>, AgentError> {
    let Some(folder) = folder else {
        return Ok(Vec::new());
    };
    let mut files = Vec::new();
    for secret in names(folder)? {
        let mounted = folder.join(&secret);
        for key in names(&mounted)? {
            let path = mounted.join(&key);
            let content = fs::read(&path).map_err(|error| unreadable(&path, &error))?;
            files.push((format!("{SECRETS}/{secret}/{key}"), Zeroizing::new(content)));
        }
    }
    Ok(files)
}

fn names(folder: &Path) -> Result<Vec<String>, AgentError> {
    let failed = |error: &dyn ToString| unreadable(folder, error);
    let mut names = Vec::new();
    for entry in fs::read_dir(folder).map_err(|error| failed(&error))? {
        let name = entry.map_err(|error| failed(&error))?.file_name();
        let name = name.into_string();
        names.push(name.map_err(|_| failed(&"a name that is not text"))?);
    }
    names.retain(|name| !name.starts_with(".."));
    names.sort();
    Ok(names)
}

impl From<BackupError> for AgentError {
    fn from(error: BackupError) -> AgentError {
        AgentError::Backup(error)
    }
}

impl From<Flaw> for AgentError {
    fn from(flaw: Flaw) -> AgentError {
        AgentError::Backup(flaw.into())
    }
}
