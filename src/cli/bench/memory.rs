//! The most memory this process has held, where the system tells.
//!
//! Contract: Linux only; elsewhere, and where /proc is closed, nobody knows.

use std::fs;

/// Forgets the peak so far, so that the next one is of what follows; where that is not allowed, the peak is of all.
pub(super) fn forget_peak() {
    if cfg!(target_os = "linux") {
        // 5 resets VmHWM (proc_pid_clear_refs(5)); a peak that also counts what was before is still a peak
        let _ = fs::write("/proc/self/clear_refs", "5");
    }
}

/// Octets resident at most since then.
pub(super) fn peak() -> Option<u64> {
    peak_in(&fs::read_to_string("/proc/self/status").ok()?)
}

/// The line reads `VmHWM:      5120 kB`, in units of 1024 octets.
fn peak_in(status: &str) -> Option<u64> {
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    line.trim().strip_suffix("kB")?.trim().parse::<u64>().ok()?.checked_mul(1024)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_peak_is_read_where_there_is_one() {
        assert_eq!(peak_in("Name:\tikescope\nVmHWM:\t    5120 kB\nVmRSS:\t 4000 kB\n"), Some(5_242_880));
        assert_eq!(peak_in("Name:\tikescope\n"), None);
        assert_eq!(peak_in("VmHWM:\t lots kB\n"), None);
    }
}
