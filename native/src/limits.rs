//! What a tokenizer may not do, whatever its files say: give ids that nothing can hold, name tokens in a template that
//! it does not define, make of a text a hundred times as much.

use crate::Failure;
use serde_json::Value;
use tokenizers::Tokenizer;

/// The crate writes a vocabulary by counting up to its largest id, which takes seconds for each thousand million.
const MOST_IDS: u64 = 1 << 24;
/// How many bytes the normalizers may make of one. Real ones make three, of a blank.
const MOST_GROWTH: usize = 256;

/// Calls `visit` on every object of the tree.
fn for_each_object(tree: &Value, visit: &mut impl FnMut(&Value) -> Result<(), Failure>) -> Result<(), Failure> {
    match tree {
        Value::Object(fields) => {
            visit(tree)?;
            fields.values().try_for_each(|field| for_each_object(field, visit))
        }
        Value::Array(items) => items.iter().try_for_each(|item| for_each_object(item, visit)),
        _ => Ok(()),
    }
}

/// By chains of replacements, each of which may find a place at every byte of what the one before made.
fn refuse_growth(normalizer: &Value) -> Result<(), Failure> {
    let mut growth = 1usize;
    for_each_object(normalizer, &mut |object| {
        if object["type"] == "Replace" {
            growth = growth.saturating_mul(object["content"].as_str().map_or(1, str::len).max(1));
        }
        if growth <= MOST_GROWTH {
            return Ok(());
        }
        Err(Failure::Data(format!("its normalizer may make more than {MOST_GROWTH} bytes of one")))
    })
}

/// The largest id that special tokens of a post-processor have; every token that a template names must be one of them.
fn largest_special_id(processor: &Value) -> Result<u64, Failure> {
    let mut largest = 0;
    for_each_object(processor, &mut |object| {
        for token in ["sep", "cls"] {
            largest = largest.max(object[token][1].as_u64().unwrap_or(0));
        }
        let Some(defined) = object["special_tokens"].as_object() else { return Ok(()) };
        for token in defined.values() {
            let ids = token["ids"].as_array().into_iter().flatten();
            largest = ids.filter_map(Value::as_u64).fold(largest, u64::max);
        }
        for template in ["single", "pair"] {
            for piece in object[template].as_array().into_iter().flatten() {
                let Some(name) = piece["SpecialToken"]["id"].as_str() else { continue };
                if !defined.contains_key(name) {
                    return Err(Failure::Data(format!("its template '{template}' names the token '{name}', which is not among its special_tokens")));
                }
            }
        }
        Ok(())
    })?;
    Ok(largest)
}

/// One above the largest id that the tokenizer can give.
pub fn checked_id_bound(tokenizer: &Tokenizer) -> Result<usize, Failure> {
    let tree = |part: serde_json::Result<Value>| part.map_err(|error| Failure::Data(error.to_string()));
    refuse_growth(&tree(serde_json::to_value(tokenizer.get_normalizer()))?)?;
    let special = largest_special_id(&tree(serde_json::to_value(tokenizer.get_post_processor()))?)?;
    let of_vocabulary = tokenizer.get_vocab(true).into_values().max().unwrap_or(0);
    let largest = special.max(of_vocabulary.into());
    if largest >= MOST_IDS {
        return Err(Failure::Data(format!("it gives the id {largest}; ids below {MOST_IDS} are read, which are more than any model has embeddings")));
    }
    Ok(largest as usize + 1)
}
