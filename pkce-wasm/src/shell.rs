//! The one export to JavaScript: text in, text out, and no import at all. Whatever the module could do
//! wrong, it cannot reach the page, the network or the storage.

use alloc::string::String;
use wasm_bindgen::prelude::wasm_bindgen;

// SAFETY: there is one thread, and no interrupt in which a second call could begin.
#[expect(unsafe_code, reason = "the type says that nobody else allocates, which its caller has to promise")]
#[global_allocator]
static ALLOCATOR: lol_alloc::AssumeSingleThreaded<lol_alloc::FreeListAllocator> =
    unsafe { lol_alloc::AssumeSingleThreaded::new(lol_alloc::FreeListAllocator::new()) };

/// See [`crate::question::answer`].
#[wasm_bindgen]
pub fn ask(question: &str) -> String {
    crate::question::answer(question)
}

#[cfg(test)]
mod tests;
