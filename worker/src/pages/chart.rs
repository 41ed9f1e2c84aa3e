//! Plots of the last day: bars of half an hour, drawn on the server as SVG without script or style.
//!
//! Every plot says in words what it shows (`role="img"`), and has its numbers in a table.

use super::Frame;
use super::notice::Link;
use super::sheet::Fact;
use askama::Template;
use std::borrow::Cow;
use std::fmt::Write as _;

/// Bars of a plot: a day.
pub(crate) const BARS: usize = 48;
/// Seconds of a bar.
pub(crate) const BAR_S: u64 = 1800;

/// Where bars are in a plot of 360 by 150: left, top, right, bottom. Below and beside are the labels.
const AREA: (usize, usize, usize, usize) = (36, 10, 356, 126);
/// Bars between two labels of the time.
const LABELLED: usize = 12;

/// One kind of thing that is counted.
#[derive(Clone, Debug)]
pub(crate) struct Series {
    /// What it is, in the plural.
    pub(crate) label: &'static str,
    /// Its class in the style sheet, which has its colour.
    pub(crate) class: &'static str,
    /// How many there were in each bar, the oldest first.
    pub(crate) counts: [u32; BARS],
}

impl Series {
    /// All of the day.
    fn sum(&self) -> u64 {
        self.counts.iter().map(|count| u64::from(*count)).sum()
    }

    fn sum_text(&self) -> String {
        grouped(self.sum())
    }
}

/// A plot: series on top of each other.
#[derive(Clone, Debug)]
pub(crate) struct Chart {
    /// Its heading.
    pub(crate) title: &'static str,
    /// What it means.
    pub(crate) about: &'static str,
    /// Its series, the lowest first.
    pub(crate) series: Vec<Series>,
    /// Any of it needs somebody to look.
    pub(crate) alarming: bool,
    /// The second at which its first bar begins.
    pub(crate) start_s: u64,
}

/// The hour and minute of a second.
fn clock(at_s: u64) -> String {
    format!("{:02}:{:02}", at_s / 3600 % 24, at_s / 60 % 60)
}

/// The end of the axis: the next of 2, 4, 10, 20, 40, 100 …, so that its half is whole.
fn axis_end(most: u64) -> u64 {
    let mut unit: u64 = 1;
    loop {
        for step in [2, 4, 10] {
            let end = unit.saturating_mul(step);
            if end >= most || end == u64::MAX {
                return end;
            }
        }
        unit = unit.saturating_mul(10);
    }
}

/// A number with its thousands apart.
fn grouped(number: u64) -> String {
    let (rest, last) = (number / 1000, number % 1000);
    if rest == 0 { last.to_string() } else { format!("{},{last:03}", grouped(rest)) }
}

/// A number that fits beside the axis.
fn short(number: u64) -> String {
    match number {
        0..10_000 => number.to_string(),
        10_000..10_000_000 => format!("{}k", number / 1000),
        _ => format!("{}M", number / 1_000_000),
    }
}

impl Chart {
    /// All of the day, of all series.
    pub(crate) fn sum(&self) -> u64 {
        self.series.iter().map(Series::sum).sum()
    }

    /// The sum as people read it.
    pub(crate) fn sum_text(&self) -> String {
        grouped(self.sum())
    }

    /// The sums of the series that have any, in words.
    pub(crate) fn sums(&self) -> String {
        let any = self.series.iter().filter(|series| series.sum() > 0);
        let parts: Vec<String> = any.map(|series| format!("{} {}", series.sum_text(), series.label)).collect();
        if parts.is_empty() { "none".to_owned() } else { parts.join(", ") }
    }

    /// Whether somebody should look.
    fn alarms(&self) -> bool {
        self.alarming && self.sum() > 0
    }

    /// What a bar is high.
    fn height(&self, bar: usize) -> u64 {
        self.series.iter().filter_map(|series| series.counts.get(bar)).map(|count| u64::from(*count)).sum()
    }

    fn begins(&self, bar: usize) -> String {
        clock(self.start_s + bar as u64 * BAR_S)
    }

    /// What the plot shows, in words.
    fn summary(&self) -> String {
        let mut text = format!("In the last 24 hours: {}.", self.sums());
        let highest = (0..BARS).max_by_key(|bar| self.height(*bar)).filter(|bar| self.height(*bar) > 0);
        if let Some(bar) = highest {
            let _ = write!(text, " Most in half an hour: {}, from {} UTC.", grouped(self.height(bar)), self.begins(bar));
        }
        text
    }

    /// The bars with anything in them, the newest first: when, and one number per series.
    fn rows(&self) -> Vec<(String, Vec<u32>)> {
        let counts = |bar: usize| self.series.iter().filter_map(|series| series.counts.get(bar).copied()).collect();
        (0..BARS).rev().filter(|bar| self.height(*bar) > 0).map(|bar| (self.begins(bar), counts(bar))).collect()
    }

