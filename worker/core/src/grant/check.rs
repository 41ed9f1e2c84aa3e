//! Use of an access token: alive, then counted.

use super::{Answer, Check, Checked, Decision, Grant, Refused, Write};
use crate::credential::Kind;
use crate::policy::Per;
use crate::rate::Use;

impl Grant {
    pub(super) fn check(&mut self, ask: &Check, now_ms: u64) -> Decision {
        let payload = &ask.token.payload;
        let family = match self.owned(&ask.token) {
            Ok(family) => family,
            Err(why) => return Decision::refused(why),
        };
        if payload.kind != Kind::Access {
            return Decision::refused(Refused::BadTag);
        }
        if payload.number > family.answer.serial {
            return Decision::refused(Refused::Ahead);
        }
        if family.serial_dead(payload.number) {
            return Decision::refused(Refused::TokenRevoked);
        }
        let Some(scope) = family.scope_of(payload.scope_set) else { return Decision::refused(Refused::BadTag) };
        let mut checked = Box::new(Checked {
            account: family.account.clone(),
            account_name: family.account_name.clone(),
            user: family.user.clone(),
            scope: scope.to_owned(),
            standing: crate::rate::Standing { limit: 0, remaining: 0, reset_s: 0 },
        });
        match self.count(ask, now_ms) {
            Ok((standing, writes)) => {
                checked.standing = standing;
                Decision { answer: Answer::Checked(checked), writes }
            }
            Err(standing) => Decision::only(Answer::Limited(standing)),
        }
    }

    fn count(&mut self, ask: &Check, now_ms: u64) -> Result<(crate::rate::Standing, Vec<Write>), crate::rate::Standing> {
        let number = ask.token.payload.family;
        let window = match ask.per {
            Per::Grant => &mut self.api,
            Per::Family => self.family_api.entry(number).or_default(),
        };
        let (write, standing) = match window.take(ask.rate, now_ms) {
            Use::Granted { write, standing } => (write, standing),
            Use::Refused(standing) => return Err(standing),
        };
        if !write {
            return Ok((standing, Vec::new()));
        }
        let reservation = window.reservation();
        Ok((
            standing,
            match ask.per {
                Per::Grant => {
                    self.row.api = reservation;
                    vec![Write::Grant]
                }
                Per::Family => {
                    if let Some(family) = self.families.get_mut(&number) {
                        family.api = reservation;
                    }
                    vec![Write::Family(number)]
                }
            },
        ))
    }
}
