//! One static library of what C++ takes from Rust. This file is the border: statuses, the last
//! error's text, and the guard that keeps a panic from unwinding into C++.

mod albert;
mod arrow_file;
mod bert;
mod cells;
mod charsmap;
mod chat_template;
mod cuts;
mod deberta;
mod decompress;
mod directory;
mod features;
mod footer;
mod generation_tags;
mod hash;
mod json_cells;
mod letters;
mod limits;
mod marian;
mod memory;
mod offsets;
mod parquet_file;
mod pieces;
mod protobuf;
mod python_filters;
mod python_json;
mod roberta;
mod sentencepiece;
mod sentencepiece_model;
mod settings;
mod strftime;
mod t5;
mod table;
mod thrift;
mod tokenizer;
mod unigram;
mod windows;
mod xlm_roberta;
mod xlnet;

use std::any::Any;
use std::cell::RefCell;
use std::panic::{catch_unwind, AssertUnwindSafe};
use std::path::Path;
use std::sync::Once;

/// What went wrong, in the terms of `sft_native.h`.
pub enum Failure {
    Config(String),
    Data(String),
}

pub const OK: i32 = 0;
const CONFIG: i32 = 1;
const DATA: i32 = 2;
const INTERNAL: i32 = 3;

#[repr(C)]
#[derive(Clone, Copy)]
pub struct Bytes {
    data: *const u8,
    size: usize,
}

impl Bytes {
    pub fn borrow(text: &str) -> Self {
        Bytes { data: text.as_ptr(), size: text.len() }
    }

    /// # Safety
    /// The bytes must be readable for as long as the caller of the entry lends them.
    pub unsafe fn as_slice<'a>(self) -> &'a [u8] {
        if self.size == 0 {
            return &[]; // an empty view may carry a null pointer
        }
        std::slice::from_raw_parts(self.data, self.size)
    }

    /// # Safety
    /// As `as_slice`.
    pub unsafe fn as_str<'a>(self) -> Result<&'a str, Failure> {
        std::str::from_utf8(self.as_slice())
            .map_err(|error| Failure::Data(format!("a text is not valid UTF-8: {error}")))
    }
}

thread_local! {
    static LAST_ERROR: RefCell<String> = const { RefCell::new(String::new()) };
}

fn remember(message: String) {
    LAST_ERROR.with(|last| *last.borrow_mut() = message);
}

#[no_mangle]
pub extern "C" fn sft_native_error() -> Bytes {
    LAST_ERROR.with(|last| Bytes::borrow(&last.borrow()))
}

fn describe(panic: &(dyn Any + Send)) -> String {
    let text = panic
        .downcast_ref::<&str>()
        .map(|text| text.to_string())
        .or_else(|| panic.downcast_ref::<String>().cloned());
    text.unwrap_or_else(|| "a panic without a message".to_string())
}

/// For what the content of `file` decides: a panic in `body` is the file's fault, and told as such.
pub fn blame<T>(file: &Path, body: impl FnOnce() -> Result<T, Failure>) -> Result<T, Failure> {
    quieten_panics();
    catch_unwind(AssertUnwindSafe(body)).unwrap_or_else(|panic| {
        Err(Failure::Data(format!("{}: cannot be used: {}", file.display(), describe(panic.as_ref()))))
    })
}

fn quieten_panics() {
    static QUIET: Once = Once::new();
    QUIET.call_once(|| std::panic::set_hook(Box::new(|_| {})));
}

/// Runs an entry's body. A failure leaves its text for `sft_native_error`, and so does a panic, which
/// would otherwise write to standard error in its own words.
pub fn guard(body: impl FnOnce() -> Result<(), Failure>) -> i32 {
    quieten_panics();
    match catch_unwind(AssertUnwindSafe(body)) {
        Ok(Ok(())) => OK,
        Ok(Err(Failure::Config(message))) => {
            remember(message);
            CONFIG
        }
        Ok(Err(Failure::Data(message))) => {
            remember(message);
            DATA
        }
        Err(panic) => {
            remember(format!("in native code: {}", describe(panic.as_ref())));
            INTERNAL
        }
    }
}
