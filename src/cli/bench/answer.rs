//! What was measured, as JSON and in words.

use std::io::{self, Write};
use std::time::Duration;

use anstyle::Style;
use serde::Serialize;

use crate::report::quantity::{count, counted, octets};

use super::Size;
use super::stage::Stage;

/// Captures that text names.
const SHOWN: usize = 8;

/// The answer, with the keys that the help names.
#[derive(Debug, Serialize)]
pub(super) struct Answer {
    schema: &'static str,
    tool_version: &'static str,
    /// Threads on which the whole was measured; stages are measured on one.
    threads: u32,
    /// How often everything was measured.
    runs: u32,
    /// Paths, escaped.
    captures: Vec<String>,
    /// Frames.
    packets: u64,
    /// Octets of the frames, as recorded.
    octets: u64,
    /// IKE messages.
    messages: u64,
    stages: Vec<StageCost>,
    /// Everything, from reading to the report, on so many threads.
    whole: SoFar,
    /// Octets; null where the system does not tell.
    peak_memory: Option<u64>,
}

/// A stage by itself.
#[derive(Debug, Serialize)]
struct StageCost {
    stage: &'static str,
    /// Difference of the fastest runs against the stage before; null without packets.
    ns_per_packet: Option<f64>,
    /// The same; null without IKE messages, and for stages that come before there are any.
    ns_per_message: Option<f64>,
    so_far: SoFar,
}

/// A stage with all before it. Rates are by the median.
#[derive(Debug, Clone, Serialize)]
struct SoFar {
    seconds: Spread,
    packets_per_second: Option<f64>,
    octets_per_second: Option<f64>,
    messages_per_second: Option<f64>,
}

/// Over runs.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
struct Spread {
    min: f64,
    median: f64,
    max: f64,
}

impl Spread {
    fn of(times: &[Duration]) -> Self {
        let mut seconds: Vec<f64> = times.iter().map(Duration::as_secs_f64).collect();
        seconds.sort_by(f64::total_cmp);
        let at = |index: usize| seconds.get(index).copied().unwrap_or_default();
        let last = seconds.len().saturating_sub(1);
        Self { min: at(0), median: (at(last / 2) + at(last.div_ceil(2))) / 2.0, max: at(last) }
    }
}

impl SoFar {
    fn new(times: &[Duration], size: &Size) -> Self {
        let seconds = Spread::of(times);
        let rate = |number: u64| (seconds.median > 0.0).then(|| number as f64 / seconds.median);
        Self {
            seconds,
            packets_per_second: rate(size.packets),
            octets_per_second: rate(size.octets),
            messages_per_second: rate(size.messages),
        }
    }
}

impl Answer {
    /// Of `times`, for each stage one a run; behind those of the stages, if there are more than one of `threads`, those of
    /// the whole on them.
    pub(super) fn new(
        size: &Size,
        (runs, threads): (u32, u32),
        times: &[Vec<Duration>],
        peak_memory: Option<u64>,
    ) -> Self {
        let mut before = 0.0;
        let stages: Vec<StageCost> = Stage::ALL
            .into_iter()
            .zip(times)
            .map(|(stage, times)| {
                let so_far = SoFar::new(times, size);
                // what else the machine does only ever adds, so the fastest runs differ least by chance
                let cost = so_far.seconds.min - before;
                before = so_far.seconds.min;
                let per = |number: u64| (number > 0).then(|| cost * 1e9 / number as f64);
                let has_messages = !matches!(stage, Stage::Read | Stage::Refuse);
                StageCost {
                    stage: stage.name(),
                    ns_per_packet: per(size.packets),
                    ns_per_message: per(size.messages).filter(|_| has_messages),
                    so_far,
                }
            })
            .collect();
        Self {
            schema: "ikescope.bench/1",
            tool_version: env!("CARGO_PKG_VERSION"),
            threads,
            runs,
            captures: size.paths.clone(),
            packets: size.packets,
            octets: size.octets,
            messages: size.messages,
            whole: SoFar::new(times.last().map_or(&[], Vec::as_slice), size),
            stages,
            peak_memory,
        }
    }

