//! Where the answer goes: standard output, coloured where that is wanted, or a file that appears whole or not at all.

use std::fs::{self, File, Metadata};
use std::io::{self, BufRead, BufWriter, Write};
use std::path::{Path, PathBuf};

use anstream::{AutoStream, ColorChoice};
use clap::{Args, ValueEnum};

use crate::capture::{CaptureInfo, shown_path};
use crate::report::text::{Palette, Style};

/// Form of an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum Format {
    /// Words for people
    Text,
    /// One JSON document
    Json,
    /// One JSON object a line
    Ndjson,
}

/// When text is coloured.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum Color {
    /// On a terminal, unless NO_COLOR is set
    Auto,
    /// Always
    Always,
    /// Never
    Never,
}

/// Form and place of an answer.
#[derive(Debug, Clone, Args)]
pub(super) struct Output {
    /// Form of the answer
    #[arg(long, value_enum, default_value_t = Format::Text, help_heading = "Output")]
    pub format: Format,

    /// Write to this file instead of standard output; it appears whole or not at all
    #[arg(long, short, value_name = "FILE", help_heading = "Output")]
    pub output: Option<PathBuf>,

    /// When to colour text (NO_COLOR is honoured)
    #[arg(long, value_enum, value_name = "WHEN", default_value_t = Color::Auto, help_heading = "Output")]
    pub color: Color,
}

impl Output {
    /// Opens the place for text that carries colours, or for JSON.
    ///
    /// Errors: the file cannot be made.
    pub fn open(&self) -> anyhow::Result<Sink> {
        let sink = self.open_as_it_is()?;
        // JSON has no colours that would have to be taken out
        if self.is_colored() || self.format != Format::Text {
            return Ok(sink);
        }
        Ok(Sink { place: Box::new(Plain { place: sink.place, in_color: false }), ..sink })
    }

    /// Opens the place for text that carries colours only where they are wanted.
    ///
    /// Errors: the file cannot be made.
    pub fn open_as_it_is(&self) -> anyhow::Result<Sink> {
        let (place, pending, name): (Box<dyn Write>, _, _) = match &self.output {
            None => (Box::new(BufWriter::new(standard_output()?)), None, "standard output".to_owned()),
            Some(path) => {
                let (file, pending) = create(path).map_err(|error| cannot_write(path, &error))?;
                (Box::new(BufWriter::new(file)), pending, shown_path(path))
            }
        };
        Ok(Sink { place, pending, name })
    }

    /// Sees to it that the answer does not go into one of the captures it is about, by whatever name.
    ///
    /// Errors: it would.
    pub fn spare(&self, captures: &[CaptureInfo]) -> anyhow::Result<()> {
        let place = self.output.as_deref().map_or_else(output_identity, identity_of);
        refuse_if_taken(place, captures, "the answer")
    }

    /// How text is to look there.
    pub fn style(&self) -> Style {
        let palette = if self.is_colored() { Palette::colour() } else { Palette::plain() };
        let plain = Style::default();
        let asked = std::env::var("COLUMNS").ok().and_then(|columns| columns.parse().ok());
        let asked = asked.map(|columns: usize| columns.clamp(40, 200));
        Style { palette, width: asked.or_else(|| self.terminal_width()).unwrap_or(plain.width), ..plain }
    }

    /// How wide the terminal is that text goes to, within what reads well.
    fn terminal_width(&self) -> Option<usize> {
        let (columns, _) = terminal_size::terminal_size_of(io::stdout()).filter(|_| self.output.is_none())?;
        Some(usize::from(columns.0).clamp(60, 120))
    }

    /// Whether text is to be coloured: a terminal, or somebody insists.
    fn is_colored(&self) -> bool {
        match self.color {
            Color::Auto => self.output.is_none() && AutoStream::choice(&io::stdout()) != ColorChoice::Never,
            Color::Always => true,
            Color::Never => false,
        }
    }
}

/// An answer under way. Text may carry colours: they are taken out where they are not wanted.
pub(super) struct Sink {
    place: Box<dyn Write>,
    pending: Option<Pending>,
    /// The place as it is called in errors.
    name: String,
}

impl Sink {
    /// The answer is complete: what was written becomes visible.
    ///
    /// Errors: the last of it cannot be written, or the file cannot take its name.
    pub fn finish(mut self) -> anyhow::Result<()> {
        self.flush()?;
        drop(self.place);
        match self.pending {
            None => Ok(()),
            Some(mut pending) => pending
                .publish()
                .map_err(|error| anyhow::anyhow!("{}: cannot be written: {}", self.name, plain(&error))),
        }
    }

