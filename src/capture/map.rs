//! Octets of a file as memory: what is only looked at need not be copied.
//!
//! With `live::library` the one place with `unsafe`. Contract: a region can be looked at as long as somebody holds it, whatever
//! becomes of the file. Octets that the file has lost meanwhile are zero, and [`Region::is_torn`] tells; whoever looked asks
//! that before he believes what he saw. Only on Linux: elsewhere there are no regions, and files are read.
#![allow(unsafe_code)]

use std::fs::File;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use libc::{c_int, c_void, sigaction, siginfo_t};
use memmap2::{Advice, Mmap, MmapOptions, UncheckedAdvice};

/// Regions at a time; who asks for more has to read.
const MOST: usize = 64;

/// Octets of a file that lie in memory.
#[derive(Debug)]
pub(super) struct Region {
    octets: Mmap,
    /// Octet of the file at which it starts.
    start: u64,
    place: &'static Place,
}

impl Region {
    /// `len` octets of `file` from octet `start` on, all of which it has now. `None` if that is not to be had.
    pub fn new(file: &File, start: u64, len: usize) -> Option<Self> {
        if !watch() {
            return None;
        }
        // SAFETY: the octets may change while they are looked at, if somebody writes to the file. What is made of them rests
        // on no two looks agreeing: lengths are checked against the slice each time they are used. Octets that go away are
        // replaced by `on_missing_page`.
        let octets = unsafe { MmapOptions::new().offset(start).len(len).map(file) }.ok()?;
        // what is not in memory yet is fetched in good time; if not, it is only slower
        let _ = octets.advise(Advice::Sequential);
        let place = Place::take(&octets)?;
        Some(Self { octets, start, place })
    }

    /// Octet of the file at which it starts.
    pub fn start(&self) -> u64 {
        self.start
    }

    /// Octets of the file from `start` to `end`, as far as they lie in the region.
    pub fn octets(&self, start: u64, end: u64) -> &[u8] {
        let place = |octet: u64| usize::try_from(octet.saturating_sub(self.start)).unwrap_or(usize::MAX);
        self.octets.get(place(start)..place(end).min(self.octets.len())).unwrap_or_default()
    }

    /// Some of it could not be read when it was looked at.
    pub fn is_torn(&self) -> bool {
        self.place.torn.load(Ordering::Relaxed)
    }

    /// Takes the octets from `start` to `end` out of this process's memory. Whoever looks at them again gets them again.
    pub fn let_go(&self, start: u64, end: u64) {
        let here = self.octets(start, end);
        let place = here.as_ptr().addr().saturating_sub(self.octets.as_ptr().addr());
        if !here.is_empty() {
            // SAFETY: the octets are those of a file, mapped shared and never written: they come back as they are in the file.
            let _ = unsafe { self.octets.unchecked_advise_range(UncheckedAdvice::DontNeed, place, here.len()) };
        }
    }
}

impl Drop for Region {
    fn drop(&mut self) {
        self.place.give_back();
    }
}

/// Where a region lies, for [`on_missing_page`]. An `end` of 0: nowhere.
#[derive(Debug)]
struct Place {
    taken: AtomicBool,
    start: AtomicUsize,
    end: AtomicUsize,
    torn: AtomicBool,
}

static PLACES: [Place; MOST] = [const { Place::new() }; MOST];

impl Place {
    const fn new() -> Self {
        Self {
            taken: AtomicBool::new(false),
            start: AtomicUsize::new(0),
            end: AtomicUsize::new(0),
            torn: AtomicBool::new(false),
        }
    }

    fn take(octets: &[u8]) -> Option<&'static Self> {
        let place = PLACES.iter().find(|place| !place.taken.swap(true, Ordering::Acquire))?;
        let start = octets.as_ptr().addr();
        place.torn.store(false, Ordering::Relaxed);
        place.start.store(start, Ordering::Relaxed);
        place.end.store(start.saturating_add(octets.len()), Ordering::Release);
        Some(place)
    }

    fn give_back(&self) {
        self.end.store(0, Ordering::Relaxed);
        self.taken.store(false, Ordering::Release);
    }

    fn holds(&self, address: usize) -> bool {
        address < self.end.load(Ordering::Acquire) && address >= self.start.load(Ordering::Relaxed)
    }
}

