//! What stops a capture from being read, in one line for a person.
//!
//! Not here: what is merely odd about a capture, which is a note in its [`super::CaptureInfo`].

use std::fmt::Write as _;
use std::io;
use std::path::{Path, PathBuf};

use crate::base::escape::escape_octets;

/// A capture that cannot be read, or not further: where and why.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{}", self.line())]
pub struct CaptureError {
    /// Which file; `-` for standard input.
    pub path: PathBuf,
    /// Frames read before it.
    pub frame: Option<u64>,
    /// Octet at which it happened, counted in the unpacked data if the file is compressed.
    pub octet: Option<u64>,
    /// Why, in words.
    pub reason: String,
}

impl CaptureError {
    fn line(&self) -> String {
        let mut line = format!("{}: {}", shown_path(&self.path), self.reason);
        match (self.octet, self.frame) {
            (Some(octet), Some(frame)) if frame > 0 => {
                let _ = write!(line, " (octet {octet}, after frame {frame})");
            }
            (Some(octet), _) => {
                let _ = write!(line, " (octet {octet})");
            }
            (None, _) => {}
        }
        line
    }
}

/// Why one stream is not read, or not further; its reader adds the path.
#[derive(Debug)]
pub(super) struct Refusal {
    pub reason: String,
    /// Octet of the unpacked stream, where it is of use.
    pub octet: Option<u64>,
    /// Not a capture at all: worth a word only if it was named, not if it lies in a folder.
    pub foreign: bool,
}

impl Refusal {
    /// A capture whose octets cannot be believed from `octet` on.
    pub fn corrupt(octet: u64, reason: impl Into<String>) -> Self {
        Self { reason: reason.into(), octet: Some(octet), foreign: false }
    }

    /// Something else than a capture.
    pub fn foreign(reason: impl Into<String>) -> Self {
        Self { reason: reason.into(), octet: None, foreign: true }
    }

    /// The same, seen from the path it happened at.
    pub fn at(self, path: &Path, frame: Option<u64>) -> CaptureError {
        CaptureError { path: path.to_owned(), frame, octet: self.octet, reason: self.reason }
    }
}

impl From<io::Error> for Refusal {
    /// The system or a decompressor does not deliver.
    fn from(error: io::Error) -> Self {
        Self { reason: plain_words(&error), octet: None, foreign: false }
    }
}

fn plain_words(error: &io::Error) -> String {
    match error.kind() {
        io::ErrorKind::NotFound => "no such file or folder".to_owned(),
        io::ErrorKind::PermissionDenied => "permission denied".to_owned(),
        _ => error.to_string(),
    }
}

/// A path as it may be shown on a terminal: a file name can neither move the cursor nor disguise itself.
pub fn shown_path(path: &Path) -> String {
    escape_octets(path.as_os_str().as_encoded_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_is_one_line_that_names_path_reason_octet_and_frame() {
        let mut error = Refusal::corrupt(40, "a block of 7 octets").at(Path::new("a/b.pcap"), Some(3));
        assert_eq!(error.to_string(), "a/b.pcap: a block of 7 octets (octet 40, after frame 3)");
        error.frame = Some(0);
        assert_eq!(error.to_string(), "a/b.pcap: a block of 7 octets (octet 40)");
        error.octet = None;
        assert_eq!(error.to_string(), "a/b.pcap: a block of 7 octets");
    }

    #[test]
    fn a_file_name_cannot_command_the_terminal() {
        assert_eq!(shown_path(Path::new("a\u{1b}[2J\n\u{202e}é.pcap")), "a\\x1b[2J\\x0a\\u{202e}é.pcap");
    }

    #[cfg(unix)]
    #[test]
    fn octets_that_are_not_utf_8_are_shown_in_hex() {
        use std::os::unix::ffi::OsStrExt;
        let path = Path::new(std::ffi::OsStr::from_bytes(b"a\xff.pcap"));
        assert_eq!(shown_path(path), "a\\xff.pcap");
    }
}
