//! Arrow's IPC format, as `datasets` keeps it in memory-mapped files: messages one after the other. A file of the form
//! with a footer (Feather 2) is the same behind its first eight bytes. The batches that start in a range of the file's
//! bytes are read, a batch at a time; others are passed over.

use crate::features::{self, Feature};
use crate::table::{wrong, Batches};
use crate::Failure;
use arrow_array::{ArrayRef, RecordBatch};
use arrow_buffer::Buffer;
use arrow_ipc::convert::fb_to_schema;
use arrow_ipc::reader::{read_dictionary, read_record_batch};
use arrow_ipc::{root_as_message, CompressionType, MessageHeader};
use arrow_schema::{ArrowError, Schema, SchemaRef};
use std::collections::HashMap;
use std::fs::File;
use std::ops::Range;
use std::os::unix::fs::FileExt;
use std::sync::Arc;

const CONTINUED: [u8; 4] = [0xff; 4];
/// A batch has thousands of rows; what is larger is no batch that anybody wrote.
const MOST_BATCH_BYTES: i64 = 4 << 30;
/// How much a codec makes of a byte at most.
const MOST_GROWTH: i64 = 1 << 16;

pub struct ArrowFile {
    path: String,
    file: File,
    size: i64,
    range: Range<i64>,
    at: i64, // of the next message
    next_row: i64,
    words: HashMap<i64, ArrayRef>, // dictionaries
    schema: SchemaRef,
    features: Feature,
}

struct Message {
    start: i64,
    head: Vec<u8>, // its length and what it says of its body
    prefix: usize, // bytes of the length
    body: i64,     // bytes
}

impl ArrowFile {
    pub fn open(path: &str, file: File, range: Range<i64>) -> Result<Self, Failure> {
        let size = file.metadata().map_err(|error| wrong(path, &error.to_string()))?.len() as i64;
        let mut magic = [0u8; 8];
        let _ = file.read_at(&mut magic, 0);
        if magic.starts_with(b"FEA1") {
            return Err(wrong(path, "Feather 1, and Arrow's IPC format is read; pandas.read_feather and to_parquet convert it"));
        }
        let at = if magic.starts_with(b"ARROW1") { 8 } else { 0 };
        let mut end = [0u8; 6];
        // A file that is cut off between batches tells by this alone; of a stream nobody can tell.
        if at == 8 && (size < 14 || file.read_exact_at(&mut end, size as u64 - 6).is_err() || end != *b"ARROW1") {
            return Err(wrong(path, "it begins as Arrow with a footer does, and does not end with ARROW1; is the file cut off? copy it again"));
        }
        let mut opened = ArrowFile {
            path: path.to_string(), file, size, range, at, next_row: 0,
            words: HashMap::new(), schema: Arc::new(Schema::empty()), features: Feature::default(),
        };
        let first = opened.message()?.ok_or_else(|| wrong(path, "no Arrow file: it is empty"))?;
        let no_schema = || wrong(path, "no Arrow file: it does not begin with a schema");
        let root = root_as_message(&first.head[first.prefix..]).map_err(|_| no_schema())?;
        let schema = root.header_as_schema().ok_or_else(no_schema)?;
        if !schema.endianness().equals_to_target_endianness() {
            return Err(wrong(path, "its numbers are big-endian, and little-endian ones are read; write it anew on the machine that reads it"));
        }
        opened.schema = Arc::new(fb_to_schema(schema));
        opened.pass(&first);
        opened.features = Feature::of_file(opened.schema.metadata().get(features::KEY));
        Ok(opened)
    }

    fn cut_off(&self) -> Failure {
        wrong(&self.path, &format!("it ends in the midst of the batch at byte {} behind row {}; is the file cut off? copy it again", self.at, self.next_row))
    }

    fn bytes(&self, size: usize, at: i64) -> Result<Vec<u8>, Failure> {
        let mut bytes = vec![0u8; size];
        self.file.read_exact_at(&mut bytes, at as u64).map_err(|_| self.cut_off())?;
        Ok(bytes)
    }

    /// The message that comes next, without its body; none at the end, with its mark or without.
    fn message(&self) -> Result<Option<Message>, Failure> {
        if self.at == self.size {
            return Ok(None);
        }
        let mut head = self.bytes(4, self.at)?;
        if head == CONTINUED {
            head = self.bytes(8, self.at)?;
        }
        let prefix = head.len();
        let length = i64::from(u32::from_le_bytes(head[prefix - 4..].try_into().unwrap_or_default()));
        if length == 0 {
            return Ok(None);
        }
        if length > self.size - self.at - prefix as i64 {
            return Err(if self.at <= 8 { wrong(&self.path, "no Arrow file, or it is cut off in its first message") } else { self.cut_off() });
        }
        let head = self.bytes(prefix + length as usize, self.at)?;
        let mut message = Message { start: self.at, head, prefix, body: 0 };
        message.body = self.header(&message)?.1;
        if message.body < 0 || message.body > self.size - self.at - message.head.len() as i64 {
            return Err(self.cut_off());
        }
        Ok(Some(message))
    }

