//! Ids of a text, piece by piece: where a tokenizer never makes a token across a space, most pieces between spaces
//! were seen before, and looking one up costs a hundredth of cutting it again.

use crate::Failure;
use ahash::AHashMap;
use std::sync::RwLock;
use tokenizers::{ModelWrapper, NormalizerWrapper, PreTokenizerWrapper, Tokenizer};

/// Pieces that are remembered, and their longest, in bytes: 25 MB at the most. The commonest come early in any text.
const MOST_PIECES: usize = 1 << 18;
const LONGEST_PIECE: usize = 48;

#[derive(Default)]
struct Known {
    ids: Vec<u32>,                          // of all pieces, end to end
    places: AHashMap<Box<str>, (u32, u32)>, // where in `ids`, from and to
}

#[derive(Default)]
pub struct Pieces {
    known: RwLock<Known>,
}

impl Pieces {
    /// None where a piece alone could give other tokens than within its text.
    pub fn of(tokenizer: &Tokenizer) -> Option<Self> {
        (cuts_at_spaces(tokenizer) && is_certain(tokenizer) && tokens_stay_in_pieces(tokenizer)).then(Self::default)
    }

    /// Puts the ids of `text` behind those in `ids`.
    pub fn append(&self, tokenizer: &Tokenizer, text: &str, ids: &mut Vec<u32>) -> Result<(), Failure> {
        let mut unknown = Vec::new();
        let known = self.known.read().unwrap();
        for piece in pieces_of(text) {
            if let Some(&(from, to)) = known.places.get(piece) {
                ids.extend_from_slice(&known.ids[from as usize..to as usize]);
                continue;
            }
            let from = ids.len();
            ids.extend_from_slice(encode(tokenizer, piece)?.get_ids());
            if piece.len() <= LONGEST_PIECE {
                unknown.push((piece, from..ids.len()));
            }
        }
        let has_room = known.places.len() < MOST_PIECES;
        drop(known);
        if has_room && !unknown.is_empty() {
            let mut known = self.known.write().unwrap();
            for (piece, place) in unknown {
                let from = known.ids.len() as u32;
                known.ids.extend_from_slice(&ids[place]);
                let to = known.ids.len() as u32;
                known.places.insert(piece.into(), (from, to));
            }
        }
        Ok(())
    }
}

/// A text without special tokens and without offsets.
pub fn encode(tokenizer: &Tokenizer, text: &str) -> Result<tokenizers::Encoding, Failure> {
    tokenizer
        .encode_fast(text, false)
        .map_err(|error| Failure::Data(format!("a text cannot be tokenized: {error}")))
}

/// BERT's and GPT-2's ways: white space begins a word or stands between words, and what normalizes looks at one
/// character at a time.
fn cuts_at_spaces(tokenizer: &Tokenizer) -> bool {
    match (tokenizer.get_normalizer(), tokenizer.get_pre_tokenizer()) {
        (None | Some(NormalizerWrapper::BertNormalizer(_)), Some(PreTokenizerWrapper::BertPreTokenizer(_))) => true,
        (None, Some(PreTokenizerWrapper::ByteLevel(it))) => it.use_regex,
        _ => false,
    }
}

fn is_certain(tokenizer: &Tokenizer) -> bool {
    match tokenizer.get_model() {
        ModelWrapper::WordPiece(_) => true,
        ModelWrapper::BPE(model) => model.dropout.is_none(), // merges left out by chance
        _ => false,
    }
}

/// Added tokens are found in the whole text: none may reach into the next piece.
fn tokens_stay_in_pieces(tokenizer: &Tokenizer) -> bool {
    let tokens = tokenizer.get_added_tokens_decoder();
    tokens.values().all(|token| !token.rstrip && token.content.bytes().all(|byte| byte.is_ascii_graphic()))
}

/// The text in pieces, each of which but the first begins with a space that follows a letter, a digit or an ASCII sign.
/// No token crosses such a place. Other white space stays within a piece: GPT-2's way looks at what follows it, and puts a
/// space before a text that begins with it.
fn pieces_of(text: &str) -> impl Iterator<Item = &str> {
    let mut rest = text;
    std::iter::from_fn(move || {
        if rest.is_empty() {
            return None;
        }
        let (piece, behind) = rest.split_at(first_cut(rest));
        rest = behind;
        Some(piece)
    })
}

fn first_cut(text: &str) -> usize {
    let ends_word = |at: &usize| text[..*at].ends_with(|last: char| last.is_ascii_graphic() || last.is_alphanumeric());
    text.match_indices(' ').map(|(at, _)| at).find(ends_word).unwrap_or(text.len())
}
