//! From the paths a person names to the captures behind them.
//!
//! Folders are walked in order of names; links are followed, and no file or folder is visited twice. What a folder
//! holds besides captures is passed over; what is named itself has to be one.

use std::collections::HashSet;
use std::collections::hash_map::{Entry, HashMap};
use std::fs::{self, File, FileType, Metadata};
use std::io::{self, IsTerminal};
use std::path::{Path, PathBuf};

use super::CaptureError;
use super::error::Refusal;
use super::merge::MOST_AWAKE;
use super::reader::Reader;

/// Window over a capture that is read alone: what the kernel copies into it is still in the second cache when it is looked at.
pub(super) const ALONE: usize = 256 << 10;
/// Window over one of many captures that are read in turns.
pub(super) const AMONG_OTHERS: usize = 256 << 10;

/// What tells one file from another, whatever its names.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct Identity(#[cfg(unix)] (u64, u64), #[cfg(not(unix))] PathBuf);

impl Identity {
    #[cfg(unix)]
    fn of(_path: &Path, metadata: &Metadata) -> Self {
        use std::os::unix::fs::MetadataExt;
        Self((metadata.dev(), metadata.ino()))
    }

    #[cfg(not(unix))]
    fn of(path: &Path, _metadata: &Metadata) -> Self {
        Self(fs::canonicalize(path).unwrap_or_else(|_| path.to_owned()))
    }
}

#[cfg(unix)]
fn is_pipe(kind: FileType) -> bool {
    std::os::unix::fs::FileTypeExt::is_fifo(&kind)
}

#[cfg(not(unix))]
fn is_pipe(_kind: FileType) -> bool {
    false
}

/// Captures found, each at its first frame if there are several.
#[derive(Debug, Default)]
pub(super) struct Search {
    found: Vec<(Option<Identity>, Reader)>,
    errors: Vec<CaptureError>,
    /// How often each file was come across.
    seen: HashMap<Identity, u64>,
    standard_input: u64,
    awake: usize,
    several: bool,
}

impl Search {
    /// Looks for captures behind `paths`.
    pub fn run(paths: &[PathBuf]) -> (Vec<Reader>, Vec<CaptureError>) {
        let mut search = Self { several: paths.len() > 1, ..Self::default() };
        for path in paths {
            search.named(path);
        }
        search.finish()
    }

    fn finish(self) -> (Vec<Reader>, Vec<CaptureError>) {
        let Self { found, errors, seen, standard_input, .. } = self;
        let readers = found.into_iter().map(|(identity, mut reader)| {
            let times = identity.map_or(standard_input, |identity| seen.get(&identity).copied().unwrap_or(1));
            reader.tally.oddities.named_again = times.saturating_sub(1);
            reader
        });
        (readers.collect(), errors)
    }

    fn named(&mut self, path: &Path) {
        if path.as_os_str() == "-" {
            self.standard_input += 1;
            if self.standard_input == 1 {
                let reader = standard_input(path, self.window());
                self.take(None, reader);
            }
            return;
        }
        let metadata = match fs::metadata(path) {
            Ok(metadata) => metadata,
            Err(error) => return self.refuse(path, error.into()),
        };
        if metadata.is_dir() {
            self.several = true;
            return self.folder(path);
        }
        let kind = metadata.file_type();
        if !kind.is_file() && !is_pipe(kind) {
            return self.refuse(path, Refusal::foreign("a device or socket, not a file"));
        }
        let identity = Identity::of(path, &metadata);
        if self.is_new(identity.clone()) {
            let reader = open(path).and_then(|(file, size)| match size {
                Some(size) => Reader::over_file(path.to_owned(), file, size, self.window()),
                None => Reader::over_stream(path.to_owned(), Box::new(file), self.window()),
            });
            self.take(Some(identity), reader);
        }
    }

