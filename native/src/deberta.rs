//! DeBERTa-v2's and -v3's tokenizer from a bare spm.model, put together as transformers' DebertaV2Tokenizer does, and
//! what that class makes anew whatever a tokenizer.json says.

use crate::directory::in_file;
use crate::sentencepiece_model::{Kind, Model};
use crate::settings::{flag, token};
use crate::unigram::{declare, of_pieces, set_template, BERT_LIKE};
use crate::Failure;
use serde_json::Value;
use std::path::Path;
use tokenizers::normalizers::replace::ReplacePattern;
use tokenizers::normalizers::{Lowercase, NormalizerWrapper, Replace, Sequence as Normalizers, Strip, NFC};
use tokenizers::pre_tokenizers::metaspace::{Metaspace, PrependScheme};
use tokenizers::pre_tokenizers::punctuation::Punctuation;
use tokenizers::pre_tokenizers::sequence::Sequence;
use tokenizers::tokenizer::normalizer::SplitDelimiterBehavior;
use tokenizers::{PreTokenizerWrapper, Tokenizer};

pub const CLASS: &str = "DebertaV2Tokenizer";
pub const MODEL: &str = "spm.model";
const NAMED: [(&str, &str); 7] = [
    ("bos_token", "[CLS]"),
    ("eos_token", "[SEP]"),
    ("unk_token", "[UNK]"),
    ("sep_token", "[SEP]"),
    ("pad_token", "[PAD]"),
    ("cls_token", "[CLS]"),
    ("mask_token", "[MASK]"),
];

/// The model's own rules for characters are left out, as transformers leaves them out.
fn set_ways(tokenizer: &mut Tokenizer, config: &Value) -> tokenizers::Result<()> {
    let mut steps: Vec<NormalizerWrapper> = Vec::new();
    if flag(config, "do_lower_case").unwrap_or(false) {
        steps.push(Lowercase.into());
    }
    let white = ReplacePattern::Regex("\\s{2,}|[\\n\\r\\t]".to_string());
    steps.extend([Replace::new(white, " ")?.into(), NFC.into(), Strip::new(false, true).into()]);
    tokenizer.with_normalizer(Some(Normalizers::new(steps)))?;

    let begins_word = flag(config, "add_prefix_space").unwrap_or(true);
    let scheme = if begins_word { PrependScheme::Always } else { PrependScheme::First };
    let words = Metaspace::new('\u{2581}', scheme, true);
    let mut cuts: Vec<PreTokenizerWrapper> = Vec::new();
    if flag(config, "split_by_punct").unwrap_or(false) {
        cuts.push(Punctuation::new(SplitDelimiterBehavior::Isolated).into());
    }
    cuts.push(words.clone().into());
    tokenizer.with_pre_tokenizer(Some(Sequence::new(cuts)));
    tokenizer.with_decoder(Some(words));
    Ok(())
}

pub fn apply_settings(tokenizer: &mut Tokenizer, config: &Value) -> Result<(), Failure> {
    set_ways(tokenizer, config).map_err(|error| Failure::Data(error.to_string()))?;
    set_template(tokenizer, config, &BERT_LIKE)
}

pub fn from_model(path: &Path, bytes: &[u8], config: &Value) -> Result<Tokenizer, Failure> {
    let model = Model::of_file(path, bytes)?;
    let unk = token(config, "unk_token", "[UNK]");
    let unknown = model.place_of(Kind::Unknown).filter(|&place| model.pieces[place].text == unk);
    let Some(unknown) = unknown else {
        return Err(Failure::Data(format!(
            "{}: its unknown piece is not '{unk}'; is this DeBERTa's? (spm_train --unk_piece=[UNK])",
            path.display()
        )));
    };
    let failed = |error: tokenizers::Error| Failure::Data(format!("{}: {error}", path.display()));
    let mut tokenizer = of_pieces(&model, unknown).map_err(failed)?;
    declare(&mut tokenizer, &model, &NAMED, config)?;
    apply_settings(&mut tokenizer, config).map_err(|failure| in_file(path, failure))?;
    Ok(tokenizer)
}
