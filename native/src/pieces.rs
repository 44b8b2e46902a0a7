//! Ids of a text, piece by piece: where a tokenizer never makes a token across a space, most pieces between spaces
//! were seen before, and looking one up costs a hundredth of cutting it again.

use crate::cuts::Cuts;
use crate::Failure;
use ahash::AHashMap;
use std::sync::RwLock;
use tokenizers::Tokenizer;

/// How many pieces are remembered, of how many bytes and with how many ids in all: some 25 MB, never above 50. The
/// commonest come early in any text.
const MOST_PIECES: usize = 1 << 18;
const LONGEST_PIECE: usize = 48;
const MOST_IDS: usize = 1 << 22;

#[derive(Default)]
struct Known {
    ids: Vec<u32>,                          // of all pieces, end to end
    places: AHashMap<Box<str>, (u32, u32)>, // where in `ids`, from and to
}

impl Known {
    fn append(&self, piece: &str, ids: &mut Vec<u32>) -> bool {
        let place = self.places.get(piece);
        if let Some(&(from, to)) = place {
            ids.extend_from_slice(&self.ids[from as usize..to as usize]);
        }
        place.is_some()
    }

    fn is_full(&self) -> bool {
        self.places.len() >= MOST_PIECES || self.ids.len() >= MOST_IDS
    }

    fn insert(&mut self, piece: &str, ids: &[u32]) {
        if piece.len() > LONGEST_PIECE || self.is_full() || self.places.contains_key(piece) {
            return;
        }
        let from = self.ids.len() as u32;
        self.ids.extend_from_slice(ids);
        self.places.insert(piece.into(), (from, self.ids.len() as u32));
    }
}

pub struct Pieces {
    known: RwLock<Known>,
    cuts: Cuts,
}

impl Pieces {
    /// None where texts of this tokenizer must be looked at whole.
    pub fn of(tokenizer: &Tokenizer) -> Option<Self> {
        Some(Pieces { known: RwLock::default(), cuts: Cuts::of(tokenizer)? })
    }

    /// Puts the ids of `text` behind those in `ids`.
    pub fn append(&self, tokenizer: &Tokenizer, text: &str, ids: &mut Vec<u32>) -> Result<(), Failure> {
        let mut unknown = Vec::new();
        let known = self.known.read().unwrap();
        for piece in self.cuts.pieces_of(text) {
            if known.append(piece, ids) {
                continue;
            }
            let from = ids.len();
            if let Some(words) = self.cuts.words_of(piece) {
                for word in words {
                    let from = ids.len();
                    if !known.append(word, ids) {
                        ids.extend_from_slice(encode(tokenizer, word)?.get_ids());
                        unknown.push((word, from..ids.len()));
                    }
                }
            } else {
                ids.extend_from_slice(encode(tokenizer, piece)?.get_ids());
            }
            unknown.push((piece, from..ids.len()));
        }
        let has_room = !known.is_full();
        drop(known);
        if has_room && !unknown.is_empty() {
            let mut known = self.known.write().unwrap();
            for (piece, place) in unknown {
                known.insert(piece, &ids[place]);
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
