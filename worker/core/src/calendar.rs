//! Points in time for people and for JSON.

const DAY_S: u64 = 86_400;

/// Year, month and day of a day counted from 1970-01-01, in the Gregorian calendar. The year is laid
/// from March, so that the leap day is its last.
#[must_use]
pub fn civil(days: u64) -> (u64, u64, u64) {
    let days = days + 719_468;
    let era_day = days % 146_097;
    let era_year = (era_day - era_day / 1_460 + era_day / 36_524 - era_day / 146_096) / 365;
    let year_day = era_day - (365 * era_year + era_year / 4 - era_year / 100);
    let from_march = (5 * year_day + 2) / 153;
    let day = year_day - (153 * from_march + 2) / 5 + 1;
    let month = if from_march < 10 { from_march + 3 } else { from_march - 9 };
    (days / 146_097 * 400 + era_year + u64::from(month <= 2), month, day)
}

/// `2026-11-22T13:52:41.007Z` (RFC 3339) from milliseconds since 1970.
#[must_use]
pub fn iso(now_ms: u64) -> String {
    let (seconds, ms) = (now_ms / 1000, now_ms % 1000);
    let (year, month, day) = civil(seconds / DAY_S);
    let (hour, minute, second) = (seconds / 3600 % 24, seconds / 60 % 60, seconds % 60);
    format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}.{ms:03}Z")
}

#[cfg(test)]
mod tests {
    use super::iso;

    #[test]
    fn known_moments() {
        for (ms, text) in [
            (0, "1970-01-01T00:00:00.000Z"),
            (951_782_400_000, "2000-02-29T00:00:00.000Z"),
            (1_763_819_561_007, "2025-11-22T13:52:41.007Z"),
        ] {
            assert_eq!(iso(ms), text);
        }
    }
}
