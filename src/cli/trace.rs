//! The log of `-v` on standard error. Only msgrctl's own events: libraries may log secrets.

use tracing::level_filters::LevelFilter;
use tracing_subscriber::Layer as _;
use tracing_subscriber::filter::Targets;
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::SubscriberInitExt as _;

use crate::ui::output::Log;

/// Turns the log on; `-v` shows calls, `-vv` retries, `-vvv` headers.
pub fn start(verbose: u8) {
    let level = match verbose {
        0 => return,
        1 => LevelFilter::INFO,
        2 => LevelFilter::DEBUG,
        _ => LevelFilter::TRACE,
    };
    let lines = tracing_subscriber::fmt::layer()
        .with_writer(|| Log)
        .with_ansi(false)
        .with_target(false)
        .without_time()
        .with_filter(Targets::new().with_target("msgrctl", level));
    // A second start (the demo) keeps the first.
    let _ = tracing_subscriber::registry().with(lines).try_init();
}
