//! How far a long run is, on standard error: only for a person at a terminal, and only where there is something to
//! wait for.

use std::io::{self, IsTerminal};
use std::time::{Duration, Instant};

use indicatif::{HumanBytes, ProgressBar, ProgressDrawTarget, ProgressStyle};

use crate::capture::Captures;

/// Steps between two looks at the clock.
const STRIDE: u32 = 64;
/// Captures of this many octets are shown at once, smaller ones when they turn out slow.
const LARGE: u64 = 64 << 20;
const SLOW: Duration = Duration::from_secs(1);

/// The bar, once there is reason to show one.
pub(super) struct Progress {
    wanted: bool,
    began: Instant,
    steps: u32,
    bar: Option<ProgressBar>,
}

impl Progress {
    /// For a run whose answer is held back until the end, or goes elsewhere (`answer_on_terminal` is false).
    pub fn new(answer_on_terminal: bool) -> Self {
        let wanted = !answer_on_terminal && io::stderr().is_terminal();
        Self { wanted, began: Instant::now(), steps: 0, bar: None }
    }

    /// Some frames on.
    #[inline]
    pub fn step(&mut self, captures: &Captures) {
        self.steps = self.steps.wrapping_add(1);
        if self.wanted && self.steps.is_multiple_of(STRIDE) {
            self.show(captures);
        }
    }

    fn show(&mut self, captures: &Captures) {
        let (read, total) = captures.progress();
        if self.bar.is_none() && (total.is_some_and(|total| total >= LARGE) || self.began.elapsed() >= SLOW) {
            self.bar = Some(bar(total));
        }
        if let Some(bar) = &self.bar {
            bar.set_position(read);
            bar.set_message(HumanBytes(read).to_string());
        }
    }

    /// Takes the bar away.
    pub fn finish(self) {
        if let Some(bar) = self.bar {
            bar.finish_and_clear();
        }
    }
}

fn bar(total: Option<u64>) -> ProgressBar {
    let bar = ProgressBar::with_draw_target(total, ProgressDrawTarget::stderr());
    let form =
        if total.is_some() { "reading {wide_bar} {percent:>3} % · {eta} left" } else { "reading {spinner} {msg}" };
    // the default style is as good as none, and never wrong
    ProgressStyle::with_template(form).map_or(bar.clone(), |style| bar.clone().with_style(style))
}