    /// The picture. It is made of numbers and our own words: nothing in it needs escaping.
    fn svg(&self) -> String {
        let (left, top, right, bottom) = AREA;
        let end = axis_end((0..BARS).map(|bar| self.height(bar)).max().unwrap_or(0));
        let y = |value: u64| bottom as f64 - (bottom - top) as f64 * value as f64 / end as f64;
        let x = |bar: usize| left as f64 + (right - left) as f64 * bar as f64 / BARS as f64;
        let mut svg = format!("<svg class=\"chart\" viewBox=\"0 0 360 150\" role=\"img\" aria-label=\"{}\">", self.summary());
        for value in [0, end / 2, end] {
            let (y, text) = (y(value), short(value));
            let _ = write!(
                svg,
                "<path class=\"chart-line\" d=\"M{left} {y:.1}H{right}\"/><text class=\"chart-y\" x=\"{}\" y=\"{:.1}\">{text}</text>",
                left - 5,
                y + 4.0
            );
        }
        for bar in (0..BARS).filter(|bar| bar % LABELLED == 0) {
            let _ = write!(svg, "<text class=\"chart-x\" x=\"{:.1}\" y=\"145\">{}</text>", x(bar), self.begins(bar));
        }
        let _ = write!(svg, "<text class=\"chart-now\" x=\"{right}\" y=\"145\">now</text>");
        let mut below = [0_u64; BARS];
        for series in self.series.iter().filter(|series| series.sum() > 0) {
            let mut path = String::new();
            for (bar, (below, count)) in below.iter_mut().zip(series.counts).enumerate().filter(|(_, (_, count))| *count > 0) {
                // One among thousands is still seen.
                let height = (y(*below) - y(*below + u64::from(count))).max(1.5);
                let _ = write!(path, "M{:.1} {:.1}h5.7v{:.1}h-5.7z", x(bar) + 0.5, y(*below) - height, height);
                *below += u64::from(count);
            }
            let _ = write!(svg, "<path class=\"chart-bar {}\" d=\"{path}\"/>", series.class);
        }
        svg.push_str("</svg>");
        svg
    }
}

/// The page of staff with the plots.
#[derive(Clone, Debug, Template)]
#[template(path = "metrics.html")]
pub(crate) struct MetricsPage<'a> {
    /// The frame around the page.
    pub(crate) frame: Frame<'a>,
    /// The other pages of staff.
    pub(crate) tabs: Vec<Link<'a>>,
    /// What needs somebody to look.
    pub(crate) warning: Option<Cow<'a, str>>,
    /// The sums of the day.
    pub(crate) sums: Vec<Fact<'a>>,
    /// The plots; none while nothing was counted.
    pub(crate) charts: Vec<Chart>,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chart(counts: &[(usize, u32)]) -> Chart {
        let mut series = Series { label: "refreshes", class: "chart-a", counts: [0; BARS] };
        for (bar, count) in counts {
            series.counts[*bar] = *count;
        }
        Chart { title: "Refreshes", about: "", series: vec![series], alarming: true, start_s: 1_800_000_000 }
    }

    #[test]
    fn the_axis_ends_at_an_even_number_above_every_bar() {
        assert_eq!([0, 1, 2, 3, 5, 10, 11, 39, 101, 4001].map(axis_end), [2, 2, 2, 4, 10, 10, 20, 40, 200, 10_000]);
        assert_eq!(axis_end(u64::MAX), u64::MAX);
        assert_eq!([0, 999, 1_000, 1_002_003].map(grouped), ["0", "999", "1,000", "1,002,003"]);
        assert_eq!([9_999, 12_000, 40_000_000].map(short), ["9999", "12k", "40M"]);
    }

    #[test]
    fn a_plot_says_in_words_what_it_shows() {
        let chart = chart(&[(0, 3), (47, 9)]);
        let words = "In the last 24 hours: 12 refreshes. Most in half an hour: 9, from 07:30 UTC.";
        assert_eq!(chart.summary(), words);
        assert_eq!(chart.rows(), [("07:30".to_owned(), vec![9]), ("08:00".to_owned(), vec![3])]);
        assert!(chart.svg().contains(&format!("role=\"img\" aria-label=\"{words}\"")) && chart.alarms());
        assert_eq!(chart.svg().matches("h-5.7z").count(), 2, "a bar each");
        assert_eq!(self::chart(&[]).summary(), "In the last 24 hours: none.");
        assert!(!self::chart(&[]).alarms() && !self::chart(&[]).svg().contains("chart-bar"));
    }

    #[test]
    fn nothing_is_drawn_outside_of_the_plot() {
        let many: Vec<(usize, u32)> = (0..BARS).map(|bar| (bar, if bar == 0 { u32::MAX } else { 1 })).collect();
        let svg = chart(&many).svg();
        let (_, svg) = svg.split_once('>').unwrap();
        let numbers = svg.split(|c: char| !c.is_ascii_digit() && c != '.').filter_map(|text| text.parse::<f64>().ok());
        assert!(numbers.filter(|number| *number < 1000.0).all(|number| number <= 360.0));
        assert!(!svg.contains("NaN") && !svg.contains("inf") && !svg.contains("style"));
    }
}
