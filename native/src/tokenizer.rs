//! Tokenizers: opening a directory, truncation as transformers does it, and encoding in batches.

use crate::marian::{self, Marian, Side};
use crate::pieces::{self, Pieces};
use crate::settings::{add_named, take_in_legacy_tokens};
use crate::{bert, blame, guard, limits, roberta, t5, Bytes, Failure};
use serde_json::Value;
use std::path::{Path, PathBuf};
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

/// Of a regular file alone: a FIFO would keep us waiting, and a device would never end.
fn read(path: &Path) -> Result<Vec<u8>, Failure> {
    let refused = |reason: &dyn std::fmt::Display| Failure::Config(format!("{}: cannot be read: {reason}", path.display()));
    if !std::fs::metadata(path).map_err(|error| refused(&error))?.is_file() {
        return Err(refused(&"a regular file is wanted"));
    }
    std::fs::read(path).map_err(|error| refused(&error))
}

fn in_file(path: &Path, failure: Failure) -> Failure {
    match failure {
        Failure::Data(message) => Failure::Data(format!("{}: {message}", path.display())),
        other => other,
    }
}

/// A JSON object in a file, or an empty one where there is no such file.
fn read_object(path: &Path) -> Result<Value, Failure> {
    if !path.exists() {
        return Ok(Value::Object(Default::default()));
    }
    let object: Value = serde_json::from_slice(&read(path)?)
        .map_err(|error| Failure::Data(format!("{}: not valid JSON: {error}", path.display())))?;
    if !object.is_object() {
        return Err(Failure::Data(format!("{}: wanted a JSON object", path.display())));
    }
    Ok(object)
}

/// The class that transformers' AutoTokenizer would pick, as far as we build one: "" is any other.
fn class_of(directory: &Path, settings: &Value) -> Result<String, Failure> {
    if let Some(class) = settings["tokenizer_class"].as_str() {
        return Ok(class.trim_end_matches("Fast").to_string());
    }
    let config = read_object(&directory.join("config.json"))?;
    let class = match config["model_type"].as_str() {
        Some("roberta") => roberta::CLASS,
        Some("marian") => marian::CLASS,
        Some("t5" | "mt5") => t5::CLASS,
        _ => "",
    };
    Ok(class.to_string())
}

/// The settings of tokenizer_config.json, older files of added tokens taken in, and the class.
fn settings_of(directory: &Path) -> Result<(Value, String), Failure> {
    let mut settings = read_object(&directory.join("tokenizer_config.json"))?;
    take_in_legacy_tokens(&mut settings, &read_object(&directory.join("added_tokens.json"))?);
    let class = class_of(directory, &settings)?;
    Ok((settings, class))
}

/// MarianTokenizer reads no tokenizer.json, even where there is one.
fn is_marian(directory: &Path, class: &str) -> bool {
    let has_json = directory.join("tokenizer.json").exists();
    directory.join(marian::SOURCE_MODEL).exists() && (class == marian::CLASS || !has_json)
}

/// What a directory without a usable tokenizer does hold of one, for the message.
fn other_tokenizer_files(directory: &Path) -> String {
    let known = ["vocab.json", "merges.txt", "spiece.model", "sentencepiece.bpe.model", "tokenizer.model"];
    let found: Vec<&str> = known.into_iter().filter(|name| directory.join(name).exists()).collect();
    if found.is_empty() {
        return "copy the model's tokenizer files there".to_string();
    }
    format!(
        "its {} cannot be read alone: AutoTokenizer.from_pretrained(it).save_pretrained(it) writes a tokenizer.json",
        found.join(", ")
    )
}

/// The file that a tokenizer is read from, in the order of preference.
fn source_of(directory: &Path) -> PathBuf {
    let names = ["tokenizer.json", "vocab.txt", marian::SOURCE_MODEL, t5::MODEL, "vocab.json"];
    let found = names.into_iter().map(|name| directory.join(name)).find(|path| path.exists());
    found.unwrap_or_else(|| directory.to_path_buf())
}

