//! Thrift's compact protocol, passed over without keeping anything.

/// As deep as tasks' columns are nested, and more.
pub const MOST_DEPTH: usize = 64;
const STRUCT: u8 = 12;

pub struct Walk<'a> {
    bytes: &'a [u8],
    at: usize,
}

pub type Result<T> = std::result::Result<T, String>;

impl<'a> Walk<'a> {
    pub fn new(bytes: &'a [u8]) -> Self {
        Walk { bytes, at: 0 }
    }

    fn byte(&mut self) -> Result<u8> {
        let byte = *self.bytes.get(self.at).ok_or("it ends too early")?;
        self.at += 1;
        Ok(byte)
    }

    pub fn varint(&mut self) -> Result<u64> {
        let mut value = 0u64;
        for shift in (0..64).step_by(7) {
            let byte = self.byte()?;
            value |= u64::from(byte & 0x7f) << shift;
            if byte & 0x80 == 0 {
                return Ok(value);
            }
        }
        Err("a number in it does not end".to_string())
    }

    fn pass(&mut self, count: u64) -> Result<()> {
        if count > (self.bytes.len() - self.at) as u64 {
            return Err("it ends too early".to_string());
        }
        self.at += count as usize;
        Ok(())
    }

    /// Kind and size of a list; each item takes a byte at least.
    pub fn list(&mut self) -> Result<(u8, u64)> {
        let head = self.byte()?;
        let size = if head >> 4 == 15 { self.varint()? } else { u64::from(head >> 4) };
        if size > (self.bytes.len() - self.at) as u64 {
            return Err(format!("a list in it claims {size} items"));
        }
        Ok((head & 15, size))
    }

    pub fn value(&mut self, kind: u8, depth: usize) -> Result<()> {
        if depth > MOST_DEPTH {
            return Err("it is nested too deep".to_string());
        }
        match kind {
            1 | 2 => Ok(()),
            3 => self.pass(1),
            4..=6 => self.varint().map(|_| ()),
            7 => self.pass(8),
            8 => {
                let size = self.varint()?;
                self.pass(size)
            }
            9 | 10 => {
                let (kind, size) = self.list()?;
                if size > 0 && kind < 3 {
                    // They have a byte each, as fields they have none; the crate passes over them as over fields.
                    return Err("it has a list of booleans".to_string());
                }
                (0..size).try_for_each(|_| self.value(kind, depth + 1))
            }
            STRUCT => self.fields(|walk, _, kind| walk.value(kind, depth + 1)),
            _ => Err(format!("it has a value of the unknown kind {kind}")),
        }
    }

    /// Calls `visit` with number and kind of each field, whose value it passes over.
    pub fn fields(&mut self, mut visit: impl FnMut(&mut Self, i64, u8) -> Result<()>) -> Result<()> {
        let mut number = 0i64;
        loop {
            let head = self.byte()?;
            if head == 0 {
                return Ok(());
            }
            number = match head >> 4 {
                0 => zigzag(self.varint()?),
                more => number + i64::from(more),
            };
            if i16::try_from(number).is_err() {
                return Err(format!("a field in it has the number {number}"));
            }
            visit(self, number, head & 15)?;
        }
    }
}

pub fn zigzag(value: u64) -> i64 {
    (value >> 1) as i64 ^ -((value & 1) as i64)
}
