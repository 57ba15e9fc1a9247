//! libpcap, loaded when it is first needed: defines the functions that the `pcap` crate calls and hands each call on
//! to the library of the machine. So the program builds without libpcap's development files, and everything but live
//! capture runs without libpcap.
//!
//! With `capture::map` the one place with `unsafe`. Contract: [`available`] has answered `Ok` before anything of the `pcap` crate is
//! called; every forwarded function is then known to exist, in a library that stays loaded to the end.
#![allow(unsafe_code)]

use std::ffi::{CStr, c_char, c_int, c_uchar, c_uint, c_void};
use std::sync::OnceLock;

use libloading::Library;

use super::LibraryMissing;

/// The names the library goes by: Debian's, everybody else's, and the development link.
const NAMES: [&str; 3] = ["libpcap.so.0.8", "libpcap.so.1", "libpcap.so"];

static LIBRARY: OnceLock<Result<Library, LibraryMissing>> = OnceLock::new();

/// Loads libpcap, once, and checks that it has every function.
///
/// Errors: what to install.
pub fn available() -> Result<(), LibraryMissing> {
    LIBRARY.get_or_init(load).as_ref().map(|_| ()).map_err(Clone::clone)
}

fn load() -> Result<Library, LibraryMissing> {
    let mut reason = String::new();
    for name in NAMES {
        // SAFETY: loading runs the library's initialisers; libpcap's have no preconditions.
        match unsafe { Library::new(name) } {
            Ok(library) => {
                return match FUNCTIONS.iter().find(|function| !has(&library, function)) {
                    None => Ok(library),
                    Some(function) => {
                        Err(LibraryMissing { reason: format!("{name} is too old: no {}", function.to_string_lossy()) })
                    }
                };
            }
            // the reason of the first name is the one that people can look up
            Err(error) if reason.is_empty() => reason = error.to_string(),
            Err(_) => {}
        }
    }
    Err(LibraryMissing { reason })
}

fn has(library: &Library, function: &CStr) -> bool {
    // SAFETY: the symbol is only looked for, and never called through this type.
    unsafe { library.get::<*const c_void>(function.to_bytes_with_nul()) }.is_ok()
}

/// The address of `function`, as the function pointer type `F`.
///
/// # Safety
///
/// `F` must be the C signature that libpcap declares for `function`.
unsafe fn find<F: Copy>(function: &CStr) -> F {
    let found = LIBRARY
        .get_or_init(load)
        .as_ref()
        .ok()
        // SAFETY: the caller vouches for `F`, and the library is never unloaded, so the copied pointer stays good.
        .and_then(|library| unsafe { library.get::<F>(function.to_bytes_with_nul()) }.ok().map(|symbol| *symbol));
    match found {
        Some(function) => function,
        None => {
            // only reached if `available` was not asked first; C has no way to hear of it, so this is the end
            eprintln!("ikescope: libpcap is not there, and was called all the same ({})", function.to_string_lossy());
            std::process::exit(2);
        }
    }
}

