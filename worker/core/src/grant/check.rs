//! Use of an access token or an API key: alive, then counted.

use super::{Answer, Check, Checked, Decision, Grant, Refused, Write};
use crate::credential::Kind;
use crate::policy::Per;
use crate::rate::{Standing, Use};

impl Grant {
    pub(super) fn check(&mut self, ask: &Check, now_ms: u64) -> Decision {
        let payload = &ask.token.payload;
        let family = match self.owned(&ask.token) {
            Ok(family) => family,
            Err(why) => return Decision::refused(why),
        };
        let is_key = family.is_key();
        if payload.kind != if is_key { Kind::Key } else { Kind::Access } {
            return Decision::refused(Refused::BadTag);
        }
        if is_key && family.end_s(0) <= now_ms / 1000 {
            return Decision::refused(Refused::Expired);
        }
        if payload.number > family.answer.serial {
            return Decision::refused(Refused::Ahead);
        }
        if family.serial_dead(payload.number) {
            return Decision::refused(Refused::TokenRevoked);
        }
        if !family.counts_for(ask.only_user.as_deref()) {
            return Decision::refused(Refused::NotForThem);
        }
        let Some(scope) = self.scope(family, payload.scope_set) else { return Decision::refused(Refused::BadTag) };
        // Before it is counted: what is meant for others is not theirs to use up.
        if !ask.audience.is_empty() && !scope.split(' ').any(|name| ask.audience.iter().any(|known| known == name)) {
            return Decision::refused(Refused::Audience);
        }
        let mut checked = Box::new(Checked {
            account: family.account.clone(),
            account_name: family.account_name.clone(),
            user: family.user.clone(),
            scope,
            standing: Standing::new(0, 0, 0),
            issued_s: family.issued_s(payload.expires_s),
        });
        match self.count(ask, now_ms) {
            Ok((standing, writes)) => {
                checked.standing = standing;
                let first = is_key && self.first_use(payload.family, now_ms);
                Decision { answer: if first { Answer::CheckedFirst(checked) } else { Answer::Checked(checked) }, writes }
            }
            Err(standing) => Decision::only(Answer::Limited(standing)),
        }
    }

    fn count(&mut self, ask: &Check, now_ms: u64) -> Result<(Standing, Vec<Write>), Standing> {
        let number = ask.token.payload.family;
        let meter = match ask.per {
            Per::Grant => &mut self.api,
            Per::Family => self.family_api.entry(number).or_default(),
        };
        if !ask.counted {
            return Ok((meter.look(ask.rates, now_ms), Vec::new()));
        }
        let (write, standing) = match meter.take(ask.rates, now_ms) {
            Use::Granted { write, standing } => (write, standing),
            Use::Refused(standing) => return Err(standing),
        };
        if !write {
            return Ok((standing, Vec::new()));
        }
        let (window, burst) = meter.reservations();
        let writes = match ask.per {
            Per::Grant => {
                (self.row.api, self.row.burst) = (window, burst);
                vec![Write::Grant]
            }
            Per::Family => {
                if let Some(family) = self.families.get_mut(&number) {
                    (family.api, family.burst) = (window, burst);
                }
                vec![Write::Family(number)]
            }
        };
        Ok((standing, writes))
    }
}
