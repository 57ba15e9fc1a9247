//! Files that are full, missing, forbidden, endless, changing, or something else than a file: a clear error, the exit
//! status of the contract, and nothing half-written.
//!
//! Not here: what a capture holds (`tests/capture.rs`, `tests/malformed`). Written for Unix; elsewhere these tests do not
//! exist.
#![cfg(unix)]

use std::fs::{self, File, OpenOptions, Permissions};
use std::io::{Read, Write};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};

use ikescope::base::Timestamp;
use ikescope::capture::{CaptureInfo, Captures};
use ikescope::pipeline::{self, Options, Sharing, Watch};
use serde_json::Value;

const HEALTHY: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/captures/lab/v1-main-psk-healthy.pcap");
const PROGRAM: &str = env!("CARGO_BIN_EXE_ikescope");

/// A folder for one test that everybody may use, gone when the test is over.
struct Folder(PathBuf);

static COUNT: AtomicU32 = AtomicU32::new(0);

impl Folder {
    fn new(name: &str) -> Self {
        let number = COUNT.fetch_add(1, Ordering::Relaxed);
        let path = std::env::temp_dir().join(format!("ikescope-{name}-{}-{number}", std::process::id()));
        let _ = fs::remove_dir_all(&path);
        fs::create_dir_all(&path).expect("a folder");
        fs::set_permissions(&path, Permissions::from_mode(0o777)).expect("our folder");
        Self(path)
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }

    fn capture(&self, name: &str) -> PathBuf {
        let path = self.path(name);
        fs::copy(HEALTHY, &path).expect("a copy");
        path
    }

