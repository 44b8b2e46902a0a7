//! Texts as tokens that know which bytes they are made of, without special tokens around them; and ids back to text.

use crate::pieces::{append_placed, PlacedIds};
use crate::tokenizer::Handle;
use crate::{guard, Bytes, Failure};
use tokenizers::utils::parallelism::MaybeParallelIterator;

/// The tokens of all texts end to end, as `sft_placed_view` shows them.
#[derive(Default)]
pub struct Placed {
    ids: Vec<u32>,
    first: Vec<i64>,
    end: Vec<i64>,
    ends: Vec<usize>,
}

#[repr(C)]
pub struct View {
    ids: *const u32,
    first: *const i64,
    end: *const i64,
    ends: *const usize,
}

impl Handle {
    fn encode_placed(&self, texts: &[&str]) -> Result<Placed, Failure> {
        let (tokenizer, pieces) = self.placing()?;
        let encoded = texts
            .to_vec()
            .into_maybe_par_iter_cond(texts.len() > 1)
            .map(|text| {
                let mut placed = PlacedIds::default();
                append_placed(pieces, tokenizer, text, &mut placed).map(|()| placed)
            })
            .collect::<Result<Vec<_>, Failure>>()?;
        let mut out = Placed::default();
        for placed in encoded {
            out.ids.extend(placed.ids);
            out.first.extend(placed.first);
            out.end.extend(placed.end);
            out.ends.push(out.ids.len());
        }
        Ok(out)
    }
}

/// # Safety
/// `handle` is live, `texts` holds `count` texts, `out` is writable.
#[no_mangle]
pub unsafe extern "C" fn sft_tokenizer_encode_placed(
    handle: *const Handle,
    texts: *const Bytes,
    count: usize,
    out: *mut *mut Placed,
) -> i32 {
    guard(|| {
        let texts: &[Bytes] = if count == 0 { &[] } else { std::slice::from_raw_parts(texts, count) };
        let texts = texts.iter().map(|text| text.as_str()).collect::<Result<Vec<_>, Failure>>()?;
        *out = Box::into_raw(Box::new((*handle).encode_placed(&texts)?));
        Ok(())
    })
}

/// # Safety
/// `placed` was not freed, or is null.
#[no_mangle]
pub unsafe extern "C" fn sft_placed_free(placed: *mut Placed) {
    if !placed.is_null() {
        drop(Box::from_raw(placed));
    }
}

/// # Safety
/// `placed` is live.
#[no_mangle]
pub unsafe extern "C" fn sft_placed_get(placed: *const Placed) -> View {
    let it = &*placed;
    View { ids: it.ids.as_ptr(), first: it.first.as_ptr(), end: it.end.as_ptr(), ends: it.ends.as_ptr() }
}

/// # Safety
/// `handle` is live, `ids` holds `count` ids, `out` is writable.
#[no_mangle]
pub unsafe extern "C" fn sft_tokenizer_decode(
    handle: *const Handle,
    ids: *const u32,
    count: usize,
    out: *mut *mut String,
) -> i32 {
    guard(|| {
        let ids: &[u32] = if count == 0 { &[] } else { std::slice::from_raw_parts(ids, count) };
        *out = Box::into_raw(Box::new((*handle).decode(ids)?));
        Ok(())
    })
}
