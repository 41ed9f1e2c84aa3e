//! Is a use of a token or key within every limit? The grant's own limit is counted in its object; those
//! wider than a grant (`api.app_rate`, `api.account_rate`, `api.address_rate`) in `RateLimiter` objects,
//! which hand blocks of uses down to isolates: see `edgegrant_core::rate::block`.
//!
//! The wide limits come first, out of the isolate's blocks for most calls; then the grant's. When one
//! refuses, what the others granted is given back, and the caller hears of the one that refuses
//! longest, so that a single caller who waits that long is served. A limiter that does not answer is a
//! fault: nothing is served uncounted. A wide limit shows itself only when it refuses; until then the
//! headers are those of the grant's own limit.
//!
//! An isolate remembers a refusal until the window's end and answers it without an object, so that a
//! runaway client does not overload its own: for a grant (or family) and the limits that it had, so
//! that another limit set by staff takes effect. A memory only refuses, never allows; a token that was
//! revoked meanwhile hears 429 instead of 401 until then. It does not outlast the window (see
//! [`Refusal`]), so a burst limit of a second loses none of its uses.
//!
//! Everything here is in memory and may vanish at any time: what a block held is lost then, never used
//! twice. Blocks are taken from without an await in between, so requests at once cannot overrun them.

use std::cell::RefCell;
use std::collections::HashMap;
use std::rc::Rc;

use edgegrant_core::grant::{Answer, Check, Command};
use edgegrant_core::keys::lookup_name;
use edgegrant_core::policy::Per;
use edgegrant_core::rate::block::{Held, Next, Refusal, Taken};
use edgegrant_core::rate::{Limit, Rates};
use worker::{Context, Env};

use crate::config::Config;
use crate::fault::Fault;
use crate::objects::{grant, limiter};
use crate::platform::now_ms;

/// Entries of each map at most. What is over goes first; then all goes.
const ENTRIES_MAX: usize = 10_000;

thread_local! {
    /// What the isolate holds of each wide limit.
    static HELD: RefCell<HashMap<String, Held>> = RefCell::new(HashMap::new());
    /// Refusals, by whom they hold for, with the limits of then.
    static REFUSALS: RefCell<HashMap<String, (Rates, Refusal)>> = RefCell::new(HashMap::new());
    /// The account behind each grant: it never changes, and only the grant's object knows it.
    static ACCOUNTS: RefCell<HashMap<String, String>> = RefCell::new(HashMap::new());
}

/// Whose use it is, besides the grant.
pub(crate) struct Whose<'a> {
    /// The app; an API key has none.
    pub(crate) app: Option<u32>,
    /// The network, where uses are counted by it.
    pub(crate) network: Option<&'a str>,
}

/// Asks the grant's object about a token or key, within all limits when its use counts.
pub(crate) async fn check(env: &Env, context: &Rc<Context>, config: &Config, check: Check, whose: &Whose<'_>) -> Result<Answer, Fault> {
    let id = check.token.payload.grant;
    if !check.counted {
        return grant::ask(env, &id, &Command::Check(check)).await;
    }
    let rates = check.rates;
    let own = match check.per {
        Per::Grant => id.object_name(),
        Per::Family => format!("{} {}", id.object_name(), check.token.payload.family),
    };
    let here = whose.network.map(|network| format!("{own} {network}"));
    if let Some(refusal) = remembered(&own, rates).or_else(|| remembered(here.as_deref()?, rates)) {
        return Ok(Answer::Limited(refusal.standing(now_ms())));
    }
    let mut is_first = false;
    let account = match config.policy.api.account_rate {
        None => None,
        Some(_) => match account(env, &check, &mut is_first).await? {
            Ok(account) => Some(account),
            Err(refused) => return Ok(refused),
        },
    };
    let mut uses = Uses { env, context, config, taken: Vec::new() };
    let outcome = uses.then_grant(check, wide(config, whose, account)).await;
    uses.give_back();
    let Outcome { answer, refusal, at_address } = outcome?;
    if let Some(refusal) = refusal {
        remember(here.filter(|_| at_address).unwrap_or(own), rates, refusal);
    }
    Ok(match answer {
        Answer::Checked(checked) if is_first => Answer::CheckedFirst(checked),
        answer => answer,
    })
}