    fn names(&self) -> Vec<String> {
        let entries = fs::read_dir(&self.0).expect("our folder");
        let mut names: Vec<String> =
            entries.map(|entry| entry.expect("an entry").file_name().into_string().expect("a plain name")).collect();
        names.sort();
        names
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

fn ikescope(arguments: &[&str]) -> Command {
    let mut command = Command::new(PROGRAM);
    command.args(arguments).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

fn run(command: &mut Command) -> Output {
    command.output().expect("the program runs")
}

fn stderr(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).expect("messages are UTF-8")
}

/// Status 2, one line on standard error that holds `reason`, and nothing else said.
fn expect_refusal(output: &Output, reason: &str) {
    let said = stderr(output);
    assert_eq!(output.status.code(), Some(2), "{said}");
    assert_eq!(said.lines().count(), 1, "{said}");
    assert!(said.starts_with("ikescope: ") && said.contains(reason), "{reason} is not in: {said}");
}

fn text(path: &Path) -> &str {
    path.to_str().expect("a plain path")
}

/// Somebody without rights, for whom permissions count even where the tests run as root.
enum Nobody {
    Already,
    /// A copy of the program, as the folder of the build may be closed to others.
    ByCopy(Folder),
}

impl Nobody {
    const ID: u32 = 65_534;

    /// `None`, and a line that says so, where that cannot be had.
    fn new() -> Option<Self> {
        if fs::metadata("/proc/self").is_ok_and(|process| process.uid() != 0) {
            return Some(Self::Already);
        }
        let folder = Folder::new("program");
        let program = folder.path("ikescope");
        let copied =
            fs::copy(PROGRAM, &program).and_then(|_| fs::set_permissions(&program, Permissions::from_mode(0o755)));
        let nobody = Self::ByCopy(folder);
        let works =
            copied.is_ok() && nobody.command().arg("--version").output().is_ok_and(|output| output.status.success());
        if !works {
            println!("skipped: this machine does not let root run a program as somebody else");
        }
        works.then_some(nobody)
    }

    fn command(&self) -> Command {
        match self {
            Self::Already => Command::new(PROGRAM),
            Self::ByCopy(folder) => {
                let mut command = Command::new(folder.path("ikescope"));
                command.uid(Self::ID).gid(Self::ID);
                command
            }
        }
    }
}

/// Every way to ask for a long answer.
const ANSWERS: [&[&str]; 10] = [
    &[HEALTHY],
    &["--format", "json", HEALTHY],
    &["--format", "ndjson", HEALTHY],
    &["messages", HEALTHY],
    &["messages", "-v", HEALTHY],
    &["messages", "--format", "json", HEALTHY],
    &["explain"],
    &["explain", "--format", "json"],
    &["explain", "--format", "markdown"],
    &["explain", "P1-PSK"],
];

#[cfg(target_os = "linux")]
#[test]
fn a_full_disk_is_an_error_whatever_is_written() {
    for arguments in ANSWERS {
        let full = OpenOptions::new().write(true).open("/dev/full").expect("a device that is always full");
        let output = run(ikescope(arguments).stdout(full));
        expect_refusal(&output, "standard output: cannot be written: No space left on device");
        let output = run(&mut ikescope(&[arguments, &["--output", "/dev/full"]].concat()));
        expect_refusal(&output, "/dev/full: cannot be written: No space left on device");
    }
    for arguments in [&["schema"][..], &["completions", "bash"], &["man"]] {
        let full = OpenOptions::new().write(true).open("/dev/full").expect("a device that is always full");
        expect_refusal(&run(ikescope(arguments).stdout(full)), "No space left on device");
    }
}

/// What cannot be written whole is not there at all, and what was there before stays.
#[test]
fn a_file_that_outgrows_its_room_leaves_nothing_behind() {
    let folder = Folder::new("room");
    let report = folder.path("report.json");
    for before in [None, Some("what was there before")] {
        if let Some(before) = before {
            fs::write(&report, before).expect("a file");
        }
        // 512 octets or 1 KiB, depending on the shell, and no signal but an error.
        let script = "trap '' XFSZ; ulimit -f 1; exec \"$0\" --format json --output \"$1\" \"$2\"";
        let output = run(Command::new("sh").args(["-c", script, PROGRAM, text(&report), HEALTHY]));
        expect_refusal(&output, "report.json: cannot be written: File too large");
        assert_eq!(folder.names().len(), usize::from(before.is_some()), "{:?}", folder.names());
        assert_eq!(fs::read_to_string(&report).ok().as_deref(), before);
    }
}

#[test]
fn standard_output_that_cannot_be_written_to_is_an_error() {
    let read_only = File::open("/dev/null").expect("a device");
    expect_refusal(&run(ikescope(&[HEALTHY]).stdout(read_only)), "standard output: cannot be written");
}

#[test]
fn a_reader_that_has_gone_is_no_failure_of_any_answer() {
    for arguments in ANSWERS {
        let (reader, writer) = std::io::pipe().expect("a pipe");
        drop(reader);
        let output = run(ikescope(arguments).stdout(writer));
        assert_eq!((output.status.code(), stderr(&output).as_str()), (Some(0), ""), "{arguments:?}");
    }
    // Nobody listens to what is said of the run either.
    let (reader, writer) = std::io::pipe().expect("a pipe");
    drop(reader);
    assert_eq!(run(ikescope(&["no-such.pcap"]).stderr(writer)).status.code(), Some(2));
}

#[test]
fn output_that_may_not_be_written_is_refused_before_anything_is_read() {
    let folder = Folder::new("forbidden");
    let closed = folder.path("closed");
    fs::create_dir(&closed).expect("a folder");
    fs::set_permissions(&closed, Permissions::from_mode(0o555)).expect("our folder");
    let kept = folder.path("kept.json");
    fs::write(&kept, "kept").expect("a file");
    fs::set_permissions(&kept, Permissions::from_mode(0o444)).expect("our file");
    let capture = folder.capture("capture.pcap");
    let Some(nobody) = Nobody::new() else { return };
    for place in [closed.join("report.json"), kept.clone()] {
        let output = run(nobody.command().args(["--output", text(&place), text(&capture)]));
        expect_refusal(&output, "cannot be written: Permission denied");
        assert!(output.stdout.is_empty());
    }
    assert_eq!(fs::read_to_string(&kept).expect("the file"), "kept");
    assert_eq!(folder.names(), ["capture.pcap", "closed", "kept.json"]);
}

#[test]
fn a_folder_is_no_place_for_an_answer() {
    let folder = Folder::new("folder");
    expect_refusal(&run(&mut ikescope(&["--output", text(&folder.0), HEALTHY])), "cannot be written: is a directory");
    let beneath = format!("{HEALTHY}/report.json");
    expect_refusal(&run(&mut ikescope(&["--output", &beneath, HEALTHY])), "cannot be written: Not a directory");
    assert!(folder.names().is_empty());
}

#[test]
fn a_file_that_is_replaced_keeps_its_permissions_and_its_links() {
    let folder = Folder::new("replaced");
    let report = folder.path("report.json");
    fs::write(&report, "before").expect("a file");
    fs::set_permissions(&report, Permissions::from_mode(0o640)).expect("our file");
    let link = folder.path("link.json");
    symlink("report.json", &link).expect("a link");
    let dangling = folder.path("dangling.json");
    symlink("new.json", &dangling).expect("a link");
    for place in [&link, &dangling] {
        assert!(run(&mut ikescope(&["--format", "json", "--output", text(place), HEALTHY])).status.success());
        assert!(place.is_symlink(), "the file behind the link is replaced, not the link");
        let report: Value = serde_json::from_slice(&fs::read(place).expect("the answer")).expect("JSON");
        assert_eq!(report["schema"], "ikescope.report/1");
    }
    assert_eq!(fs::metadata(&report).expect("the file").mode() & 0o777, 0o640);
    assert_eq!(folder.names(), ["dangling.json", "link.json", "new.json", "report.json"]);
}

/// What is left of a run that was killed is in nobody's way.
#[test]
fn a_name_in_use_is_passed_over() {
    let folder = Folder::new("left");
    let report = folder.path("report.json");
    let script = "touch \"$1/.ikescope-$$-0.tmp\"; exec \"$0\" --output \"$1/report.json\" \"$2\"";
    let output = run(Command::new("sh").args(["-c", script, PROGRAM, text(&folder.0), HEALTHY]));
    assert!(output.status.success(), "{}", stderr(&output));
    assert!(report.is_file());
    assert_eq!(folder.names().len(), 2);
}

#[test]
fn pipes_and_devices_are_written_to_as_they_are() {
    assert!(run(&mut ikescope(&["--output", "/dev/null", HEALTHY])).status.success());
    let folder = Folder::new("pipe");
    let pipe = folder.path("pipe");
    assert!(Command::new("mkfifo").arg(&pipe).status().expect("mkfifo").success());
    let reader = std::thread::spawn({
        let pipe = pipe.clone();
        move || fs::read(pipe).expect("the answer")
    });
    assert!(run(&mut ikescope(&["--format", "json", "--output", text(&pipe), HEALTHY])).status.success());
    let answer = reader.join().expect("no panic");
    assert_eq!(answer, run(&mut ikescope(&["--format", "json", HEALTHY])).stdout);
    assert_eq!(folder.names(), ["pipe"]);
}

#[test]
fn an_answer_never_goes_into_a_capture_it_is_about() {
    let folder = Folder::new("same");
    let capture = folder.capture("capture.pcap");
    let before = fs::read(&capture).expect("the capture");
    let link = folder.path("link.pcap");
    symlink("capture.pcap", &link).expect("a link");
    let hard = folder.path("hard.pcap");
    fs::hard_link(&capture, &hard).expect("a link");
    let reason = "the answer would be written into this capture";
    for place in [&capture, &link, &hard] {
        for command in [&["--format", "json"][..], &["messages"]] {
            let arguments = [command, &["--output", text(place), text(&capture)]].concat();
            expect_refusal(&run(&mut ikescope(&arguments)), reason);
            let arguments = [command, &["--output", text(place), text(&folder.0)]].concat();
            expect_refusal(&run(&mut ikescope(&arguments)), reason);
        }
        // By redirection: the answer would be read as part of the capture, without end.
        let append = OpenOptions::new().append(true).open(place).expect("the capture");
        expect_refusal(&run(ikescope(&["messages", text(&capture)]).stdout(append)), reason);
        let input = File::open(&capture).expect("the capture");
        expect_refusal(&run(ikescope(&["--output", text(place), "-"]).stdin(input)), reason);
    }
    assert_eq!(fs::read(&capture).expect("the capture"), before);
    for place in [&capture, &link, &hard] {
        let read = ["live", "--plain", "--replay", text(&capture)];
        expect_refusal(&run(&mut ikescope(&[&read[..], &["--output", text(place)]].concat())), reason);
        let written = run(&mut ikescope(&[&read[..], &["--write", text(place)]].concat()));
        expect_refusal(&written, "the packets would be written into this capture");
        expect_refusal(&run(&mut ikescope(&["bench", "--output", text(place), text(&capture)])), reason);
    }
    assert_eq!(fs::read(&capture).expect("the capture"), before);
    // Another file beside it is no capture.
    assert!(run(&mut ikescope(&["--output", text(&folder.path("report")), text(&capture)])).status.success());
}

#[test]
fn links_in_circles_are_followed_once() {
    let folder = Folder::new("circles");
    folder.capture("capture.pcap");
    fs::create_dir(folder.path("sub")).expect("a folder");
    symlink("..", folder.path("sub/up")).expect("a link");
    symlink(".", folder.path("self")).expect("a link");
    symlink("loop-b", folder.path("loop-a")).expect("a link");
    symlink("loop-a", folder.path("loop-b")).expect("a link");
    symlink("nowhere", folder.path("dangling")).expect("a link");
    symlink("capture.pcap", folder.path("again.pcap")).expect("a link");
    let output = run(&mut ikescope(&["--format", "json", text(&folder.0)]));
    assert_eq!((output.status.code(), stderr(&output).as_str()), (Some(0), ""));
    let report: Value = serde_json::from_slice(&output.stdout).expect("JSON");
    assert_eq!(report["captures"].as_array().map(Vec::len), Some(1));
    assert_eq!(report["captures"][0]["notes"][0], "named more than once, read once");
    // A link that is named has to lead somewhere.
    for name in ["loop-a", "dangling"] {
        let output = run(&mut ikescope(&[text(&folder.path(name))]));
        expect_refusal(&output, name);
    }
}

#[test]
fn a_capture_that_may_not_be_read_is_named_and_the_others_are_read() {
    let folder = Folder::new("closed");
    let closed = folder.capture("closed.pcap");
    fs::set_permissions(&closed, Permissions::from_mode(0o000)).expect("our file");
    let open = folder.capture("open.pcap");
    fs::set_permissions(&open, Permissions::from_mode(0o644)).expect("our file");
    let inside = folder.path("inside");
    fs::create_dir(&inside).expect("a folder");
    fs::set_permissions(&inside, Permissions::from_mode(0o000)).expect("our folder");
    let Some(nobody) = Nobody::new() else { return };
    expect_refusal(&run(nobody.command().arg(&closed)), "closed.pcap: permission denied");
    let output = run(nobody.command().args(["--format", "json"]).arg(&folder.0));
    let said = stderr(&output);
    assert_eq!((output.status.code(), said.lines().count()), (Some(2), 2), "{said}");
    assert!(said.contains("closed.pcap: permission denied") && said.contains("inside: permission denied"), "{said}");
    let report: Value = serde_json::from_slice(&output.stdout).expect("JSON");
    assert_eq!(report["captures"].as_array().map(Vec::len), Some(1));
    fs::set_permissions(&inside, Permissions::from_mode(0o755)).expect("our folder");
}

#[test]
fn what_is_no_file_is_refused_or_read_as_it_comes() {
    for device in ["/dev/zero", "/dev/null", "/dev/tty"] {
        if fs::metadata(device).is_ok() {
            expect_refusal(&run(&mut ikescope(&[device])), "a device or socket, not a file");
        }
    }
    let folder = Folder::new("special");
    let socket = folder.path("socket");
    let _listener = std::os::unix::net::UnixListener::bind(&socket).expect("a socket");
    expect_refusal(&run(&mut ikescope(&[text(&socket)])), "a device or socket, not a file");
    let pipe = folder.path("pipe");
    assert!(Command::new("mkfifo").arg(&pipe).status().expect("mkfifo").success());
    // In a folder both are passed over: nobody waits for a writer that never comes.
    expect_refusal(&run(&mut ikescope(&[text(&folder.0)])), "no captures in this folder");
    // Named, a pipe is a capture as good as any.
    let writer = std::thread::spawn({
        let pipe = pipe.clone();
        move || {
            let octets = fs::read(HEALTHY).expect("a capture");
            let mut pipe = OpenOptions::new().write(true).open(pipe).expect("a pipe");
            octets.chunks(1000).for_each(|chunk| pipe.write_all(chunk).expect("a reader"));
        }
    });
    let output = run(&mut ikescope(&["messages", text(&pipe)]));
    writer.join().expect("no panic");
    assert_eq!(output.stdout, run(&mut ikescope(&["messages", HEALTHY])).stdout);
}

#[test]
fn files_that_hold_nothing_are_refused_with_the_reason() {
    let folder = Folder::new("nothing");
    for (octets, reason) in [
        (vec![], "empty file"),
        (vec![0; 1], "not a pcap or pcapng capture: starts with 00"),
        (vec![0; 1 << 20], "not a pcap or pcapng capture: starts with 00 00 00 00"),
        (vec![0xd4, 0xc3, 0xb2, 0xa1], "the file ends inside the pcap file header"),
        (vec![0x0a, 0x0d, 0x0d, 0x0a, 0, 0, 0, 0], "the file ends inside the pcapng section header"),
        (vec![0x1f, 0x8b], "the gzip data ends too early"),
    ] {
        let path = folder.path("nothing.pcap");
        fs::write(&path, &octets).expect("a file");
        expect_refusal(&run(&mut ikescope(&[text(&path)])), reason);
        expect_refusal(&run(ikescope(&["-"]).stdin(File::open(&path).expect("the file"))), reason);
    }
    // A pcap file without a frame is a capture in which nothing happened.
    let none = folder.path("none.pcap");
    fs::write(&none, &fs::read(HEALTHY).expect("a capture")[..24]).expect("a file");
    assert_eq!(run(&mut ikescope(&[text(&none)])).status.code(), Some(0));
}

/// A large capture: the healthy one's records over and over.
fn large(octets: usize) -> Vec<u8> {
    let capture = fs::read(HEALTHY).expect("a capture");
    let (header, records) = capture.split_at(24);
    let times = octets.div_ceil(records.len());
    [header, &records.repeat(times)].concat()
}

fn frames(captures: &mut Captures) -> u64 {
    let mut frames = 0;
    while captures.next_frame().is_some() {
        frames += 1;
    }
    frames
}

#[test]
fn a_capture_that_grows_is_read_to_the_end_it_has_by_then() {
    let folder = Folder::new("grows");
    let path = folder.path("capture.pcap");
    let whole = large(6 << 20);
    // Cut inside a record: what a recorder has written so far.
    fs::write(&path, &whole[..(3 << 20) + 7]).expect("a file");
    let mut captures = Captures::open(std::slice::from_ref(&path));
    assert!(captures.next_frame().is_some());
    let mut file = OpenOptions::new().append(true).open(&path).expect("the file");
    file.write_all(&whole[(3 << 20) + 7..]).expect("room");
    let read = 1 + frames(&mut captures);
    let mut all = Captures::from_reader("whole", std::io::Cursor::new(whole));
    assert_eq!(read, frames(&mut all));
    assert!(captures.errors().is_empty() && !captures.infos()[0].cut_short);
}

#[test]
fn a_capture_that_shrinks_is_read_as_far_as_it_still_goes() {
    let folder = Folder::new("shrinks");
    let path = folder.path("capture.pcap");
    fs::write(&path, large(6 << 20)).expect("a file");
    let mut captures = Captures::open(std::slice::from_ref(&path));
    assert!(captures.next_frame().is_some());
    OpenOptions::new().write(true).open(&path).expect("the file").set_len((3 << 20) + 7).expect("a shorter file");
    let read = frames(&mut captures);
    assert!(read > 1000, "{read}");
    let info = &captures.infos()[0];
    assert!(info.cut_short && captures.errors().is_empty());
    assert!(info.notes[0].starts_with("the file ends inside a record, at octet "), "{:?}", info.notes);
}

/// Who changes a file at a point of the reading.
struct Meddler<'m> {
    /// Pieces of the file that were begun before it changes.
    after: u32,
    change: &'m dyn Fn(),
}

impl Watch for Meddler<'_> {
    fn admits_all(&mut self, _: Timestamp, _: Timestamp, _: Timestamp) -> Option<bool> {
        Some(true)
    }

