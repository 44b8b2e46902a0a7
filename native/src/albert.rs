//! ALBERT's tokenizer from a bare spiece.model, put together as transformers' AlbertTokenizer does, and what that class
//! makes anew whatever a tokenizer.json says.

use crate::directory::in_file;
use crate::sentencepiece_model::{Kind, Model};
use crate::settings::flag;
use crate::unigram::{declare, of_pieces, rules_in, rules_of, set_template, set_ways, BERT_LIKE};
use crate::Failure;
use serde_json::Value;
use std::path::Path;
use tokenizers::normalizers::Precompiled;
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

fn set(tokenizer: &mut Tokenizer, config: &Value, rules: Option<Precompiled>) -> tokenizers::Result<()> {
    let keeps_accents = flag(config, "keep_accents").unwrap_or(false);
    set_ways(tokenizer, flag(config, "add_prefix_space").unwrap_or(true), keeps_accents, flag(config, "do_lower_case").unwrap_or(true), rules)
}

pub fn apply_settings(tokenizer: &mut Tokenizer, config: &Value) -> Result<(), Failure> {
    let rules = tokenizer.get_normalizer().and_then(rules_of);
    set(tokenizer, config, rules).map_err(|error| Failure::Data(error.to_string()))
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
    let rules = rules_in(&model).map_err(failed)?;
    set(&mut tokenizer, config, rules).map_err(failed)?;
    declare(&mut tokenizer, &model, &NAMED, config)?;
    set_template(&mut tokenizer, config, &BERT_LIKE).map_err(|failure| in_file(path, failure))?;
    Ok(tokenizer)
}