/// A limit wider than a grant, for one app, account or address.
struct Wide {
    /// What it is for, and which one: names the object under a keyed hash.
    purpose: &'static str,
    value: String,
    limit: Limit,
}

impl Wide {
    /// Its name in this isolate.
    fn key(&self) -> String {
        format!("{} {}", self.purpose, self.value)
    }

    /// The object's name. The key that names objects never changes: under a new one a window would begin anew.
    fn object_name(&self, config: &Config) -> String {
        lookup_name(&config.keys.grant_id, self.purpose, &self.value)
    }
}

const BY_ADDRESS: &str = "rate of address";

/// The limits wider than a grant that hold for a use.
fn wide(config: &Config, whose: &Whose<'_>, account: Option<String>) -> Vec<Wide> {
    let api = &config.policy.api;
    let of = |limit: Option<Limit>, purpose, value: Option<String>| Some(Wide { purpose, value: value?, limit: limit? });
    let app = of(api.app_rate, "rate of app", whose.app.map(|app| app.to_string()));
    let account = of(api.account_rate, "rate of account", account);
    [app, account, of(api.address_rate, BY_ADDRESS, whose.network.map(str::to_owned))].into_iter().flatten().collect()
}

/// What came of a use.
struct Outcome {
    answer: Answer,
    /// The refusal that holds longest.
    refusal: Option<Refusal>,
    /// Whether it holds at this address only.
    at_address: bool,
}

/// Uses of wide limits, taken for one call.
struct Uses<'a> {
    env: &'a Env,
    context: &'a Rc<Context>,
    config: &'a Config,
    taken: Vec<(Wide, Taken)>,
}

impl Uses<'_> {
    /// The wide limits, then the grant's own, which is only looked at when one of them refuses. What is
    /// left in `taken` afterwards was not made.
    async fn then_grant(&mut self, mut check: Check, wide: Vec<Wide>) -> Result<Outcome, Fault> {
        let (mut refusal, mut at_address) = (None, false);
        for one in wide {
            match self.take(&one).await? {
                Ok(taken) => self.taken.push((one, taken)),
                Err(wide) => {
                    refusal = Some(wide.longer(refusal));
                    at_address |= one.purpose == BY_ADDRESS;
                }
            }
        }
        check.counted = refusal.is_none();
        let (id, asked_ms) = (check.token.payload.grant, now_ms());
        let answer = grant::ask(self.env, &id, &Command::Check(check)).await?;
        let now_ms = now_ms();
        let standing = match &answer {
            Answer::Checked(checked) | Answer::CheckedFirst(checked) => checked.standing,
            Answer::Limited(standing) => *standing,
            _ => return Ok(Outcome { answer, refusal: None, at_address }),
        };
        let is_limited = matches!(answer, Answer::Limited(_));
        if refusal.is_none() && !is_limited {
            self.taken.clear();
            return Ok(Outcome { answer, refusal: None, at_address });
        }
        if is_limited || standing.remaining == 0 {
            refusal = Some(Refusal::new(standing, asked_ms, now_ms).longer(refusal));
        }
        let told = refusal.map_or(standing, |refusal| refusal.standing(now_ms));
        Ok(Outcome { answer: Answer::Limited(told), refusal, at_address })
    }

    /// One use of a wide limit: of the isolate's block, or of the next one.
    async fn take(&self, wide: &Wide) -> Result<Result<Taken, Refusal>, Fault> {
        let (key, asked_ms) = (wide.key(), now_ms());
        let want = match held(&key, |held| held.take(asked_ms)) {
            Next::Granted(taken) => return Ok(Ok(taken)),
            Next::Refused(refusal) => return Ok(Err(refusal)),
            Next::Ask(want) => want,
        };
        let command = limiter::Command::HandDown { limit: wide.limit, want };
        let answer = limiter::ask(self.env, &wide.object_name(self.config), &command).await;
        let now_ms = now_ms();
        Ok(match answer {
            Ok(limiter::Answer::Block(block)) => {
                let taken = held(&key, |held| held.receive(block, want, asked_ms, now_ms));
                self.return_surplus(wide);
                Ok(taken)
            }
            Ok(limiter::Answer::Refused(standing)) => {
                let refusal = Refusal::new(standing, asked_ms, now_ms);
                held(&key, |held| held.refuse(refusal, want));
                Err(refusal)
            }
            other => {
                held(&key, |held| held.answered(want));
                return Err(other.err().unwrap_or_else(|| Fault::at("limiter answer")));
            }
        })
    }

    /// Gives back what was taken and not made.
    fn give_back(&mut self) {
        for (wide, taken) in std::mem::take(&mut self.taken) {
            held(&wide.key(), |held| held.give_back(taken, now_ms()));
            self.return_surplus(&wide);
        }
    }

    /// Sends what the isolate may not hold back to the object, after the answer.
    fn return_surplus(&self, wide: &Wide) {
        let (key, limit) = (wide.key(), wide.limit);
        let mut next = held(&key, |held| held.surplus(now_ms()));
        if next.is_none() {
            return;
        }
        let (env, name) = (self.env.clone(), wide.object_name(self.config));
        self.context.wait_until(async move {
            while let Some((Taken { start_ms }, uses)) = next {
                if let Err(fault) = limiter::ask(&env, &name, &limiter::Command::TakeBack { limit, start_ms, uses }).await {
                    crate::log::fault("limiter", &fault);
                }
                next = held(&key, |held| {
                    held.returned();
                    held.surplus(now_ms())
                });
            }
        });
    }
}

