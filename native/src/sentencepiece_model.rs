//! What a file of SentencePiece says (`source.spm`, `spiece.model`): pieces with their scores, and how texts are
//! normalized. Numbers of fields: sentencepiece_model.proto.

use crate::protobuf::{for_each_field, Value};
use crate::Failure;
use std::path::Path;

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Kind {
    Normal,
    Unknown,
    Control,
    UserDefined,
    Unused,
    Byte,
}

pub struct Piece {
    pub text: String,
    pub score: f32,
    pub kind: Kind,
}

pub struct Model {
    pub pieces: Vec<Piece>,
    pub charsmap: Vec<u8>, // empty: characters stay as they are
    pub add_dummy_prefix: bool,
    pub remove_extra_whitespaces: bool,
    pub escape_whitespaces: bool,
    pub treat_whitespace_as_suffix: bool,
    pub byte_fallback: bool,
    model_type: u64,
}

const UNIGRAM: u64 = 1;

fn name_of_type(model_type: u64) -> &'static str {
    ["", "unigram", "bpe", "word", "char"].get(model_type as usize).copied().unwrap_or("unknown")
}

fn kind_of(number: u64) -> Option<Kind> {
    Some(match number {
        1 => Kind::Normal,
        2 => Kind::Unknown,
        3 => Kind::Control,
        4 => Kind::UserDefined,
        5 => Kind::Unused,
        6 => Kind::Byte,
        _ => return None,
    })
}

fn read_piece(message: &[u8]) -> Option<Piece> {
    let mut piece = Piece { text: String::new(), score: 0.0, kind: Kind::Normal };
    for_each_field(message, |number, value| {
        match number {
            1 => piece.text = value.text()?.to_string(),
            2 => piece.score = value.single()?,
            3 => piece.kind = kind_of(value.number()?)?,
            _ => {}
        }
        Some(())
    })?;
    Some(piece)
}

impl Model {
    /// Of a file without any field: the defaults of the .proto.
    fn empty() -> Self {
        Model {
            pieces: vec![],
            charsmap: vec![],
            add_dummy_prefix: true,
            remove_extra_whitespaces: true,
            escape_whitespaces: true,
            treat_whitespace_as_suffix: false,
            byte_fallback: false,
            model_type: UNIGRAM,
        }
    }

    fn read_training(&mut self, number: u64, value: &Value) -> Option<()> {
        match number {
            3 => self.model_type = value.number()?,
            24 => self.treat_whitespace_as_suffix = value.flag()?,
            35 => self.byte_fallback = value.flag()?,
            _ => {}
        }
        Some(())
    }

    fn read_normalization(&mut self, number: u64, value: &Value) -> Option<()> {
        match number {
            2 => self.charsmap = value.bytes()?.to_vec(),
            3 => self.add_dummy_prefix = value.flag()?,
            4 => self.remove_extra_whitespaces = value.flag()?,
            5 => self.escape_whitespaces = value.flag()?,
            _ => {}
        }
        Some(())
    }

    fn read(message: &[u8]) -> Option<Self> {
        let mut model = Model::empty();
        for_each_field(message, |number, value| {
            match number {
                1 => model.pieces.push(read_piece(value.bytes()?)?),
                2 => for_each_field(value.bytes()?, |number, value| model.read_training(number, &value))?,
                3 => for_each_field(value.bytes()?, |number, value| model.read_normalization(number, &value))?,
                _ => {}
            }
            Some(())
        })?;
        Some(model)
    }

    /// The unigram model in `path`, whose content `bytes` are.
    pub fn of_file(path: &Path, bytes: &[u8]) -> Result<Self, Failure> {
        let refused = |what: String| Failure::Data(format!("{}: {what}", path.display()));
        let model = Self::read(bytes).filter(|model| !model.pieces.is_empty());
        let model = model.ok_or_else(|| refused("not a model of SentencePiece".to_string()))?;
        if model.model_type != UNIGRAM {
            let name = name_of_type(model.model_type);
            return Err(refused(format!(
                "a model of SentencePiece of the type '{name}', and those of the type unigram are read; \
                 AutoTokenizer.from_pretrained(it).save_pretrained(it) may write a tokenizer.json"
            )));
        }
        Ok(model)
    }

    pub fn place_of(&self, kind: Kind) -> Option<usize> {
        self.pieces.iter().position(|piece| piece.kind == kind)
    }
}
