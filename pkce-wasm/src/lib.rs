//! OAuth 2.0 for browser apps: authorization code with PKCE (RFC 6749, 7636), issuer check
//! (RFC 9207), refresh and revocation (RFC 7009).
//!
//! This crate is the part that decides whether an answer may be believed. It is synchronous and does
//! no I/O of its own: time, randomness and storage are arguments, so every branch is tested natively.
//! `shell` exports it to JavaScript as a function from text to text; `js/` beside it does what needs
//! the page or a promise: fetch, locks, navigation.
//!
//! Out of scope: `plain`, the implicit grant, client secrets, popups and hidden frames, id tokens.

#![cfg_attr(feature = "no-std", no_std)]

extern crate alloc;

pub mod callback;
pub mod error;
pub mod form;
pub mod login;
pub mod metadata;
pub mod pkce;
pub mod question;
pub mod tokens;
// The binding layer exists for JavaScript only.
#[cfg(target_arch = "wasm32")]
pub mod shell;

/// No input reaches a panic. Should one be reached after all, the page sees a `RuntimeError`; the
/// message would cost every user of the module more than it could ever tell.
#[cfg(feature = "no-std")]
#[panic_handler]
fn panic(_: &core::panic::PanicInfo<'_>) -> ! {
    core::arch::wasm32::unreachable()
}
