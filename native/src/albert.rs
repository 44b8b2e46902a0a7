//! ALBERT's tokenizer from a bare spiece.model, put together as transformers' AlbertTokenizer does, and what that class
//! makes anew whatever a tokenizer.json says.

use crate::directory::in_file;
use crate::sentencepiece_model::{Kind, Model};
use crate::settings::flag;
use crate::unigram::{declare, of_pieces, rules_of, set_template};
use crate::Failure;
use serde_json::Value;
use std::path::Path;
use tokenizers::normalizers::{Lowercase, NormalizerWrapper, Precompiled, Replace, Sequence as Normalizers, StripAccents, NFKD};
use tokenizers::pre_tokenizers::metaspace::{Metaspace, PrependScheme};
use tokenizers::pre_tokenizers::sequence::Sequence;
use tokenizers::pre_tokenizers::whitespace::WhitespaceSplit;
use tokenizers::Tokenizer;

pub const CLASS: &str = "AlbertTokenizer";
const UNKNOWN: usize = 1;
const NAMED: [(&str, &str); 7] = [
    ("bos_token", "[CLS]"),
    ("eos_token", "[SEP]"),
    ("unk_token", "<unk>"),
    ("sep_token", "[SEP]"),
    ("pad_token", "<pad>"),
    ("cls_token", "[CLS]"),
    ("mask_token", "[MASK]"),
];

fn normalizer(config: &Value, rules: Option<Precompiled>) -> tokenizers::Result<NormalizerWrapper> {
    let mut steps: Vec<NormalizerWrapper> = vec![Replace::new("``", "\"")?.into(), Replace::new("''", "\"")?.into()];
    if !flag(config, "keep_accents").unwrap_or(false) {
        steps.push(NFKD.into());
        steps.push(StripAccents.into());
    }
    if flag(config, "do_lower_case").unwrap_or(true) {
        steps.push(Lowercase.into());
    }
    steps.extend(rules.map(NormalizerWrapper::from));
    Ok(Normalizers::new(steps).into())
}

fn set_ways(tokenizer: &mut Tokenizer, config: &Value, rules: Option<Precompiled>) -> tokenizers::Result<()> {
    tokenizer.with_normalizer(Some(normalizer(config, rules)?))?;
    let begins_word = flag(config, "add_prefix_space").unwrap_or(true);
    let scheme = if begins_word { PrependScheme::Always } else { PrependScheme::Never };
    let words = Metaspace::new('\u{2581}', scheme, true);
    tokenizer.with_pre_tokenizer(Some(Sequence::new(vec![WhitespaceSplit.into(), words.clone().into()])));
    tokenizer.with_decoder(Some(words));
    Ok(())
}

pub fn apply_settings(tokenizer: &mut Tokenizer, config: &Value) -> Result<(), Failure> {
    let rules = tokenizer.get_normalizer().and_then(rules_of);
    set_ways(tokenizer, config, rules).map_err(|error| Failure::Data(error.to_string()))
}

pub fn from_model(path: &Path, bytes: &[u8], config: &Value) -> Result<Tokenizer, Failure> {
    let model = Model::of_file(path, bytes)?;
    let data = |what: String| Failure::Data(format!("{}: {what}", path.display()));
    if model.place_of(Kind::Unknown) != Some(UNKNOWN) {
        return Err(data(format!(
            "its piece number {UNKNOWN} is not the unknown one; ALBERT has <pad>, <unk>, [CLS] and [SEP] in front (spm_train --pad_id=0 --unk_id=1)"
        )));
    }
    let failed = |error: tokenizers::Error| data(error.to_string());
    let mut tokenizer = of_pieces(&model, UNKNOWN).map_err(failed)?;
    let has_rules = !model.charsmap.is_empty();
    let rules = if has_rules { Some(Precompiled::from(&model.charsmap).map_err(|error| data(error.to_string()))?) } else { None };
    set_ways(&mut tokenizer, config, rules).map_err(failed)?;
    declare(&mut tokenizer, &model, &NAMED, config)?;
    set_template(&mut tokenizer, config).map_err(|failure| in_file(path, failure))?;
    Ok(tokenizer)
}
