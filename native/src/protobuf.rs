//! Protocol buffers as far as files of SentencePiece need them: the fields of one message, in their order. Encoding:
//! https://protobuf.dev/programming-guides/encoding

/// The value of a field, by its wire type.
pub enum Value<'a> {
    Number(u64),     // varint: whole numbers, booleans, enums
    Bytes(&'a [u8]), // strings, bytes, messages
    Single(f32),
    Wide, // 8 bytes, which no field that we read has
}

impl<'a> Value<'a> {
    pub fn number(&self) -> Option<u64> {
        if let Value::Number(value) = self {
            Some(*value)
        } else {
            None
        }
    }

    pub fn flag(&self) -> Option<bool> {
        self.number().map(|value| value != 0)
    }

    pub fn bytes(&self) -> Option<&'a [u8]> {
        if let Value::Bytes(bytes) = self {
            Some(bytes)
        } else {
            None
        }
    }

    pub fn text(&self) -> Option<&'a str> {
        self.bytes().and_then(|bytes| std::str::from_utf8(bytes).ok())
    }

    pub fn single(&self) -> Option<f32> {
        if let Value::Single(value) = self {
            Some(*value)
        } else {
            None
        }
    }
}

/// The bytes of a message that were not read yet.
struct Rest<'a>(&'a [u8]);

impl<'a> Rest<'a> {
    fn take(&mut self, count: usize) -> Option<&'a [u8]> {
        let (taken, behind) = self.0.split_at_checked(count)?;
        self.0 = behind;
        Some(taken)
    }

    /// Seven bits a byte, the lowest first; the eighth says that more follow.
    fn varint(&mut self) -> Option<u64> {
        let mut value = 0;
        for shift in (0..64).step_by(7) {
            let byte = self.take(1)?[0];
            value |= u64::from(byte & 0x7f) << shift;
            if byte & 0x80 == 0 {
                return Some(value);
            }
        }
        None
    }

    fn field(&mut self) -> Option<(u64, Value<'a>)> {
        let tag = self.varint()?;
        let value = match tag & 7 {
            0 => Value::Number(self.varint()?),
            1 => self.take(8).map(|_| Value::Wide)?,
            2 => {
                let size = usize::try_from(self.varint()?).ok()?;
                Value::Bytes(self.take(size)?)
            }
            5 => Value::Single(f32::from_le_bytes(self.take(4)?.try_into().ok()?)),
            _ => return None,
        };
        Some((tag >> 3, value))
    }
}

/// Calls `visit(number, value)` for each field. None where the bytes are no message, or where `visit` says so.
pub fn for_each_field<'a>(message: &'a [u8], mut visit: impl FnMut(u64, Value<'a>) -> Option<()>) -> Option<()> {
    let mut rest = Rest(message);
    while !rest.0.is_empty() {
        let (number, value) = rest.field()?;
        visit(number, value)?;
    }
    Some(())
}
