//! A question and its context as windows: as many encodings as a long context needs, each of which has the whole
//! question. Unlike ids alone, places in the context are wanted here, so contexts are cut whole, not piece by piece.

use crate::tokenizer::Handle;
use crate::{guard, Bytes, Failure};
use tokenizers::utils::parallelism::MaybeParallelIterator;
use tokenizers::utils::truncation::{truncate_encodings, TruncationParams, TruncationStrategy};
use tokenizers::Encoding;

/// The place of a token that is not of the context.
const OUTSIDE: i32 = -1;
const CONTEXT: usize = 1; // which sequence of the pair

/// The windows of all rows end to end, as `sft_windows_view` shows them.
#[derive(Default)]
pub struct Windows {
    ids: Vec<u32>,
    segments: Vec<u8>,
    first: Vec<i32>,
    end: Vec<i32>,
    token_ends: Vec<usize>,
    window_ends: Vec<usize>,
    question_lengths: Vec<usize>,
    num_special: usize,
}

impl Windows {
    fn add(&mut self, window: &Encoding) {
        self.ids.extend_from_slice(window.get_ids());
        self.segments.extend(window.get_type_ids().iter().map(|&id| id as u8));
        for (sequence, &(first, end)) in window.get_sequence_ids().into_iter().zip(window.get_offsets()) {
            let is_context = sequence == Some(CONTEXT); // no segment says it: RoBERTa has one alone
            self.first.push(if is_context { first as i32 } else { OUTSIDE });
            self.end.push(if is_context { end as i32 } else { OUTSIDE });
        }
        self.token_ends.push(self.ids.len());
    }
}

#[repr(C)]
pub struct View {
    ids: *const u32,
    segments: *const u8,
    first: *const i32,
    end: *const i32,
    token_ends: *const usize,
    window_ends: *const usize,
    question_lengths: *const usize,
    num_special: usize,
}

/// Tokens of a window, and those that it has in common with the one before.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct Limits {
    max_length: usize,
    stride: usize,
}

impl Limits {
    /// Nothing where no window has room for the question and for a token of the context that the window before lacks:
    /// the crate fails there, or asserts.
    fn truncation(self, num_special: usize, question: usize, context: usize) -> Option<TruncationParams> {
        let around = question + num_special;
        let needs_one = around + context <= self.max_length;
        let room = self.max_length.saturating_sub(around);
        (needs_one || self.stride < room).then(|| TruncationParams {
            max_length: self.max_length - num_special,
            stride: self.stride,
            strategy: TruncationStrategy::OnlySecond,
            ..Default::default()
        })
    }
}

impl Handle {
    /// A context's tokens with the characters that each is made of. Spaces are taken off them by the processor alone,
    /// which comes behind truncation.
    fn encode_places(&self, context: &str) -> Result<Encoding, Failure> {
        let encoded = self.placing()?.0.encode_char_offsets(context, false);
        let mut encoding = encoded.map_err(|error| Failure::Data(format!("a text cannot be tokenized: {error}")))?;
        encoding.set_type_ids(vec![1; encoding.len()]);
        Ok(encoding)
    }

    /// No windows where the limits are too narrow.
    fn windows_of(&self, question: &Encoding, context: &Encoding, limits: Limits) -> Result<Vec<Encoding>, Failure> {
        let truncation = limits.truncation(self.num_special(true), question.len(), context.len());
        let Some(truncation) = truncation else {
            return Ok(vec![]);
        };
        let (_, cut) = truncate_encodings(question.clone(), Some(context.clone()), &truncation)
            .map_err(|error| Failure::Data(format!("a text cannot be truncated: {error}")))?;
        let mut first = cut.expect("a pair stays one");
        let rest = first.take_overflowing();
        let parts = std::iter::once(first).chain(rest);
        parts.map(|part| self.put_together(question.clone(), Some(part))).collect()
    }

    fn encode_windows(&self, questions: &[&str], contexts: &[&str], limits: Limits) -> Result<Windows, Failure> {
        let mut distinct = contexts.to_vec();
        distinct.dedup(); // neighbours ask about one context
        let encoded = distinct
            .clone()
            .into_maybe_par_iter_cond(distinct.len() > 1)
            .map(|context| self.encode_places(context))
            .collect::<Result<Vec<_>, Failure>>()?;

        let mut pairs = Vec::with_capacity(questions.len());
        let mut place = 0;
        for (&question, &context) in questions.iter().zip(contexts) {
            place += usize::from(distinct[place] != context);
            pairs.push((question, &encoded[place]));
        }
        let rows = pairs
            .into_maybe_par_iter_cond(questions.len() > 1)
            .map(|(question, context)| {
                let question = self.encode_alone(question)?;
                Ok((question.len(), self.windows_of(&question, context, limits)?))
            })
            .collect::<Result<Vec<_>, Failure>>()?;

        let mut out = Windows { num_special: self.num_special(true), ..Default::default() };
        for (question_length, windows) in rows {
            windows.iter().for_each(|window| out.add(window));
            out.window_ends.push(out.token_ends.len());
            out.question_lengths.push(question_length);
        }
        Ok(out)
    }
}

unsafe fn texts<'a>(texts: *const Bytes, count: usize) -> Result<Vec<&'a str>, Failure> {
    let texts: &[Bytes] = if count == 0 { &[] } else { std::slice::from_raw_parts(texts, count) };
    texts.iter().map(|text| text.as_str()).collect()
}

/// # Safety
/// `handle` is live, `questions` and `contexts` hold `count` texts, `out` is writable.
#[no_mangle]
pub unsafe extern "C" fn sft_tokenizer_windows(
    handle: *const Handle,
    questions: *const Bytes,
    contexts: *const Bytes,
    count: usize,
    limits: Limits,
    out: *mut *mut Windows,
) -> i32 {
    guard(|| {
        let windows = (*handle).encode_windows(&texts(questions, count)?, &texts(contexts, count)?, limits)?;
        *out = Box::into_raw(Box::new(windows));
        Ok(())
    })
}

/// # Safety
/// `windows` was not freed, or is null.
#[no_mangle]
pub unsafe extern "C" fn sft_windows_free(windows: *mut Windows) {
    if !windows.is_null() {
        drop(Box::from_raw(windows));
    }
}

/// # Safety
/// `windows` is live.
#[no_mangle]
pub unsafe extern "C" fn sft_windows_get(windows: *const Windows) -> View {
    let it = &*windows;
    View {
        ids: it.ids.as_ptr(),
        segments: it.segments.as_ptr(),
        first: it.first.as_ptr(),
        end: it.end.as_ptr(),
        token_ends: it.token_ends.as_ptr(),
        window_ends: it.window_ends.as_ptr(),
        question_lengths: it.question_lengths.as_ptr(),
        num_special: it.num_special,
    }
}