    fn folder(&mut self, folder: &Path) {
        let (captures, errors) = (self.found.len(), self.errors.len());
        let mut known = false;
        let mut visited = HashSet::new();
        let mut ahead = vec![folder.to_owned()];
        while let Some(path) = ahead.pop() {
            let metadata = match fs::metadata(&path) {
                Ok(metadata) => metadata,
                // A link that leads nowhere is no capture.
                Err(_) if path.is_symlink() => continue,
                Err(error) => {
                    self.refuse(&path, error.into());
                    continue;
                }
            };
            let identity = Identity::of(&path, &metadata);
            if metadata.is_dir() {
                if visited.insert(identity) {
                    match entries(&path) {
                        Ok(entries) => ahead.extend(entries.into_iter().rev()),
                        Err(error) => self.refuse(&path, error.into()),
                    }
                }
            } else if metadata.is_file() {
                known |= self.lies_in_folder(path, identity);
            }
        }
        if self.found.len() == captures && self.errors.len() == errors && !known {
            self.refuse(folder, Refusal::foreign("no captures in this folder"));
        }
        if let Some(found) = self.found.get_mut(captures..) {
            found.sort_by_key(|(_, reader)| reader.latest());
        }
    }

    /// Takes a file of a folder if it is a capture; `true` if it was taken before.
    fn lies_in_folder(&mut self, path: PathBuf, identity: Identity) -> bool {
        if let Some(times) = self.seen.get_mut(&identity) {
            *times += 1;
            return true;
        }
        let capacity = self.window();
        let found = open(&path)
            .and_then(|(file, size)| Reader::over_found(path, file, size.unwrap_or_default(), capacity))
            .transpose();
        // What is not a capture is not remembered: it is still an error if it is named.
        if let Some(reader) = found {
            self.seen.insert(identity.clone(), 1);
            self.take(Some(identity), reader);
        }
        false
    }

    fn is_new(&mut self, identity: Identity) -> bool {
        match self.seen.entry(identity) {
            Entry::Occupied(mut times) => {
                *times.get_mut() += 1;
                false
            }
            Entry::Vacant(place) => {
                place.insert(1);
                true
            }
        }
    }

    fn take(&mut self, identity: Option<Identity>, reader: Result<Reader, CaptureError>) {
        let mut reader = match reader {
            Ok(reader) => reader,
            Err(error) => return self.errors.push(error),
        };
        if self.several {
            match reader.advance() {
                Ok(true) if !reader.can_sleep() => {}
                Ok(true) if self.awake < MOST_AWAKE => self.awake += 1,
                Ok(true) => reader.sleep(),
                Ok(false) => {}
                Err(error) => self.errors.push(error),
            }
        }
        self.found.push((identity, reader));
    }

    fn refuse(&mut self, path: &Path, refusal: Refusal) {
        self.errors.push(refusal.at(path, None));
    }

    fn window(&self) -> usize {
        if self.several { AMONG_OTHERS } else { ALONE }
    }
}

fn standard_input(path: &Path, capacity: usize) -> Result<Reader, CaptureError> {
    let stdin = io::stdin();
    if stdin.is_terminal() {
        return Err(Refusal::foreign("standard input is a terminal, not a capture").at(path, None));
    }
    Reader::over_stream(path.to_owned(), Box::new(stdin), capacity)
}

/// Opens a file; its size is known if it is a regular one.
fn open(path: &Path) -> Result<(File, Option<u64>), CaptureError> {
    let opened = || {
        let file = File::open(path)?;
        let metadata = file.metadata()?;
        Ok((file, metadata.is_file().then_some(metadata.len())))
    };
    opened().map_err(|error: io::Error| Refusal::from(error).at(path, None))
}

/// What a folder holds, in order of names.
fn entries(folder: &Path) -> io::Result<Vec<PathBuf>> {
    let mut entries = fs::read_dir(folder)?.map(|entry| Ok(entry?.path())).collect::<io::Result<Vec<_>>>()?;
    entries.sort_unstable();
    Ok(entries)
}
