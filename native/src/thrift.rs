//! The footer of a Parquet file before the crate reads it: Thrift's compact protocol, passed over without keeping
//! anything. The crate believes the sizes of lists, and follows a schema as deep as it goes.

/// As deep as tasks' columns are nested, and more.
const MOST_DEPTH: usize = 64;
const STRUCT: u8 = 12;

struct Walk<'a> {
    bytes: &'a [u8],
    at: usize,
}

type Result<T> = std::result::Result<T, String>;

impl Walk<'_> {
    fn byte(&mut self) -> Result<u8> {
        let byte = *self.bytes.get(self.at).ok_or("it ends too early")?;
        self.at += 1;
        Ok(byte)
    }

    fn varint(&mut self) -> Result<u64> {
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
    fn list(&mut self) -> Result<(u8, u64)> {
        let head = self.byte()?;
        let size = if head >> 4 == 15 { self.varint()? } else { u64::from(head >> 4) };
        if size > (self.bytes.len() - self.at) as u64 {
            return Err(format!("a list in it claims {size} items"));
        }
        Ok((head & 15, size))
    }

    fn value(&mut self, kind: u8, depth: usize) -> Result<()> {
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
                for _ in 0..size {
                    // A boolean in a list has a byte, as a field it has none.
                    self.value(if kind < 3 { 3 } else { kind }, depth + 1)?;
                }
                Ok(())
            }
            STRUCT => self.fields(|walk, _, kind| walk.value(kind, depth + 1)),
            _ => Err(format!("it has a value of the unknown kind {kind}")),
        }
    }

    /// Calls `visit` with number and kind of each field, whose value it passes over.
    fn fields(&mut self, mut visit: impl FnMut(&mut Self, i64, u8) -> Result<()>) -> Result<()> {
        let mut number = 0i64;
        loop {
            let head = self.byte()?;
            if head == 0 {
                return Ok(());
            }
            number = match head >> 4 {
                0 => zigzag(self.varint()?),
                more => number.wrapping_add(i64::from(more)),
            };
            visit(self, number, head & 15)?;
        }
    }
}

fn zigzag(value: u64) -> i64 {
    (value >> 1) as i64 ^ -((value & 1) as i64)
}

/// The tree of the schema is a list of its nodes, each of which says how many children follow it.
fn check_schema(walk: &mut Walk) -> Result<()> {
    let (kind, size) = walk.list()?;
    if kind != STRUCT {
        return Err("its schema is no list of columns".to_string());
    }
    let mut open = vec![1u64]; // children that are still to come, of each node around the next one
    for passed in 0..size {
        let mut children = 0;
        walk.fields(|walk, number, kind| {
            if number != 5 || kind != 5 {
                return walk.value(kind, 0);
            }
            children = zigzag(walk.varint()?);
            Ok(())
        })?;
        while open.last() == Some(&0) {
            open.pop();
        }
        let left = open.last_mut().ok_or("its schema has columns outside the tree")?;
        *left -= 1;
        if children < 0 || children as u64 > size - passed - 1 {
            return Err(format!("a column of its schema claims {children} columns below it"));
        }
        if children > 0 {
            open.push(children as u64);
        }
        if open.len() > MOST_DEPTH {
            return Err(format!("its columns are nested more than {MOST_DEPTH} deep"));
        }
    }
    Ok(())
}

/// What the crate would not survive is refused here.
pub fn check_footer(bytes: &[u8]) -> Result<()> {
    let mut walk = Walk { bytes, at: 0 };
    walk.fields(|walk, number, kind| match (number, kind) {
        (2, 9) => check_schema(walk),
        _ => walk.value(kind, 0),
    })
}
