//! D1 table `counters`: what was counted, in slots of ten minutes.

use worker::Env;

use super::{Pair, database, number, rows, run, text};
use crate::fault::Fault;

/// One D1 statement: adds counts to their slots. `counts` is JSON, each row slot, name and count.
pub(crate) async fn add(env: &Env, counts: &str) -> Result<(), Fault> {
    let sql = "INSERT INTO counters (slot, name, count)
               SELECT value ->> 0, value ->> 1, value ->> 2 FROM json_each(?1) WHERE true
               ON CONFLICT (slot, name) DO UPDATE SET count = count + excluded.count";
    run(&database(env)?, sql, &[text(counts)]).await
}

/// One D1 read: what was counted from a slot on, with `width` slots added up: name, a space, and how many
/// such steps after the first.
pub(crate) async fn since(env: &Env, slot: u64, width: u64) -> Result<Vec<Pair>, Fault> {
    // A number from JavaScript is a real one to the database: the step has to be made whole.
    let sql = "SELECT name || ' ' || CAST((slot - ?1) / ?2 AS INTEGER) AS text, min(sum(count), 4294967295) AS number
               FROM counters WHERE slot >= ?1 GROUP BY text";
    rows(&database(env)?, sql, &[number(slot), number(width)]).await
}

/// One D1 read: that the database answers, and has its schema.
pub(crate) async fn probe(env: &Env) -> Result<(), Fault> {
    run(&database(env)?, "SELECT count FROM counters WHERE slot = 0", &[]).await
}