/// A name that already ends in NUL, as C wants it; checked when the program is built.
const fn c_name(name: &'static str) -> &'static CStr {
    match CStr::from_bytes_with_nul(name.as_bytes()) {
        Ok(name) => name,
        Err(_) => panic!("a name ends in its only NUL"),
    }
}

/// Defines each function and its forwarding. Pointers to libpcap's own types are opaque here.
macro_rules! forward {
    ($(fn $name:ident($($argument:ident: $kind:ty),*) $(-> $answer:ty)?;)*) => {
        /// Every function that must be there.
        const FUNCTIONS: &[&CStr] = &[$(c_name(concat!(stringify!($name), "\0"))),*];

        $(
            // SAFETY: no other library defines the name, since libpcap is not linked.
            #[unsafe(no_mangle)]
            unsafe extern "C" fn $name($($argument: $kind),*) $(-> $answer)? {
                type Function = unsafe extern "C" fn($($kind),*) $(-> $answer)?;
                static FUNCTION: OnceLock<Function> = OnceLock::new();
                const NAME: &CStr = c_name(concat!(stringify!($name), "\0"));
                // SAFETY: the signature is libpcap's own (pcap.h).
                let function = FUNCTION.get_or_init(|| unsafe { find(NAME) });
                // SAFETY: the arguments are the caller's, passed on as they came.
                unsafe { function($($argument),*) }
            }
        )*
    };
}

type Pcap = *mut c_void;
type Dumper = *mut c_void;
type File = *mut c_void;
type Program = *mut c_void;
type Header = *const c_void;
type Octets = *const c_uchar;
type Text = *const c_char;
type ErrorBuffer = *mut c_char;
type Handler = extern "C" fn(*mut c_uchar, Header, Octets);

forward! {
    // interfaces
    fn pcap_findalldevs(devices: *mut *mut c_void, error: ErrorBuffer) -> c_int;
    fn pcap_freealldevs(devices: *mut c_void);
    // opening
    fn pcap_create(source: Text, error: ErrorBuffer) -> Pcap;
    fn pcap_set_snaplen(pcap: Pcap, octets: c_int) -> c_int;
    fn pcap_set_promisc(pcap: Pcap, on: c_int) -> c_int;
    fn pcap_set_rfmon(pcap: Pcap, on: c_int) -> c_int;
    fn pcap_set_timeout(pcap: Pcap, milliseconds: c_int) -> c_int;
    fn pcap_set_buffer_size(pcap: Pcap, octets: c_int) -> c_int;
    fn pcap_set_immediate_mode(pcap: Pcap, on: c_int) -> c_int;
    fn pcap_set_tstamp_type(pcap: Pcap, kind: c_int) -> c_int;
    fn pcap_set_tstamp_precision(pcap: Pcap, precision: c_int) -> c_int;
    fn pcap_activate(pcap: Pcap) -> c_int;
    fn pcap_open_dead(link: c_int, snaplen: c_int) -> Pcap;
    fn pcap_open_dead_with_tstamp_precision(link: c_int, snaplen: c_int, precision: c_uint) -> Pcap;
    fn pcap_open_offline(path: Text, error: ErrorBuffer) -> Pcap;
    fn pcap_open_offline_with_tstamp_precision(path: Text, precision: c_uint, error: ErrorBuffer) -> Pcap;
    fn pcap_fopen_offline(file: File, error: ErrorBuffer) -> Pcap;
    fn pcap_fopen_offline_with_tstamp_precision(file: File, precision: c_uint, error: ErrorBuffer) -> Pcap;
    fn pcap_close(pcap: Pcap);
    // reading
    fn pcap_loop(pcap: Pcap, count: c_int, handler: Handler, user: *mut c_uchar) -> c_int;
    fn pcap_dispatch(pcap: Pcap, count: c_int, handler: Handler, user: *mut c_uchar) -> c_int;
    fn pcap_next_ex(pcap: Pcap, header: *mut *mut c_void, octets: *mut Octets) -> c_int;
    fn pcap_breakloop(pcap: Pcap);
    fn pcap_stats(pcap: Pcap, stats: *mut c_void) -> c_int;
    fn pcap_setdirection(pcap: Pcap, direction: c_uint) -> c_int;
    fn pcap_setnonblock(pcap: Pcap, on: c_int, error: ErrorBuffer) -> c_int;
    fn pcap_get_selectable_fd(pcap: Pcap) -> c_int;
    fn pcap_fileno(pcap: Pcap) -> c_int;
    fn pcap_sendpacket(pcap: Pcap, octets: Octets, count: c_int) -> c_int;
    fn pcap_geterr(pcap: Pcap) -> *mut c_char;
    fn pcap_major_version(pcap: Pcap) -> c_int;
    fn pcap_minor_version(pcap: Pcap) -> c_int;
    // filters
    fn pcap_compile(pcap: Pcap, program: Program, text: Text, optimize: c_int, netmask: c_uint) -> c_int;
    fn pcap_freecode(program: Program);
    fn pcap_setfilter(pcap: Pcap, program: Program) -> c_int;
    fn pcap_offline_filter(program: *const c_void, header: Header, octets: Octets) -> c_int;
    // link types
    fn pcap_datalink(pcap: Pcap) -> c_int;
    fn pcap_list_datalinks(pcap: Pcap, links: *mut *mut c_int) -> c_int;
    fn pcap_set_datalink(pcap: Pcap, link: c_int) -> c_int;
    fn pcap_free_datalinks(links: *mut c_int);
    fn pcap_datalink_name_to_val(name: Text) -> c_int;
    fn pcap_datalink_val_to_name(link: c_int) -> Text;
    fn pcap_datalink_val_to_description(link: c_int) -> Text;
    // writing
    fn pcap_dump_open(pcap: Pcap, path: Text) -> Dumper;
    fn pcap_dump_open_append(pcap: Pcap, path: Text) -> Dumper;
    fn pcap_dump_fopen(pcap: Pcap, file: File) -> Dumper;
    fn pcap_dump(dumper: *mut c_uchar, header: Header, octets: Octets);
    fn pcap_dump_flush(dumper: Dumper) -> c_int;
    fn pcap_dump_close(dumper: Dumper);
}
