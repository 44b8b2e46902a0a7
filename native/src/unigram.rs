//! What the tokenizers of ALBERT, DeBERTa and XLNet share: a unigram model of SentencePiece's pieces, the ways of ALBERT and
//! XLNet with signs and words, and the tokens around texts.

use crate::sentencepiece_model::Model;
use crate::settings::{add_tokens, special, token};
use crate::t5::declared_pieces;
use crate::Failure;
use serde_json::Value;
use tokenizers::models::unigram::Unigram;
use tokenizers::normalizers::{Lowercase, Precompiled, Replace, Sequence as Normalizers, StripAccents, NFKD};
use tokenizers::pre_tokenizers::metaspace::{Metaspace, PrependScheme};
use tokenizers::pre_tokenizers::sequence::Sequence;
use tokenizers::pre_tokenizers::whitespace::WhitespaceSplit;
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

/// What stands around texts: the usual names of the two tokens, and templates in which CLS and SEP stand for them.
pub struct Around {
    pub cls: &'static str,
    pub sep: &'static str,
    pub single: &'static str,
    pub pair: &'static str,
}

/// [CLS] a [SEP] of type 0, b [SEP] of type 1.
pub const BERT_LIKE: Around = Around { cls: "[CLS]", sep: "[SEP]", single: "CLS:0 $A:0 SEP:0", pair: "CLS:0 $A:0 SEP:0 $B:1 SEP:1" };

/// By the names that tokenizer_config.json has for the tokens.
pub fn set_template(tokenizer: &mut Tokenizer, config: &Value, around: &Around) -> Result<(), Failure> {
    let with_id = |key: &str, default: &str| {
        let text = token(config, key, default);
        let id = tokenizer.token_to_id(&text);
        id.map(|id| (text.clone(), id)).ok_or_else(|| Failure::Data(format!("no piece is the token '{text}'")))
    };
    let (cls, sep) = (with_id("cls_token", around.cls)?, with_id("sep_token", around.sep)?);
    // Piece by piece: a token's text may hold the other's stand-in.
    let named = |template: &str| -> Vec<String> {
        let pieces = template.split(' ').map(|piece| match piece.split_once(':') {
            Some(("CLS", kind)) => format!("{}:{kind}", cls.0),
            Some(("SEP", kind)) => format!("{}:{kind}", sep.0),
            _ => piece.to_string(),
        });
        pieces.collect()
    };
    let template = TemplateProcessing::builder()
        .try_single(named(around.single))
        .and_then(|it| it.try_pair(named(around.pair)))
        .map_err(Failure::Data)?
        .special_tokens(vec![cls.clone(), sep.clone()])
        .build()
        .map_err(|error| Failure::Data(error.to_string()))?;
    tokenizer.with_post_processor(Some(template));
    Ok(())
}

/// Quotation marks made one, accents and case as asked, then the model's own rules; words, and if asked also the text, begin
/// with a mark.
pub fn set_ways(tokenizer: &mut Tokenizer, begins_word: bool, keeps_accents: bool, lowers: bool, rules: Option<Precompiled>) -> tokenizers::Result<()> {
    let mut steps: Vec<NormalizerWrapper> = vec![Replace::new("``", "\"")?.into(), Replace::new("''", "\"")?.into()];
    if !keeps_accents {
        steps.push(NFKD.into());
        steps.push(StripAccents.into());
    }
    if lowers {
        steps.push(Lowercase.into());
    }
    steps.extend(rules.map(NormalizerWrapper::from));
    tokenizer.with_normalizer(Some(Normalizers::new(steps)))?;
    let scheme = if begins_word { PrependScheme::Always } else { PrependScheme::Never };
    let words = Metaspace::new('\u{2581}', scheme, true);
    tokenizer.with_pre_tokenizer(Some(Sequence::new(vec![WhitespaceSplit.into(), words.clone().into()])));
    tokenizer.with_decoder(Some(words));
    Ok(())
}

/// The rules for characters that a model brings.
pub fn rules_in(model: &Model) -> tokenizers::Result<Option<Precompiled>> {
    if model.charsmap.is_empty() {
        return Ok(None);
    }
    Ok(Some(Precompiled::from(&model.charsmap)?))
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