fn open(directory: &Path, settings: &Value, class: &str) -> Result<Tokenizer, Failure> {
    let whole = directory.join("tokenizer.json");
    let vocabulary = directory.join("vocab.txt");
    let (entries, merges) = (directory.join("vocab.json"), directory.join("merges.txt"));
    let pieces = directory.join(t5::MODEL);
    let is_roberta = class == roberta::CLASS;
    if whole.exists() {
        let mut tokenizer = Tokenizer::from_bytes(read(&whole)?)
            .map_err(|error| Failure::Data(format!("{}: not a tokenizer: {error}", whole.display())))?;
        add_named(&mut tokenizer, settings).map_err(|failure| in_file(&whole, failure))?;
        bert::apply_settings(&mut tokenizer, settings)?;
        if is_roberta {
            roberta::apply_settings(&mut tokenizer, settings).map_err(|failure| in_file(&whole, failure))?;
        }
        return Ok(tokenizer);
    }
    if vocabulary.exists() {
        let text = String::from_utf8(read(&vocabulary)?)
            .map_err(|error| Failure::Data(format!("{}: not valid UTF-8: {error}", vocabulary.display())))?;
        let tokenizer = bert::from_vocabulary(&text, settings);
        return tokenizer.map_err(|failure| in_file(&vocabulary, failure));
    }
    if is_roberta && entries.exists() && merges.exists() {
        return roberta::from_vocabulary(&entries, &merges, settings);
    }
    if (class == t5::CLASS || class == "MT5Tokenizer") && pieces.exists() {
        return t5::from_model(&pieces, &read(&pieces)?, settings);
    }
    if !directory.is_dir() {
        return Err(Failure::Config(format!("{}: no such directory", directory.display())));
    }
    Err(Failure::Config(format!(
        "{}: a tokenizer is wanted, but there is neither tokenizer.json, nor vocab.txt (BERT), nor vocab.json and merges.txt (RoBERTa), nor source.spm, target.spm and vocab.json (Marian), nor spiece.model (T5); {}",
        directory.display(),
        other_tokenizer_files(directory)
    )))
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
    let handle = Handle::new(tokenizer, marian).map_err(|failure| in_file(&source_of(directory), failure))?;
    let _ = handle.encode("a", Some("a")); // what panics here would panic at every text
    Ok(Some(handle))
}

impl Handle {
    fn new(mut tokenizer: Tokenizer, marian: Option<Marian>) -> Result<Self, Failure> {
        let internal = |error: tokenizers::Error| Failure::Data(error.to_string());
        tokenizer.with_truncation(None).map_err(internal)?;
        tokenizer.with_padding(None);
        let mut json = tokenizer.to_string(true).map_err(internal)?;
        if let Some(marian) = &marian {
            json = marian.told_in(&json).map_err(|error| Failure::Data(error.to_string()))?;
        }
        let id_bound = limits::checked_id_bound(&tokenizer)?;
        let in_pieces = || Pieces::of(&tokenizer).map_or(Cutter::Whole, Cutter::InPieces);
        let cutter = marian.map_or_else(in_pieces, Cutter::Marian);
        let processor = tokenizer.get_post_processor().cloned();
        tokenizer.with_post_processor(None::<PostProcessorWrapper>);
        let direction = TruncationDirection::Right;
        Ok(Handle { tokenizer, processor, cutter, json, id_bound, max_length: 0, direction })
    }

    /// For what tells the places of tokens in a text.
    pub(crate) fn placing(&self) -> Result<&Tokenizer, Failure> {
        match self.cutter {
            Cutter::Marian(_) => {
                let problem = "Marian's tokenizer does not tell where in a text its tokens stand";
                Err(Failure::Config(problem.to_string()))
            }
            _ => Ok(&self.tokenizer),
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
