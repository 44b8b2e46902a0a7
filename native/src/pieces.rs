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
    fn place_of(&self, piece: &str) -> Option<std::ops::Range<usize>> {
        self.places.get(piece).map(|&(from, to)| from as usize..to as usize)
    }

    fn append(&self, piece: &str, ids: &mut Vec<u32>) -> bool {
        let place = self.place_of(piece);
        if let Some(place) = &place {
            ids.extend_from_slice(&self.ids[place.clone()]);
        }
        place.is_some()
    }

    fn is_full(&self) -> bool {
        self.places.len() >= MOST_PIECES || self.ids.len() >= MOST_IDS
    }

    /// Whether it is remembered from now on.
    fn insert(&mut self, piece: &str, ids: &[u32]) -> bool {
        if piece.len() > LONGEST_PIECE || self.is_full() || self.places.contains_key(piece) {
            return false;
        }
        let from = self.ids.len() as u32;
        self.ids.extend_from_slice(ids);
        self.places.insert(piece.into(), (from, self.ids.len() as u32));
        true
    }
}

/// Pieces whose tokens also tell the bytes that they are made of; apart, as few callers ask.
#[derive(Default)]
struct KnownPlaces {
    known: Known,
    bytes: Vec<(u8, u8)>, // of each of known.ids within its piece, from and to; LONGEST_PIECE fits
}

/// The tokens of texts, end to end, and the bytes of its text that each is made of, from and to.
#[derive(Default)]
pub struct PlacedIds {
    pub ids: Vec<u32>,
    pub first: Vec<i64>,
    pub end: Vec<i64>,
}

impl PlacedIds {
    /// Of a part of a text that begins at byte `base`.
    fn add<Byte: Copy + Into<u64>>(&mut self, ids: &[u32], bytes: impl Iterator<Item = (Byte, Byte)>, base: usize) {
        self.ids.extend_from_slice(ids);
        for (first, end) in bytes {
            self.first.push(base as i64 + first.into() as i64);
            self.end.push(base as i64 + end.into() as i64);
        }
    }
}

pub struct Pieces {
    known: RwLock<Known>,
    places: RwLock<KnownPlaces>,
    cuts: Cuts,
}

impl Pieces {
    /// None where texts of this tokenizer must be looked at whole.
    pub fn of(tokenizer: &Tokenizer) -> Option<Self> {
        Some(Pieces { known: RwLock::default(), places: RwLock::default(), cuts: Cuts::of(tokenizer)? })
    }

    /// Puts the ids of `text` behind those in `ids`.
    pub fn append(&self, tokenizer: &Tokenizer, text: &str, ids: &mut Vec<u32>) -> Result<(), Failure> {
        let mut unknown = Vec::new();
        let known = self.known.read().unwrap();
        for piece in self.cuts.pieces_of(text, false) {
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

/// The ids of `text`, and where in it they stand, behind those that are there; by what `pieces` remembers, if there is
/// one.
pub fn append_placed(
    pieces: Option<&Pieces>,
    tokenizer: &Tokenizer,
    text: &str,
    placed: &mut PlacedIds,
) -> Result<(), Failure> {
    match pieces {
        Some(pieces) => pieces.append_placed(tokenizer, text, placed),
        None => {
            let whole = encode_placed(tokenizer, text)?;
            placed.add(whole.get_ids(), bytes_of(&whole), 0);
            Ok(())
        }
    }
}

impl Pieces {
    fn append_placed(&self, tokenizer: &Tokenizer, text: &str, placed: &mut PlacedIds) -> Result<(), Failure> {
        let mut unknown = Vec::new();
        let places = self.places.read().unwrap();
        for piece in self.cuts.pieces_of(text, true) {
            let base = piece.as_ptr() as usize - text.as_ptr() as usize;
            if let Some(place) = places.known.place_of(piece) {
                placed.add(&places.known.ids[place.clone()], places.bytes[place].iter().copied(), base);
            } else {
                let encoding = encode_placed(tokenizer, piece)?;
                placed.add(encoding.get_ids(), bytes_of(&encoding), base);
                unknown.push((piece, encoding));
            }
        }
        let has_room = !places.known.is_full();
        drop(places);
        if has_room && !unknown.is_empty() {
            let mut places = self.places.write().unwrap();
            for (piece, encoding) in unknown {
                if places.known.insert(piece, encoding.get_ids()) {
                    let bytes = encoding.get_offsets().iter().map(|&(first, end)| (first as u8, end as u8));
                    places.bytes.extend(bytes);
                }
            }
        }
        Ok(())
    }
}

fn bytes_of(encoding: &tokenizers::Encoding) -> impl Iterator<Item = (u64, u64)> + '_ {
    encoding.get_offsets().iter().map(|&(first, end)| (first as u64, end as u64))
}

fn encode_placed(tokenizer: &Tokenizer, text: &str) -> Result<tokenizers::Encoding, Failure> {
    tokenizer.encode(text, false).map_err(|error| Failure::Data(format!("a text cannot be tokenized: {error}")))
}

/// A text without special tokens and without offsets.
pub fn encode(tokenizer: &Tokenizer, text: &str) -> Result<tokenizers::Encoding, Failure> {
    tokenizer
        .encode_fast(text, false)
        .map_err(|error| Failure::Data(format!("a text cannot be tokenized: {error}")))
}