    /// In words. `too_short` if a run was over too soon to tell stages apart.
    ///
    /// Errors: `out` takes no more.
    pub(super) fn write_text(&self, out: &mut impl Write, too_short: bool) -> io::Result<()> {
        const HEAD: Style = Style::new().bold();
        writeln!(
            out,
            "{HEAD}ikescope {} bench{HEAD:#} · {} · {} · wall time, captures in memory\n",
            self.tool_version,
            counted(self.runs.into(), "run", "runs"),
            counted(self.threads.into(), "thread", "threads"),
        )?;
        for path in self.captures.iter().take(SHOWN) {
            writeln!(out, "  {path}")?;
        }
        if let Some(more) = self.captures.len().checked_sub(SHOWN).filter(|&more| more > 0) {
            writeln!(out, "  and {}", counted(more as u64, "more", "more"))?;
        }
        writeln!(
            out,
            "  {}, {}, {}\n",
            counted(self.packets, "packet", "packets"),
            octets(self.octets),
            counted(self.messages, "IKE message", "IKE messages"),
        )?;
        let Spread { min, median, max } = self.whole.seconds;
        writeln!(out, "{HEAD}the whole analysis{HEAD:#}  {} (from {} to {})", time(median), time(min), time(max))?;
        writeln!(out, "  packets/s    {:>15}", rate(self.whole.packets_per_second))?;
        writeln!(out, "  octets/s     {:>15}", octet_rate(self.whole.octets_per_second))?;
        writeln!(out, "  messages/s   {:>15}", rate(self.whole.messages_per_second.filter(|_| self.messages > 0)))?;
        writeln!(out, "  peak memory  {:>15}\n", self.peak_memory.map_or("unknown".into(), octets))?;
        writeln!(
            out,
            "{HEAD}{:<10} {:>12} {:>8} {:>14} {:>14}   median (min – max){HEAD:#}",
            "stage", "ns a packet", "share", "packets/s", "octets/s"
        )?;
        writeln!(out, "{:<10} {:>12} {:>8} {:>14} {:>14}", "", "of itself", "", "so far", "so far")?;
        let all: f64 = self.stages.iter().filter_map(|stage| stage.ns_per_packet).sum();
        for stage in &self.stages {
            let SoFar { seconds, packets_per_second, octets_per_second, .. } = &stage.so_far;
            writeln!(
                out,
                "{:<10} {:>12} {:>8} {:>14} {:>14}   {} ({} – {})",
                stage.stage,
                cost(stage.ns_per_packet),
                stage
                    .ns_per_packet
                    .filter(|_| all > 0.0)
                    .map_or("–".into(), |ns| format!("{:.0} %", ns * 100.0 / all)),
                rate(*packets_per_second),
                octet_rate(*octets_per_second),
                time(seconds.median),
                time(seconds.min),
                time(seconds.max),
            )?;
        }
        let decode = self.stages.iter().find(|stage| stage.stage == Stage::Decode.name());
        if let Some(ns) = decode.and_then(|decode| decode.ns_per_message).filter(|&ns| ns > 0.0) {
            writeln!(out, "\nTo decode an IKE message takes {} ns.", cost(Some(ns)))?;
        }
        if too_short {
            writeln!(out, "\nA run is over too soon to tell the stages apart: take a larger capture.")?;
        }
        Ok(())
    }
}

fn cost(ns: Option<f64>) -> String {
    ns.map_or("–".into(), |ns| if ns.abs() < 9_999.5 { format!("{ns:.1}") } else { signed(ns) })
}

fn signed(number: f64) -> String {
    format!("{}{}", if number < 0.0 { "-" } else { "" }, count(number.abs().round() as u64))
}

fn rate(rate: Option<f64>) -> String {
    rate.map_or("–".into(), |rate| count(rate.round() as u64))
}

fn octet_rate(rate: Option<f64>) -> String {
    rate.map_or("–".into(), |rate| octets(rate.round() as u64))
}

fn time(seconds: f64) -> String {
    match seconds {
        0.0..0.001 => format!("{:.0} µs", seconds * 1e6),
        0.001..1.0 => format!("{:.1} ms", seconds * 1e3),
        _ => format!("{seconds:.2} s"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MS: Duration = Duration::from_millis(1);

    fn size() -> Size {
        Size { paths: vec!["a.pcap".into()], packets: 1000, octets: 500_000, messages: 100 }
    }

    #[test]
    fn a_stage_costs_what_is_new_against_the_one_before() {
        let times: Vec<Vec<Duration>> =
            (1..=6).map(|stage| vec![MS * stage * 3, MS * stage * 2, MS * stage * 9]).collect();
        let answer = Answer::new(&size(), (3, 1), &times, None);
        for stage in &answer.stages {
            // each fastest run is two milliseconds more, over a thousand packets and a hundred messages
            assert!((stage.ns_per_packet.unwrap() - 2000.0).abs() < 1e-6, "{stage:?}");
        }
        assert_eq!(answer.stages[1].ns_per_message, None);
        assert!((answer.stages[2].ns_per_message.unwrap() - 20_000.0).abs() < 1e-6);
        assert_eq!(answer.whole.seconds, Spread { min: 0.012, median: 0.018, max: 0.054 });
    }

    #[test]
    fn the_whole_may_have_been_measured_on_more_threads() {
        let times: Vec<Vec<Duration>> = [1, 2, 3, 4, 5, 6, 4].into_iter().map(|time| vec![MS * time]).collect();
        let answer = Answer::new(&size(), (1, 2), &times, None);
        assert_eq!((answer.stages.len(), answer.threads), (6, 2));
        assert_eq!(answer.stages[5].so_far.seconds.min, 0.006);
        assert_eq!(answer.whole.seconds.min, 0.004);
    }

    #[test]
    fn the_median_of_two_lies_between_them() {
        assert_eq!(Spread::of(&[MS, MS * 3]), Spread { min: 0.001, median: 0.002, max: 0.003 });
        assert_eq!(Spread::of(&[]), Spread { min: 0.0, median: 0.0, max: 0.0 });
    }

    #[test]
    fn captures_without_packets_have_no_cost_and_no_infinity() {
        let empty = Size { packets: 0, octets: 0, messages: 0, ..size() };
        let answer = Answer::new(&empty, (1, 1), &vec![vec![Duration::ZERO]; 6], None);
        let mut text = Vec::new();
        answer.write_text(&mut text, true).unwrap();
        let text = String::from_utf8(text).unwrap();
        assert!(!text.contains("NaN") && !text.contains("inf"), "{text}");
        let json = serde_json::to_value(&answer).unwrap();
        assert!(json["stages"][0]["ns_per_packet"].is_null() && json["peak_memory"].is_null());
    }
}
