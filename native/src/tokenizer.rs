//! Tokenizers: truncation as transformers does it, and encoding in batches.

use crate::directory::{in_file, is_marian, open, read, settings_of, source_of};
use crate::marian::{self, Marian, Side};
use crate::pieces::{self, Pieces};
use crate::{blame, guard, limits, Bytes, Failure};
use std::path::Path;
use tokenizers::utils::parallelism::MaybeParallelIterator;
use tokenizers::utils::truncation::{truncate_encodings, TruncationDirection, TruncationParams};
use tokenizers::{Encoding, PostProcessor, PostProcessorWrapper, Tokenizer};

/// The word of a token that belongs to none.
const NO_WORD: i32 = -1;

/// What cuts texts into tokens.
enum Cutter {
    Whole, // the tokenizer itself
    InPieces(Pieces),
    Marian(Marian),
}

pub struct Handle {
    tokenizer: Tokenizer,                    // puts no special tokens around texts
    processor: Option<PostProcessorWrapper>, // does that, behind truncation
    cutter: Cutter,
    json: String,
    id_bound: usize,   // one above the largest id
    max_length: usize, // 0: no limit
    direction: TruncationDirection,
}

/// Many encodings end to end, as `sft_encodings_view` shows them.
#[derive(Default)]
pub struct Encodings {
    ids: Vec<u32>,
    segments: Vec<u8>,
    words: Vec<i32>, // empty unless texts came as words
    ends: Vec<usize>,
    full_lengths: Vec<usize>,
}

impl Encodings {
    fn add(&mut self, encoding: &Encoding, full_length: usize) {
        self.ids.extend_from_slice(encoding.get_ids());
        self.segments.extend(encoding.get_type_ids().iter().map(|&id| id as u8));
        self.ends.push(self.ids.len());
        self.full_lengths.push(full_length);
    }
}

#[repr(C)]
pub struct View {
    ids: *const u32,
    segments: *const u8,
    words: *const i32,
    ends: *const usize,
    full_lengths: *const usize,
}

/// What truncation and templates want of a text; nobody asks for its tokens' spellings or offsets.
fn plain_encoding(ids: Vec<u32>, words: Vec<Option<u32>>) -> Encoding {
    let count = ids.len();
    let (spellings, offsets) = (vec![String::new(); count], vec![(0, 0); count]);
    Encoding::new(ids, vec![0; count], spellings, words, offsets, vec![0; count], vec![1; count], vec![], Default::default())
}

/// Texts encoded on all cores, in their order.
fn gathered<Text: Send>(
    texts: Vec<Text>,
    encode: impl Fn(Text) -> Result<(Encoding, usize), Failure> + Sync + Send,
) -> Result<Encodings, Failure> {
    let many = texts.len() > 1;
    let encoded = texts.into_maybe_par_iter_cond(many).map(encode).collect::<Result<Vec<_>, Failure>>()?;
    let mut out = Encodings::default();
    for (encoding, full_length) in encoded {
        out.add(&encoding, full_length);
    }
    Ok(out)
}

/// The tokenizer of a directory; of its targets, None where they are cut as its sources are.
fn opened(directory: &Path, side: Side) -> Result<Option<Handle>, Failure> {
    let (settings, class) = settings_of(directory)?;
    let (tokenizer, marian) = if is_marian(directory, &class) {
        let (tokenizer, marian) = Marian::of_directory(directory, &settings, side, read)?;
        (tokenizer, Some(marian))
    } else if side == Side::Source {
        (open(directory, &settings, &class)?, None)
    } else {
        return Ok(None);
    };
    let source = if marian.is_some() { directory.join(marian::SOURCE_MODEL) } else { source_of(directory) };
    let handle = Handle::new(tokenizer, marian).map_err(|failure| in_file(&source, failure))?;
    let _ = handle.encode("a", Some("a")); // what panics here would panic at every text
    Ok(Some(handle))
}