    fn progress(&mut self, _: &Captures) {
        if self.after == 0 {
            (self.change)();
        }
        self.after = self.after.wrapping_sub(1);
    }
}

/// What several threads make of a file that is changed after so many pieces of 16 KiB.
fn meddled_with(path: &Path, after: u32, change: &dyn Fn()) -> CaptureInfo {
    let sharing = Sharing { threads: Some(3), chunk: Some(16 << 10) };
    let mut captures = Captures::open(&[path.to_owned()]);
    let mut watch = Meddler { after, change };
    let options = Options { sharing, ..Options::default() };
    let mut analysis = pipeline::analyze(&mut captures, &options, &mut watch);
    assert!(captures.errors().is_empty(), "{:?}", captures.errors());
    let (info, counts) = analysis.captures.remove(0);
    let counts = serde_json::to_value(counts).expect("JSON");
    let sum: u64 = counts.as_object().expect("counts").values().filter_map(Value::as_u64).sum();
    assert_eq!(sum, info.frames, "every frame is in one count");
    info
}

#[test]
fn a_capture_that_grows_under_several_threads_is_read_at_least_to_its_old_end() {
    let folder = Folder::new("grows-shared");
    let path = folder.path("capture.pcap");
    let whole = large(3 << 20);
    let mut all = Captures::from_reader("whole", std::io::Cursor::new(whole.clone()));
    let all = frames(&mut all);
    for after in [0, 1, 7, 60, 94] {
        // inside a record: what a recorder has written so far
        let (old, new) = whole.split_at((3 << 19) + 7);
        fs::write(&path, old).expect("a file");
        let append = || OpenOptions::new().append(true).open(&path).expect("the file").write_all(new).expect("room");
        let info = meddled_with(&path, after, &append);
        assert!(info.frames <= all && info.frames >= all / 2 - 1, "{} of {all} frames", info.frames);
        assert!(info.frames == all || info.cut_short, "{} of {all} frames and {:?}", info.frames, info.notes);
    }
}