    /// Kind, bytes of the body, rows.
    fn header(&self, message: &Message) -> Result<(MessageHeader, i64, i64), Failure> {
        let told = |what: &str| wrong(&self.path, &format!("what stands at byte {} is no message of Arrow: {what}", message.start));
        let root = root_as_message(&message.head[message.prefix..]).map_err(|error| told(error.to_string().lines().next().unwrap_or("")))?;
        let rows = root.header_as_record_batch().map_or(0, |batch| batch.length());
        if rows < 0 || rows > i64::from(i32::MAX) {
            return Err(told(&format!("it claims {rows} rows")));
        }
        Ok((root.header_type(), root.bodyLength(), rows))
    }

    /// The crate sets memory aside for what compressed buffers say that they become.
    fn check_growth(&self, message: &Message, body: &[u8]) -> Result<(), Failure> {
        let Ok(root) = root_as_message(&message.head[message.prefix..]) else { return Ok(()) };
        let of_words = root.header_as_dictionary_batch().and_then(|words| words.data());
        let Some(batch) = root.header_as_record_batch().or(of_words) else { return Ok(()) };
        let Some(compression) = batch.compression() else { return Ok(()) };
        if compression.codec() != CompressionType::LZ4_FRAME && compression.codec() != CompressionType::ZSTD {
            return Err(wrong(&self.path, "compressed in a way that is not read; write it anew without, or with lz4 or zstd"));
        }
        let mut sum = 0i64;
        for buffer in batch.buffers().into_iter().flatten().filter(|buffer| buffer.length() != 0) {
            let place = buffer.offset() as usize;
            let Some(claimed) = place.checked_add(8).and_then(|end| body.get(place..end)) else { continue };
            let claimed = i64::from_le_bytes(claimed.try_into().unwrap_or_default());
            sum = sum.saturating_add(claimed.max(0));
            if claimed > buffer.length().saturating_mul(MOST_GROWTH) || sum > MOST_BATCH_BYTES {
                return Err(wrong(&self.path, &format!("the batch at byte {} claims to become {sum} bytes", message.start)));
            }
        }
        Ok(())
    }

    /// Leaves the place behind the message. None where it is a dictionary, or of no matter.
    fn decode(&mut self, message: &Message) -> Result<Option<RecordBatch>, Failure> {
        let body = self.bytes(message.body as usize, message.start + message.head.len() as i64)?;
        self.check_growth(message, &body)?;
        let batch = self.values(message, Buffer::from_vec(body)).map_err(|error| {
            wrong(&format!("{}:{}", self.path, self.next_row + 1), &format!("the batch that begins here cannot be read: {error}; is the file damaged?"))
        })?;
        self.pass(message);
        Ok(batch)
    }

    fn values(&mut self, message: &Message, body: Buffer) -> Result<Option<RecordBatch>, ArrowError> {
        let root = root_as_message(&message.head[message.prefix..]).map_err(|error| ArrowError::IpcError(error.to_string()))?;
        if let Some(words) = root.header_as_dictionary_batch() {
            read_dictionary(&body, words, &self.schema, &mut self.words, &root.version())?;
        }
        let Some(batch) = root.header_as_record_batch() else { return Ok(None) };
        read_record_batch(&body, batch, self.schema.clone(), &self.words, None, &root.version()).map(Some)
    }

    fn pass(&mut self, message: &Message) {
        self.at = message.start + message.head.len() as i64 + message.body;
    }
}

impl Batches for ArrowFile {
    fn schema(&self) -> SchemaRef {
        self.schema.clone()
    }

    fn features(&self) -> &Feature {
        &self.features
    }

    fn next(&mut self) -> Result<Option<(i64, RecordBatch)>, Failure> {
        // Those behind the range belong to somebody else.
        while self.at < self.range.end {
            let Some(message) = self.message()? else { return Ok(None) };
            let (kind, _, rows) = self.header(&message)?;
            let first = self.next_row;
            if kind == MessageHeader::RecordBatch && message.start < self.range.start {
                self.pass(&message);
                self.next_row += rows;
                continue;
            }
            if let Some(batch) = self.decode(&message)? {
                self.next_row += batch.num_rows() as i64;
                return Ok(Some((first, batch)));
            }
        }
        Ok(None)
    }
}