/// What there was for a missing page before, and octets of a page. Set before the handler is.
static BEFORE: OnceLock<Option<(sigaction, usize)>> = OnceLock::new();
static WATCHED: OnceLock<bool> = OnceLock::new();

/// From now on missing pages of regions are replaced, where that can be had.
fn watch() -> bool {
    *WATCHED.get_or_init(|| {
        // SAFETY: to be asked for what is known of the system and of a signal has no preconditions, and of the structure all
        // zero is a value.
        let before = BEFORE.get_or_init(|| unsafe {
            let page = usize::try_from(libc::sysconf(libc::_SC_PAGESIZE)).ok()?;
            let mut before: sigaction = std::mem::zeroed();
            (libc::sigaction(libc::SIGBUS, std::ptr::null(), &raw mut before) == 0).then_some((before, page))
        });
        // SAFETY: `on_missing_page` has the form that SA_SIGINFO asks for, and does only what a signal handler may.
        before.is_some()
            && unsafe {
                let mut now: sigaction = std::mem::zeroed();
                now.sa_sigaction = on_missing_page as *const () as usize;
                now.sa_flags = libc::SA_SIGINFO | libc::SA_ONSTACK;
                libc::sigaction(libc::SIGBUS, &raw const now, std::ptr::null_mut()) == 0
            }
    })
}

/// Somebody looked at a page that the file has no longer, or that cannot be read: in a region it is replaced by zeros; elsewhere
/// the signal goes to whoever had it before.
extern "C" fn on_missing_page(signal: c_int, info: *mut siginfo_t, _context: *mut c_void) {
    let Some(Some((before, page))) = BEFORE.get() else { return };
    // SAFETY: the system gives a structure that is good as long as the handler runs.
    let (address, is_fault) = unsafe { ((*info).si_addr().addr(), (*info).si_code > 0) };
    let place = PLACES.iter().find(|place| is_fault && place.holds(address));
    if let Some(place) = place {
        let start = address / page * page;
        // SAFETY: the page is one of a region that somebody is looking at, so nothing else can be there, and nobody needs what
        // was there, because it cannot be read.
        let replaced = unsafe {
            let flags = libc::MAP_PRIVATE | libc::MAP_ANONYMOUS | libc::MAP_FIXED;
            libc::mmap(std::ptr::without_provenance_mut(start), *page, libc::PROT_READ, flags, -1, 0)
        };
        if replaced != libc::MAP_FAILED {
            place.torn.store(true, Ordering::Relaxed);
            return;
        }
    }
    // SAFETY: what was asked of the system before can be asked of it again; a fault then comes once more.
    unsafe {
        libc::sigaction(signal, &raw const *before, std::ptr::null_mut());
        if !is_fault {
            libc::raise(signal);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;

    #[test]
    fn what_the_file_loses_is_zero_and_told() {
        let path = std::env::temp_dir().join(format!("ikescope-map-{}", std::process::id()));
        let mut file = File::options().read(true).write(true).create(true).truncate(true).open(&path).unwrap();
        file.write_all(&[7; 40_000]).unwrap();
        let region = Region::new(&file, 5_000, 30_000).unwrap();
        assert_eq!(region.octets(5_000, 35_000), [7; 30_000]);
        assert_eq!(region.octets(34_999, 40_000), [7]);
        assert!(region.octets(0, 6_000).iter().all(|octet| *octet == 7));
        region.let_go(5_000, 20_000);
        assert_eq!(region.octets(5_000, 35_000), [7; 30_000]);
        assert!(!region.is_torn());
        file.set_len(10_000).unwrap();
        assert_eq!(region.octets(5_000, 5_003), [7; 3]);
        assert_eq!(region.octets(30_000, 30_003), [0; 3]);
        assert!(region.is_torn());
        drop(region);
        assert!(!Region::new(&file, 0, 10_000).unwrap().is_torn());
        std::fs::remove_file(&path).unwrap();
    }
}
