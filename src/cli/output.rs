//! Where the answer goes: standard output, coloured where that is wanted, or a file that appears whole or not at all.

use std::fs::{self, File};
use std::io::{self, BufRead, BufWriter, Write};
use std::path::{Path, PathBuf};

use anstream::{AutoStream, ColorChoice};
use anyhow::Context;
use clap::{Args, ValueEnum};

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
    /// Opens the place.
    ///
    /// Errors: the file cannot be made.
    pub fn open(&self) -> anyhow::Result<Sink> {
        let (place, pending): (Box<dyn Write>, _) = match &self.output {
            None => (Box::new(BufWriter::new(io::stdout().lock())), None),
            Some(path) => {
                let (file, pending) = create(path).with_context(|| cannot_write(path))?;
                (Box::new(BufWriter::new(file)), pending)
            }
        };
        // JSON has no colours that would have to be taken out
        let as_it_is = self.is_colored() || self.format != Format::Text;
        Ok(Sink { place: if as_it_is { place } else { Box::new(Plain { place, in_color: false }) }, pending })
    }

    /// How text is to look there.
    pub fn style(&self) -> Style {
        let palette = if self.is_colored() { Palette::colour() } else { Palette::plain() };
        let plain = Style::default();
        let columns = std::env::var("COLUMNS").ok().and_then(|columns| columns.parse().ok());
        Style { palette, width: columns.map_or(plain.width, |columns: usize| columns.clamp(40, 200)), ..plain }
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
}

impl Sink {
    /// The answer is complete: what was written becomes visible.
    ///
    /// Errors: the last of it cannot be written, or the file cannot take its name.
    pub fn finish(mut self) -> anyhow::Result<()> {
        self.place.flush()?;
        drop(self.place);
        match self.pending {
            None => Ok(()),
            Some(mut pending) => {
                let path = pending.wanted.clone();
                pending.rename().with_context(|| cannot_write(&path))
            }
        }
    }
}

impl Write for Sink {
    fn write(&mut self, octets: &[u8]) -> io::Result<usize> {
        self.place.write(octets)
    }

    fn write_all(&mut self, octets: &[u8]) -> io::Result<()> {
        self.place.write_all(octets)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.place.flush()
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

fn cannot_write(path: &Path) -> String {
    format!("{}: cannot be written", path.display())
}

/// A file under a passing name beside the one it is meant for; gone unless it was renamed.
struct Pending {
    passing: PathBuf,
    wanted: PathBuf,
    renamed: bool,
}

impl Pending {
    fn rename(&mut self) -> io::Result<()> {
        if let Ok(there) = fs::metadata(&self.wanted) {
            fs::set_permissions(&self.passing, there.permissions())?;
        }
        fs::rename(&self.passing, &self.wanted)?;
        self.renamed = true;
        Ok(())
    }
}

impl Drop for Pending {
    fn drop(&mut self) {
        if !self.renamed {
            // what is left over is all that can be lost
            let _ = fs::remove_file(&self.passing);
        }
    }
}

fn create(path: &Path) -> io::Result<(File, Option<Pending>)> {
    match fs::metadata(path) {
        // a pipe or a device has no other name that could be moved into its place
        Ok(there) if !there.is_file() && !there.is_dir() => return Ok((File::options().write(true).open(path)?, None)),
        Ok(there) if there.is_dir() => return Err(io::Error::from(io::ErrorKind::IsADirectory)),
        Ok(_) | Err(_) => {}
    }
    // behind a symbolic link it is the file that is replaced, not the link
    let wanted = fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
    let name = wanted.file_name().ok_or(io::ErrorKind::InvalidInput)?;
    let mut passing = std::ffi::OsString::from(".");
    passing.push(name);
    passing.push(format!(".{}.tmp", std::process::id()));
    let passing = wanted.with_file_name(passing);
    let file = File::options().write(true).create_new(true).open(&passing)?;
    Ok((file, Some(Pending { passing, wanted, renamed: false })))
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