impl Handle {
    fn new(mut tokenizer: Tokenizer, marian: Option<Marian>) -> Result<Self, Failure> {
        let internal = |error: tokenizers::Error| Failure::Data(error.to_string());
        tokenizer.with_truncation(None).map_err(internal)?;
        tokenizer.with_padding(None);
        let id_bound = limits::checked_id_bound(&tokenizer)?;
        let mut json = tokenizer.to_string(true).map_err(internal)?;
        if let Some(marian) = &marian {
            json = marian.told_in(&json).map_err(|error| Failure::Data(error.to_string()))?;
        }
        let in_pieces = || Pieces::of(&tokenizer).map_or(Cutter::Whole, Cutter::InPieces);
        let cutter = marian.map_or_else(in_pieces, Cutter::Marian);
        let processor = tokenizer.get_post_processor().cloned();
        tokenizer.with_post_processor(None::<PostProcessorWrapper>);
        let direction = TruncationDirection::Right;
        Ok(Handle { tokenizer, processor, cutter, json, id_bound, max_length: 0, direction })
    }

    /// For what tells the places of tokens in a text: by pieces, where texts may be cut into some.
    pub(crate) fn placing(&self) -> Result<(&Tokenizer, Option<&Pieces>), Failure> {
        match &self.cutter {
            Cutter::Marian(_) => {
                let problem = "Marian's tokenizer does not tell where in a text its tokens stand";
                Err(Failure::Config(problem.to_string()))
            }
            Cutter::InPieces(pieces) => Ok((&self.tokenizer, Some(pieces))),
            Cutter::Whole => Ok((&self.tokenizer, None)),
        }
    }

    pub(crate) fn decode(&self, ids: &[u32]) -> Result<String, Failure> {
        self.tokenizer.decode(ids, false).map_err(|error| Failure::Data(format!("ids are no text: {error}")))
    }

    pub(crate) fn num_special(&self, is_pair: bool) -> usize {
        self.processor.as_ref().map_or(0, |processor| processor.added_tokens(is_pair))
    }

    /// What is left for text of `max_length` tokens.
    fn room(&self, max_length: usize, is_pair: bool) -> Result<usize, Failure> {
        let special = self.num_special(is_pair);
        max_length.checked_sub(special).ok_or_else(|| {
            let what = if is_pair { "pair" } else { "text" };
            Failure::Config(format!("max_length = {max_length} has no room for the {special} special tokens of a {what}"))
        })
    }

    fn append_ids(&self, text: &str, ids: &mut Vec<u32>) -> Result<(), Failure> {
        match &self.cutter {
            Cutter::InPieces(pieces) => pieces.append(&self.tokenizer, text, ids)?,
            Cutter::Whole => ids.extend_from_slice(pieces::encode(&self.tokenizer, text)?.get_ids()),
            Cutter::Marian(marian) => marian.append_ids(&self.tokenizer, text, ids),
        }
        Ok(())
    }

    pub(crate) fn encode_alone(&self, text: &str) -> Result<Encoding, Failure> {
        let mut ids = Vec::with_capacity(text.len() / 4);
        self.append_ids(text, &mut ids)?;
        let words = vec![None; ids.len()];
        Ok(plain_encoding(ids, words))
    }

    fn encode(&self, first: &str, second: Option<&str>) -> Result<(Encoding, usize), Failure> {
        let second = second.map(|text| self.encode_alone(text)).transpose()?;
        self.finish(self.encode_alone(first)?, second)
    }

    /// With special tokens, and never cut.
    fn encode_whole(&self, text: &str) -> Result<(Encoding, usize), Failure> {
        let whole = self.put_together(self.encode_alone(text)?, None)?;
        let length = whole.len();
        Ok((whole, length))
    }

    /// A text that comes as words, each of which is cut by itself: `is_split_into_words` of transformers.
    fn encode_words(&self, texts: &[&str]) -> Result<(Encoding, usize), Failure> {
        let (mut ids, mut words) = (Vec::new(), Vec::new());
        for (i, text) in texts.iter().enumerate() {
            self.append_ids(text, &mut ids)?;
            words.resize(ids.len(), Some(i as u32));
        }
        self.finish(plain_encoding(ids, words), None)
    }

