//! Confinement: once the interfaces are open, this process gives up what it no longer needs, so that a fault in a
//! decoder is worth little to whoever sends the packets.
//!
//! What is kept, and why: CAP_NET_RAW, because an interface that comes back has to be opened again; making, writing and
//! removing files in the folders that were named; the terminal, `/dev/null`, the time zones, the terminal descriptions
//! and what the kernel says of this very process. What is open already stays usable.
//!
//! Contract: threads that run already keep what they have, so this comes before any is started. It never fails; what
//! the kernel could not do is said.

use std::fmt;
use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use caps::{CapSet, Capability, CapsHashSet};
use landlock::{
    ABI, Access, AccessFs, AccessNet, BitFlags, CompatLevel, Compatible, PathBeneath, PathFd, RestrictionStatus,
    Ruleset, RulesetAttr, RulesetCreatedAttr, RulesetError, RulesetStatus, Scope,
};

use crate::capture::shown_path;

/// The newest Landlock this program was tried with; older kernels do what they can of it.
const ABI_TRIED: ABI = ABI::V6;

/// May be read by whoever draws on a terminal or prints a time.
const READABLE: [&str; 6] =
    ["/proc/self", "/etc/localtime", "/usr/share/zoneinfo", "/usr/share/terminfo", "/lib/terminfo", "/etc/terminfo"];
/// Devices that may be read and written.
const DEVICES: [&str; 2] = ["/dev/tty", "/dev/null"];

/// What [`confine`] achieved. Its [`Display`](fmt::Display) is one line for a person.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Confinement {
    achieved: Vec<String>,
    missing: Vec<String>,
}

impl Confinement {
    /// Whether all that was tried was achieved.
    pub fn is_complete(&self) -> bool {
        self.missing.is_empty()
    }

    /// What could not be done, one line each.
    pub fn missing(&self) -> &[String] {
        &self.missing
    }
}

impl fmt::Display for Confinement {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.achieved.is_empty(), self.missing.is_empty()) {
            (_, true) => write!(f, "confined: {}", self.achieved.join("; ")),
            (true, _) => write!(f, "not confined: {}", self.missing.join("; ")),
            _ => write!(f, "confined in part: {}; but {}", self.achieved.join("; "), self.missing.join("; ")),
        }
    }
}

/// Drops what is no longer needed: all capabilities but CAP_NET_RAW, the way to new ones, and access to files, except
/// making them in the folders `writable`. Call it when the interfaces are open and before threads are started.
pub fn confine(writable: &[PathBuf]) -> Confinement {
    let mut confinement = Confinement { achieved: Vec::new(), missing: Vec::new() };
    let note = |done: Result<String, String>, confinement: &mut Confinement| match done {
        Ok(achieved) => confinement.achieved.push(achieved),
        Err(missing) => confinement.missing.push(missing),
    };
    if let Some(threads) = threads().filter(|&threads| threads > 1) {
        let others = threads - 1;
        confinement.missing.push(format!("threads that run already keep what they have ({others})"));
    }
    // Landlock first: what it needs to open the folders may hang on a capability.
    let foreign = writable.iter().any(|folder| only_by_capability(folder));
    note(restrict_files(writable), &mut confinement);
    note(drop_capabilities(foreign), &mut confinement);
    confinement
}

fn restrict_files(writable: &[PathBuf]) -> Result<String, String> {
    let status = landlock(writable).map_err(|error| format!("Landlock: {error}"))?;
    if !status.no_new_privs {
        return Err("the kernel does not take no_new_privs".to_owned());
    }
    match status.ruleset {
        RulesetStatus::FullyEnforced => Ok(match writable {
            [] => "no file can be opened".to_owned(),
            folders => {
                let folders: Vec<String> = folders.iter().map(|folder| shown_path(folder)).collect();
                format!("no file can be opened but those made in {}", folders.join(", "))
            }
        }),
        RulesetStatus::PartiallyEnforced => {
            Err("files are closed off only in part, because this kernel's Landlock is an older one".to_owned())
        }
        RulesetStatus::NotEnforced => {
            Err("files are not closed off, because this kernel has no Landlock or has it switched off".to_owned())
        }
    }
}

