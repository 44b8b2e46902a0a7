//! What the tokenizers of ALBERT and DeBERTa share: a unigram model of SentencePiece's pieces, and [CLS] a [SEP] b [SEP]
//! around texts.

use crate::sentencepiece_model::Model;
use crate::settings::{add_tokens, special, token};
use crate::t5::declared_pieces;
use crate::Failure;
use serde_json::Value;
use tokenizers::models::unigram::Unigram;
use tokenizers::normalizers::Precompiled;
use tokenizers::processors::template::TemplateProcessing;
use tokenizers::{NormalizerWrapper, Tokenizer};

/// The rules for characters that a tokenizer.json holds.
pub fn rules_of(normalizer: &NormalizerWrapper) -> Option<Precompiled> {
    match normalizer {
        NormalizerWrapper::Precompiled(rules) => Some(rules.clone()),
        NormalizerWrapper::Sequence(all) => all.as_ref().iter().find_map(rules_of),
        _ => None,
    }
}

/// [CLS] a [SEP] of type 0, b [SEP] of type 1, by the names that tokenizer_config.json has for them.
pub fn set_template(tokenizer: &mut Tokenizer, config: &Value) -> Result<(), Failure> {
    let with_id = |key: &str, default: &str| {
        let text = token(config, key, default);
        let id = tokenizer.token_to_id(&text);
        id.map(|id| (text.clone(), id)).ok_or_else(|| Failure::Data(format!("no piece is the token '{text}'")))
    };
    let (cls, sep) = (with_id("cls_token", "[CLS]")?, with_id("sep_token", "[SEP]")?);
    let around = TemplateProcessing::builder()
        .try_single(format!("{}:0 $A:0 {}:0", cls.0, sep.0))
        .and_then(|it| it.try_pair(format!("{}:0 $A:0 {}:0 $B:1 {}:1", cls.0, sep.0, sep.0)))
        .map_err(Failure::Data)?
        .special_tokens(vec![cls, sep])
        .build()
        .map_err(|error| Failure::Data(error.to_string()))?;
    tokenizer.with_post_processor(Some(around));
    Ok(())
}

/// Of a model's pieces, of which number `unknown` stands for what is not among them.
pub fn of_pieces(model: &Model, unknown: usize) -> tokenizers::Result<Tokenizer> {
    let pieces = model.pieces.iter().map(|piece| (piece.text.clone(), f64::from(piece.score))).collect();
    Ok(Tokenizer::new(Unigram::from(pieces, Some(unknown), false)?))
}

/// Declares the tokens that have a role, (key, usual text), and those that the model finds in a text as they are.
pub fn declare(tokenizer: &mut Tokenizer, model: &Model, named: &[(&str, &str)], config: &Value) -> Result<(), Failure> {
    let mut tokens: Vec<_> = named.iter().map(|(key, default)| special(config, key, default)).collect();
    tokens.extend(declared_pieces(model));
    add_tokens(tokenizer, &tokens, config)
}