    /// Truncates, adds special tokens, and tells the length before truncation. The steps are those of
    /// `Tokenizer::encode` with truncation, except that what was cut off is dropped before the special
    /// tokens come: `encode` would make every combination of the cut pieces of a pair, which for
    /// two long texts is quadratic.
    fn finish(&self, mut first: Encoding, mut second: Option<Encoding>) -> Result<(Encoding, usize), Failure> {
        let is_pair = second.is_some();
        if let Some(second) = second.as_mut() {
            second.set_type_ids(vec![1; second.len()]);
        }
        let full_length = first.len() + second.as_ref().map_or(0, Encoding::len) + self.num_special(is_pair);

        if self.max_length > 0 {
            let params = TruncationParams {
                max_length: self.room(self.max_length, is_pair)?,
                direction: self.direction,
                ..TruncationParams::default() // longest first, no stride
            };
            (first, second) = truncate_encodings(first, second, &params)
                .map_err(|error| Failure::Data(format!("a text cannot be truncated: {error}")))?;
            first.take_overflowing();
            second.iter_mut().for_each(|it| drop(it.take_overflowing()));
        }
        Ok((self.put_together(first, second)?, full_length))
    }

    /// One encoding of both, with special tokens.
    pub(crate) fn put_together(&self, first: Encoding, second: Option<Encoding>) -> Result<Encoding, Failure> {
        let whole = match &self.processor {
            Some(processor) => processor.process(first, second, true),
            None => self.tokenizer.post_process(first, second, true),
        };
        whole.map_err(|error| Failure::Data(format!("a text cannot be tokenized: {error}")))
    }

    fn encode_all(&self, first: &[Bytes], second: Option<&[Bytes]>) -> Result<Encodings, Failure> {
        let texts: Vec<(&str, Option<&str>)> = (0..first.len())
            .map(|i| unsafe {
                let pair = second.map(|texts| texts[i].as_str()).transpose()?;
                Ok((first[i].as_str()?, pair))
            })
            .collect::<Result<_, Failure>>()?;
        gathered(texts, |(first, second)| self.encode(first, second))
    }

    fn encode_all_whole(&self, texts: &[Bytes]) -> Result<Encodings, Failure> {
        let texts: Vec<&str> = texts.iter().map(|text| unsafe { text.as_str() }).collect::<Result<_, Failure>>()?;
        gathered(texts, |text| self.encode_whole(text))
    }

    /// Text i is made of the words `ends[i-1]` to `ends[i]`.
    fn encode_all_words(&self, words: &[Bytes], ends: &[usize]) -> Result<Encodings, Failure> {
        let words: Vec<&str> =
            words.iter().map(|word| unsafe { word.as_str() }).collect::<Result<_, Failure>>()?;
        let starts = std::iter::once(0).chain(ends.iter().copied());
        let texts: Vec<&[&str]> = starts.zip(ends).map(|(start, &end)| &words[start..end]).collect();
        let many = texts.len() > 1;
        let encoded = texts
            .into_maybe_par_iter_cond(many)
            .map(|text| self.encode_words(text))
            .collect::<Result<Vec<_>, Failure>>()?;

        let mut out = Encodings::default();
        for (encoding, full_length) in encoded {
            let words = encoding.get_word_ids().iter();
            out.words.extend(words.map(|word| word.map_or(NO_WORD, |word| word as i32)));
            out.add(&encoding, full_length);
        }
        Ok(out)
    }
}

/// # Safety
/// `directory` is readable, `out` is writable.
#[no_mangle]
pub unsafe extern "C" fn sft_tokenizer_open(directory: Bytes, of_targets: i32, out: *mut *mut Handle) -> i32 {
    guard(|| {
        let side = if of_targets != 0 { Side::Target } else { Side::Source };
        let directory = Path::new(directory.as_str()?);
        let handle = blame(&source_of(directory), || opened(directory, side))?;
        *out = handle.map_or(std::ptr::null_mut(), |handle| Box::into_raw(Box::new(handle)));
        Ok(())
    })
}

/// # Safety
/// `handle` was not freed, or is null.
#[no_mangle]
pub unsafe extern "C" fn sft_tokenizer_free(handle: *mut Handle) {
    if !handle.is_null() {
        drop(Box::from_raw(handle));
    }
}