    /// The same error, and where it happened.
    fn named(&self, error: io::Error) -> io::Error {
        match error.kind() {
            kind @ (io::ErrorKind::BrokenPipe | io::ErrorKind::Interrupted) => kind.into(),
            kind => io::Error::new(kind, format!("{}: cannot be written: {}", self.name, plain(&error))),
        }
    }
}

impl Write for Sink {
    fn write(&mut self, octets: &[u8]) -> io::Result<usize> {
        self.place.write(octets).map_err(|error| self.named(error))
    }

    fn write_all(&mut self, octets: &[u8]) -> io::Result<()> {
        self.place.write_all(octets).map_err(|error| self.named(error))
    }

    fn flush(&mut self) -> io::Result<()> {
        self.place.flush().map_err(|error| self.named(error))
    }
}

/// Takes colours out of text. There are only those that were put in here: what stood in a packet has been escaped.
struct Plain<W> {
    place: W,
    /// What was written last ended inside a colour.
    in_color: bool,
}

impl<W: Write> Write for Plain<W> {
    fn write(&mut self, octets: &[u8]) -> io::Result<usize> {
        self.write_all(octets)?;
        Ok(octets.len())
    }

    fn write_all(&mut self, octets: &[u8]) -> io::Result<()> {
        const ESCAPE: u8 = 0x1b;
        const END_OF_COLOR: u8 = b'm';
        let mut rest = octets;
        while !rest.is_empty() {
            let here = rest;
            let end = if self.in_color { END_OF_COLOR } else { ESCAPE };
            let passed = rest.skip_until(end)?;
            let (here, ended) = match here.get(..passed).and_then(<[u8]>::split_last) {
                Some((last, before)) if *last == end => (before, true),
                _ => (here, false),
            };
            if !self.in_color {
                self.place.write_all(here)?;
            }
            self.in_color ^= ended;
        }
        Ok(())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.place.flush()
    }
}

fn cannot_write(path: &Path, error: &io::Error) -> anyhow::Error {
    let reason = match path.parent() {
        Some(folder) if error.kind() == io::ErrorKind::NotFound && !folder.is_dir() => {
            format!("there is no folder {}", shown_path(folder))
        }
        _ => plain(error),
    };
    anyhow::anyhow!("{}: cannot be written: {reason}", shown_path(path))
}

/// What the system says, without its number.
fn plain(error: &io::Error) -> String {
    let said = error.to_string();
    said.split_once(" (os error").map_or(said.as_str(), |(words, _)| words).to_owned()
}

/// Standard output as a file: the library's own handle says nothing if it cannot be written to.
#[cfg(unix)]
fn standard_output() -> io::Result<File> {
    use std::os::fd::AsFd;
    Ok(io::stdout().as_fd().try_clone_to_owned()?.into())
}

/// Standard output: a console needs the library's own handle, which knows its character set.
#[cfg(not(unix))]
fn standard_output() -> io::Result<io::StdoutLock<'static>> {
    Ok(io::stdout().lock())
}

/// Which regular file standard output goes to, if it does.
#[cfg(unix)]
fn output_identity() -> Option<(u64, u64)> {
    identity(&standard_output().ok()?.metadata().ok()?)
}

/// Sees to it that what is captured is not written into one of the captures that are read, by whatever name.
///
/// Errors: it would.
pub(super) fn spare(file: &Path, captures: &[CaptureInfo]) -> anyhow::Result<()> {
    refuse_if_taken(identity_of(file), captures, "the packets")
}

fn refuse_if_taken(place: Option<(u64, u64)>, captures: &[CaptureInfo], what: &str) -> anyhow::Result<()> {
    let Some(place) = place else { return Ok(()) };
    let taken = captures.iter().map(|info| &info.path).find(|path| {
        let capture = if path.as_os_str() == "-" { input_identity() } else { identity_of(path) };
        capture == Some(place)
    });
    match taken {
        Some(path) => anyhow::bail!("{}: {what} would be written into this capture", shown_path(path)),
        None => Ok(()),
    }
}

fn identity_of(path: &Path) -> Option<(u64, u64)> {
    identity(&fs::metadata(path).ok()?)
}

