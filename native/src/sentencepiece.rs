//! SentencePiece's unigram model, with the pieces of the library itself (0.2): its way to normalize a text, and its
//! search for the likeliest pieces in single precision. The crate `tokenizers` searches in double precision and
//! normalizes by graphemes, so a few texts in ten thousand are cut otherwise there.

use crate::charsmap::Charsmap;
use crate::sentencepiece_model::{Kind, Model, Piece};
use crate::Failure;

const SPACE: &str = "\u{2581}";
const UNKNOWN_PENALTY: f32 = 10.0;

/// All pieces that a text can be made of, by their bytes.
#[derive(Default)]
struct Node {
    piece: Option<u32>,
    children: Vec<(u8, u32)>, // by byte, rising
}

struct Trie {
    nodes: Vec<Node>,
}

impl Trie {
    fn of<'a>(pieces: impl Iterator<Item = (usize, &'a Piece)>) -> Self {
        let mut trie = Trie { nodes: vec![Node::default()] };
        for (id, piece) in pieces {
            let end = piece.text.bytes().fold(0, |node, byte| trie.child_or_new(node, byte));
            trie.nodes[end].piece.get_or_insert(id as u32);
        }
        trie
    }

    fn place(&self, node: usize, byte: u8) -> Result<usize, usize> {
        self.nodes[node].children.binary_search_by_key(&byte, |&(label, _)| label)
    }

    fn child(&self, node: usize, byte: u8) -> Option<usize> {
        let place = self.place(node, byte).ok()?;
        Some(self.nodes[node].children[place].1 as usize)
    }

    fn child_or_new(&mut self, node: usize, byte: u8) -> usize {
        let place = match self.place(node, byte) {
            Ok(place) => return self.nodes[node].children[place].1 as usize,
            Err(place) => place,
        };
        let new = self.nodes.len();
        self.nodes.push(Node::default());
        self.nodes[node].children.insert(place, (byte, new as u32));
        new
    }

    /// The pieces that `text` begins with, from the shortest on, each with its length in bytes.
    fn prefixes<'a>(&'a self, text: &'a [u8]) -> impl Iterator<Item = (u32, usize)> + 'a {
        let mut node = Some(0);
        text.iter()
            .enumerate()
            .map_while(move |(i, &byte)| {
                node = self.child(node?, byte);
                node.map(|node| (self.nodes[node].piece, i + 1))
            })
            .filter_map(|(piece, length)| Some((piece?, length)))
    }
}

/// The best pieces that end at a place of the text.
#[derive(Clone, Copy)]
struct Best {
    score: f32,
    begin: usize, // of the last piece
    piece: u32,
    is_reached: bool,
}

impl Best {
    /// Takes the piece if it is better than the best so far, which is kept in single precision.
    fn offer(&mut self, score: f64, begin: usize, piece: u32) {
        if !self.is_reached || score > f64::from(self.score) {
            *self = Best { score: score as f32, begin, piece, is_reached: true };
        }
    }
}

pub struct SentencePiece {
    model: Model,
    charsmap: Charsmap,
    trie: Trie,
    user_defined: Trie, // found before a text is normalized
    unknown: u32,
    lowest: f32,
    highest: f32,
}