#[test]
fn a_capture_that_shrinks_under_several_threads_is_read_as_far_as_it_still_goes_and_called_cut() {
    let folder = Folder::new("shrinks-shared");
    let path = folder.path("capture.pcap");
    let whole = large(3 << 20);
    let border = fs::read(HEALTHY).expect("a capture").len();
    let all = frames(&mut Captures::from_reader("whole", std::io::Cursor::new(whole.clone())));
    // to nothing, inside a record, and between two
    for left in [0, 24, (3 << 19) + 7, border] {
        for after in [0, 1, 7, 60, 150] {
            fs::write(&path, &whole).expect("a file");
            let cut =
                || File::options().write(true).open(&path).and_then(|file| file.set_len(left as u64)).expect("cut");
            let info = meddled_with(&path, after, &cut);
            let had = if left < 24 {
                0
            } else {
                frames(&mut Captures::from_reader("left", std::io::Cursor::new(whole[..left].to_vec())))
            };
            assert!(info.frames >= had && info.frames <= all, "{} frames, {left} octets left", info.frames);
            assert!(info.frames == all || info.cut_short, "{} of {all} frames and {:?}", info.frames, info.notes);
        }
    }
}

/// The same with the program, and a writer that does not wait for it.
#[test]
fn a_capture_that_is_written_and_emptied_while_the_program_reads_it_does_no_harm() {
    let folder = Folder::new("meddled");
    let path = folder.path("capture.pcap");
    let whole = large(20 << 20);
    for threads in ["1", "2"] {
        fs::write(&path, &whole).expect("a file");
        let mut child = ikescope(&["--format", "json", "--threads", threads, text(&path)]).spawn().expect("it starts");
        let mut output = child.stdout.take().expect("a pipe");
        let reader = std::thread::spawn(move || {
            let mut octets = Vec::new();
            output.read_to_end(&mut octets).map(|_| octets)
        });
        let file = OpenOptions::new().write(true).open(&path).expect("the file");
        let status = loop {
            for octets in [19 << 20, 3 << 20, 11 << 20, 24] {
                file.set_len(octets).expect("a length");
            }
            if let Some(status) = child.try_wait().expect("a child") {
                break status;
            }
        };
        let mut said = String::new();
        child.stderr.take().expect("a pipe").read_to_string(&mut said).expect("UTF-8");
        assert!(matches!(status.code(), Some(0..=2)) && !said.contains("panicked"), "{status}: {said}");
        let octets = reader.join().expect("it reads").expect("a pipe");
        if status.code() != Some(2) {
            assert!(serde_json::from_slice::<Value>(&octets).is_ok(), "{} octets", octets.len());
        }
    }
}

