//! The rules by which SentencePiece rewrites characters: a trie of what is replaced, as a double array (darts-clone),
//! and what replaces it. The longest rule counts, at any place of a text; the crate `tokenizers` looks at one grapheme
//! at a time, and at its first rule.

/// One cell of a double array.
#[derive(Clone, Copy)]
struct Unit(u32);

impl Unit {
    fn has_leaf(self) -> bool {
        self.0 >> 8 & 1 == 1
    }
    fn value(self) -> usize {
        (self.0 & 0x7fff_ffff) as usize
    }
    fn label(self) -> u32 {
        self.0 & 0x8000_00ff
    }
    fn offset(self) -> usize {
        ((self.0 >> 10) << ((self.0 & 1 << 9) >> 6)) as usize
    }
}

#[derive(Default)]
pub struct Charsmap {
    units: Vec<Unit>,
    replacements: Vec<u8>, // each ends in NUL
}

impl Charsmap {
    /// From `precompiled_charsmap`: the trie's size in bytes, the trie, the replacements. None where it is none; empty
    /// bytes hold no rule.
    pub fn of(bytes: &[u8]) -> Option<Self> {
        if bytes.is_empty() {
            return Some(Charsmap::default());
        }
        let (size, rest) = bytes.split_first_chunk::<4>()?;
        let (trie, replacements) = rest.split_at_checked(u32::from_le_bytes(*size) as usize)?;
        let units = trie.chunks_exact(4).map(|it| Unit(u32::from_le_bytes([it[0], it[1], it[2], it[3]]))).collect();
        std::str::from_utf8(replacements).ok()?;
        Some(Charsmap { units, replacements: replacements.to_vec() })
    }

    /// What stands for the beginning of `text`, and of how many of its bytes; None: no rule is for it.
    pub fn longest_rule(&self, text: &str) -> Option<(&str, usize)> {
        let mut place = self.units.first()?.offset();
        let mut longest = None;
        for (i, &byte) in text.as_bytes().iter().enumerate() {
            place ^= usize::from(byte);
            let Some(unit) = self.units.get(place).filter(|unit| unit.label() == u32::from(byte)) else { break };
            place ^= unit.offset();
            if unit.has_leaf() && text.is_char_boundary(i + 1) {
                longest = Some((self.units.get(place)?.value(), i + 1));
            }
        }
        let (value, length) = longest?;
        let rest = self.replacements.get(value..)?;
        let end = rest.iter().position(|&byte| byte == 0).unwrap_or(rest.len());
        Some((std::str::from_utf8(&rest[..end]).ok()?, length))
    }
}