/// Which regular file standard input comes from, if it does.
#[cfg(unix)]
fn input_identity() -> Option<(u64, u64)> {
    use std::os::fd::AsFd;
    identity(&File::from(io::stdin().as_fd().try_clone_to_owned().ok()?).metadata().ok()?)
}

#[cfg(not(unix))]
fn output_identity() -> Option<(u64, u64)> {
    None
}

#[cfg(not(unix))]
fn input_identity() -> Option<(u64, u64)> {
    None
}

/// What tells one regular file from another, whatever its names; `None` for anything else.
#[cfg(unix)]
fn identity(metadata: &Metadata) -> Option<(u64, u64)> {
    use std::os::unix::fs::MetadataExt;
    metadata.is_file().then(|| (metadata.dev(), metadata.ino()))
}

#[cfg(not(unix))]
fn identity(_: &Metadata) -> Option<(u64, u64)> {
    None
}

/// A file under a passing name beside the one it is meant for; gone unless it was renamed.
struct Pending {
    file: File,
    passing: PathBuf,
    wanted: PathBuf,
    renamed: bool,
}

impl Pending {
    /// Gives the file its name. What is there already hands on its owner and its permissions.
    fn publish(&mut self) -> io::Result<()> {
        // some file systems find out only now that they are full
        self.file.sync_all()?;
        if let Ok(there) = fs::metadata(&self.wanted) {
            take_owner(&self.passing, &there);
            fs::set_permissions(&self.passing, there.permissions())?;
        }
        fs::rename(&self.passing, &self.wanted)?;
        self.renamed = true;
        Ok(())
    }
}

#[cfg(unix)]
fn take_owner(file: &Path, there: &Metadata) {
    use std::os::unix::fs::{MetadataExt, chown};
    // who may not give files away keeps this one
    let _ = chown(file, Some(there.uid()), Some(there.gid()));
}

#[cfg(not(unix))]
fn take_owner(_: &Path, _: &Metadata) {}

impl Drop for Pending {
    fn drop(&mut self) {
        if !self.renamed {
            // what is left over is all that can be lost
            let _ = fs::remove_file(&self.passing);
        }
    }
}

/// Passing names that are tried: others may be left of runs that were killed.
const PASSING_NAMES: u32 = 100;

fn create(path: &Path) -> io::Result<(File, Option<Pending>)> {
    match fs::metadata(path) {
        Ok(there) if there.is_dir() => return Err(io::Error::from(io::ErrorKind::IsADirectory)),
        // a pipe or a device has no other name that could be moved into its place
        Ok(there) if !there.is_file() => return Ok((File::options().write(true).open(path)?, None)),
        // a file that may not be written to must not be replaced either
        Ok(_) => drop(File::options().write(true).open(path)?),
        Err(error) if error.kind() == io::ErrorKind::NotFound => {}
        Err(error) => return Err(error),
    }
    let wanted = behind_links(path)?;
    wanted.file_name().ok_or(io::ErrorKind::InvalidInput)?;
    for number in 0..PASSING_NAMES {
        let passing = wanted.with_file_name(format!(".ikescope-{}-{number}.tmp", std::process::id()));
        match File::options().write(true).create_new(true).open(&passing) {
            Ok(file) => {
                let pending = Pending { file: file.try_clone()?, passing, wanted, renamed: false };
                return Ok((file, Some(pending)));
            }
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
            Err(error) => return Err(error),
        }
    }
    Err(io::ErrorKind::AlreadyExists.into())
}

/// The file behind a symbolic link, there or not: it is what is replaced, not the link.
fn behind_links(path: &Path) -> io::Result<PathBuf> {
    match fs::canonicalize(path) {
        Ok(wanted) => Ok(wanted),
        Err(_) if path.is_symlink() => Ok(path.parent().unwrap_or(Path::new("")).join(fs::read_link(path)?)),
        Err(_) => Ok(path.to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn colours_are_taken_out_however_they_are_cut() {
        let text = "plain \x1b[1m\x1b[36mlabel\x1b[0m, then\nsome \x1b[31m\x1b[0mmore";
        let expected = anstream::adapter::strip_str(text).to_string();
        for size in 1..=text.len() {
            let mut plain = Plain { place: Vec::new(), in_color: false };
            for piece in text.as_bytes().chunks(size) {
                plain.write_all(piece).unwrap();
            }
            assert_eq!(String::from_utf8(plain.place).unwrap(), expected, "in pieces of {size}");
        }
    }
}