/// Of many captures most are closed while others are read; one that is gone by its turn is an error, and only that.
#[test]
fn a_capture_that_is_gone_when_its_turn_comes_is_named() {
    const MANY: usize = 140;
    let folder = Folder::new("gone");
    for number in 0..MANY {
        folder.capture(&format!("{number:03}.pcap"));
    }
    let mut captures = Captures::open(std::slice::from_ref(&folder.0));
    assert!(captures.errors().is_empty());
    let last = folder.path(&format!("{:03}.pcap", MANY - 1));
    let emptied = folder.path(&format!("{:03}.pcap", MANY - 2));
    fs::remove_file(&last).expect("it was there");
    File::create(&emptied).expect("an empty file");
    let read = frames(&mut captures);
    let one = frames(&mut Captures::open(&[PathBuf::from(HEALTHY)]));
    assert_eq!(read, one * (MANY as u64 - 2));
    let errors: Vec<String> = captures.errors().iter().map(ToString::to_string).collect();
    assert_eq!(errors.len(), 2, "{errors:?}");
    assert!(errors.iter().any(|error| error.contains("139.pcap: no such file or folder")), "{errors:?}");
    assert!(errors.iter().any(|error| error.contains("138.pcap: the file was cut while it was read")), "{errors:?}");
}

/// Names are octets: one that is no text is read like any other, and shown so that it can be told.
#[test]
fn a_name_that_is_no_text_is_a_name() {
    let folder = Folder::new("octets");
    let path = folder.0.join(std::ffi::OsStr::from_bytes(b"c\xff\xfe.pcap"));
    fs::copy(HEALTHY, &path).expect("a copy");
    let output = run(ikescope(&["--format", "json"]).arg(&path));
    let report: Value = serde_json::from_slice(&output.stdout).expect("JSON");
    assert!(report["captures"][0]["path"].as_str().is_some_and(|path| path.ends_with("c\\xff\\xfe.pcap")));
    fs::remove_file(&path).expect("it was there");
    expect_refusal(&run(ikescope(&[]).arg(&path)), "c\\xff\\xfe.pcap: no such file or folder");
}