/// # Safety
/// `handle` is live and not in use by another thread.
#[no_mangle]
pub unsafe extern "C" fn sft_tokenizer_truncate(handle: *mut Handle, max_length: usize, from_left: i32) -> i32 {
    guard(|| {
        let handle = &mut *handle;
        if max_length > 0 {
            handle.room(max_length, false)?;
        }
        handle.max_length = max_length;
        handle.direction = if from_left != 0 { TruncationDirection::Left } else { TruncationDirection::Right };
        Ok(())
    })
}

/// # Safety
/// `handle` is live.
#[no_mangle]
pub unsafe extern "C" fn sft_tokenizer_vocab_size(handle: *const Handle) -> usize {
    (*handle).id_bound
}

/// # Safety
/// `handle` is live.
#[no_mangle]
pub unsafe extern "C" fn sft_tokenizer_json(handle: *const Handle) -> Bytes {
    Bytes::borrow(&(*handle).json)
}

/// # Safety
/// `handle` is live.
#[no_mangle]
pub unsafe extern "C" fn sft_tokenizer_is_json(handle: *const Handle) -> i32 {
    i32::from(!matches!((*handle).cutter, Cutter::Marian(_)))
}

/// # Safety
/// `handle` is live, `first` and, where it is not null, `second` hold `count` texts, `out` is writable.
#[no_mangle]
pub unsafe extern "C" fn sft_tokenizer_encode(
    handle: *const Handle,
    first: *const Bytes,
    second: *const Bytes,
    count: usize,
    out: *mut *mut Encodings,
) -> i32 {
    guard(|| {
        if count == 0 {
            *out = Box::into_raw(Box::default());
            return Ok(());
        }
        let slice = |texts: *const Bytes| std::slice::from_raw_parts(texts, count);
        let second = if second.is_null() { None } else { Some(slice(second)) };
        let encodings = (*handle).encode_all(slice(first), second)?;
        *out = Box::into_raw(Box::new(encodings));
        Ok(())
    })
}

/// # Safety
/// `handle` is live, `texts` holds `count` texts, `out` is writable.
#[no_mangle]
pub unsafe extern "C" fn sft_tokenizer_encode_whole(
    handle: *const Handle,
    texts: *const Bytes,
    count: usize,
    out: *mut *mut Encodings,
) -> i32 {
    guard(|| {
        let texts: &[Bytes] = if count == 0 { &[] } else { std::slice::from_raw_parts(texts, count) };
        *out = Box::into_raw(Box::new((*handle).encode_all_whole(texts)?));
        Ok(())
    })
}

/// # Safety
/// `handle` is live, `ends` holds `count` places, rising, in `words`, whose last one is their number, `out` is writable.
#[no_mangle]
pub unsafe extern "C" fn sft_tokenizer_encode_words(
    handle: *const Handle,
    words: *const Bytes,
    ends: *const usize,
    count: usize,
    out: *mut *mut Encodings,
) -> i32 {
    guard(|| {
        let ends: &[usize] = if count == 0 { &[] } else { std::slice::from_raw_parts(ends, count) };
        let num_words = ends.last().copied().unwrap_or(0);
        let words: &[Bytes] = if num_words == 0 { &[] } else { std::slice::from_raw_parts(words, num_words) };
        *out = Box::into_raw(Box::new((*handle).encode_all_words(words, ends)?));
        Ok(())
    })
}

/// # Safety
/// `encodings` was not freed, or is null.
#[no_mangle]
pub unsafe extern "C" fn sft_encodings_free(encodings: *mut Encodings) {
    if !encodings.is_null() {
        drop(Box::from_raw(encodings));
    }
}

/// # Safety
/// `encodings` is live.
#[no_mangle]
pub unsafe extern "C" fn sft_encodings_get(encodings: *const Encodings) -> View {
    let it = &*encodings;
    View {
        ids: it.ids.as_ptr(),
        segments: it.segments.as_ptr(),
        words: if it.words.is_empty() { std::ptr::null() } else { it.words.as_ptr() },
        ends: it.ends.as_ptr(),
        full_lengths: it.full_lengths.as_ptr(),
    }
}