/// The account behind a grant, or the object's refusal. An isolate asks once, without a use.
async fn account(env: &Env, check: &Check, is_first: &mut bool) -> Result<Result<String, Answer>, Fault> {
    let id = check.token.payload.grant;
    let name = id.object_name();
    if let Some(known) = ACCOUNTS.with_borrow(|accounts| accounts.get(&name).cloned()) {
        return Ok(Ok(known));
    }
    let look = Command::Check(Check { counted: false, ..check.clone() });
    let account = match grant::ask(env, &id, &look).await? {
        Answer::Checked(checked) => checked.account,
        Answer::CheckedFirst(checked) => {
            *is_first = true;
            checked.account
        }
        refused => return Ok(Err(refused)),
    };
    ACCOUNTS.with_borrow_mut(|accounts| insert(accounts, name, account.clone(), |_| false));
    Ok(Ok(account))
}

/// The refusal that is remembered for somebody with these limits.
fn remembered(whom: &str, rates: Rates) -> Option<Refusal> {
    let now_ms = now_ms();
    let holds = |(of, refusal): &&(Rates, Refusal)| *of == rates && refusal.holds(now_ms);
    REFUSALS.with_borrow(|refusals| refusals.get(whom).filter(holds).map(|(_, refusal)| *refusal))
}

fn remember(whom: String, rates: Rates, refusal: Refusal) {
    let now_ms = now_ms();
    REFUSALS.with_borrow_mut(|refusals| insert(refusals, whom, (rates, refusal), |(_, refusal)| !refusal.holds(now_ms)));
}

/// Does something with what the isolate holds of a wide limit.
fn held<T>(key: &str, act: impl FnOnce(&mut Held) -> T) -> T {
    HELD.with_borrow_mut(|all| {
        if let Some(held) = all.get_mut(key) {
            return act(held);
        }
        let (mut held, now_ms) = (Held::default(), now_ms());
        let value = act(&mut held);
        insert(all, key.to_owned(), held, |held| held.over(now_ms));
        value
    })
}

/// Inserts into a map of bounded size.
fn insert<T>(map: &mut HashMap<String, T>, key: String, value: T, over: impl Fn(&T) -> bool) {
    if map.len() >= ENTRIES_MAX {
        map.retain(|_, entry| !over(entry));
        if map.len() > ENTRIES_MAX / 2 {
            map.clear();
        }
    }
    map.insert(key, value);
}
