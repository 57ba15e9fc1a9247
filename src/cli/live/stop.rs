//! How a session is told to end: signals.
//!
//! Contract: the first signal asks for the end with its report, a second SIGINT ends the program at once, and a screen
//! is taken down in either case.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// Whether the end was asked for.
#[derive(Debug, Clone, Default)]
pub(super) struct Stop {
    asked: Arc<AtomicBool>,
}

impl Stop {
    /// Listens for SIGINT, SIGTERM and SIGHUP from now on.
    ///
    /// Errors: the system refuses.
    #[cfg(unix)]
    pub fn listen() -> io::Result<Self> {
        use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
        let stop = Self::default();
        let asked = Arc::clone(&stop.asked);
        let mut signals = signal_hook::iterator::Signals::new([SIGINT, SIGTERM, SIGHUP])?;
        std::thread::Builder::new().name("signals".into()).spawn(move || {
            for signal in &mut signals {
                if asked.swap(true, Ordering::SeqCst) && signal == SIGINT {
                    #[cfg(feature = "tui")]
                    crate::tui::leave();
                    std::process::exit(128 + SIGINT);
                }
            }
        })?;
        Ok(stop)
    }

    /// Elsewhere the system's own way to end a program is all there is.
    ///
    /// Errors: none.
    #[cfg(not(unix))]
    pub fn listen() -> io::Result<Self> {
        Ok(Self::default())
    }

    /// Whether a signal came.
    pub fn is_asked(&self) -> bool {
        self.asked.load(Ordering::SeqCst)
    }
}
