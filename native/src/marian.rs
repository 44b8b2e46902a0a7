//! Marian's tokenizer, put together as transformers' MarianTokenizer does: pieces by SentencePiece, of sources by
//! source.spm and of targets by target.spm, and ids by vocab.json. A language code such as >>cmn_Hans<< in front of a
//! text is one token.

use crate::sentencepiece::SentencePiece;
use crate::sentencepiece_model::Model;
use crate::settings::{add_tokens, flag, special, token};
use crate::Failure;
use ahash::AHashMap;
use serde_json::{json, Value};
use sha2::{Digest, Sha256};
use std::path::Path;
use tokenizers::decoders::fuse::Fuse;
use tokenizers::decoders::sequence::Sequence;
use tokenizers::models::wordlevel::WordLevel;
use tokenizers::normalizers::replace::ReplacePattern;
use tokenizers::normalizers::Replace;
use tokenizers::processors::template::TemplateProcessing;
use tokenizers::{NormalizerWrapper, OffsetReferential, OffsetType, Tokenizer};

pub const CLASS: &str = "MarianTokenizer";
pub const SOURCE_MODEL: &str = "source.spm";
const TARGET_MODEL: &str = "target.spm";

#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Side {
    Source,
    Target,
}

pub struct Marian {
    pieces: SentencePiece,
    ids: Vec<u32>, // of the pieces
    vocabulary: AHashMap<String, u32>,
    unknown: u32,
    digests: Value, // of both models
}

fn read_model(path: &Path, bytes: &[u8]) -> Result<SentencePiece, Failure> {
    SentencePiece::of(Model::of_file(path, bytes)?).map_err(|failure| match failure {
        Failure::Data(message) => Failure::Data(format!("{}: {message}", path.display())),
        other => other,
    })
}

fn read_vocabulary(path: &Path, bytes: &[u8]) -> Result<AHashMap<String, u32>, Failure> {
    serde_json::from_slice(bytes).map_err(|error| {
        Failure::Data(format!("{}: wanted a JSON object of tokens and their ids: {error}", path.display()))
    })
}

/// What finds special tokens in a text, puts </s> behind it, and spells ids. It cuts no text.
fn frame(vocabulary: &AHashMap<String, u32>, config: &Value) -> tokenizers::Result<Tokenizer> {
    let [unknown, end] = [token(config, "unk_token", "<unk>"), token(config, "eos_token", "</s>")];
    let words = WordLevel::builder().vocab(vocabulary.clone()).unk_token(unknown).build()?;
    let mut tokenizer = Tokenizer::new(words);
    let decoder = Sequence::new(vec![
        Replace::new("\u{2581}", " ")?.into(),
        Fuse::new().into(),
        Replace::new(ReplacePattern::Regex(r"\A +| +\z".to_string()), "")?.into(),
    ]);
    tokenizer.with_decoder(Some(decoder));
    let id = vocabulary[&end];
    let behind = TemplateProcessing::builder()
        .try_single(format!("$A:0 {end}:0"))
        .and_then(|it| it.try_pair(format!("$A:0 $B:0 {end}:0")))?
        .special_tokens(vec![(end, id)])
        .build()?;
    tokenizer.with_post_processor(Some(behind));
    Ok(tokenizer)
}

/// ">>fr<< Hello" is ">>fr<<" and " Hello".
fn language_code(text: &str) -> (Option<&str>, &str) {
    let end = if text.starts_with(">>") { text.find("<<") } else { None };
    match end {
        Some(end) => (Some(&text[..end + 2]), &text[end + 2..]),
        None => (None, text),
    }
}

impl Marian {
    /// `read` gives the content of a file.
    pub fn of_directory(
        directory: &Path,
        config: &Value,
        side: Side,
        read: impl Fn(&Path) -> Result<Vec<u8>, Failure>,
    ) -> Result<(Tokenizer, Self), Failure> {
        let paths = [directory.join(SOURCE_MODEL), directory.join(TARGET_MODEL)];
        let contents = [read(&paths[0])?, read(&paths[1])?];
        let digest = |bytes: &[u8]| Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect::<String>();
        let mut digests = json!({SOURCE_MODEL: digest(&contents[0]), TARGET_MODEL: digest(&contents[1])});
        let mut entries = directory.join("vocab.json");
        if flag(config, "separate_vocabs").unwrap_or(false) {
            let of_targets = directory.join("target_vocab.json");
            digests["target_vocab.json"] = digest(&read(&of_targets)?).into();
            entries = if side == Side::Target { of_targets } else { entries };
        }
        let vocabulary = read_vocabulary(&entries, &read(&entries)?)?;
        let [unknown, end] = [token(config, "unk_token", "<unk>"), token(config, "eos_token", "</s>")];
        for wanted in [&unknown, &end] {
            if !vocabulary.contains_key(wanted) {
                return Err(Failure::Data(format!(
                    "{}: no entry is the token '{wanted}'; is this a Marian vocabulary?",
                    entries.display()
                )));
            }
        }
        let data = |failure: String| Failure::Data(format!("{}: {failure}", entries.display()));
        let mut tokenizer = frame(&vocabulary, config).map_err(|error| data(error.to_string()))?;
        let named = [("eos_token", "</s>"), ("unk_token", "<unk>"), ("pad_token", "<pad>")];
        add_tokens(&mut tokenizer, &named.map(|(key, default)| special(config, key, default)), config)?;

        let place = usize::from(side == Side::Target);
        let pieces = read_model(&paths[place], &contents[place])?;
        let unknown = vocabulary[&unknown];
        let ids = pieces.pieces().iter().map(|it| *vocabulary.get(&it.text).unwrap_or(&unknown)).collect();
        Ok((tokenizer, Marian { pieces, ids, vocabulary, unknown, digests }))
    }

    fn id_of(&self, token: &str) -> u32 {
        *self.vocabulary.get(token).unwrap_or(&self.unknown)
    }

    /// Puts the ids of `text` behind those in `ids`; `tokenizer` is the one that came with this.
    pub fn append_ids(&self, tokenizer: &Tokenizer, text: &str, ids: &mut Vec<u32>) {
        let added = tokenizer.get_added_vocabulary();
        let parts = added.extract_and_normalize(None::<&NormalizerWrapper>, text);
        for (part, _, found) in parts.get_splits(OffsetReferential::Original, OffsetType::Byte) {
            match found {
                Some(tokens) => ids.extend(tokens.iter().map(|token| token.id)),
                None => self.append_part(part, ids),
            }
        }
    }

    fn append_part(&self, text: &str, ids: &mut Vec<u32>) {
        let (code, rest) = language_code(text);
        ids.extend(code.map(|code| self.id_of(code)));
        self.pieces.for_each_piece(rest, |piece, spelling| {
            let is_known = !self.pieces.is_unknown(piece);
            ids.push(if is_known { self.ids[piece as usize] } else { self.id_of(spelling) });
        });
    }

    /// All that ids follow from, beside what `json` says of words and special tokens.
    pub fn told_in(&self, json: &str) -> serde_json::Result<String> {
        let mut told: Value = serde_json::from_str(json)?;
        told["sentencepiece"] = self.digests.clone();
        serde_json::to_string_pretty(&told)
    }
}
