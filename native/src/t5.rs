//! T5's and mT5's tokenizer from a bare spiece.model, put together as transformers' T5Tokenizer does.

use crate::sentencepiece_model::{Kind, Model};
use crate::settings::{add_tokens, special, token};
use crate::Failure;
use serde_json::Value;
use std::path::Path;
use tokenizers::models::unigram::Unigram;
use tokenizers::normalizers::Precompiled;
use tokenizers::pre_tokenizers::metaspace::{Metaspace, PrependScheme};
use tokenizers::pre_tokenizers::sequence::Sequence;
use tokenizers::pre_tokenizers::whitespace::WhitespaceSplit;
use tokenizers::processors::template::TemplateProcessing;
use tokenizers::{AddedToken, Tokenizer};

pub const CLASS: &str = "T5Tokenizer";
pub const MODEL: &str = "spiece.model";
const UNKNOWN: usize = 2;
const MOST_EXTRA_IDS: u64 = 1 << 16;

/// "<extra_id_99>" … "<extra_id_0>", in the order of their ids, behind the model's pieces.
fn extra_tokens(config: &Value) -> Result<Vec<String>, Failure> {
    let count = config["extra_ids"].as_u64().unwrap_or(100);
    if count > MOST_EXTRA_IDS {
        return Err(Failure::Data(format!("tokenizer_config.json: extra_ids is {count}, more than {MOST_EXTRA_IDS}")));
    }
    Ok((0..count).rev().map(|i| format!("<extra_id_{i}>")).collect())
}

/// Unknown characters are <unk>, also where the model says byte_fallback, as mT5's does: so transformers reads it.
fn build(model: &Model, extra: &[String]) -> tokenizers::Result<Tokenizer> {
    let pieces = model.pieces.iter().map(|piece| (piece.text.clone(), f64::from(piece.score)));
    let vocabulary = pieces.chain(extra.iter().map(|token| (token.clone(), 0.0))).collect();
    let mut tokenizer = Tokenizer::new(Unigram::from(vocabulary, Some(UNKNOWN), false)?);
    if !model.charsmap.is_empty() {
        tokenizer.with_normalizer(Some(Precompiled::from(&model.charsmap)?))?;
    }
    let words = Metaspace::new('\u{2581}', PrependScheme::Always, true);
    tokenizer.with_pre_tokenizer(Some(Sequence::new(vec![WhitespaceSplit.into(), words.clone().into()])));
    tokenizer.with_decoder(Some(words));
    Ok(tokenizer)
}

/// The pieces that are found in a text as they are, not put together.
pub fn declared_pieces(model: &Model) -> impl Iterator<Item = AddedToken> + '_ {
    let declared = model.pieces.iter().filter(|piece| matches!(piece.kind, Kind::Control | Kind::UserDefined));
    declared.map(|piece| AddedToken::from(piece.text.clone(), piece.kind == Kind::Control).normalized(false))
}

pub fn from_model(path: &Path, bytes: &[u8], config: &Value) -> Result<Tokenizer, Failure> {
    let model = Model::of_file(path, bytes)?;
    let data = |what: String| Failure::Data(format!("{}: {what}", path.display()));
    if model.place_of(Kind::Unknown) != Some(UNKNOWN) {
        return Err(data(format!(
            "its piece number {UNKNOWN} is not the unknown one; T5 has <pad>, </s> and <unk> in front (spm_train --pad_id=0 --eos_id=1 --unk_id=2)"
        )));
    }
    let extra = extra_tokens(config)?;
    let mut tokenizer = build(&model, &extra).map_err(|error| data(error.to_string()))?;
    let named = [("eos_token", "</s>"), ("unk_token", "<unk>"), ("pad_token", "<pad>")];
    let mut tokens = named.map(|(key, default)| special(config, key, default)).to_vec();
    tokens.extend(declared_pieces(&model));
    tokens.extend(extra.into_iter().map(|token| AddedToken::from(token, true)));
    add_tokens(&mut tokenizer, &tokens, config)?;

    let end = token(config, "eos_token", "</s>");
    let id = tokenizer.token_to_id(&end).ok_or_else(|| data(format!("no piece is the token '{end}'")))?;
    let behind = TemplateProcessing::builder()
        .try_single(format!("$A:0 {end}:0"))
        .and_then(|it| it.try_pair(format!("$A:0 {end}:0 $B:0 {end}:0")))
        .map_err(data)?
        .special_tokens(vec![(end, id)])
        .build()
        .map_err(|error| data(error.to_string()))?;
    tokenizer.with_post_processor(Some(behind));
    Ok(tokenizer)
}
