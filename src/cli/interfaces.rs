//! `ikescope interfaces`: what can be captured on, and what permission is missing.

use std::fmt::Write as _;
use std::io::Write;

use anstyle::Style;
use clap::Args;
use serde::Serialize;

use crate::capture::live::{Interface, interfaces, may_capture, program};
use crate::report::escape::escape;

use super::Status;
use super::output::{Format, Output};

/// Lists what can be captured on.
#[derive(Debug, Clone, Args)]
pub(super) struct Arguments {
    #[command(flatten)]
    output: Output,
}

/// The answer as JSON.
#[derive(Serialize)]
struct Answer<'a> {
    /// Whether this process may capture; null where the system does not tell.
    may_capture: Option<bool>,
    interfaces: &'a [Interface],
}

pub(super) fn run(arguments: &Arguments) -> anyhow::Result<Status> {
    let interfaces: Vec<Interface> = interfaces()?.into_iter().map(safe).collect();
    let may_capture = may_capture();
    let mut sink = arguments.output.open()?;
    match arguments.output.format {
        Format::Text => sink.write_all(text(&interfaces, may_capture).as_bytes())?,
        Format::Json => {
            serde_json::to_writer_pretty(&mut sink, &Answer { may_capture, interfaces: &interfaces })?;
            sink.write_all(b"\n")?;
        }
        Format::Ndjson => {
            for interface in &interfaces {
                serde_json::to_writer(&mut sink, interface)?;
                sink.write_all(b"\n")?;
            }
        }
    }
    sink.finish()?;
    Ok(Status::Read)
}

/// What the system calls an interface may be anything but a slash or a blank.
fn safe(interface: Interface) -> Interface {
    let escaped = |text: String| escape(&text).into_owned();
    Interface { name: escaped(interface.name), description: interface.description.map(escaped), ..interface }
}

fn text(interfaces: &[Interface], may_capture: Option<bool>) -> String {
    const NAME: Style = Style::new().bold();
    let width = interfaces.iter().map(|interface| interface.name.chars().count()).max().unwrap_or(0);
    let mut text = String::new();
    for interface in interfaces {
        let states = [
            (interface.up, "up"),
            (interface.running, "running"),
            (interface.loopback, "loopback"),
            (interface.wireless, "wireless"),
        ];
        let states: Vec<&str> = states.iter().filter(|(is, _)| *is).map(|(_, word)| *word).collect();
        let mut about: Vec<String> = vec![if states.is_empty() { "down".to_owned() } else { states.join(", ") }];
        if !interface.addresses.is_empty() {
            about.push(interface.addresses.iter().map(ToString::to_string).collect::<Vec<_>>().join(", "));
        }
        about.extend(interface.description.clone());
        // writing to a String cannot fail
        let _ = writeln!(text, "{NAME}{:width$}{NAME:#}  {}", interface.name, about.join(" · "));
    }
    if interfaces.is_empty() {
        text.push_str("There is no interface to capture on.\n");
    }
    if may_capture == Some(false) {
        let _ = writeln!(
            text,
            "\nThis user may not capture: CAP_NET_RAW is missing. Run as root, or grant it to the program once:\n  \
             sudo setcap cap_net_raw=eip {}",
            program()
        );
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_missing_permission_is_said_with_its_remedy() {
        let interface = Interface {
            name: "eth0".into(),
            description: None,
            addresses: vec!["192.0.2.1".parse().unwrap()],
            up: true,
            running: false,
            loopback: false,
            wireless: false,
        };
        let text = super::text(std::slice::from_ref(&interface), Some(false));
        assert!(text.contains("up · 192.0.2.1"));
        assert!(text.contains("setcap cap_net_raw=eip"));
        assert!(!super::text(std::slice::from_ref(&interface), Some(true)).contains("setcap"));
        let evil = Interface { name: "e\x1b[2J".into(), description: Some("\u{202e}".into()), ..interface };
        let evil = safe(evil);
        assert_eq!((evil.name.as_str(), evil.description.as_deref()), ("e\\x1b[2J", Some("\\u{202e}")));
    }
}
