//! The `Grant` object: the only writer of one grant's token families.
//!
//! Decision and writes happen in one turn without an await between them, and the output gate holds
//! the answer until the rows are on disk: what a caller was told survives a crash. The rows are the
//! truth; the copy in memory is dropped whenever a write fails.

use std::cell::{Cell, RefCell};
use std::panic::AssertUnwindSafe;
use std::rc::Rc;
use std::time::Duration;

use edgegrant_core::credential::GrantId;
use edgegrant_core::grant::{self, Answer, Command, Decision, Family, GrantRow, Random, Rows, Sweep, Write};
use worker::js_sys::futures::future_to_promise;
use worker::wasm_bindgen::JsValue;
use worker::wasm_bindgen::prelude::wasm_bindgen;
use worker::worker_sys::DurableObjectState;
use worker::{Env, SqlStorage, SqlStorageValue, State, web_sys};

use crate::config::config;
use crate::fault::{Fault, OrFault as _};
use crate::platform::{now_ms, random};

const SCHEMA: [&str; 2] = [
    "CREATE TABLE IF NOT EXISTS families (number INTEGER PRIMARY KEY, state BLOB NOT NULL) STRICT",
    "CREATE TABLE IF NOT EXISTS grant_state (id INTEGER PRIMARY KEY CHECK (id = 1), state BLOB NOT NULL) STRICT",
];

/// One (account, app), or the API keys of one account.
///
/// The class is written out here: made by `worker`'s macro, it would turn each request and response into
/// that crate's own, and a check into a promise, which together take longer than the check.
#[cfg(feature = "protocol")]
#[wasm_bindgen(wasm_bindgen = worker::wasm_bindgen)]
pub struct Grant(Rc<Shell>);

/// What the class holds; shared with a claim that waits for its alarm to be set.
struct Shell {
    state: State,
    env: Env,
    memory: RefCell<Option<grant::Grant>>,
    has_schema: Cell<bool>,
    has_alarm: Cell<bool>,
}

/// Asks the object of a grant.
pub(crate) async fn ask(env: &Env, grant: &GrantId, command: &Command) -> Result<Answer, Fault> {
    super::ask(env, "GRANT", &grant.object_name(), command).await
}

#[cfg(feature = "protocol")]
#[wasm_bindgen(wasm_bindgen = worker::wasm_bindgen, wasm_bindgen_futures = worker::wasm_bindgen_futures, js_sys = worker::js_sys)]
impl Grant {
    /// Reads and writes nothing: an object exists only once something was claimed or ended in it.
    #[wasm_bindgen(constructor)]
    #[must_use]
    pub fn new(state: DurableObjectState, env: Env) -> Self {
        let (has_schema, has_alarm) = (Cell::new(false), Cell::new(false));
        Self(Rc::new(Shell { state: State::from(state), env, memory: RefCell::new(None), has_schema, has_alarm }))
    }

    /// A response, or a promise of one where an alarm has to be set first.
    ///
    /// # Errors
    /// None that has words: a fault is an answer.
    pub fn fetch(&self, request: &web_sys::Request) -> Result<JsValue, JsValue> {
        let decided = match super::command(request) {
            // Before the decision: a claim that stood and was then answered with a fault would be tried
            // again, and the second try be taken for a replay.
            Ok(command) if grant::Grant::may_create(&command) && !self.0.has_alarm.get() => {
                let shell = self.0.clone();
                let answering =
                    async move { super::answer(shell.arm_and_decide(&command).await).map(JsValue::from).map_err(JsValue::from) };
                return Ok(future_to_promise(AssertUnwindSafe(answering)).into());
            }
            Ok(command) => self.0.handle(&command),
            Err(fault) => Err(fault),
        };
        super::answer(decided).map(JsValue::from).map_err(JsValue::from)
    }

    /// The daily sweep of this grant.
    ///
    /// # Errors
    /// An error makes the platform call again, up to six times.
    pub async fn alarm(&self) -> Result<(), JsValue> {
        let shell = self.0.clone();
        shell.sweep().await.map_err(|fault| JsValue::from(fault.to_string()))
    }
}

impl Shell {
    async fn arm_and_decide(&self, command: &Command) -> Result<Answer, Fault> {
        self.arm().await?;
        self.handle(command)
    }

    fn handle(&self, command: &Command) -> Result<Answer, Fault> {
        self.decide(command).inspect_err(|_| drop(self.memory.take()))
    }

