//! Lets `-lpcap` link on Linux without libpcap's development files: the library itself is loaded when a capture
//! starts (`src/capture/live/library.rs`), so an empty archive is all that the linker has to find.

use std::{env, fs, path::PathBuf};

/// A `ar` archive without members.
const EMPTY_ARCHIVE: &[u8] = b"!<arch>\n";

fn main() {
    println!("cargo:rerun-if-changed=build.rs");
    let linux = env::var("CARGO_CFG_TARGET_OS").is_ok_and(|os| os == "linux");
    let live = env::var_os("CARGO_FEATURE_LIVE").is_some();
    if linux && live {
        let folder = PathBuf::from(env::var_os("OUT_DIR").expect("cargo sets OUT_DIR"));
        fs::write(folder.join("libpcap.a"), EMPTY_ARCHIVE).expect("OUT_DIR can be written to");
        println!("cargo:rustc-link-search=native={}", folder.display());
    }
}
