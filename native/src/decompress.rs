//! The content of .gz and .zst files, from the beginning on. Members of gzip and frames of zstd that stand one behind
//! the other are one content.

use crate::{guard, Bytes, Failure};
use flate2::bufread::GzDecoder;
use std::fs::File;
use std::io::{BufRead, BufReader, ErrorKind, Read};

/// Members of gzip, and zeros behind one, with which tapes and block devices fill up.
struct Members(Option<GzDecoder<BufReader<File>>>);

/// Whether anything but zeros follows.
fn pass_zeros(rest: &mut BufReader<File>) -> std::io::Result<bool> {
    loop {
        let (zeros, length) = match rest.fill_buf() {
            Ok(bytes) => (bytes.iter().take_while(|&&byte| byte == 0).count(), bytes.len()),
            Err(error) if error.kind() == ErrorKind::Interrupted => continue,
            Err(error) => return Err(error),
        };
        rest.consume(zeros);
        if zeros < length || length == 0 {
            return Ok(length > 0);
        }
    }
}

impl Read for Members {
    fn read(&mut self, out: &mut [u8]) -> std::io::Result<usize> {
        while let Some(member) = &mut self.0 {
            let count = member.read(out)?;
            if count > 0 || out.is_empty() {
                return Ok(count);
            }
            if let Some(mut rest) = self.0.take().map(GzDecoder::into_inner) {
                self.0 = pass_zeros(&mut rest)?.then(|| GzDecoder::new(rest));
            }
        }
        Ok(0)
    }
}

pub struct Decompressed {
    path: String,
    kind: &'static str,
    test: &'static str,
    content: Box<dyn Read>,
    given: u64, // bytes
}

impl Decompressed {
    fn open(path: &str) -> Result<Self, Failure> {
        let file = File::open(path).map_err(|error| Failure::Config(format!("{path}: cannot be opened: {error}")))?;
        let file = BufReader::with_capacity(1 << 17, file);
        let told = |error: std::io::Error| Failure::Data(format!("{path}: cannot be read as zstd: {error}"));
        let (kind, test, content): (_, _, Box<dyn Read>) = match path.ends_with(".gz") {
            true => ("gzip", "gzip -t", Box::new(Members(Some(GzDecoder::new(file))))),
            false => ("zstd", "zstd -t", Box::new(zstd::stream::read::Decoder::with_buffer(file).map_err(told)?)),
        };
        Ok(Decompressed { path: path.to_string(), kind, test, content, given: 0 })
    }

    /// Fills `out` but at the end, and returns how much of it.
    fn read(&mut self, out: &mut [u8]) -> Result<usize, Failure> {
        let mut count = 0;
        while count < out.len() {
            match self.content.read(&mut out[count..]) {
                Ok(0) => break,
                Ok(more) => count += more,
                Err(error) if error.kind() == std::io::ErrorKind::Interrupted => continue,
                Err(error) => return Err(Failure::Data(format!(
                    "{}: what is compressed cannot be read as {} behind {} bytes of content: {error}; is the file cut off or damaged? {} tells",
                    self.path, self.kind, self.given + count as u64, self.test
                ))),
            }
        }
        self.given += count as u64;
        Ok(count)
    }
}

/// # Safety
/// `path` is readable, `out` is writable.
#[no_mangle]
pub unsafe extern "C" fn sft_decompressed_open(path: Bytes, out: *mut *mut Decompressed) -> i32 {
    guard(|| {
        *out = Box::into_raw(Box::new(Decompressed::open(path.as_str()?)?));
        Ok(())
    })
}

/// # Safety
/// `content` is a live handle that no other thread uses, `size` bytes are writable at `to`, and so is `count`.
#[no_mangle]
pub unsafe extern "C" fn sft_decompressed_read(content: *mut Decompressed, to: *mut u8, size: usize, count: *mut usize) -> i32 {
    guard(|| {
        *count = if size == 0 { 0 } else { (*content).read(std::slice::from_raw_parts_mut(to, size))? };
        Ok(())
    })
}

/// # Safety
/// `content` is a handle that was not freed, or null.
#[no_mangle]
pub unsafe extern "C" fn sft_decompressed_free(content: *mut Decompressed) {
    if !content.is_null() {
        drop(Box::from_raw(content));
    }
}