    /// One turn: load, decide, write.
    fn decide(&self, command: &Command) -> Result<Answer, Fault> {
        // Only what makes a family needs any.
        let random: Random = if grant::Grant::may_create(command) { random()? } else { [0; size_of::<Random>()] };
        let mut memory = self.memory.borrow_mut();
        if memory.is_none() {
            *memory = Some(self.load()?);
        }
        let grant = memory.as_mut().or_fault("grant memory")?;
        let Decision { answer, writes } = grant.decide(command, now_ms(), &random);
        if !writes.is_empty() && !self.has_schema.get() {
            let sql = self.sql();
            for statement in SCHEMA {
                sql.exec(statement, None).or_fault("grant schema")?;
            }
            self.has_schema.set(true);
        }
        for write in writes {
            self.write(grant, write)?;
        }
        Ok(answer)
    }

    fn sql(&self) -> SqlStorage {
        self.state.storage().sql()
    }

    fn load(&self) -> Result<grant::Grant, Fault> {
        let issuer = config(&self.env).or_fault("configuration")?.issuer.clone();
        let sql = self.sql();
        if !super::has_table(&sql, "grant_state", "grant load")? {
            return Ok(grant::Grant::new(issuer));
        }
        self.has_schema.set(true);
        let mut rows = Rows::default();
        for row in super::rows(&sql, "SELECT state FROM grant_state WHERE id = 1", Vec::new(), "grant load")? {
            let [SqlStorageValue::Blob(state)] = row.as_slice() else { return Err(Fault::at("grant row")) };
            rows.grant = GrantRow::decode(state).or_fault("grant row")?;
        }
        for row in super::rows(&sql, "SELECT number, state FROM families", Vec::new(), "grant load")? {
            let [SqlStorageValue::Integer(number), SqlStorageValue::Blob(state)] = row.as_slice() else {
                return Err(Fault::at("family row"));
            };
            let number = u32::try_from(*number).or_fault("family row")?;
            rows.families.insert(number, Family::decode(state).or_fault("family row")?);
        }
        Ok(grant::Grant::load(issuer, rows))
    }

    fn write(&self, grant: &grant::Grant, write: Write) -> Result<(), Fault> {
        let (statement, bindings) = match write {
            Write::Grant => (
                "INSERT INTO grant_state (id, state) VALUES (1, ?) ON CONFLICT (id) DO UPDATE SET state = excluded.state",
                vec![blob(grant.row().encode())?],
            ),
            Write::Family(number) => (
                "INSERT INTO families (number, state) VALUES (?, ?) ON CONFLICT (number) DO UPDATE SET state = excluded.state",
                vec![SqlStorageValue::Integer(i64::from(number)), blob(grant.family(number).and_then(Family::encode))?],
            ),
        };
        self.sql().exec(statement, bindings).or_fault("grant write")?;
        Ok(())
    }

    /// Sets the alarm unless it is set; refreshes do not move it.
    async fn arm(&self) -> Result<(), Fault> {
        let storage = self.state.storage();
        if storage.get_alarm().await.or_fault("grant alarm")?.is_none() {
            let delay = Duration::from_millis(grant::Grant::first_alarm_ms());
            storage.set_alarm(delay).await.or_fault("grant alarm")?;
        }
        self.has_alarm.set(true);
        Ok(())
    }

    async fn sweep(&self) -> Result<(), Fault> {
        self.has_alarm.set(false);
        let lives = config(&self.env).or_fault("configuration")?.policy.refresh.clone();
        let storage = self.state.storage();
        let sweep = {
            let mut memory = self.memory.borrow_mut();
            if memory.is_none() {
                *memory = Some(self.load()?);
            }
            memory.as_ref().or_fault("grant memory")?.sweep(now_ms(), lives.idle_s, lives.absolute_s)
        };
        match sweep {
            Sweep::Wipe => {
                // The input gate lets nothing in while storage works; the memory goes first.
                drop(self.memory.take());
                self.has_schema.set(false);
                storage.delete_all().await.or_fault("grant wipe")
            }
            Sweep::Keep { delete, again_ms } => {
                for number in &delete {
                    let bindings = vec![SqlStorageValue::Integer(i64::from(*number))];
                    self.sql().exec("DELETE FROM families WHERE number = ?", bindings).or_fault("grant sweep")?;
                }
                if let Some(grant) = self.memory.borrow_mut().as_mut() {
                    grant.forget(&delete);
                }
                storage.set_alarm(Duration::from_millis(again_ms)).await.or_fault("grant alarm")?;
                self.has_alarm.set(true);
                Ok(())
            }
        }
    }
}

fn blob(bytes: Option<Vec<u8>>) -> Result<SqlStorageValue, Fault> {
    bytes.map(SqlStorageValue::Blob).or_fault("grant encode")
}
