//! RoBERTa's byte-level BPE from vocab.json and merges.txt, put together as transformers' RobertaTokenizer does, and
//! what that class makes anew whatever a tokenizer.json says.

use crate::settings::{add_tokens, flag, special, token};
use crate::Failure;
use serde_json::Value;
use std::path::Path;
use tokenizers::models::bpe::BPE;
use tokenizers::pre_tokenizers::byte_level::ByteLevel;
use tokenizers::processors::roberta::RobertaProcessing;
use tokenizers::Tokenizer;

pub const CLASS: &str = "RobertaTokenizer";

pub fn from_vocabulary(vocabulary: &Path, merges: &Path, config: &Value) -> Result<Tokenizer, Failure> {
    let data = |error: tokenizers::Error| Failure::Data(format!("{}, merges.txt: {error}", vocabulary.display()));
    let (entries, pairs) = BPE::read_file(&vocabulary.to_string_lossy(), &merges.to_string_lossy()).map_err(data)?;
    for key in [("sep_token", "</s>"), ("cls_token", "<s>"), ("unk_token", "<unk>")] {
        let wanted = token(config, key.0, key.1);
        if !entries.contains_key(&wanted) {
            return Err(Failure::Data(format!(
                "{}: no entry is the token '{wanted}'; is this a RoBERTa vocabulary?",
                vocabulary.display()
            )));
        }
    }
    let model = BPE::builder()
        .vocab_and_merges(entries, pairs)
        .continuing_subword_prefix(String::new())
        .end_of_word_suffix(String::new())
        .build()
        .map_err(data)?;
    let mut tokenizer = Tokenizer::new(model);
    tokenizer.with_decoder(Some(ByteLevel::default()));
    let named = [
        ("bos_token", "<s>"),
        ("eos_token", "</s>"),
        ("unk_token", "<unk>"),
        ("sep_token", "</s>"),
        ("pad_token", "<pad>"),
        ("cls_token", "<s>"),
        ("mask_token", "<mask>"),
    ];
    add_tokens(&mut tokenizer, &named.map(|(key, default)| special(config, key, default)), config)?;
    apply_settings(&mut tokenizer, config)?;
    Ok(tokenizer)
}

/// The class has its own splitting and its own template: <s> a </s> and <s> a </s></s> b </s>.
pub fn apply_settings(tokenizer: &mut Tokenizer, config: &Value) -> Result<(), Failure> {
    let add_prefix_space = flag(config, "add_prefix_space").unwrap_or(false);
    let trim_offsets = flag(config, "trim_offsets").unwrap_or(true);
    let with_id = |key: &str, default: &str| {
        let text = token(config, key, default);
        let id = tokenizer.token_to_id(&text);
        id.map(|id| (text.clone(), id)).ok_or_else(|| Failure::Data(format!("{key} '{text}' is not in the vocabulary")))
    };
    let template = RobertaProcessing::new(with_id("sep_token", "</s>")?, with_id("cls_token", "<s>")?)
        .trim_offsets(trim_offsets)
        .add_prefix_space(add_prefix_space);
    tokenizer.with_pre_tokenizer(Some(ByteLevel::new(add_prefix_space, true, true)));
    tokenizer.with_post_processor(Some(template));
    Ok(())
}
