//! A clock that tests can set, so that they need not wait.

use std::cell::Cell;

thread_local! {
    static OFFSET_MS: Cell<i64> = const { Cell::new(0) };
}

/// Shifts the clock by so many milliseconds from the real one.
pub(crate) fn shift(offset_ms: i64) {
    OFFSET_MS.set(offset_ms);
}

/// The shifted time.
pub(crate) fn shifted(now_ms: u64) -> u64 {
    now_ms.saturating_add_signed(OFFSET_MS.get())
}
