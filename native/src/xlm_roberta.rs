//! What transformers' classes of XLM-R and CamemBERT make anew whatever a tokenizer.json says: files of the hub are cut at
//! marks alone, and the classes cut at white space before.

use crate::settings::{flag, token};
use crate::unigram::{rules_of, set_template, Around};
use crate::Failure;
use serde_json::{json, Value};
use tokenizers::pre_tokenizers::metaspace::{Metaspace, PrependScheme};
use tokenizers::pre_tokenizers::sequence::Sequence;
use tokenizers::pre_tokenizers::whitespace::WhitespaceSplit;
use tokenizers::{ModelWrapper, Tokenizer};

pub const CLASS: &str = "XLMRobertaTokenizer";
pub const OF_CAMEMBERT: &str = "CamembertTokenizer";
const AROUND: Around = Around { cls: "<s>", sep: "</s>", single: "CLS:0 $A:0 SEP:0", pair: "CLS:0 $A:0 SEP:0 SEP:0 $B:0 SEP:0" };

pub fn apply_settings(tokenizer: &mut Tokenizer, config: &Value) -> Result<(), Failure> {
    if !matches!(tokenizer.get_model(), ModelWrapper::Unigram(_)) {
        return Ok(());
    }
    let rules = tokenizer.get_normalizer().and_then(rules_of);
    tokenizer.with_normalizer(rules).map_err(|error| Failure::Data(error.to_string()))?;
    let begins_word = flag(config, "add_prefix_space").unwrap_or(true);
    let scheme = if begins_word { PrependScheme::Always } else { PrependScheme::Never };
    let words = Metaspace::new('\u{2581}', scheme, true);
    tokenizer.with_pre_tokenizer(Some(Sequence::new(vec![WhitespaceSplit.into(), words.clone().into()])));
    tokenizer.with_decoder(Some(words));
    // The two tokens stand around texts by these names of theirs.
    let (begin, end) = (token(config, "bos_token", AROUND.cls), token(config, "eos_token", AROUND.sep));
    if tokenizer.token_to_id(&begin).is_none() || tokenizer.token_to_id(&end).is_none() {
        return Ok(()); // the file's own template stays
    }
    set_template(tokenizer, &json!({"cls_token": begin, "sep_token": end}), &AROUND)
}
