//! XLNet's tokenizer from a bare spiece.model, put together as transformers' XLNetTokenizer does, and what that class makes
//! anew whatever a tokenizer.json says.

use crate::directory::in_file;
use crate::sentencepiece_model::{Kind, Model};
use crate::settings::{add_tokens, flag, special};
use crate::t5::declared_pieces;
use crate::unigram::{of_pieces, rules_in, rules_of, set_template, set_ways, Around};
use crate::Failure;
use serde_json::Value;
use std::path::Path;
use tokenizers::normalizers::Precompiled;
use tokenizers::{AddedToken, Tokenizer};

pub const CLASS: &str = "XLNetTokenizer";
const UNKNOWN: usize = 0;
const NAMED: [(&str, &str); 7] = [
    ("bos_token", "<s>"),
    ("eos_token", "</s>"),
    ("unk_token", "<unk>"),
    ("sep_token", "<sep>"),
    ("pad_token", "<pad>"),
    ("cls_token", "<cls>"),
    ("mask_token", "<mask>"),
];
/// The token that is read ends a text, and is of a segment of its own.
const AROUND: Around = Around { cls: "<cls>", sep: "<sep>", single: "$A:0 SEP:0 CLS:2", pair: "$A:0 SEP:0 $B:1 SEP:1 CLS:2" };

fn set(tokenizer: &mut Tokenizer, config: &Value, rules: Option<Precompiled>) -> tokenizers::Result<()> {
    // XLNetTokenizer knows no add_prefix_space.
    set_ways(tokenizer, true, false, flag(config, "do_lower_case").unwrap_or(false), rules)
}

pub fn apply_settings(tokenizer: &mut Tokenizer, config: &Value) -> Result<(), Failure> {
    let rules = tokenizer.get_normalizer().and_then(rules_of);
    set(tokenizer, config, rules).map_err(|error| Failure::Data(error.to_string()))?;
    set_template(tokenizer, config, &AROUND)
}

fn declared(model: &Model, config: &Value) -> Vec<AddedToken> {
    let mask_takes_space = !config["mask_token"].is_object();
    let named = NAMED.iter().map(|(key, text)| {
        let token = special(config, key, text);
        let is_mask = *key == "mask_token";
        if is_mask && mask_takes_space { token.lstrip(true) } else { token }
    });
    let mut all: Vec<AddedToken> = named.collect();
    if config["additional_special_tokens"].is_null() && config["extra_special_tokens"].is_null() {
        all.extend(["<eop>", "<eod>"].map(|text| AddedToken::from(text.to_string(), true)));
    }
    all.extend(declared_pieces(model));
    all
}

pub fn from_model(path: &Path, bytes: &[u8], config: &Value) -> Result<Tokenizer, Failure> {
    let model = Model::of_file(path, bytes)?;
    let failed = |error: tokenizers::Error| Failure::Data(format!("{}: {error}", path.display()));
    if model.place_of(Kind::Unknown) != Some(UNKNOWN) {
        return Err(Failure::Data(format!(
            "{}: its piece number {UNKNOWN} is not the unknown one, as XLNet's is; has it <sep> and <cls>? (spm_train --unk_id=0)",
            path.display()
        )));
    }
    let mut tokenizer = of_pieces(&model, UNKNOWN).map_err(failed)?;
    let rules = rules_in(&model).map_err(failed)?;
    set(&mut tokenizer, config, rules).map_err(failed)?;
    add_tokens(&mut tokenizer, &declared(&model, config), config)?;
    set_template(&mut tokenizer, config, &AROUND).map_err(|failure| in_file(path, failure))?;
    Ok(tokenizer)
}
