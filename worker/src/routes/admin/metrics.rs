//! `/admin/metrics`: what was counted in the last day, plotted.
//!
//! What this isolate has counted is handed over first, so that a page that is opened again shows what was
//! just done; other isolates follow within a minute.

use super::super::guest::Guest;
use super::tabs;
use crate::answer::Answer;
use crate::call::Call;
use crate::fault::Fault;
use crate::metrics::{Counter, SLOT_S, flush};
use crate::pages::{BAR_S, BARS, Chart, Fact, MetricsPage, Series};
use crate::platform::now_s;
use crate::protocol;
use crate::store::{Pair, counters};

pub(super) const HERE: &str = "/admin/metrics";

/// `GET /admin/metrics`.
pub(super) async fn show(call: &Call) -> Result<Answer, Fault> {
    let guest = match Guest::enter_staff(call).await? {
        Ok(guest) => guest,
        Err(elsewhere) => return Ok(elsewhere),
    };
    protocol::flush(call).await?;
    flush(&call.env).await?;
    // The last bar holds this moment, so the first one begins a little less than a day ago.
    let start_s = (now_s() / BAR_S + 1).saturating_sub(BARS as u64) * BAR_S;
    let counted = counters::since(&call.env, start_s / SLOT_S, BAR_S / SLOT_S).await?;
    let charts = charts(&counted, start_s);
    let none = charts.iter().all(|chart| chart.sum() == 0);
    let page = MetricsPage {
        frame: guest.frame(call),
        tabs: tabs(HERE),
        warning: warning(&charts).map(Into::into),
        sums: sums(&charts),
        charts: if none { Vec::new() } else { charts },
    };
    guest.page(call, 200, &page)
}

/// A series of what has a name.
fn series(counted: &[Pair], counter: Counter, label: &'static str, class: &'static str) -> Series {
    let mut counts = [0; BARS];
    for pair in counted {
        if let Some((name, bar)) = pair.text.rsplit_once(' ')
            && name == counter.name()
            && let Some(count) = bar.parse().ok().and_then(|bar: usize| counts.get_mut(bar))
        {
            *count = pair.number;
        }
    }
    Series { label, class, counts }
}

/// A plot: heading, what it means, whether any of it needs somebody to look, and its series.
type Plot = (&'static str, &'static str, bool, &'static [(Counter, &'static str, &'static str)]);

const PLOTS: [Plot; 7] = [
    (
        "Requests",
        "By how they ended; pages and forms are among them.",
        false,
        &[
            (Counter::Ok, "done", "chart-a"),
            (Counter::Refused, "refused", "chart-b"),
            (Counter::Limited, "over a limit", "chart-c"),
            (Counter::Fault, "ended by a fault", "chart-bad"),
        ],
    ),
    (
        "Tokens",
        "Codes exchanged, refresh tokens used, and refreshes that were sent again.",
        false,
        &[
            (Counter::CodeExchanged, "codes exchanged", "chart-b"),
            (Counter::Refreshed, "refreshes", "chart-a"),
            (Counter::RefreshRetried, "refreshes sent again", "chart-c"),
        ],
    ),
    (
        "Replays",
        "A code or refresh token was used by two. What it had produced is ended; the history names the app.",
        true,
        &[(Counter::CodeReplayed, "codes", "chart-bad"), (Counter::RefreshReplayed, "refresh tokens", "chart-c")],
    ),
    (
        "Ended",
        "Revocations by apps, and connections that were cut.",
        false,
        &[(Counter::Revoked, "revocations", "chart-a"), (Counter::Disconnected, "connections cut", "chart-b")],
    ),
    (
        "Limits",
        "Requests over a limit, and requests with nothing that proves anything: garbage, wrong secrets.",
        false,
        &[(Counter::Limited, "over a limit", "chart-c"), (Counter::Unproven, "nothing proven", "chart-b")],
    ),
    (
        "Faults",
        "Parts that did not answer. Callers were told to try again; the log says where.",
        true,
        &[
            (Counter::ObjectFault, "objects", "chart-bad"),
            (Counter::D1Fault, "D1", "chart-c"),
            (Counter::KvFault, "KV", "chart-b"),
            (Counter::UpstreamError, "calls of the platform's API", "chart-a"),
        ],
    ),
    (
        "KV had no code yet",
        "Codes that were read from D1, since KV had not got them. A few are normal.",
        false,
        &[(Counter::KvMissed, "codes", "chart-a")],
    ),
];

fn charts(counted: &[Pair], start_s: u64) -> Vec<Chart> {
    let plots = PLOTS.into_iter().map(|(title, about, alarming, kinds)| {
        let series = kinds.iter().map(|(counter, label, class)| series(counted, *counter, label, class)).collect();
        Chart { title, about, series, alarming, start_s }
    });
    plots.collect()
}

/// The sums of the day.
fn sums(charts: &[Chart]) -> Vec<Fact<'static>> {
    charts.iter().map(|chart| Fact::text(chart.title, chart.sums())).collect()
}

/// What somebody should look at.
fn warning(charts: &[Chart]) -> Option<String> {
    let alarming = charts.iter().filter(|chart| chart.alarming && chart.sum() > 0);
    let told: Vec<String> = alarming.map(|chart| format!("{}: {}", chart.title, chart.sum_text())).collect();
    (!told.is_empty()).then(|| format!("Somebody should look at this. {}.", told.join(", ")))
}