fn landlock(writable: &[PathBuf]) -> Result<RestrictionStatus, RulesetError> {
    let make = AccessFs::WriteFile | AccessFs::MakeReg | AccessFs::RemoveFile | AccessFs::Truncate;
    let read = AccessFs::ReadFile | AccessFs::ReadDir;
    let device = AccessFs::ReadFile | AccessFs::WriteFile | AccessFs::IoctlDev | AccessFs::Truncate;
    let mut ruleset = Ruleset::default()
        .set_compatibility(CompatLevel::BestEffort)
        .handle_access(AccessFs::from_all(ABI_TRIED))?
        // Nothing is ever sent, so no connection is ever made.
        .handle_access(AccessNet::from_all(ABI_TRIED))?
        .scope(Scope::AbstractUnixSocket)?
        .create()?;
    let folders = writable.iter().map(|folder| (folder.as_path(), make));
    let readable = READABLE.iter().map(|path| (Path::new(path), read));
    let devices = DEVICES.iter().map(|path| (Path::new(path), device));
    for (path, rights) in folders.chain(readable).chain(devices) {
        // What is not there needs no right.
        let Ok(opened) = PathFd::new(path) else { continue };
        ruleset = ruleset.add_rule(PathBeneath::new(opened, fitting(path, rights)))?;
    }
    ruleset.restrict_self()
}

/// Of `rights`, those that a file can be given, if `path` is one.
fn fitting(path: &Path, rights: BitFlags<AccessFs>) -> BitFlags<AccessFs> {
    if path.is_dir() { rights } else { rights & AccessFs::from_file(ABI_TRIED) }
}

/// Leaves CAP_NET_RAW, and CAP_DAC_OVERRIDE if `foreign`: root without it cannot make files in a folder that belongs to
/// somebody else, which is where `sudo` writes most of the time.
fn drop_capabilities(foreign: bool) -> Result<String, String> {
    let said = |error: caps::errors::CapsError| format!("capabilities are not dropped: {error}");
    let held = caps::read(None, CapSet::Permitted).map_err(said)?;
    let wanted = if foreign {
        vec![Capability::CAP_NET_RAW, Capability::CAP_DAC_OVERRIDE]
    } else {
        vec![Capability::CAP_NET_RAW]
    };
    let kept: CapsHashSet = wanted.into_iter().filter(|capability| held.contains(capability)).collect();
    // Without CAP_SETPCAP the bounding set stays as it is, and under no_new_privs nothing can be had from it.
    if caps::has_cap(None, CapSet::Effective, Capability::CAP_SETPCAP).map_err(said)? {
        caps::clear(None, CapSet::Bounding).map_err(said)?;
    }
    // Kernels before 4.3 have no ambient set.
    let _ = caps::clear(None, CapSet::Ambient);
    caps::clear(None, CapSet::Inheritable).map_err(said)?;
    caps::set(None, CapSet::Effective, &kept).map_err(said)?;
    caps::set(None, CapSet::Permitted, &kept).map_err(said)?;
    let mut names: Vec<String> = kept.iter().map(ToString::to_string).collect();
    names.sort();
    Ok(match names.as_slice() {
        [] => "no capability is left".to_owned(),
        names => format!("of all capabilities only {} is left", names.join(" and ")),
    })
}

/// Whether `folder` can be written to only because capabilities overrule its owner and mode.
fn only_by_capability(folder: &Path) -> bool {
    let (Ok(folder), Ok(this)) = (fs::metadata(folder), fs::metadata("/proc/self")) else { return false };
    // `/proc/self` belongs to the effective user and group of this process.
    let mode = folder.mode();
    let class = if folder.uid() == this.uid() {
        mode >> 6
    } else if folder.gid() == this.gid() {
        mode >> 3
    } else {
        mode
    };
    const WRITE_AND_SEARCH: u32 = 3;
    class & WRITE_AND_SEARCH != WRITE_AND_SEARCH
}

/// Threads of this process, if the kernel says.
fn threads() -> Option<u32> {
    let status = fs::read_to_string("/proc/self/status").ok()?;
    status.lines().find_map(|line| line.strip_prefix("Threads:"))?.trim().parse().ok()
}
