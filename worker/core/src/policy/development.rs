//! The data that `npm run dev` seeds under a preset. Read when the Worker is built; a deployment's
//! module does not hold it.

use serde::{Deserialize, Serialize};

use super::Policy;

/// The development data of a preset.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Development {
    /// Names of the two accounts.
    pub accounts: [String; 2],
    /// Whether the owner and the member of staff also have an account of their own.
    #[serde(default)]
    pub own_accounts: bool,
    /// Role of `owner@demo.example` in both accounts.
    pub owner_role: String,
    /// Role of `staff@demo.example` in the first.
    pub staff_role: String,
    /// The public app `demo-spa`.
    pub spa: DevelopmentApp,
    /// The confidential app `demo-server`.
    pub server: DevelopmentApp,
    /// The confidential app `demo-pending`, which waits for review.
    #[serde(default)]
    pub pending: Option<DevelopmentApp>,
}

/// An app of the development data.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DevelopmentApp {
    /// Its name.
    pub name: String,
    /// What it does.
    pub description: String,
}

impl Development {
    /// Checks it against the policy.
    ///
    /// # Errors
    /// The key and what is wrong with it.
    pub fn validate(&self, policy: &Policy) -> Result<(), String> {
        if !policy.authorize.consent_roles.contains(&self.owner_role) {
            return Err(format!("development.owner_role: one of authorize.consent_roles ({})", policy.authorize.consent_roles.join(", ")));
        }
        if policy.authorize.consent_roles.contains(&self.staff_role) {
            return Err("development.staff_role: a role that may not connect apps, none of authorize.consent_roles".into());
        }
        Ok(())
    }
}
