//! What a new password must be (NIST SP 800-63B §3.1.1.2: length, and none that everybody tries; no
//! rules about kinds of characters).
//!
//! The list is short on purpose: only passwords long enough to pass the length rule are on it. Guessing
//! is stopped by the limits of sign-in, see [`crate::policy::Login`].

use crate::app::Problem;
use crate::person::normal_email;

/// Shortest and longest password, in characters.
pub const LENGTH: core::ops::RangeInclusive<usize> = 12..=200;

/// The most common passwords of at least twelve characters, in lower case, without spaces.
const COMMON: [&str; 36] = [
    "123456789012",
    "1234567890123",
    "12345678901234",
    "123456789012345",
    "1234567890123456",
    "0123456789ab",
    "123123123123",
    "121212121212",
    "112233445566",
    "1q2w3e4r5t6y",
    "1q2w3e4r5t6y7u",
    "q1w2e3r4t5y6",
    "1qaz2wsx3edc",
    "qwertyuiop12",
    "qwertyuiop123",
    "qwerty123456",
    "qwertyqwerty",
    "qwertyuiopasdfghjkl",
    "asdfghjkl123",
    "abcdefghijkl",
    "abcdef123456",
    "abc123abc123",
    "password1234",
    "password12345",
    "password123456",
    "passwordpassword",
    "p@ssw0rd1234",
    "mypassword123",
    "changeme1234",
    "letmeinletmein",
    "welcome12345",
    "iloveyou1234",
    "iloveyouiloveyou",
    "administrator",
    "administrator1",
    "correcthorsebatterystaple",
];

fn is_common(password: &str) -> bool {
    let plain: String = password.to_lowercase().chars().filter(|c| !c.is_whitespace()).collect();
    let first = plain.chars().next();
    plain.chars().all(|c| Some(c) == first) || COMMON.contains(&plain.as_str())
}

/// Whether the password says the address, or the part of it in front of the `@`.
fn is_address(password: &str, email: &str) -> bool {
    let (password, email) = (normal_email(password), normal_email(email));
    password == email || email.split_once('@').is_some_and(|(name, _)| password == name)
}

/// Everything that is wrong with a new password of the person with this address, field by field.
#[must_use]
pub fn problems(new: &str, repeat: &str, current: &str, email: &str) -> Vec<Problem> {
    let length = new.chars().count();
    let (shortest, longest) = (LENGTH.start(), LENGTH.end());
    let problem = match () {
        () if new.is_empty() => Some(format!("choose one of at least {shortest} characters, such as four words")),
        () if length < *shortest => Some(format!("it has {length} characters: choose one of at least {shortest}, such as four words")),
        () if length > *longest => Some(format!("it has {length} characters: choose one of at most {longest}")),
        () if is_address(new, email) => Some("it is your e-mail address, which others know: choose another one".to_owned()),
        () if is_common(new) => Some("it is one of the passwords that are tried first: choose another one".to_owned()),
        () if new == current => Some("it is the password that you have now: choose another one".to_owned()),
        () => None,
    };
    match problem {
        Some(problem) => vec![("new", problem)],
        None if new != repeat => vec![("repeat", "it is not the same as the new password".to_owned())],
        None => Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const EMAIL: &str = "olivia.owner@demo.example";

    fn field(new: &str, repeat: &str) -> Option<(&'static str, String)> {
        problems(new, repeat, "the old password", EMAIL).into_iter().next()
    }

    #[test]
    fn long_and_unknown_passwords_are_taken_as_they_are() {
        for fine in ["four plain words here", "  spaces at both ends  ", "äöüäöüäöüäöö", &"x y".repeat(66)] {
            assert_eq!(field(fine, fine), None, "{fine}");
        }
    }

    #[test]
    fn what_is_refused_says_why() {
        for (bad, why) in [
            ("", "at least 12"),
            ("elevenchars", "it has 11 characters"),
            ("äöüäöüäöüäö", "it has 11 characters"),
            (&"x y".repeat(67), "at most 200"),
            ("Olivia.Owner@demo.example", "e-mail address"),
            ("olivia.owner", "e-mail address"),
            ("PasswordPassword", "tried first"),
            ("password 1234", "tried first"),
            ("aaaaaaaaaaaaaaa", "tried first"),
            ("            ", "tried first"),
            ("the old password", "that you have now"),
        ] {
            let (name, problem) = field(bad, bad).unwrap();
            assert_eq!(name, "new", "{bad}");
            assert!(problem.contains(why), "{bad}: {problem}");
        }
        assert_eq!(field("four plain words here", "four plain words her").unwrap().0, "repeat");
    }

    #[test]
    fn every_common_password_would_pass_the_length_rule() {
        for common in COMMON {
            assert!(LENGTH.contains(&common.chars().count()), "{common}");
            assert_eq!(common, common.to_lowercase());
        }
    }
}
