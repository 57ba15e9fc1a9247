//! Folders, files and runs of the program on them.

use std::fs;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU32, Ordering};

use crate::shown::Run;

/// A folder for one test, gone when the test is over.
pub struct Folder(pub PathBuf);

static COUNT: AtomicU32 = AtomicU32::new(0);

impl Folder {
    /// An empty one.
    pub fn new(name: &str) -> Self {
        let number = COUNT.fetch_add(1, Ordering::Relaxed);
        let name = format!("malformed-{name}-{}-{number}", std::process::id());
        let path = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(name);
        let _ = fs::remove_dir_all(&path);
        fs::create_dir_all(&path).expect("a folder");
        Self(path)
    }

    /// Writes a file and says where.
    pub fn write(&self, name: &str, octets: &[u8]) -> String {
        let path = self.0.join(name);
        fs::write(&path, octets).expect("a file");
        path.to_str().expect("a plain path").to_owned()
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// Runs the program.
pub fn ikescope(arguments: &[&str]) -> Run {
    let output =
        assert_cmd::Command::new(env!("CARGO_BIN_EXE_ikescope")).args(arguments).output().expect("the program runs");
    Run {
        status: output.status.code().expect("no signal"),
        stdout: output.stdout,
        stderr: String::from_utf8(output.stderr).expect("messages are UTF-8"),
    }
}
