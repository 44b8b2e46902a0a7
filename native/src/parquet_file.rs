//! Parquet: the row groups that start in a range of the file's bytes, a few rows of one at a time.

use crate::features::{self, Feature};
use crate::footer::check_footer;
use crate::table::{wrong, Batches};
use crate::Failure;
use arrow_array::RecordBatch;
use arrow_schema::SchemaRef;
use parquet::arrow::arrow_reader::{ArrowReaderMetadata, ArrowReaderOptions, ParquetRecordBatchReader, ParquetRecordBatchReaderBuilder};
use parquet::basic::Compression;
use parquet::errors::ParquetError;
use std::collections::VecDeque;
use std::fs::File;
use std::ops::Range;
use std::os::unix::fs::FileExt;

const MAGIC: &[u8] = b"PAR1";
/// Of at most 64 MiB each: the offsets of Arrow have 31 bits.
const ROWS_AT_ONCE: usize = 16;

struct Group {
    index: usize,
    first_row: i64,
    end: i64, // behind its last row
}

struct Open {
    next_row: i64,
    end: i64,
    reader: ParquetRecordBatchReader,
}

pub struct ParquetFile {
    path: String,
    file: File,
    metadata: ArrowReaderMetadata,
    features: Feature,
    groups: VecDeque<Group>,
    open: Option<Open>,
}

fn read_footer(path: &str, file: &File) -> Result<(), Failure> {
    let told = |problem: &str| wrong(path, &format!("{problem}; is the file cut off? copy it again"));
    let size = file.metadata().map_err(|error| wrong(path, &error.to_string()))?.len();
    let mut end = [0u8; 8];
    let mut begin = [0u8; 4];
    if size < 12 || file.read_exact_at(&mut begin, 0).is_err() || file.read_exact_at(&mut end, size - 8).is_err() {
        return Err(told("no Parquet file: it is too short"));
    }
    if end[4..] == *b"PARE" {
        return Err(wrong(path, "its footer is encrypted, and plain Parquet is read"));
    }
    if begin != MAGIC {
        return Err(wrong(path, "no Parquet file: it does not begin with PAR1"));
    }
    if end[4..] != *MAGIC {
        return Err(told("it begins as Parquet does, and does not end with PAR1"));
    }
    let length = u64::from(u32::from_le_bytes([end[0], end[1], end[2], end[3]]));
    if length > size - 12 {
        return Err(told(&format!("its footer claims {length} bytes of a file of {size}")));
    }
    let mut footer = vec![0u8; length as usize];
    file.read_exact_at(&mut footer, size - 8 - length).map_err(|error| wrong(path, &error.to_string()))?;
    check_footer(&footer).map_err(|problem| wrong(path, &format!("its footer cannot be read: {problem}")))
}

fn told(error: ParquetError) -> String {
    match error {
        ParquetError::NYI(what) => format!("{what}: not read; write it anew with the compression zstd or snappy"),
        error => error.to_string(),
    }
}

impl ParquetFile {
    pub fn open(path: &str, file: File, range: Range<i64>) -> Result<Self, Failure> {
        read_footer(path, &file)?;
        // Types as the format itself has them: what the writer called them in memory is nobody's matter here.
        let options = ArrowReaderOptions::new().with_skip_arrow_metadata(true);
        let metadata = ArrowReaderMetadata::load(&file, options)
            .map_err(|error| wrong(path, &format!("its footer cannot be read: {}; is the file damaged?", told(error))))?;
        let facts = metadata.metadata().file_metadata();
        let said = facts.key_value_metadata().into_iter().flatten().find(|entry| entry.key == features::KEY);
        let features = Feature::of_file(said.and_then(|entry| entry.value.as_ref()));

        let mut columns = metadata.metadata().row_groups().iter().flat_map(|group| group.columns());
        if let Some(column) = columns.find(|column| matches!(column.compression(), Compression::BROTLI(_) | Compression::LZO)) {
            let name = if column.compression() == Compression::LZO { "LZO" } else { "Brotli" };
            return Err(wrong(path, &format!(
                "its column '{}' is compressed with {name}, which is not read; write it anew with zstd or snappy, as pandas.read_parquet(FILE).to_parquet(NEW, compression=\"zstd\") does",
                column.column_path().string()
            )));
        }

        let (mut first_row, mut start) = (0i64, 0i64);
        let mut groups = VecDeque::new();
        let size = file.metadata().map_or(0, |about| about.len() as i64);
        for (index, group) in metadata.metadata().row_groups().iter().enumerate() {
            // A group belongs to one range, whatever its places claim.
            let claimed = group.columns().iter().map(|column| column.byte_range().0 as i64).min().unwrap_or(0);
            start = claimed.clamp(start, (size - 1).max(start));
            let end = first_row.saturating_add(group.num_rows());
            if range.contains(&start) {
                groups.push_back(Group { index, first_row, end });
            }
            first_row = end;
        }
        Ok(ParquetFile { path: path.to_string(), file, metadata, features, groups, open: None })
    }

    fn start(&self, group: usize) -> Result<ParquetRecordBatchReader, Failure> {
        let file = self.file.try_clone().map_err(|error| wrong(&self.path, &error.to_string()))?;
        ParquetRecordBatchReaderBuilder::new_with_metadata(file, self.metadata.clone())
            .with_row_groups(vec![group])
            .with_batch_size(ROWS_AT_ONCE)
            .build()
            .map_err(|error| wrong(&format!("{}: row group {group}", self.path), &told(error)))
    }
}

impl Batches for ParquetFile {
    fn schema(&self) -> SchemaRef {
        self.metadata.schema().clone()
    }

    fn features(&self) -> &Feature {
        &self.features
    }

    fn next(&mut self) -> Result<Option<(i64, RecordBatch)>, Failure> {
        loop {
            if let Some(open) = &mut self.open {
                let first = open.next_row;
                match open.reader.next() {
                    None if first == open.end => self.open = None,
                    None => {
                        let problem = format!("the row group ends behind this row, and behind row {} by the footer; is the file damaged?", open.end);
                        return Err(wrong(&format!("{}:{first}", self.path), &problem));
                    }
                    Some(Ok(batch)) => {
                        open.next_row += batch.num_rows() as i64;
                        return Ok(Some((first, batch)));
                    }
                    Some(Err(error)) => {
                        return Err(wrong(&format!("{}:{}", self.path, first + 1), &format!("the rows from here on cannot be read: {error}; is the file damaged?")));
                    }
                }
                continue;
            }
            let Some(group) = self.groups.pop_front() else { return Ok(None) };
            self.open = Some(Open { next_row: group.first_row, end: group.end, reader: self.start(group.index)? });
        }
    }
}
