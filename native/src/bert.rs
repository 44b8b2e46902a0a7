//! BERT's tokenizer from a bare vocab.txt, put together as transformers' BertTokenizer does, and the
//! settings of tokenizer_config.json that transformers lets win over a tokenizer.json.

use crate::settings::{add_tokens, flag, special, token};
use crate::Failure;
use ahash::AHashMap;
use serde_json::Value;
use tokenizers::decoders::wordpiece::WordPiece as WordPieceDecoder;
use tokenizers::models::wordpiece::WordPiece;
use tokenizers::normalizers::{BertNormalizer, NormalizerWrapper};
use tokenizers::pre_tokenizers::bert::BertPreTokenizer;
use tokenizers::processors::template::TemplateProcessing;
use tokenizers::Tokenizer;

/// One token a line, its id the line's number. Only the line's end is cut: a token may hold other
/// white space.
fn read_vocabulary(text: &str) -> AHashMap<String, u32> {
    let body = text.strip_suffix('\n').unwrap_or(text);
    let lines = body.split('\n').map(|line| line.strip_suffix('\r').unwrap_or(line));
    lines.zip(0u32..).map(|(line, id)| (line.to_string(), id)).collect()
}

pub fn from_vocabulary(text: &str, config: &Value) -> Result<Tokenizer, Failure> {
    let data = |error: &dyn std::fmt::Display| Failure::Data(error.to_string());
    let vocabulary = read_vocabulary(text);
    let [unk, sep, cls] = [
        token(config, "unk_token", "[UNK]"),
        token(config, "sep_token", "[SEP]"),
        token(config, "cls_token", "[CLS]"),
    ];
    for wanted in [&unk, &sep, &cls] {
        if !vocabulary.contains_key(wanted) {
            return Err(Failure::Data(format!("no line is the token '{wanted}'; is this a BERT vocabulary?")));
        }
    }

    let model = WordPiece::builder()
        .vocab(vocabulary)
        .unk_token(unk.clone())
        .build()
        .map_err(|error| data(&error))?;
    let mut tokenizer = Tokenizer::new(model);
    let normalizer = with_settings(BertNormalizer::default(), config);
    tokenizer.with_normalizer(Some(normalizer)).map_err(|error| data(&error))?;
    tokenizer.with_pre_tokenizer(Some(BertPreTokenizer));
    tokenizer.with_decoder(Some(WordPieceDecoder::new("##".to_string(), true)));
    let named = [
        ("unk_token", "[UNK]"),
        ("sep_token", "[SEP]"),
        ("pad_token", "[PAD]"),
        ("cls_token", "[CLS]"),
        ("mask_token", "[MASK]"),
    ];
    add_tokens(&mut tokenizer, &named.map(|(key, default)| special(config, key, default)), config)?;

    let id = |text: &str| tokenizer.token_to_id(text).expect("checked above");
    let template = TemplateProcessing::builder()
        .try_single(format!("{cls}:0 $A:0 {sep}:0"))
        .and_then(|it| it.try_pair(format!("{cls}:0 $A:0 {sep}:0 $B:1 {sep}:1")))
        .map_err(|error| data(&error))?
        .special_tokens(vec![(cls.as_str(), id(&cls)), (sep.as_str(), id(&sep))])
        .build()
        .map_err(|error| data(&error))?;
    tokenizer.with_post_processor(Some(template));
    Ok(tokenizer)
}

fn with_settings(normalizer: BertNormalizer, config: &Value) -> BertNormalizer {
    // Null is a setting of its own here: accents go exactly where case does.
    let strip_accents = match config.get("strip_accents") {
        Some(value) => value.as_bool(),
        None => normalizer.strip_accents,
    };
    BertNormalizer::new(
        normalizer.clean_text,
        flag(config, "tokenize_chinese_chars").unwrap_or(normalizer.handle_chinese_chars),
        strip_accents,
        flag(config, "do_lower_case").unwrap_or(normalizer.lowercase),
    )
}

/// transformers rebuilds a BERT normalizer from tokenizer_config.json, whatever tokenizer.json says;
/// to give the same ids, so do we.
pub fn apply_settings(tokenizer: &mut Tokenizer, config: &Value) -> Result<(), Failure> {
    if let Some(NormalizerWrapper::BertNormalizer(normalizer)) = tokenizer.get_normalizer() {
        let settled = with_settings(*normalizer, config);
        tokenizer.with_normalizer(Some(settled)).map_err(|error| Failure::Data(error.to_string()))?;
    }
    Ok(())
}
