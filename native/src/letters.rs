//! What Unicode knows of letters, for scores that look at texts.

use crate::{guard, Bytes};
use tokenizers::NormalizedString;

/// # Safety
/// `text` is readable, `out` is writable.
#[no_mangle]
pub unsafe extern "C" fn sft_lowercase(text: Bytes, out: *mut *mut String) -> i32 {
    guard(|| {
        *out = Box::into_raw(Box::new(text.as_str()?.to_lowercase()));
        Ok(())
    })
}

/// # Safety
/// `text` is readable, `out` is writable.
#[no_mangle]
pub unsafe extern "C" fn sft_folded(text: Bytes, out: *mut *mut String) -> i32 {
    guard(|| {
        let mut text = NormalizedString::from(text.as_str()?);
        text.nfkc();
        let words: Vec<String> = text.get().to_lowercase().split_whitespace().map(String::from).collect();
        *out = Box::into_raw(Box::new(words.join(" ")));
        Ok(())
    })
}

/// # Safety
/// `text` is live.
#[no_mangle]
pub unsafe extern "C" fn sft_text_get(text: *const String) -> Bytes {
    Bytes::borrow(&*text)
}

/// # Safety
/// `text` was not freed, or is null.
#[no_mangle]
pub unsafe extern "C" fn sft_text_free(text: *mut String) {
    if !text.is_null() {
        drop(Box::from_raw(text));
    }
}

#[no_mangle]
pub extern "C" fn sft_is_alphanumeric(character: u32) -> i32 {
    i32::from(char::from_u32(character).is_some_and(char::is_alphanumeric))
}
