//! Where a text may be cut without a token's noticing.

use tokenizers::{ModelWrapper, NormalizerWrapper, PreTokenizerWrapper, Tokenizer};

/// The places to cut of one tokenizer.
pub struct Cuts {
    words: Option<Words>,
}

impl Cuts {
    /// None where a piece alone could give other tokens than within its text.
    pub fn of(tokenizer: &Tokenizer) -> Option<Self> {
        let fits = cuts_at_spaces(tokenizer) && is_certain(tokenizer) && tokens_stay_in_pieces(tokenizer);
        fits.then(|| Cuts { words: Words::of(tokenizer) })
    }

    /// The text in pieces, each of which but the first begins with a space that follows a letter, a digit or an ASCII
    /// sign. No token crosses such a place. Other white space stays within a piece: GPT-2's way looks at what follows
    /// it, and puts a space before a text that begins with it. BERT's way drops the spaces, unless they are wanted: an
    /// added token may take in the one in front of it.
    pub fn pieces_of<'a>(&self, text: &'a str, with_spaces: bool) -> impl Iterator<Item = &'a str> {
        let drops_spaces = self.words.is_some() && !with_spaces;
        let mut rest = text;
        std::iter::from_fn(move || {
            if rest.is_empty() {
                return None;
            }
            let (piece, behind) = rest.split_at(first_cut(rest));
            rest = behind;
            Some(if drops_spaces { piece.trim_start_matches(' ') } else { piece })
        })
    }

    /// The words and signs of a piece, where they can be told without a look at the whole of it.
    pub fn words_of<'a>(&self, piece: &'a str) -> Option<impl Iterator<Item = &'a str>> {
        self.words.as_ref().filter(|words| words.may_cut(piece)).map(|_| words_of(piece))
    }
}

/// BERT's and GPT-2's ways: white space begins a word or stands between words, and what normalizes looks at one
/// character at a time.
fn cuts_at_spaces(tokenizer: &Tokenizer) -> bool {
    match (tokenizer.get_normalizer(), tokenizer.get_pre_tokenizer()) {
        (None | Some(NormalizerWrapper::BertNormalizer(_)), Some(PreTokenizerWrapper::BertPreTokenizer(_))) => true,
        (None, Some(PreTokenizerWrapper::ByteLevel(it))) => it.use_regex,
        _ => false,
    }
}

fn is_certain(tokenizer: &Tokenizer) -> bool {
    match tokenizer.get_model() {
        ModelWrapper::WordPiece(_) => true,
        ModelWrapper::BPE(model) => model.dropout.is_none(), // merges left out by chance
        _ => false,
    }
}

/// Added tokens are found in the whole text: none may reach into the next piece.
fn tokens_stay_in_pieces(tokenizer: &Tokenizer) -> bool {
    let tokens = tokenizer.get_added_tokens_decoder();
    tokens.values().all(|token| !token.rstrip && token.content.bytes().all(|byte| byte.is_ascii_graphic()))
}

fn first_cut(text: &str) -> usize {
    let ends_word = |at: &usize| text[..*at].ends_with(|last: char| last.is_ascii_graphic() || last.is_alphanumeric());
    text.match_indices(' ').map(|(at, _)| at).find(ends_word).unwrap_or(text.len())
}

/// BERT also cuts around every ASCII sign, so that of a new piece often all words are known.
struct Words {
    begins_token: [bool; 128], // bytes that an added token may begin with, in either case: such pieces are left whole
}

impl Words {
    fn of(tokenizer: &Tokenizer) -> Option<Self> {
        if !matches!(tokenizer.get_pre_tokenizer(), Some(PreTokenizerWrapper::BertPreTokenizer(_))) {
            return None;
        }
        let mut begins_token = [false; 128];
        for token in tokenizer.get_added_tokens_decoder().values() {
            if let Some(&first) = token.content.as_bytes().first() {
                begins_token[first.to_ascii_lowercase() as usize] = true;
                begins_token[first.to_ascii_uppercase() as usize] = true;
            }
        }
        Some(Words { begins_token })
    }

    fn may_cut(&self, piece: &str) -> bool {
        piece.bytes().all(|byte| byte.is_ascii_graphic() && !self.begins_token[byte as usize])
    }
}

/// Runs of ASCII letters and digits, and each sign alone.
fn words_of(piece: &str) -> impl Iterator<Item = &str> {
    piece.split_inclusive(|c: char| c.is_ascii_punctuation()).flat_map(|part| {
        let sign = part.len() - usize::from(part.ends_with(|c: char| c.is_ascii_punctuation()));
        [&part[..sign], &part[sign..]].into_iter().filter(|word| !word.is_empty())
    })
}
