//! Makes large captures to measure with: IKE alone, ESP of many tunnels, or a busy link with a few tunnels in it.
//!
//! Not here: how they are made, which is `large`. Contract: the same options give the same octets on any machine; the
//! answer goes to the file or standard output, what is said about it to standard error.

mod large;
mod support;

use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::PathBuf;
use std::process::ExitCode;

use clap::Parser;
use large::{Format, Kind, Order};

const EXAMPLES: &str = "\
Examples:
  cargo run --release --example generate -- ike --pairs 200000 --rounds 2 --output ike.pcap
  cargo run --release --example generate -- esp --size 3G --output esp.pcap
  cargo run --release --example generate -- mixed --size 2G --ipv6 0.3 --vlan 0.1 --output mixed.pcap
  cargo run --release --example generate -- ike --pairs 5000 --checks 100 --names 16 --output hub.pcap
  cargo run --release --example generate -- esp --pairs 1000 --spis 1000 --size 1G --output spis.pcap
  cargo run --release --example generate -- ike --format pcapng --nanoseconds --output - | ikescope -";

/// Makes a large capture in which every tunnel is healthy.
#[derive(Debug, Parser)]
#[command(name = "generate", after_help = EXAMPLES, max_term_width = 120)]
struct Arguments {
    /// What is in it
    #[arg(value_enum)]
    kind: Kind,

    /// Pairs of peers; each has its own tunnel [default: 1000 for ike and esp, 50 for mixed; follows from --size for ike]
    #[arg(long, value_parser = clap::value_parser!(u32).range(1..=4_000_000))]
    pairs: Option<u32>,

    /// Complete negotiations of each pair, one after all pairs had the one before. With 3 and more in `ike`, a report
    /// rightly warns that nothing uses the tunnels
    #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..=1000))]
    rounds: u32,

    /// Octets that the file is to have, about: 500M, 3G. For esp and mixed [default: 100M]
    #[arg(long, value_parser = octets)]
    size: Option<u64>,

    /// SPIs that each side of a tunnel sends on, one after the other, with a re-key between (esp and mixed)
    #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..=10_000))]
    spis: u32,

    /// Share of the pairs that talk over IPv6
    #[arg(long, default_value_t = 0.0, value_parser = share)]
    ipv6: f64,

    /// Share of the pairs whose frames carry an 802.1Q tag
    #[arg(long, default_value_t = 0.0, value_parser = share)]
    vlan: f64,

    /// Share of the IPv4 pairs whose initiator is behind NAT, so that they move to UDP 4500
    #[arg(long, default_value_t = 0.2, value_parser = share)]
    nat: f64,

    /// Share of the pairs whose authentication is too long for a packet: half of it in IP fragments, half in IKE's own
    #[arg(long, default_value_t = 0.0, value_parser = share)]
    fragments: f64,

    /// Share of the tunnels that are taken down in good order
    #[arg(long, default_value_t = 0.2, value_parser = share)]
    deleted: f64,

    /// Liveness checks of each tunnel, one after the other (ike) [default: one of a tenth of the tunnels]
    #[arg(long, value_parser = clap::value_parser!(u16).range(..=10_000))]
    checks: Option<u16>,

    /// How many different lengths the names of the peers have, so that encrypted messages are not as long with all pairs
    #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u16).range(1..=64))]
    names: u16,

    /// Another number makes another capture of the same kind
    #[arg(long, default_value_t = 1)]
    seed: u64,

    /// Form of the file
    #[arg(long, value_enum, default_value_t = Format::Pcap)]
    format: Format,

    /// Times in nanoseconds, in place of microseconds
    #[arg(long)]
    nanoseconds: bool,

    /// The file to write, - for standard output
    #[arg(long, short)]
    output: PathBuf,
}

/// A share of a whole, 0 to 1.
fn share(text: &str) -> Result<f64, String> {
    match text.parse() {
        Ok(share) if (0.0..=1.0).contains(&share) => Ok(share),
        _ => Err("a share is a number from 0 to 1".into()),
    }
}

/// Octets, with K, M or G for 10³, 10⁶ and 10⁹.
fn octets(text: &str) -> Result<u64, String> {
    let (digits, unit) = match text.char_indices().last() {
        Some((at, 'k' | 'K')) => (&text[..at], 1_000),
        Some((at, 'm' | 'M')) => (&text[..at], 1_000_000),
        Some((at, 'g' | 'G')) => (&text[..at], 1_000_000_000),
        _ => (text, 1),
    };
    digits
        .parse()
        .ok()
        .and_then(|number: u64| number.checked_mul(unit))
        .filter(|&size| size > 0)
        .ok_or_else(|| "a size is a number of octets, with K, M or G behind it".into())
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    match write(&arguments) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("generate: {}: {error}", arguments.output.display());
            ExitCode::from(2)
        }
    }
}

fn write(arguments: &Arguments) -> io::Result<()> {
    let place: Box<dyn Write> = if arguments.output.as_os_str() == "-" {
        Box::new(io::stdout())
    } else {
        Box::new(File::create(&arguments.output)?)
    };
    let mut out = BufWriter::with_capacity(1 << 20, place);
    let made = large::make(&order(arguments), &mut out)?;
    out.flush()?;
    eprintln!(
        "{} packets ({} IKE messages, {} ESP), {} octets, {} negotiations of {} pairs",
        made.packets, made.messages, made.esp, made.octets, made.negotiations, made.pairs
    );
    Ok(())
}

fn order(arguments: &Arguments) -> Order {
    Order {
        pairs: arguments.pairs,
        rounds: arguments.rounds,
        size: arguments.size,
        spis: arguments.spis,
        ipv6: arguments.ipv6,
        vlan: arguments.vlan,
        nat: arguments.nat,
        fragments: arguments.fragments,
        deleted: arguments.deleted,
        checks: arguments.checks,
        names: arguments.names,
        seed: arguments.seed,
        format: arguments.format,
        nanoseconds: arguments.nanoseconds,
        ..Order::new(arguments.kind)
    }
}