impl SentencePiece {
    /// Of a model that has pieces.
    pub fn of(model: Model) -> Result<Self, Failure> {
        let no = |what: &str| Failure::Data(what.to_string());
        if model.byte_fallback {
            return Err(no("spells unknown characters as bytes (byte_fallback), which is not built"));
        }
        let charsmap = Charsmap::of(&model.charsmap).ok_or_else(|| no("its rules for characters cannot be read"))?;
        let unknown = model.place_of(Kind::Unknown).ok_or_else(|| no("it has no piece for what is unknown"))? as u32;
        let of_kinds = |kinds: &'static [Kind]| {
            let pieces = model.pieces.iter().enumerate();
            Trie::of(pieces.filter(|(_, piece)| kinds.contains(&piece.kind) && !piece.text.is_empty()))
        };
        let trie = of_kinds(&[Kind::Normal, Kind::UserDefined]);
        let user_defined = of_kinds(&[Kind::UserDefined]);
        let scores = model.pieces.iter().filter(|piece| piece.kind == Kind::Normal).map(|piece| piece.score);
        let (lowest, highest) =
            scores.fold((f32::MAX, f32::MIN_POSITIVE), |(low, high), score| (low.min(score), high.max(score)));
        Ok(SentencePiece { charsmap, trie, user_defined, unknown, lowest, highest, model })
    }

    pub fn pieces(&self) -> &[Piece] {
        &self.model.pieces
    }

    pub fn is_unknown(&self, piece: u32) -> bool {
        piece == self.unknown
    }

    /// What stands for the beginning of `text`, and of how many of its bytes; `text` is not empty.
    fn normal_prefix<'a>(&'a self, text: &'a str) -> (&'a str, usize) {
        if let Some((_, length)) = self.user_defined.prefixes(text.as_bytes()).last() {
            return (&text[..length], length);
        }
        self.charsmap.longest_rule(text).unwrap_or_else(|| {
            let length = text.chars().next().map_or(0, char::len_utf8);
            (&text[..length], length)
        })
    }

    /// The text as its pieces spell it: spaces as U+2581, one in front, none twice, none at the end, where the model
    /// says so.
    fn normalize(&self, text: &str) -> String {
        let mut rest = text;
        if self.model.remove_extra_whitespaces {
            while !rest.is_empty() {
                let (normal, length) = self.normal_prefix(rest);
                if normal != " " {
                    break;
                }
                rest = &rest[length..];
            }
        }
        if rest.is_empty() {
            return String::new();
        }
        let space = if self.model.escape_whitespaces { SPACE } else { " " };
        let mut out = String::with_capacity(rest.len() * 2);
        if self.model.add_dummy_prefix && !self.model.treat_whitespace_as_suffix {
            out.push_str(space);
        }
        let mut is_behind_space = self.model.remove_extra_whitespaces;
        while !rest.is_empty() {
            let (mut normal, length) = self.normal_prefix(rest);
            if is_behind_space {
                normal = normal.trim_start_matches(' ');
            }
            if !normal.is_empty() {
                for part in normal.split_inclusive(' ') {
                    out.push_str(part.strip_suffix(' ').unwrap_or(part));
                    out.push_str(if part.ends_with(' ') { space } else { "" });
                }
                is_behind_space = self.model.remove_extra_whitespaces && normal.ends_with(' ');
            }
            rest = &rest[length..];
        }
        if self.model.remove_extra_whitespaces {
            out.truncate(out.trim_end_matches(space).len());
        }
        if self.model.add_dummy_prefix && self.model.treat_whitespace_as_suffix {
            out.push_str(space);
        }
        out
    }

    /// Of pieces whose score is `so_far`, and this one. A user-defined piece wins against all others; its sum alone is
    /// not rounded to single precision before it is compared.
    fn score(&self, id: u32, length: usize, so_far: f32) -> f64 {
        let piece = &self.model.pieces[id as usize];
        if piece.kind == Kind::UserDefined {
            return f64::from(length as f32 * self.highest) - 0.1 + f64::from(so_far);
        }
        f64::from(piece.score + so_far)
    }

    /// Viterbi's search (unigram_model.cc, EncodeOptimized). In [i]: the best pieces that end in front of byte i.
    fn best_ends(&self, text: &str) -> Vec<Best> {
        let mut ends = vec![Best { score: 0.0, begin: 0, piece: 0, is_reached: false }; text.len() + 1];
        for (begin, character) in text.char_indices() {
            let so_far = ends[begin].score;
            let mut has_character = false;
            for (id, length) in self.trie.prefixes(&text.as_bytes()[begin..]) {
                ends[begin + length].offer(self.score(id, length, so_far), begin, id);
                has_character = has_character || length == character.len_utf8();
            }
            if !has_character {
                let score = f64::from(self.lowest - UNKNOWN_PENALTY + so_far);
                ends[begin + character.len_utf8()].offer(score, begin, self.unknown);
            }
        }
        ends
    }

    /// Calls `visit(id, spelling)` for each piece of a text. Neighbours that are unknown are one.
    pub fn for_each_piece(&self, text: &str, mut visit: impl FnMut(u32, &str)) {
        let text = self.normalize(text);
        let ends = self.best_ends(&text);
        let mut pieces: Vec<(u32, usize, usize)> = vec![];
        let mut end = text.len();
        while end > 0 {
            let Best { begin, piece, .. } = ends[end];
            match pieces.last_mut() {
                Some((last, first, _)) if piece == self.unknown && *last == self.unknown => *first = begin,
                _ => pieces.push((piece, begin, end)),
            }
            end = begin;
        }
        for (piece, begin, end) in pieces.into_iter().rev() {
            visit(piece, &text[begin..end]);
        }
    }
}
